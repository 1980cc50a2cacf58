//! One lane of the vector unit: select, multiply, round, add, saturate or look up.

use crate::blocks::prim::mul_pipe::mul_pipe;
use crate::blocks::prim::saturate;
use crate::blocks::vec::lut::{lut, LUT_STAGES};
use crate::blocks::vec::round_parts::round_parts;
use crate::hdl::Module;
use crate::isa::{c_sel, m_sel, x_sel};
use std::sync::Arc;

/// Register stages from the memories' outputs to `o_o`: operands, what is subtracted, x/m/c, partial products, t, two of the
/// rounded t, z, o.
pub const LANE_STAGES: usize = 9;
/// The stage that holds t.
pub const PRODUCT_STAGE: usize = 6;
/// Further stages of a word that goes through the table: clip to 35 bits, shift (two), rounding and clip to 19, and those of `lut`.
pub const TABLE_STAGES: usize = 4 + LUT_STAGES;

/// The cases of `x_sel`, `m_sel` and `c_sel` that a lane tells apart, decoded a stage before it.
pub const X_CASES: [(&str, u64); 5] = [
    ("X_ZERO", x_sel::ZERO),
    ("X_RELU_A", x_sel::RELU_A),
    ("X_A_MINUS_B", x_sel::A_MINUS_B),
    ("X_A_MINUS_MEAN", x_sel::A_MINUS_MEAN),
    ("X_A_MINUS_ONE", x_sel::A_MINUS_ONE),
];
pub const M_CASES: [(&str, u64); 4] =
    [("M_P", m_sel::P), ("M_B", m_sel::B), ("M_SCALAR", m_sel::SCALAR), ("M_X", m_sel::X)];
pub const C_CASES: [(&str, u64); 4] = [("C_A", c_sel::A), ("C_B", c_sel::B), ("C_P", c_sel::P), ("C_ONE", c_sel::ONE)];

/// The datapath of one lane; all control comes from `vec`, in step with the stage that uses it.
///
/// `p_bits` is the width of a parameter: 16, or 27 if elements of session vectors come the same way.
pub fn vec_lane(p_bits: usize) -> Arc<Module> {
    let mut m = Module::combinational(
        "vec_lane",
        "One lane: o = lut ? table(clip_19(round(z, lut_shift))) : sat_27(z), z = round(x * m, shift) + c (docs/hardware.md, 3).\n\
         Stage 1 is the cycle in which words come out of the vector memory; vec registers them, because memories are slow, and\n\
         a_i and b_i are stage 2. v_i[k-1]: stage k holds a word and hands it to stage k+1 at the next edge; lv_i[k]: the same\n\
         for stage k of the table path; lv_i[0]: the word in stage 9 goes there.\n\
         Latency 8 from a_i and b_i to o_o, 18 through the table. A word and a table word never reach o_o together: vec sees to it.\n\
         Bounds: |x| < 2^27, |m| < 2^27: t = x * m fits 55 bits, 56 kept. |c| < 2^47, so z fits 57 bits.\n\
         The table path first clips z to 35 bits: clip_19(round(z, s)) does not change for s <= 15.\n\
         A dead lane (live_i low) has x = c = 0; its table result is cleared (live_end_i), so o_o = 0 and clip_o = 0.\n\
         No reset: datapath registers, qualified by v_i and lv_i.",
    );
    m.input("clk_i", 1, "");
    m.input("v_i", LANE_STAGES, "v_i[0] is for vec").input("lv_i", TABLE_STAGES + 1, "");
    m.input("a_i", 27, "stage 2").input("b_i", 27, "stage 2").input("p_i", p_bits, "stage 2");
    m.input("mean_i", 27, "stage 2").input("mult_i", 27, "stage 2");
    let none = "stage 2, one bit a case, bit 0 first";
    m.input("x_is_i", X_CASES.len(), format!("{none}: 0, max(a, 0), a - b, a - mean, a - 65536; none: a"));
    m.input("m_is_i", M_CASES.len(), format!("{none}: p, b, mult, x; none: 1"));
    m.input("c_is_i", C_CASES.len(), format!("{none}: a, b, p, 65536; none: 0"));
    m.input("live_i", 1, "stage 2");
    m.input("shift_i", 6, "stage 6").input("pshift_i", 5, "stage 7, 0 unless c is p");
    m.input("lut_shift_i", 4, "table stage 1").input("lut_i", 2, "table stage 4").input(
        "live_end_i",
        1,
        "the last table stage",
    );
    m.output("t_o", 56, "the product, stage 6").output("o_o", 27, "the result").output(
        "clip_o",
        1,
        "o_o was saturated to 27 bits",
    );
    m.text(
        r#"
  // -- stage 2: operands
  wire signed [27:0] a    = $signed({a_i[26], a_i});
  wire signed [27:0] b    = $signed({b_i[26], b_i});
  wire signed [27:0] p    = $signed({ {{p_ext}}, p_i});
  wire signed [27:0] mean = $signed({mean_i[26], mean_i});
  wire signed [27:0] mult = $signed({mult_i[26], mult_i});

  wire x_zero = !live_i || x_is_i[0] || (x_is_i[1] && a_i[26]);
  wire signed [27:0] sub = ({28{x_is_i[2]}} & b) | ({28{x_is_i[3]}} & mean) | {11'b0, x_is_i[4], 16'b0};
  wire signed [27:0] m   = ({28{m_is_i[0]}} & p) | ({28{m_is_i[1]}} & b) | ({28{m_is_i[2]}} & mult)
                           | {27'b0, m_is_i == 4'd0};
  wire signed [27:0] c   = {28{live_i}} & (({28{c_is_i[0]}} & a) | ({28{c_is_i[1]}} & b) | ({28{c_is_i[2]}} & p)
                                           | {11'b0, c_is_i[3], 16'b0});

  // -- stages 3 to 9
  reg signed [26:0] a_3_q;
  reg signed [27:0] sub_3_q, m_3_q, x_4_q, m_4_q;
  reg               x_zero_3_q, m_is_x_3_q;
  reg signed [26:0] c_3_q, c_4_q, c_5_q, c_6_q, c_7_q;
  reg signed [46:0] c_8_q;
  reg signed [55:0] floor_8_q;
  reg               up_8_q;
  reg signed [56:0] z_9_q;
  reg        [26:0] o_q;
  reg               clip_q;

  wire signed [27:0] x = x_zero_3_q ? 28'sd0 : $signed({a_3_q[26], a_3_q}) - sub_3_q;

  wire [55:0] floor;
  wire        up;
  wire [26:0] o;
  wire        clip;
  wire [17:0] table_y;

  always_ff @(posedge clk_i) begin
    if (v_i[1]) begin
      a_3_q      <= $signed(a_i);
      sub_3_q    <= sub;
      x_zero_3_q <= x_zero;
      m_3_q      <= m;
      m_is_x_3_q <= m_is_i[3];
      c_3_q      <= c[26:0];
    end
  end

  always_ff @(posedge clk_i) begin
    if (v_i[2]) begin
      x_4_q <= x;
      m_4_q <= m_is_x_3_q ? x : m_3_q;
      c_4_q <= c_3_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (v_i[3]) c_5_q <= c_4_q;
  end

  always_ff @(posedge clk_i) begin
    if (v_i[4]) c_6_q <= c_5_q;
  end

  always_ff @(posedge clk_i) begin
    if (v_i[5]) c_7_q <= c_6_q;
  end

  always_ff @(posedge clk_i) begin
    if (v_i[6]) begin
      floor_8_q <= $signed(floor);
      up_8_q    <= up;
      c_8_q     <= $signed({ {20{c_7_q[26]}}, c_7_q}) <<< pshift_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (v_i[7]) begin
      z_9_q <= $signed({floor_8_q[55], floor_8_q}) + $signed({ {10{c_8_q[46]}}, c_8_q}) + $signed({56'b0, up_8_q});
    end
  end

  // -- table path: clip to what lut_shift can bring into range, round, clip to the table's input
  wire [34:0] z35;
  wire [34:0] z_floor;
  wire        z_up;
  reg  [34:0] z_floor_3_q;
  reg         z_up_3_q;
  wire [34:0] z_rounded = z_floor_3_q + {34'b0, z_up_3_q};
  wire [18:0] z19;
  wire        unused_clip35, unused_clip19;
  reg  [34:0] z35_1_q;
  reg  [18:0] z19_4_q;

  always_ff @(posedge clk_i) begin
    if (lv_i[0]) z35_1_q <= z35;
  end

  always_ff @(posedge clk_i) begin
    if (lv_i[2]) begin
      z_floor_3_q <= z_floor;
      z_up_3_q    <= z_up;
    end
  end

  always_ff @(posedge clk_i) begin
    if (lv_i[3]) z19_4_q <= z19;
  end

  // -- result
  always_ff @(posedge clk_i) begin
    if (lv_i[{{t}}] || v_i[8]) begin
      o_q    <= lv_i[{{t}}] ? { {9{table_y[17]}}, table_y} & {27{live_end_i}} : o;
      clip_q <= !lv_i[{{t}}] && clip;
    end
  end

  wire unused_c = &{1'b0, c[27], v_i[0]};  // a sign bit: every addend fits 27 bits

  assign o_o    = o_q;
  assign clip_o = clip_q;
"#,
        &[
            ("t", TABLE_STAGES.to_string()),
            (
                "p_ext",
                if p_bits == 27 { "p_i[26]".into() } else { format!("{{{}{{p_i[{}]}}}}", 28 - p_bits, p_bits - 1) },
            ),
        ],
    );
    m.instance(
        "u_mul",
        &mul_pipe(28),
        &[("clk_i", "clk_i"), ("en_i", "v_i[4:3]"), ("x_i", "x_4_q"), ("m_i", "m_4_q"), ("t_o", "t_o")],
    );
    m.instance(
        "u_round",
        &round_parts(56, 6),
        &[
            ("clk_i", "clk_i"),
            ("en_i", "v_i[5]"),
            ("x_i", "t_o"),
            ("shift_i", "shift_i"),
            ("floor_o", "floor"),
            ("up_o", "up"),
        ],
    );
    m.instance("u_sat", &saturate(57, 27), &[("x_i", "z_9_q"), ("y_o", "o"), ("clipped_o", "clip")]);
    m.instance("u_clip35", &saturate(57, 35), &[("x_i", "z_9_q"), ("y_o", "z35"), ("clipped_o", "unused_clip35")]);
    m.instance(
        "u_lut_round",
        &round_parts(35, 4),
        &[
            ("clk_i", "clk_i"),
            ("en_i", "lv_i[1]"),
            ("x_i", "z35_1_q"),
            ("shift_i", "lut_shift_i"),
            ("floor_o", "z_floor"),
            ("up_o", "z_up"),
        ],
    );
    m.instance("u_clip19", &saturate(35, 19), &[("x_i", "z_rounded"), ("y_o", "z19"), ("clipped_o", "unused_clip19")]);
    let lut_stages = format!("lv_i[{}:4]", TABLE_STAGES - 1);
    m.instance(
        "u_lut",
        &lut(),
        &[("clk_i", "clk_i"), ("en_i", &lut_stages), ("sel_i", "lut_i"), ("z_i", "z19_4_q"), ("y_o", "table_y")],
    );
    m.done()
}
