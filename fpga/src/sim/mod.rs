//! The board in simulation: the system in Verilator, the SDRAM chip and the serial line as models.
pub mod board;
pub mod bus;
pub mod sdram_chip;
pub mod uart;
