//! Dot product of one state row with an operand vector, word by word; used for `sa_i` and for `y_i`.

use super::mul::wkv_mul;
use super::sizes::Sizes;
use crate::blocks::prelude::*;
use crate::blocks::prim::adder_level::adder_level;
use crate::blocks::prim::{round_shift, saturate};

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
    ports! { m;
        valid_i "a_i, b_i hold a word", first_i "of a row", last_i "of a row",
        a_i[sizes.word_bits()] "state, signed elements", b_i[sizes.operand_bits()] "operand, signed elements",
    }
    let shift_doc = if sizes.many() { "with last_i" } else { "stable while rows are under way" };
    m.input("shift_i", "anser_pkg::SHIFT_BITS", shift_doc);
    ports! { m; valid_o "pulse: one row", data_o["OUT_BITS"] "signed", clipped_o "with valid_o" }
    sizes! { m; LANES = vl, STATE_BITS = sw, SUM_BITS = sum }
    m.body(rtl!("wkv/wkv_dot"));
    for l in 0..vl {
        instance! { m, format!("u_mul_{l}"), wkv_mul(sw, OPERAND_BITS);
            en_i: mul_en, a_i: part("a_i", l, sw), b_i: part("b_i", l, OPERAND_BITS), p_o: part("level_0", l, product),
        }
    }
    let levels = vl.ilog2() as usize;
    for level in 1..=levels {
        let (nodes, bits) = (vl >> (level - 1), product + level - 1);
        let to = format!("level_{level}");
        m.wire(&to, nodes / 2 * (bits + 1));
        instance! { m, format!("u_level_{level}"), adder_level(nodes, 2, bits);
            en_i: format!("valid_q[{}]", level + 1), terms_i: format!("level_{}", level - 1), sums_o: &to,
        }
    }
    m.body(&format!("  assign word_sum = level_{levels};"));
    m.body(if sizes.many() { rtl!("wkv/wkv_dot_slots") } else { "  assign shift = shift_i;" });
    instance! { m, "u_round", round_shift(sum, SHIFT_BITS, sum);
        en_i: acc_valid_q, x_i: acc_q, shift_i: shift, floor_o: floor, up_o: up,
    }
    let c = wires! { x_i: rounded_q, y_o: saturated, clipped_o: clipped };
    m.instance_of("u_sat", &saturate(sum, out_bits), &[("OUT_BITS", "OUT_BITS")], c);
    m.done()
}
