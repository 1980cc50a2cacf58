//! From a segment's sum to its scalars: MEAN, RSQ and VALUE, one segment at a time.

use crate::blocks::prelude::*;
use crate::blocks::prim::round_shift;
use crate::blocks::vec::lut::{declare_rom, table_rom};
use crate::blocks::vec::sizes::{field_bits, seg_bits, ACC_BITS};
use golden_model::arithmetic::tables;

/// Cycles a segment occupies the unit, from its sum at the head of the queue to the write included; never data-dependent.
pub const MEAN_CYCLES: usize = 11;
pub const RSQ_CYCLES: usize = 22;
pub const VALUE_CYCLES: usize = 5;

/// The scalar unit: a sequencer around one multiplier, one rounding shift and the rsqrt table.
pub fn vec_scalar(config: &Config) -> Arc<Module> {
    let rom = tables::rsqrt_rom();
    let (k_const, shift) = (field_bits("k_const"), field_bits("shift"));
    assert!(ACC_BITS == 4 * k_const, "vec_scalar multiplies a sum in four chunks as long as k_const");
    let work = ACC_BITS + k_const + 1;
    let mut m = Module::new(
        "vec_scalar",
        format!(
            "MEAN   mean = sat(round(acc * k_const, k_shift))\n\
             RSQ    u = acc + (eps_m << eps_s); (R, e) = rsqrt(u), golden_model::arithmetic::tables;\n\
             \x20      mult = clip(round(R * k_const, k_shift)); shift = clamp(rsq_base + e, 0, 63)\n\
             VALUE  mult = sat(round(acc, k_shift))\n\
             start_i (while idle, any number of cycles) loads post_i and the constants and sets the segment number to 0; segments follow in order.\n\
             A sum is taken (sum_ready_o) in the cycle its scalars are written (*_we_o), the {MEAN_CYCLES}th, {RSQ_CYCLES}th or {VALUE_CYCLES}th cycle of its\n\
             being at the head of the queue, whatever its value. last_o: the write of the instruction's last segment. sat_o: it was clipped (not RSQ).\n\
             Bounds: acc {ACC_BITS} bits signed, for RSQ not negative; u < 2^71 + 2^79 fits {} bits unsigned; acc * k_const fits {work} bits.",
            ACC_BITS + 8,
        ),
    );
    ports! { m;
        start_i, post_i[field_bits("post")] "vec.post", k_const_i[k_const] "unsigned", k_shift_i[field_bits("k_shift")],
        eps_m_i[field_bits("eps_m")] "unsigned", eps_s_i[field_bits("eps_s")],
        rsq_base_i[field_bits("rsq_base")] "signed", sum_valid_i, sum_ready_o, sum_last_i, sum_i[ACC_BITS] "signed",
        seg_o[seg_bits(config)], mean_we_o, mult_we_o, shift_we_o, value_o[VEC_BITS] "mean or mult", shift_o[shift],
        last_o, sat_o, busy_o "a sum is being worked on",
    }
    declare_rom(&mut m, rom);
    sizes! { m; ACC_BITS, WORK_BITS = work, SEG_BITS = seg_bits(config), R_FRAC = tables::RSQRT_FRAC as usize }
    m.body(rtl!("vec/scalar"));
    instance! { m, "u_rom", table_rom("rsqrt_rom", rom); re_i: rom_re, raddr_i: index_q, rdata_o: row }
    instance! { m, "u_round", round_shift(work, shift, work);
        en_i: round_en, x_i: v_q, shift_i: k_shift_q, floor_o: floor, up_o: up,
    }
    m.multipliers(1);
    m.done()
}
