//! Control of the vector pipeline: what travels beside the lanes, stage by stage.

use crate::blocks::vec::issue::TAG_BITS;
use crate::blocks::vec::lane::{LANE_STAGES, PRODUCT_STAGE, TABLE_STAGES};
use crate::config::Config;
use crate::hdl::Module;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Shift registers from issue to the write stage, in step with the lanes.
pub fn vec_control(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let mut m = Module::new(
        "vec_control",
        format!(
            "Carries valid bits, tags, shifts and table fields from issue (go_i) through the lanes' stages: 1 to {LANE_STAGES}, or 1 to {LANE_STAGES} and\n\
             1 to {TABLE_STAGES} of the table path, then the write stage. Each output belongs to the stage its comment names.\n\
             Everything holds while en_i is low. Latency: the write stage {} cycles after go_i, {} through the table.\n\
             tag_i: see vec_issue. The valid bits are reset; what they qualify is not.",
            LANE_STAGES + 1,
            LANE_STAGES + 1 + TABLE_STAGES
        ),
    );
    m.input("go_i", 1, "a word is issued").input("en_i", 1, "");
    m.input("tag_i", TAG_BITS, "with go_i").input("shift_i", 6, "with go_i").input("pshift_i", 5, "with go_i");
    m.input("lut_i", 2, "with go_i").input("lut_shift_i", 4, "with go_i");
    m.input("scalar_shift_i", 1, "stage 1: take s_shift_i instead").input("s_shift_i", 6, "stage 1");
    m.output("v_o", LANE_STAGES, "stages 1 to 9 hand a word on in this cycle");
    m.output("lv_o", TABLE_STAGES + 1, "from stage 9, and the stages, of the table path");
    m.output("live_o", lanes, "stage 2").output("shift_o", 6, "stage 6").output("pshift_o", 5, "stage 7");
    m.output("t_valid_o", 1, "stage 6, leaving: part of a reduction")
        .output("t_end_o", 1, "")
        .output("t_last_o", 1, "");
    m.output("lut_shift_o", 4, "table stage 1").output("lut_o", 2, "table stage 4");
    m.output("live_end_o", lanes, "the last table stage");
    m.output("w_valid_o", 1, "write stage").output("w_to_vmem_o", 1, "").output("w_red_o", 1, "");
    m.output("w_seg_end_o", 1, "").output("w_last_o", 1, "");
    m.text(
        r#"
  reg  [{{n}}:1] v_q;   // stage k holds a word
  reg  [{{t}}:1] lv_q;  // stage k of the table path holds a word
  reg        w_valid_q;
  wire       to_table;
  wire [{{n1}}:0] v  = {v_q[{{n1}}:1], go_i};
  wire [{{t}}:0] lv = {lv_q, v_q[{{n}}] && to_table};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      v_q       <= '0;
      lv_q      <= '0;
      w_valid_q <= 1'b0;
    end else if (en_i) begin
      v_q       <= v;
      lv_q      <= lv[{{tm1}}:0];
      w_valid_q <= (v_q[{{n}}] && !to_table) || lv_q[{{t}}];
    end
  end
"#,
        &[
            ("n", LANE_STAGES.to_string()),
            ("n1", (LANE_STAGES - 1).to_string()),
            ("t", TABLE_STAGES.to_string()),
            ("tm1", (TABLE_STAGES - 1).to_string()),
        ],
    );
    chain(&mut m, "tag", TAG_BITS, "tag_i", 1..=LANE_STAGES, "");
    chain(&mut m, "tag", TAG_BITS, &format!("tag_{LANE_STAGES}_q"), 1..=TABLE_STAGES, "l");
    chain(&mut m, "shift", 6, "shift_i", 1..=1, "");
    chain(&mut m, "shift", 6, "scalar_shift_i ? s_shift_i : shift_1_q", 2..=PRODUCT_STAGE, "");
    chain(&mut m, "pshift", 5, "pshift_i", 1..=PRODUCT_STAGE + 1, "");
    chain(&mut m, "lut", 2, "lut_i", 1..=LANE_STAGES, "");
    chain(&mut m, "lut", 2, &format!("lut_{LANE_STAGES}_q"), 1..=4, "l");
    chain(&mut m, "lut_shift", 4, "lut_shift_i", 1..=LANE_STAGES, "");
    chain(&mut m, "lut_shift", 4, &format!("lut_shift_{LANE_STAGES}_q"), 1..=1, "l");
    let live = |tag: &str| (0..lanes).rev().map(|l| format!("5'd{l} < {tag}[4:0]")).collect::<Vec<_>>().join(", ");
    m.text(
        r#"
  reg [3:0] w_tag_q;
  always_ff @(posedge clk_i) begin
    if (en_i && (lv_q[{{t}}] || v_q[{{n}}])) w_tag_q <= lv_q[{{t}}] ? tag_l{{t}}_q[{{tag}}:5] : tag_{{n}}_q[{{tag}}:5];
  end

  assign to_table    = (lut_{{n}}_q != 2'd0);
  assign v_o         = v_q & { {{n}}{en_i}};
  assign lv_o        = lv & { {{t1}}{en_i}};
  assign live_o      = { {{live}}};
  assign shift_o     = shift_{{p}}_q;
  assign pshift_o    = pshift_{{p1}}_q;
  assign t_valid_o   = en_i && v_q[{{p}}] && tag_{{p}}_q[7];
  assign t_end_o     = tag_{{p}}_q[6];
  assign t_last_o    = tag_{{p}}_q[5];
  assign lut_shift_o = lut_shift_l1_q;
  assign lut_o       = lut_l4_q;
  assign live_end_o  = { {{live_end}}};
  assign w_valid_o   = w_valid_q;
  assign w_to_vmem_o = w_tag_q[3];
  assign w_red_o     = w_tag_q[2];
  assign w_seg_end_o = w_tag_q[1];
  assign w_last_o    = w_tag_q[0];
"#,
        &[
            ("n", LANE_STAGES.to_string()),
            ("t", TABLE_STAGES.to_string()),
            ("tag", (TAG_BITS - 1).to_string()),
            ("t1", (TABLE_STAGES + 1).to_string()),
            ("live", live("tag_2_q")),
            ("p", PRODUCT_STAGE.to_string()),
            ("p1", (PRODUCT_STAGE + 1).to_string()),
            ("live_end", live(&format!("tag_l{TABLE_STAGES}_q"))),
        ],
    );
    m.done()
}

/// A shift register: `name_{prefix}{k}_q` for the stages of `stages`, the first loaded with `input`; stage k loads when
/// the stage before hands a word on (stage 1 of the main path: when a word is issued).
fn chain(m: &mut Module, name: &str, bits: usize, input: &str, stages: RangeInclusive<usize>, prefix: &str) {
    let valid = if prefix.is_empty() { "v" } else { "lv" };
    let names: Vec<_> = stages.clone().map(|k| format!("{name}_{prefix}{k}_q")).collect();
    let mut text = format!("  reg [{}:0] {};\n  always_ff @(posedge clk_i) begin\n", bits - 1, names.join(", "));
    let mut from = input.to_string();
    for (k, register) in stages.zip(&names) {
        let _ = writeln!(text, "    if (en_i && {valid}[{}]) {register} <= {from};", k - 1);
        from = register.clone();
    }
    m.text(&(text + "  end\n"), &[]);
}
