//! The rounding shift with a register inside: half of the shift, then the rest and adding, are each a stage's work at 150 MHz.

use crate::hdl::Module;
use std::sync::Arc;

/// `round(x, shift) = floor_o + up_o` as `prim::round_shift`; a shift by a multiple of 8 comes before the register, by 0 to 7 after it.
pub fn wkv_round(in_bits: usize, shift_bits: usize, out_bits: usize) -> Arc<Module> {
    assert!(out_bits <= in_bits, "wkv_round {in_bits} to {out_bits}");
    assert!(in_bits >= 8 && shift_bits >= 4, "wkv_round: {in_bits} bits, {shift_bits} shift bits");
    let mut m = Module::combinational(
        "wkv_round",
        "Divides a signed number of IN_BITS bits by 2^shift_i, to nearest, ties to even.\n\
         The result must fit OUT_BITS bits (the upper bits are dropped); shifts of IN_BITS and more give 0.\n\
         round(x_i, shift_i) = floor_o + up_o; the addition is the caller's, who may have one to carry it along with.\n\
         Latency: 1 cycle; en_i low keeps the result. No reset: data only.",
    );
    m.param("IN_BITS", in_bits, 8, "8 or more").param("SHIFT_BITS", shift_bits, 4, "4 or more");
    m.param("OUT_BITS", out_bits, 8, "up to IN_BITS");
    m.input("clk_i", 1, "").input("en_i", 1, "x_i is taken");
    m.input("x_i", "IN_BITS", "signed").input("shift_i", "SHIFT_BITS", "");
    m.output("floor_o", "OUT_BITS", "signed").output("up_o", 1, "");
    m.body(include_str!("../../../rtl/wkv/wkv_round.sv"));
    m.done()
}
