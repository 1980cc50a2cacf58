//! One lane of the vector unit: select, multiply, round, add, saturate or look up.

use crate::blocks::prim::mul_pipe::mul_pipe;
use crate::blocks::prim::{round_shift, saturate};
use crate::blocks::vec::lut::{lut, LUT_STAGES};
use crate::blocks::vec::sizes::{declare_cases, field_bits, FACTOR_BITS, PRODUCT_BITS, TABLE_IN_BITS, TABLE_OUT_BITS};
use crate::config::{OPERAND_BITS, VEC_BITS};
use crate::hdl::Module;
use golden_model::arithmetic::tables;
use std::sync::Arc;

/// Register stages from the memories' outputs to `o_o`: operands, what is subtracted, x/m/c, partial products, t, two of the
/// rounded t, z, o.
pub const LANE_STAGES: usize = 9;
/// The stage that holds t.
pub const PRODUCT_STAGE: usize = 6;
/// Further stages of a word that goes through the table: a first clip, a shift (two stages), the clip to the table's input, and those of
/// `lut`.
pub const TABLE_STAGES: usize = 4 + LUT_STAGES;

/// The cases of `x_sel`, `m_sel` and `c_sel` that a lane tells apart, decoded a stage before it: one bit each, the first in bit 0.
pub const X_CASES: [&str; 5] = ["X_IS_ZERO", "X_IS_RELU_A", "X_IS_A_MINUS_B", "X_IS_A_MINUS_MEAN", "X_IS_A_MINUS_ONE"];
pub const M_CASES: [&str; 4] = ["M_IS_P", "M_IS_B", "M_IS_SCALAR", "M_IS_X"];
pub const C_CASES: [&str; 4] = ["C_IS_A", "C_IS_B", "C_IS_P", "C_IS_ONE"];

/// The datapath of one lane; all control comes from `vec`, in step with the stage that uses it.
///
/// `param_bits` is the width of a parameter: [`OPERAND_BITS`], or [`VEC_BITS`] if elements of session vectors come the same way.
pub fn vec_lane(param_bits: usize) -> Arc<Module> {
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
    m.input("clk_i", 1, "");
    m.input("v_i", LANE_STAGES, "v_i[0] is for vec").input("lv_i", TABLE_STAGES + 1, "");
    m.input("a_i", VEC_BITS, "stage 2").input("b_i", VEC_BITS, "stage 2").input("p_i", param_bits, "stage 2");
    m.input("mean_i", VEC_BITS, "stage 2").input("mult_i", VEC_BITS, "stage 2");
    m.input("x_is_i", X_CASES.len(), "stage 2, one bit a case; none: x = a");
    m.input("m_is_i", M_CASES.len(), "stage 2, one bit a case; none: m = 1");
    m.input("c_is_i", C_CASES.len(), "stage 2, one bit a case; none: c = 0");
    m.input("live_i", 1, "stage 2");
    m.input("shift_i", shift, "stage 6").input("pshift_i", pshift, "stage 7, 0 unless c is p");
    m.input("lut_shift_i", lut_shift, "table stage 1").input("lut_i", field_bits("lut"), "table stage 4");
    m.input("live_end_i", 1, "the last table stage");
    m.output("t_o", PRODUCT_BITS, "the product, stage 6").output("o_o", VEC_BITS, "the result");
    m.output("clip_o", 1, "o_o was saturated");
    m.sizes(&[("PARAM_BITS", param_bits), ("FACTOR_BITS", FACTOR_BITS), ("PRODUCT_BITS", PRODUCT_BITS)]);
    m.sizes(&[("ADDEND_BITS", addend), ("Z_BITS", z), ("CLIP_BITS", clip), ("ONE_FRAC", tables::OUTPUT_FRAC as usize)]);
    m.sizes(&[("TABLE_IN_BITS", TABLE_IN_BITS), ("TABLE_OUT_BITS", TABLE_OUT_BITS)]);
    m.sizes(&[("LANE_STAGES", LANE_STAGES), ("TABLE_STAGES", TABLE_STAGES)]);
    for cases in [&X_CASES[..], &M_CASES, &C_CASES] {
        declare_cases(&mut m, cases);
    }
    m.body(include_str!("../../../rtl/vec/lane.sv"));
    m.instance(
        "u_mul",
        &mul_pipe(FACTOR_BITS),
        &[("clk_i", "clk_i"), ("en_i", "v_i[4:3]"), ("x_i", "x_4_q"), ("m_i", "m_4_q"), ("t_o", "t_o")],
    );
    m.instance(
        "u_round",
        &round_shift(PRODUCT_BITS, shift, PRODUCT_BITS),
        &[
            ("clk_i", "clk_i"),
            ("en_i", "v_i[5]"),
            ("x_i", "t_o"),
            ("shift_i", "shift_i"),
            ("floor_o", "floor"),
            ("up_o", "up"),
        ],
    );
    m.instance("u_sat", &saturate(z, VEC_BITS), &[("x_i", "z_9_q"), ("y_o", "o"), ("clipped_o", "clip")]);
    m.instance(
        "u_clip",
        &saturate(z, clip),
        &[("x_i", "z_9_q"), ("y_o", "z_clipped"), ("clipped_o", "unused_clipped")],
    );
    m.instance(
        "u_lut_round",
        &round_shift(clip, lut_shift, clip),
        &[
            ("clk_i", "clk_i"),
            ("en_i", "lv_i[1]"),
            ("x_i", "z_clipped_1_q"),
            ("shift_i", "lut_shift_i"),
            ("floor_o", "z_floor"),
            ("up_o", "z_up"),
        ],
    );
    m.instance(
        "u_clip_in",
        &saturate(clip, TABLE_IN_BITS),
        &[("x_i", "z_rounded"), ("y_o", "z_in"), ("clipped_o", "unused_in_clipped")],
    );
    let lut_stages = format!("lv_i[{}:4]", TABLE_STAGES - 1);
    m.instance(
        "u_lut",
        &lut(),
        &[("clk_i", "clk_i"), ("en_i", &lut_stages), ("sel_i", "lut_i"), ("z_i", "z_in_4_q"), ("y_o", "table_y")],
    );
    m.done()
}
