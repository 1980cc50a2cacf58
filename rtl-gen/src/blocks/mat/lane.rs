//! A multiply-accumulate lane of the matrix unit.

use crate::blocks::mat::dims::Dims;
use crate::blocks::prelude::*;

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
    ports! { m;
        clk_i, w_i[8] "weight byte, or nibbles: low, high", unsigned_i "w_i is the low byte of a 16-bit weight",
        w_o[8] "w_i a cycle ago", en_b_i "register the factors",
        x_i["2*anser_pkg::OPERAND_BITS"] "two signed operands, registered: the low one counts, or both with w4_i",
        x_sum_i["anser_pkg::OPERAND_BITS+1"] "signed, the sum of both", w4_i "with en_b_i: nibbles",
        gs_i[8] "unsigned scale, with en_b_i", en_m_i "register the product", en_c_i "accumulate",
        from_zero_i "the sum starts here", from_ram_i "the sum so far is acc_i",
        acc_i[d.column_acc] "signed, from the accumulator memory", load_i "the sum is complete",
        sum_o[d.column_acc] "signed, for the memory: the new sum, combinational",
        hold_o[d.acc] "signed, the last complete sum",
    }
    sizes! { m; ACC_BITS = d.acc, COLUMN_ACC_BITS = d.column_acc }
    m.body(rtl!("mat/mat_lane")).multipliers(1);
    m.done()
}
