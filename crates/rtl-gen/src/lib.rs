//! The accelerator: configuration, program compiler and RTL, elaborated with rust-hdl.
pub mod hdl;
