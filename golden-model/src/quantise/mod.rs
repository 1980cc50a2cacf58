//! From a checkpoint to integers: formats, roundings, and the searches for good ones.
pub mod approximate;
pub mod branch_fit;
pub mod calibrate;
pub mod choose_formats;
pub mod cluster_fit;
pub mod column_groups;
mod convert;
pub mod gptq;
pub mod groups;
pub mod options;
pub mod random;
pub mod rounding;
pub mod scales;
pub mod search;

pub use convert::{quantise, quantise_with, QuantiseError, Quantised};
