//! Dot product of one state row with an operand vector, word by word; used for `sa_i` and for `y_i`.

use super::adder_level::wkv_adder_level;
use super::mul::wkv_mul;
use super::sizes::Sizes;
use crate::blocks::connect::bare;
use crate::blocks::prim::{round_shift, saturate};
use crate::config::OPERAND_BITS;
use crate::hdl::Module;
use crate::widths::SHIFT_BITS;
use std::sync::Arc;

/// Largest `head_size` is below `2^COLUMN_BITS`: how much longer than a product a row's sum can be. `head_size` has 8 bits, and
/// one bit is to spare in the product itself (only −min · −min needs it).
const COLUMN_BITS: usize = 7;

/// Cycles from a row's last word on `a_i`/`b_i` to its result: product 2, tree, accumulator, shift, rounding, saturation.
pub fn latency(vlanes: usize) -> usize {
    2 + vlanes.ilog2() as usize + 4
}

/// The unit that sums ± Σ a·b over a row of words, rounds by `shift_i` and saturates to `out_bits`; with `negate` the sum is subtracted.
///
/// In a design of several sessions each row brings its own shift, because rows of several are under way; in one of a single session the
/// shift is that of the instruction.
pub fn wkv_dot(sizes: &Sizes, out_bits: usize, negate: bool) -> Arc<Module> {
    let Sizes { vl, sw, .. } = *sizes;
    let product = sw + OPERAND_BITS;
    let sum = product + COLUMN_BITS;
    let mut m = Module::new(
        "wkv_dot",
        format!(
            "Sums one row: sat(round(sum of a*b, shift_i)) to OUT_BITS bits, a signed {sw} bits, b signed {OPERAND_BITS} bits, the sum exact; with NEGATE\n\
             minus the sum. A row arrives in words of {vl} elements, one a cycle or slower; first_i and last_i mark its ends (both for a\n\
             row of one word). Rows follow each other without a gap. The unit never refuses: the caller keeps room for the results.\n\
             Latency: {} cycles from the last word to valid_o, a pulse; data_o is valid with it, clipped_o says it was saturated.",
            latency(vl)
        ),
    );
    m.param("OUT_BITS", out_bits, 24, "bits of the result").param("NEGATE", usize::from(negate), 0, "1: minus the sum");
    m.input("valid_i", 1, "a_i, b_i hold a word").input("first_i", 1, "of a row").input("last_i", 1, "of a row");
    m.input("a_i", sizes.word_bits(), "state, signed elements");
    m.input("b_i", sizes.operand_bits(), "operand, signed elements");
    let shift_doc = if sizes.many() { "with last_i" } else { "stable while rows are under way" };
    m.input("shift_i", "anser_pkg::SHIFT_BITS", shift_doc);
    m.output("valid_o", 1, "pulse: one row").output("data_o", "OUT_BITS", "signed");
    m.output("clipped_o", 1, "with valid_o");
    m.sizes(&[("LANES", vl), ("STATE_BITS", sw), ("SUM_BITS", sum)]);
    m.body(include_str!("../../../rtl/wkv/wkv_dot.sv"));
    for l in 0..vl {
        let part = |name: &str, bits: usize| format!("{name}[{}:{}]", (l + 1) * bits - 1, l * bits);
        let (a, b, p) = (part("a_i", sw), part("b_i", OPERAND_BITS), part("level_0", product));
        m.instance(
            &format!("u_mul_{l}"),
            &wkv_mul(sw, OPERAND_BITS),
            &[("en_i", "mul_en"), ("a_i", &a), ("b_i", &b), ("p_o", &p)],
        );
    }
    let levels = vl.ilog2() as usize;
    for level in 1..=levels {
        let (nodes, bits) = (vl >> (level - 1), product + level - 1);
        let (from, to) = (format!("level_{}", level - 1), format!("level_{level}"));
        m.wire(&to, nodes / 2 * (bits + 1));
        let en = format!("valid_q[{}]", level + 1);
        m.instance(
            &format!("u_level_{level}"),
            &wkv_adder_level(nodes, bits),
            &[("en_i", &en), ("x_i", &from), ("sum_o", &to)],
        );
    }
    m.body(&format!("  assign word_sum = level_{levels};"));
    m.body(if sizes.many() { include_str!("../../../rtl/wkv/wkv_dot_slots.sv") } else { "  assign shift = shift_i;" });
    let mut c = bare(&["shift_i", "floor_o", "up_o"]);
    c.extend([("en_i", "acc_valid_q"), ("x_i", "acc_q")]);
    m.instance("u_round", &round_shift(sum, SHIFT_BITS, sum), &c);
    let c = [("x_i", "rounded_q"), ("y_o", "saturated"), ("clipped_o", "clipped")];
    m.instance_of("u_sat", &saturate(sum, out_bits), &[("OUT_BITS", "OUT_BITS")], &c);
    m.done()
}
