//! One token of RWKV-7, twice: in floating point and in integers. The two files are twins, to be read side by side.
pub mod branch;
pub mod clusters;
pub mod float_math;
pub mod float_step;
pub mod integer_step;
mod model_check;
pub mod qmodel;
pub mod session;
