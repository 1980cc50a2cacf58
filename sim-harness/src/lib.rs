//! Verilator builds, memory model and lock-step comparison. Computes no expected value: it compares.
//!
//! [`dut::Dut`] is any printed design in Verilator; [`session::Session`] is the whole chip on its bench.
//! [`bus::BusChip`] is the whole chip for a host that is another program.
mod axi;
pub mod axi_lite;
pub mod axi_memory;
pub mod axi_write;
pub mod bus;
pub mod cache;
pub mod chance;
pub mod chip;
mod contents;
mod core_ports;
mod device;
pub mod dram;
pub mod dut;
pub mod expect;
pub mod latency;
pub mod lint;
pub mod lockstep;
mod pass;
pub mod places;
pub mod session;
mod timeline;
pub mod toolchain;
pub mod verilate;
