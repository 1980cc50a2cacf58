//! The rounding shift as a pipeline: its shift over two stages, and the addition it ends with left to the caller, who can
//! share or register it.

use crate::hdl::Module;
use std::sync::Arc;

/// `round(x, shift) = floor_o + up_o` (`golden_model::arithmetic::fixed::round_shift`), without the addition: a pipeline adds `up_o` as
/// the carry of an adder it has anyway. A shift by a multiple of 8 comes before the register inside, by 0 to 7 after it.
pub fn round_parts(in_bits: usize, shift_bits: usize) -> Arc<Module> {
    assert!(shift_bits > 3, "round_parts {in_bits}: {shift_bits} shift bits");
    let mut m = Module::combinational(
        "round_parts",
        "round(x_i, shift_i) = floor_o + up_o: a signed number of IN_BITS bits divided by 2^shift_i, to nearest, ties to even.\n\
         The result is exact for every shift_i; from IN_BITS on the sum is 0.\n\
         Latency: 1 cycle, half of the shift after the register; en_i low keeps the result. No reset: data only.",
    );
    m.param("IN_BITS", in_bits, 8, "").param("SHIFT_BITS", shift_bits, 4, "at least 4");
    m.input("clk_i", 1, "").input("en_i", 1, "x_i and shift_i are taken");
    m.input("x_i", "IN_BITS", "signed").input("shift_i", "SHIFT_BITS", "");
    m.output("floor_o", "IN_BITS", "signed").output("up_o", 1, "");
    m.body(include_str!("../../../rtl/vec/round_parts.sv"));
    m.done()
}
