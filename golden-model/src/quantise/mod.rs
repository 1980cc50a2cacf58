//! From a checkpoint to integers: formats, roundings, and the searches for good ones.
pub mod approximate;
pub mod branch_fit;
pub mod calibrate;
pub mod cluster_fit;
pub mod column_groups;
pub mod formats;
pub mod gptq;
pub mod groups;
pub mod quantiser;
pub mod recipe;
pub mod search;
