//! One lane of the vector unit: select, multiply, round, add, saturate or look up.

use crate::blocks::prelude::*;
use crate::blocks::prim::mul_pipe::mul_pipe;
use crate::blocks::prim::{round_shift, saturate};
use crate::blocks::vec::lut::{lut, LUT_STAGES};
use crate::blocks::vec::sizes::{declare_cases, field_bits, FACTOR_BITS, PRODUCT_BITS, TABLE_IN_BITS, TABLE_OUT_BITS};
use golden_model::arithmetic::tables;

/// Register stages from the memories' outputs to `o_o`: operands, what is subtracted, x/m/c, partial products, t, two of the
/// rounded t, z, o.
pub const LANE_STAGES: usize = 9;
/// The stage that holds t.
pub const PRODUCT_STAGE: usize = 6;
/// Further stages of a word that goes through the table: a first clip, a shift (two stages), the clip to the table's input, and those of
/// `lut`.
pub const TABLE_STAGES: usize = 4 + LUT_STAGES;

/// The operands of a lane, and of each the values of its field (`x_sel`, `m_sel`, `c_sel`) that the lane distinguishes. They are decoded a
/// stage before it into one bit a value, the first in bit 0.
pub const OPERANDS: [(&str, &[&str]); 3] = [
    ("X", &["ZERO", "RELU_A", "A_MINUS_B", "A_MINUS_MEAN", "A_MINUS_ONE"]),
    ("M", &["P", "B", "SCALAR", "X"]),
    ("C", &["A", "B", "P", "ONE"]),
];

/// The datapath of one lane; all control comes from `vec`, in step with the stage that uses it.
///
/// `param_bits` is the width of a parameter: [`OPERAND_BITS`], or [`VEC_BITS`] if elements of session vectors come the same way.
pub fn vec_lane(param_bits: usize) -> Arc<Module> {
    let [x_cases, m_cases, c_cases] = OPERANDS.map(|(_, values)| values.len());
    let (shift, pshift, lut_shift) = (field_bits("shift"), field_bits("pshift"), field_bits("lut_shift"));
    let addend = OPERAND_BITS + (1 << pshift) - 1; // a parameter, shifted as far as it can be
    let z = PRODUCT_BITS + 1;
    // a number beyond this stays beyond the table's input, whatever lut_shift is
    let clip = TABLE_IN_BITS + (1 << lut_shift);
    let mut m = Module::combinational(
        "vec_lane",
        format!(
            "One lane: o = lut ? table(clip(round(z, lut_shift))) : sat(z), z = round(x * m, shift) + c (docs/hardware.md, 3).\n\
             Stage 1 is the cycle in which words come out of the vector memory; vec registers them, because memories are slow, and\n\
             a_i and b_i are stage 2. v_i[k-1]: stage k holds a word and hands it to stage k+1 at the next edge; lv_i[k]: the same\n\
             for stage k of the table path; lv_i[0]: the word in stage {LANE_STAGES} goes there.\n\
             Latency {} from a_i and b_i to o_o, {} through the table. A word and a table word never reach o_o together: vec sees to it.\n\
             Bounds: |x| < 2^27, |m| < 2^27: t = x * m fits 55 bits, {PRODUCT_BITS} kept. c fits {addend} bits, so z fits {z}.\n\
             The table path first clips z to {clip} bits: that does not change what the clip to {TABLE_IN_BITS} bits gives after a shift by lut_shift.\n\
             A dead lane (live_i low) has x = c = 0; its table result is cleared (live_end_i), so o_o = 0 and clip_o = 0.\n\
             No reset: datapath registers, qualified by v_i and lv_i.",
            LANE_STAGES - 1,
            LANE_STAGES - 1 + TABLE_STAGES,
        ),
    );
    ports! { m;
        clk_i, v_i[LANE_STAGES] "v_i[0] is for vec", lv_i[TABLE_STAGES + 1], a_i[VEC_BITS] "stage 2",
        b_i[VEC_BITS] "stage 2", p_i[param_bits] "stage 2", mean_i[VEC_BITS] "stage 2", mult_i[VEC_BITS] "stage 2",
        x_is_i[x_cases] "stage 2, one bit a case; none: x = a",
        m_is_i[m_cases] "stage 2, one bit a case; none: m = 1",
        c_is_i[c_cases] "stage 2, one bit a case; none: c = 0", live_i "stage 2", shift_i[shift] "stage 6",
        pshift_i[pshift] "stage 7, 0 unless c is p", lut_shift_i[lut_shift] "table stage 1",
        lut_i[field_bits("lut")] "table stage 4", live_end_i "the last table stage",
        t_o[PRODUCT_BITS] "the product, stage 6", o_o[VEC_BITS] "the result", clip_o "o_o was saturated",
    }
    sizes! { m;
        PARAM_BITS = param_bits, FACTOR_BITS, PRODUCT_BITS, ADDEND_BITS = addend, Z_BITS = z, CLIP_BITS = clip,
        ONE_FRAC = tables::OUTPUT_FRAC as usize, TABLE_IN_BITS, TABLE_OUT_BITS, LANE_STAGES, TABLE_STAGES,
    }
    declare_cases(&mut m, &OPERANDS);
    m.body(rtl!("vec/lane"));
    instance! { m, "u_mul", mul_pipe(FACTOR_BITS); en_i: "v_i[4:3]", x_i: x_4_q, m_i: m_4_q, t_o }
    instance! { m, "u_round", round_shift(PRODUCT_BITS, shift, PRODUCT_BITS);
        en_i: "v_i[5]", x_i: t_o, shift_i, floor_o: floor, up_o: up,
    }
    instance! { m, "u_sat", saturate(z, VEC_BITS); x_i: z_9_q, y_o: o, clipped_o: clip }
    instance! { m, "u_clip", saturate(z, clip); x_i: z_9_q, y_o: z_clipped, clipped_o: unused_clipped }
    instance! { m, "u_lut_round", round_shift(clip, lut_shift, clip);
        en_i: "lv_i[1]", x_i: z_clipped_1_q, shift_i: lut_shift_i, floor_o: z_floor, up_o: z_up,
    }
    instance! { m, "u_clip_in", saturate(clip, TABLE_IN_BITS); x_i: z_rounded, y_o: z_in, clipped_o: unused_in_clipped }
    let lut_stages = format!("lv_i[{}:4]", TABLE_STAGES - 1);
    instance! { m, "u_lut", lut(); en_i: &lut_stages, sel_i: lut_i, z_i: z_in_4_q, y_o: table_y }
    m.done()
}
