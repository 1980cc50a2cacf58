//! Verilator builds, memory model and lock-step comparison. Computes no expected value: it compares.
pub mod cache;
pub mod dut;
pub mod toolchain;
pub mod verilate;
