//! Control of the vector pipeline: what travels beside the lanes, stage by stage.

use crate::blocks::vec::delay::vec_delay;
use crate::blocks::vec::lane::{LANE_STAGES, PRODUCT_STAGE, TABLE_STAGES};
use crate::blocks::vec::sizes::{field_bits, tag};
use crate::config::Config;
use crate::hdl::Module;
use std::sync::Arc;

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
    m.input("go_i", 1, "a word is issued").input("en_i", 1, "");
    m.input("tag_i", tag().bits(), "with go_i").input("shift_i", shift, "with go_i").input(
        "pshift_i",
        pshift,
        "with go_i",
    );
    m.input("lut_i", lut, "with go_i").input("lut_shift_i", lut_shift, "with go_i");
    m.input("scalar_shift_i", 1, "stage 1: take s_shift_i instead").input("s_shift_i", shift, "stage 1");
    m.output("v_o", LANE_STAGES, "stages 1 to 9 hand a word on in this cycle");
    m.output("lv_o", TABLE_STAGES + 1, "from stage 9, and the stages, of the table path");
    m.output("live_o", lanes, "stage 2").output("shift_o", shift, "stage 6").output("pshift_o", pshift, "stage 7");
    m.output("t_valid_o", 1, "stage 6, leaving: part of a reduction");
    m.output("t_end_o", 1, "").output("t_last_o", 1, "");
    m.output("lut_shift_o", lut_shift, "table stage 1").output("lut_o", lut, "table stage 4");
    m.output("live_end_o", lanes, "the last table stage");
    m.output("w_valid_o", 1, "write stage").output("w_to_vmem_o", 1, "").output("w_red_o", 1, "");
    m.output("w_seg_end_o", 1, "").output("w_last_o", 1, "");
    m.sizes(&[("LANES", lanes), ("LANE_STAGES", LANE_STAGES), ("TABLE_STAGES", TABLE_STAGES)]);
    m.sizes(&[("PRODUCT_STAGE", PRODUCT_STAGE), ("TAG_BITS", tag().bits())]);
    tag().declare(&mut m);
    m.body(include_str!("../../../rtl/vec/control.sv"));

    // what arrives in stage `to` was in stage `from`; stage 0 of the lanes is issue, stage 0 of the table path their last one
    let mut delay = |name: &str, bits: usize, en: &str, (from, to): (usize, usize), d: &str, q: &str| {
        let en = format!("{en}[{}:{from}]", to - 1);
        m.instance(name, &vec_delay(bits, to - from), &[("clk_i", "clk_i"), ("en_i", &en), ("d_i", d), ("q_o", q)]);
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
