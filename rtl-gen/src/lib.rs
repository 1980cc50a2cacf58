//! The accelerator: configuration, program compiler and RTL, elaborated with rust-hdl.
//!
//! `docs/hardware.md` is the contract between the program and the RTL.
pub mod bench;
pub mod blocks;
pub mod config;
pub mod delivery;
pub mod hdl;
pub mod isa;
pub mod notice;
pub mod package;
pub mod program;
pub mod registers;
pub mod widths;
