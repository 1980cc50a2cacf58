//! Turns a checkpoint into integers: formats, roundings, and the searches for good ones.
//!
//! Callers find ranges with [`calibrate`], say what they want in [`options`] and call [`quantise`] or [`quantise_with`]. [`search`] finds a format
//! for each matrix within a budget of bytes, [`check`] compares the outcome with floating point. The other modules are parts of these:
//! [`choose_formats`] sizes the vectors, [`rounding`], [`groups`], [`column_groups`] and [`gptq`] round weights, [`own_matrices`] makes the
//! matrices of DeepEmbed, [`branch_fit`] and [`cluster_fit`] make what some models have beside their matrices.
pub mod approximate;
pub mod auto;
pub mod branch_fit;
pub mod calibrate;
pub mod check;
pub mod choose_formats;
pub mod cluster_fit;
pub mod column_groups;
mod convert;
pub mod gptq;
pub mod groups;
pub mod options;
pub mod own_matrices;
pub mod random;
pub mod record;
pub mod rounding;
pub mod scales;
pub mod search;

pub use convert::{quantise, quantise_with, QuantiseError, Quantised};
