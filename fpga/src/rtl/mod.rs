//! The system around the chip, as modules of [`rtl_gen::hdl`]: no vendor cell, no board's name.
pub mod axi_read;
pub mod clock;
pub mod control;
pub mod frame;
pub mod lite;
pub mod sdram;
pub mod system;
pub mod uart;
