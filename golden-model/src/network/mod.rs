//! One token of RWKV-7, twice: in floating point and in integers. The two files are twins, to be read side by side.
pub mod branch;
mod check;
pub mod clusters;
pub mod float_math;
pub mod float_step;
pub mod formats;
mod integer_math;
pub mod integer_step;
pub mod model;
pub mod recipe;
pub mod session;
pub mod shifts;
mod taps;
pub mod tensors;
