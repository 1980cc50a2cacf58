//! A multiply-accumulate lane of the matrix unit.

use crate::blocks::mat::dims::Dims;
use crate::hdl::Module;
use std::sync::Arc;

/// One byte lane: multiplier, accumulator and the hand-over register of a finished sum.
pub(in crate::blocks) fn lane(d: &Dims) -> Arc<Module> {
    let mut m = Module::combinational(
        "mat_lane",
        format!(
            "One byte lane of the matrix unit: operand times weight, accumulated exactly; one multiplier serves all formats.\n\
             Latency: w_i is registered in every cycle. en_b_i, in the cycle after a beat was taken, registers the factors: operand and\n\
             byte, or (w4_i) scale of the columns and what their two nibbles give, q0 x0 + q1 x1. en_m_i, a cycle later, registers the\n\
             product; en_c_i, another cycle later, adds it to 0, to acc_i or to the lane's last sum. load_i, which comes only together\n\
             with en_c_i, copies the new sum to hold_o.\n\
             A product has 24 bits (-32768 x 255 at worst), with 4-bit weights 28 (2 x -8 x -32768 x 255). So {} bits hold the sum\n\
             over {} columns, or over {} of 4-bit weights.\n\
             No reset: these are data, and every use follows a write.",
            d.acc, d.max_cols, d.max_w4_cols
        ),
    );
    m.input("clk_i", 1, "");
    m.input("w_i", 8, "weight byte, or nibbles: low, high");
    m.input("unsigned_i", 1, "w_i is the low byte of a 16-bit weight").output("w_o", 8, "w_i a cycle ago");
    m.input("en_b_i", 1, "register the factors");
    m.input(
        "x_i",
        "2*anser_pkg::OPERAND_BITS",
        "two signed operands, registered: the low one counts, or both with w4_i",
    );
    m.input("x_sum_i", "anser_pkg::OPERAND_BITS+1", "signed, the sum of both");
    m.input("w4_i", 1, "with en_b_i: nibbles").input("gs_i", 8, "unsigned scale, with en_b_i");
    m.input("en_m_i", 1, "register the product").input("en_c_i", 1, "accumulate");
    m.input("from_zero_i", 1, "the sum starts here").input("from_ram_i", 1, "the sum so far is acc_i");
    m.input("acc_i", d.column_acc, "signed, from the accumulator memory").input("load_i", 1, "the sum is complete");
    m.output("sum_o", d.column_acc, "signed, for the memory: the new sum, combinational");
    m.output("hold_o", d.acc, "signed, the last complete sum");
    m.sizes(&[("ACC_BITS", d.acc), ("COLUMN_ACC_BITS", d.column_acc)]);
    m.body(include_str!("../../../rtl/mat/mat_lane.sv")).multipliers(1);
    m.done()
}
