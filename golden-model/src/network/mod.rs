//! One token of RWKV-7, twice: in floating point and in integers.
//!
//! [`float_step`] and [`integer_step`] are twins, to be read side by side. Callers who want text use a [`session`]; [`model`] is the network in
//! integers, [`formats`] its fractions and [`shifts`] what follows from them.
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
