//! Verilator builds, memory model and lock-step comparison. Computes no expected value: it compares.
pub mod dut;
