//! One lane of the state update: `S' = sat(S − round(S·d) + round(sa·b) + round(v·k))`.

use super::mul::wkv_mul;
use crate::blocks::prelude::*;
use crate::blocks::prim::{round_shift, saturate};

/// Cycles from the operands to `s_o`: product 2, shift, rounding, two sums, saturation.
pub const LATENCY: usize = 7;

/// Fraction bits of d = 1 − w, whatever its exponent says (`golden_model::arithmetic::recurrence`), and bits to say them as a shift.
const D_FRACTION: usize = 16;
const D_SHIFT_BITS: usize = 5;

/// The lane for a state of `sw` bits, 16 to 32.
pub fn wkv_lane(sw: usize) -> Arc<Module> {
    let product = sw + OPERAND_BITS;
    let mut m = Module::combinational(
        "wkv_lane",
        format!(
            "One element of the state: s_o = sat_{sw}(s - round(s*d, {D_FRACTION}) + round(sa*b, shift_b) + round(v*k, shift_vk)).\n\
             Three separately rounded exact products, an exact sum, one saturation; clipped_o says that it clipped.\n\
             Latency: {LATENCY} cycles, one element a cycle. All *_i values come from registers; en_i[0] takes them, en_i[n] must be\n\
             en_i[0] n cycles later. v_i and k_i come one cycle after the others of their element, and are taken by en_i[1].\n\
             No reset: data only, valid where the caller's enables say so."
        ),
    );
    ports! { m; clk_i, en_i[LATENCY] "one enable a stage", s_i[sw] "S_ij", sa_i[sw] "sa_i", v_i[OPERAND_BITS] "v_i" }
    m.input("d_i", OPERAND_BITS, format!("d_j = 1 - w_j, {D_FRACTION} fraction bits"));
    ports! { m;
        b_i[OPERAND_BITS] "b_j", k_i[OPERAND_BITS] "k_j", shift_b_i[SHIFT_BITS] "stable while in use",
        shift_vk_i[SHIFT_BITS] "stable while in use", s_o[sw] "S'_ij", clipped_o,
    }
    m.sizes(&[("STATE_BITS", sw)]).localparams(&[("D_FRACTION", D_SHIFT_BITS, D_FRACTION as u64)]);
    m.body(rtl!("wkv/wkv_lane"));
    let (wide, narrow) = (wkv_mul(sw, OPERAND_BITS), wkv_mul(OPERAND_BITS, OPERAND_BITS));
    for (name, mul, en, a, b) in [
        ("sd", &wide, "en_i[1:0]", "s_i", "d_i"),
        ("sab", &wide, "en_i[1:0]", "sa_i", "b_i"),
        ("vk", &narrow, "en_i[2:1]", "v_i", "k_i"),
    ] {
        instance! { m, format!("u_{name}"), mul; en_i: &en, a_i: &a, b_i: &b, p_o: &name }
    }
    for (name, round, en, shift) in [
        ("sd", round_shift(product, D_SHIFT_BITS, sw), "en_i[2]", "D_FRACTION"),
        ("sab", round_shift(product, SHIFT_BITS, product), "en_i[2]", "shift_b_i"),
        ("vk", round_shift(2 * OPERAND_BITS, SHIFT_BITS, 2 * OPERAND_BITS), "en_i[3]", "shift_vk_i"),
    ] {
        instance! { m, format!("u_round_{name}"), round;
            en_i: &en, x_i: &name, shift_i: &shift, floor_o: format!("{name}_floor"), up_o: format!("{name}_up"),
        }
    }
    instance! { m, "u_sat", saturate(product + 2, sw); x_i: sum_q, y_o: saturated, clipped_o: clipped }
    m.done()
}
