//! Boards for the accelerator: the system around the chip, the link to a host, bitstreams and estimates.
//!
//! * [`rtl`]: host link, memory controller and reset as modules; [`rtl::system::system`] is the whole without vendor cells.
//! * [`sim`]: that system in Verilator between a model of the SDRAM chip, which checks every time it needs, and a serial line.
//! * [`protocol`], [`link`]: the bytes on the line, and the host's side of it, the same over a real port and a simulated one.
//! * [`pynq`]: the Python package that drives the chip where it lies beside a processor; [`sim::bus`] is a simulated chip for it.
//! * [`board`]: what a board has. [`build`]: from a configuration to a bitstream. [`estimate`]: what a larger part would hold.
//!
//! This crate does no arithmetic of the model: what the chip says is compared by its caller.
pub mod board;
pub mod build;
mod cells;
pub mod error;
pub mod estimate;
pub mod link;
pub mod load;
pub mod nextpnr;
pub mod pll;
pub mod protocol;
pub mod pynq;
pub mod record;
pub mod rtl;
pub mod serial;
pub mod sim;
mod stage;
pub mod tools;

pub use error::FpgaError;
