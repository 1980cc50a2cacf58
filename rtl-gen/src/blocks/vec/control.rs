//! Control of the vector pipeline: what travels beside the lanes, stage by stage.

use crate::blocks::prelude::*;
use crate::blocks::vec::delay::vec_delay;
use crate::blocks::vec::lane::{LANE_STAGES, PRODUCT_STAGE, TABLE_STAGES};
use crate::blocks::vec::sizes::{field_bits, tag};

/// The stage of the table path in which `lut` takes its input.
const LUT_STAGE: usize = 4;

/// Shift registers from issue to the write stage, in step with the lanes.
pub fn vec_control(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let (shift, pshift) = (field_bits("shift"), field_bits("pshift"));
    let (lut, lut_shift) = (field_bits("lut"), field_bits("lut_shift"));
    let mut m = Module::new(
        "vec_control",
        format!(
            "Carries valid bits, tags, shifts and table fields from issue (go_i) through the lanes' stages: 1 to {LANE_STAGES}, or 1 to {LANE_STAGES} and\n\
             1 to {TABLE_STAGES} of the table path, then the write stage. Each output belongs to the stage its comment names.\n\
             Everything holds while en_i is low. Latency: the write stage comes {} cycles after go_i, {} through the table.\n\
             tag_i: live lanes, last word, segment end, part of a reduction, goes to vmem. The valid bits are reset; what they qualify\n\
             is not.",
            LANE_STAGES + 1,
            LANE_STAGES + 1 + TABLE_STAGES
        ),
    );
    ports! { m;
        go_i "a word is issued", en_i, tag_i[tag().bits()] "with go_i", shift_i[shift] "with go_i",
        pshift_i[pshift] "with go_i", lut_i[lut] "with go_i", lut_shift_i[lut_shift] "with go_i",
        scalar_shift_i "stage 1: take s_shift_i instead", s_shift_i[shift] "stage 1",
        v_o[LANE_STAGES] "stages 1 to 9 hand a word on in this cycle",
        lv_o[TABLE_STAGES + 1] "from stage 9, and the stages, of the table path", live_o[lanes] "stage 2",
        shift_o[shift] "stage 6", pshift_o[pshift] "stage 7", t_valid_o "stage 6, leaving: part of a reduction",
        t_end_o, t_last_o, lut_shift_o[lut_shift] "table stage 1", lut_o[lut] "table stage 4",
        live_end_o[lanes] "the last table stage", w_valid_o "write stage", w_to_vmem_o, w_red_o, w_seg_end_o, w_last_o,
    }
    sizes! { m; LANES = lanes, LANE_STAGES, TABLE_STAGES, PRODUCT_STAGE, TAG_BITS = tag().bits() }
    tag().declare(&mut m);
    m.body(rtl!("vec/control"));

    // what arrives in stage `to` was in stage `from`; stage 0 of the lanes is issue, stage 0 of the table path their last one
    let mut delay = |name: &str, bits: usize, en: &str, (from, to): (usize, usize), d: &str, q: &str| {
        let en = format!("{en}[{}:{from}]", to - 1);
        instance! { m, name, vec_delay(bits, to - from); en_i: &en, d_i: &d, q_o: &q }
    };
    let tag_bits = tag().bits();
    delay("u_tag_2", tag_bits, "v_en", (0, 2), "tag_i", "tag_2");
    delay("u_tag_product", tag_bits, "v_en", (2, PRODUCT_STAGE), "tag_2", "tag_product");
    delay("u_tag_end", tag_bits, "v_en", (PRODUCT_STAGE, LANE_STAGES), "tag_product", "tag_end");
    delay("u_tag_table", tag_bits, "lv_en", (0, TABLE_STAGES), "tag_end", "tag_table");
    delay("u_shift_1", shift, "v_en", (0, 1), "shift_i", "shift_1");
    delay("u_shift", shift, "v_en", (1, PRODUCT_STAGE), "shift_2", "shift_o");
    delay("u_pshift", pshift, "v_en", (0, PRODUCT_STAGE + 1), "pshift_i", "pshift_o");
    delay("u_lut_end", lut, "v_en", (0, LANE_STAGES), "lut_i", "lut_end");
    delay("u_lut", lut, "lv_en", (0, LUT_STAGE), "lut_end", "lut_o");
    delay("u_lut_shift_end", lut_shift, "v_en", (0, LANE_STAGES), "lut_shift_i", "lut_shift_end");
    delay("u_lut_shift", lut_shift, "lv_en", (0, 1), "lut_shift_end", "lut_shift_o");
    m.done()
}
