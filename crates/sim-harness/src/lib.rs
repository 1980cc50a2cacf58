//! Verilator builds, memory model and lock-step comparison. Computes no expected value: it compares.
pub mod axi_lite;
pub mod axi_memory;
pub mod cache;
pub mod chance;
pub mod dut;
pub mod toolchain;
pub mod verilate;
