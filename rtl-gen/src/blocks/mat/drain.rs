//! The drain of the matrix unit: rows out of the hand-over registers, scaled, rounded and saturated.

use crate::blocks::mat::dims::{Dims, OUT_ROWS};
use crate::blocks::prelude::*;

/// Walks the rows of a hand-over and computes `sat_27(round(acc * m, max(0, shift + e - xexp)))`.
pub(in crate::blocks) fn drain(d: &Dims) -> Arc<Module> {
    // thirds of a sum, each of which a multiplier of 18 bits takes whole; the outer two products do not overlap
    let third = d.sum.div_ceil(3);
    assert!((SCALE_M_BITS..=17).contains(&third), "mat_drain: sums of {} bits", d.sum);
    let mut m = Module::new(
        "mat_drain",
        format!(
            "Drain of the matrix unit. load_i announces that the lanes' hand-over registers hold load_rows_i rows from the next cycle\n\
             on; they are read one row a cycle while the output queue has room (a credit a row, free_i gives it back):\n\
             dense formats add the {g} groups of a row, W16 then combines 256 odd + even; columns take group after group.\n\
             y = sat_27(round(sum x m, max(0, shift + e))), round to nearest, ties to even; the product has {product} bits.\n\
             Latency: out_valid_o seven cycles after the row was chosen; the pipeline never waits.\n\
             hold_ok_o is a register: the hand-over registers may be overwritten at the end of the third cycle from now, and nothing is\n\
             about to be handed over.",
            g = d.groups,
            product = d.sum + SCALE_M_BITS
        ),
    );
    ports! { m;
        load_i, load_columns_i, load_w16_i, load_shift_i["anser_pkg::MAT_LOAD_SHIFT_BITS"] "signed: shift - xexp",
        load_rows_i["anser_pkg::MAT_LOAD_ROWS_BITS"], load_last_i, loading_i "load_i will come in one to three cycles",
        hold_ok_o, row_o "a row is chosen", row_last_o "it is the instruction's last",
        sel_o[d.groups] "groups that take part", pair_o[3] "lanes 2 pair and 2 pair + 1",
        even_i[d.groups * d.acc] "signed, a group each, one cycle after row_o", odd_i[d.groups * d.acc] "the same",
        scale_i["anser_pkg::SCALE_BITS"] "two cycles after row_o: exponent, multiplier", out_valid_o,
        out_data_o["anser_pkg::VEC_BITS"] "signed", out_clipped_o, out_last_o, free_i "a row left the output queue",
    }
    sizes! { m; GROUPS = d.groups, ACC_BITS = d.acc, SUM_BITS = d.sum, THIRD_BITS = third, OUT_ROWS }
    m.body(rtl!("mat/mat_drain"));
    m.body(rtl!("mat/mat_drain_round")).multipliers(3);
    m.done()
}
