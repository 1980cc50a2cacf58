//! One lane of the state update: `S' = sat(S − round(S·d) + round(sa·b) + round(v·k))`.

use super::mul::wkv_mul;
use super::round::wkv_round;
use crate::blocks::prim::saturate;
use crate::config::OPERAND_BITS;
use crate::hdl::Module;
use std::sync::Arc;

/// Cycles from the operands to `s_o`: product 2, shift, rounding, two sums, saturation.
pub const LATENCY: usize = 7;

/// The lane for a state of `state_bits` (SW) bits, 16 to 32.
pub fn wkv_lane(state_bits: usize) -> Arc<Module> {
    let sw = state_bits;
    let product = sw + OPERAND_BITS;
    let mut m = Module::combinational(
        "wkv_lane",
        format!(
            "One element of the state: s_o = sat_{sw}(s - round(s*d, 16) + round(sa*b, shift_b) + round(v*k, shift_vk)).\n\
             Three separately rounded exact products, an exact sum, one saturation; clipped_o says that it clipped.\n\
             Latency: {LATENCY} cycles, one element a cycle. All *_i values come from registers; en_i[0] takes them, en_i[n] must be\n\
             en_i[0] n cycles later. v_i and k_i come one cycle after the others of their element, and are taken by en_i[1].\n\
             No reset: data only, valid where the caller's enables say so."
        ),
    );
    m.input("clk_i", 1, "").input("en_i", LATENCY, "one enable a stage");
    m.input("s_i", sw, "S_ij").input("sa_i", sw, "sa_i").input("v_i", OPERAND_BITS, "v_i");
    m.input("d_i", OPERAND_BITS, "d_j = 1 - w_j, 16 fraction bits").input("b_i", OPERAND_BITS, "b_j").input(
        "k_i",
        OPERAND_BITS,
        "k_j",
    );
    m.input("shift_b_i", 6, "stable while in use").input("shift_vk_i", 6, "stable while in use");
    m.output("s_o", sw, "S'_ij").output("clipped_o", 1, "");
    let vars = [
        ("smsb", (sw - 1).to_string()),
        ("pmsb", (product - 1).to_string()),
        ("vkmsb", (2 * OPERAND_BITS - 1).to_string()),
        // sums: S − sd one bit longer; sab + vk one bit longer than the longer (sw ≥ 16: sab); their sum again one
        ("keep", sw.to_string()),
        ("add", product.to_string()),
        ("product", product.to_string()),
        ("vk_ext", (product + 1 - 2 * OPERAND_BITS).to_string()),
        ("sum", (product + 1).to_string()),
        ("keep_ext", (product + 1 - sw).to_string()),
    ];
    m.text(
        r#"
  // stages 1, 2: products, that of v and k a stage later; S waits for its own
  wire [{{pmsb}}:0]  sd, sab;
  wire [{{vkmsb}}:0] vk;
  reg  [{{smsb}}:0]  s1_q, s2_q, s3_q, s4_q;
"#,
        &vars,
    );
    let wide = wkv_mul(sw, OPERAND_BITS);
    let narrow = wkv_mul(OPERAND_BITS, OPERAND_BITS);
    for (name, mul, en, a, b, p) in [
        ("u_sd", &wide, "en_i[1:0]", "s_i", "d_i", "sd"),
        ("u_sab", &wide, "en_i[1:0]", "sa_i", "b_i", "sab"),
        ("u_vk", &narrow, "en_i[2:1]", "v_i", "k_i", "vk"),
    ] {
        m.instance(name, mul, &[("clk_i", "clk_i"), ("en_i", en), ("a_i", a), ("b_i", b), ("p_o", p)]);
    }
    m.text(
        r#"
  // stages 3, 4: each product rounded by itself; that of v and k, a stage behind, is rounded by the next sum
  wire [{{smsb}}:0]  sd_floor;
  wire [{{pmsb}}:0]  sab_floor;
  wire [{{vkmsb}}:0] vk_floor;
  wire             sd_up, sab_up, vk_up;
  reg  [{{smsb}}:0]  sd_q;
  reg  [{{pmsb}}:0]  sab_q;
"#,
        &vars,
    );
    for (name, module, en, shift) in [
        ("sd", wkv_round(product, 5, sw), "en_i[2]", "5'd16"),
        ("sab", wkv_round(product, 6, product), "en_i[2]", "shift_b_i"),
        ("vk", wkv_round(2 * OPERAND_BITS, 6, 2 * OPERAND_BITS), "en_i[3]", "shift_vk_i"),
    ] {
        let (floor, up) = (format!("{name}_floor"), format!("{name}_up"));
        m.instance(
            &format!("u_round_{name}"),
            &module,
            &[("clk_i", "clk_i"), ("en_i", en), ("x_i", name), ("shift_i", shift), ("floor_o", &floor), ("up_o", &up)],
        );
    }
    m.text(
        r#"
  // stages 5, 6: exact sum; stage 7: the one saturation
  reg  [{{keep}}:0] kept_q;   // S - round(S*d)
  reg  [{{add}}:0] added_q;  // round(sa*b) + round(v*k)
  reg  [{{sum}}:0] sum_q;
  wire [{{smsb}}:0] saturated;
  wire             clipped;
  reg  [{{smsb}}:0] s_q;
  reg              clipped_q;

  always_ff @(posedge clk_i) begin
    if (en_i[0]) s1_q <= s_i;
    if (en_i[1]) s2_q <= s1_q;
    if (en_i[2]) s3_q <= s2_q;
    if (en_i[3]) begin
      s4_q  <= s3_q;
      sd_q  <= sd_floor + { {{smsb}}'b0, sd_up};
      sab_q <= sab_floor + { {{pmsb}}'b0, sab_up};
    end
    if (en_i[4]) begin
      kept_q  <= {s4_q[{{smsb}}], s4_q} - {sd_q[{{smsb}}], sd_q};
      added_q <= {sab_q[{{pmsb}}], sab_q} + { { {{vk_ext}}{vk_floor[{{vkmsb}}]}}, vk_floor} + { {{product}}'b0, vk_up};
    end
    if (en_i[5]) sum_q <= { { {{keep_ext}}{kept_q[{{keep}}]}}, kept_q} + {added_q[{{add}}], added_q};
    if (en_i[6]) begin
      s_q       <= saturated;
      clipped_q <= clipped;
    end
  end

  assign s_o       = s_q;
  assign clipped_o = clipped_q;
"#,
        &vars,
    );
    m.instance(
        "u_sat",
        &saturate(product + 2, sw),
        &[("x_i", "sum_q"), ("y_o", "saturated"), ("clipped_o", "clipped")],
    );
    m.done()
}
