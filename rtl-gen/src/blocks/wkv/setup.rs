//! The instruction being executed, the operand exponents, and the shifts that follow from both.

use crate::config::EXP_BITS;
use crate::hdl::Module;
use crate::isa::{wkv_slot, WKV};
use std::sync::Arc;

/// Fields that stay in the instruction register, and what they are.
const KEPT: [(&str, &str); 5] = [
    ("n_head", "heads"),
    ("head_size", "rows of a head"),
    ("head_words", "words of a row"),
    ("s_addr", "first state word"),
    ("y_addr", "first vmem element"),
];

/// Instruction register, exponent registers, shifts `max(0, sh − e)`.
///
/// `total`: it multiplies out the words of a head, too.
pub fn wkv_setup(slots: usize, total: bool) -> Arc<Module> {
    let mut m = Module::new(
        "wkv_setup",
        "Takes one instruction at a time; its fields and shifts stay until finish_i.\n\
         Exponents are written at any time; those of an instruction are taken in the cycle after it was accepted (go_o), so all\n\
         must be there by then, as the program's waits ensure.\n\
         Latency: go_o one cycle after the handshake, with all fields; the shifts one cycle later. finish_i is expected after go_o;\n\
         the next instruction is accepted from the cycle after it.",
    );
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "").input("instr_i", WKV.bits, "isa.rs, WKV").input(
        "instr_idx_i",
        12,
        "",
    );
    m.input("exp_we_i", 1, "").input("exp_slot_i", 3, "isa.rs, wkv_slot").input(
        "exp_i",
        EXP_BITS * slots,
        "exponent of the operand, slot 0 lowest",
    );
    m.input("block_i", 1, "accept nothing").input("finish_i", 1, "the instruction is done");
    m.output("run_o", 1, "an instruction is executed").output("go_o", 1, "pulse: start").output(
        "op_o",
        12,
        "its index",
    );
    for (field, doc) in KEPT {
        m.output(format!("{field}_o"), WKV.field(field).1, doc);
    }
    m.output("shift_sa_o", 6 * slots, "max(0, sh_sa - e_kk)").output("shift_b_o", 6 * slots, "max(0, sh_b - e_b)");
    m.output("shift_vk_o", 6 * slots, "max(0, sh_vk - e_v - e_k)").output("shift_y_o", 6 * slots, "max(0, sh_y - e_r)");
    if total {
        m.output("head_total_o", HEAD_TOTAL_BITS, "words of a head, one cycle after go_o");
    }

    m.localparams(&[
        ("SLOT_R", 3, wkv_slot::R),
        ("SLOT_K", 3, wkv_slot::K),
        ("SLOT_V", 3, wkv_slot::V),
        ("SLOT_KK", 3, wkv_slot::KK),
        ("SLOT_B", 3, wkv_slot::B),
    ]);
    m.text("  // the exponents that enter a shift (d has none: 16 fraction bits, always)", &[]);
    for s in 0..slots {
        m.text(EXPONENTS, &of_slot(s, slots));
    }
    m.text(
        r#"
  reg                 run_q, go_q;
  reg  [11:0]         op_q;
  reg  [{{imsb}}:0] instr_q;

  assign instr_ready_o = !run_q && !block_i;
  wire accept = instr_valid_i && instr_ready_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q   <= 1'b0;
      go_q    <= 1'b0;
      op_q    <= '0;
      instr_q <= '0;
    end else begin
      go_q <= accept;
      if (accept) begin
        run_q   <= 1'b1;
        op_q    <= instr_idx_i;
        instr_q <= instr_i;
      end else if (finish_i) begin
        run_q <= 1'b0;
      end
    end
  end

"#,
        &[("imsb", (WKV.bits - 1).to_string())],
    );
    let fields: Vec<&str> = KEPT.iter().map(|k| k.0).chain(["sh_sa", "sh_b", "sh_vk", "sh_y"]).collect();
    m.text(&WKV.decode_wires("instr_q", &fields), &[]);
    // wait_vec, last and last_body are the fetch unit's
    let used = WKV.field("last_body").0;
    let head = WKV.field("n_head").0;
    m.text(
        "  wire unused_instr = &{1'b0, instr_q[{{top}}:{{used}}], instr_q[{{head}}:0]};",
        &[("top", (WKV.bits - 1).to_string()), ("used", used.to_string()), ("head", (head - 1).to_string())],
    );
    m.text("\n  // an exponent above its shift gives a negative difference: bit 7", &[]);
    for s in 0..slots {
        m.text(SHIFTS, &of_slot(s, slots));
    }
    m.text(
        r#"
  assign run_o      = run_q;
  assign go_o       = go_q;
  assign op_o       = op_q;
"#,
        &[],
    );
    if total {
        m.text(
            r#"
  reg  [{{t}}:0] head_total_q;
  always_ff @(posedge clk_i) if (go_q) head_total_q <= {6'b0, f_head_size} * {8'b0, f_head_words};
  assign head_total_o = head_total_q;
"#,
            &[("t", (HEAD_TOTAL_BITS - 1).to_string())],
        );
    }
    for (field, _) in KEPT {
        m.text("  assign {{f}}_o = f_{{f}};", &[("f", field.to_string())]);
    }
    m.multipliers(usize::from(total));
    m.done()
}

/// Bits of the number of words of a head.
pub const HEAD_TOTAL_BITS: usize = 14;

/// What stands for slot `s` in the texts below; one slot has no number.
fn of_slot(s: usize, slots: usize) -> [(&'static str, String); 4] {
    let slice = |bits: usize| if slots == 1 { String::new() } else { format!("[{}:{}]", (s + 1) * bits - 1, s * bits) };
    let suffix = if slots == 1 { String::new() } else { format!("_{s}") };
    [("s", suffix), ("e", (EXP_BITS - 1).to_string()), ("exp", slice(EXP_BITS)), ("out", slice(6))]
}

const EXPONENTS: &str = r#"
  reg [{{e}}:0] e_r{{s}}_q, e_k{{s}}_q, e_v{{s}}_q, e_kk{{s}}_q, e_b{{s}}_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      e_r{{s}}_q  <= '0;
      e_k{{s}}_q  <= '0;
      e_v{{s}}_q  <= '0;
      e_kk{{s}}_q <= '0;
      e_b{{s}}_q  <= '0;
    end else if (exp_we_i) begin
      case (exp_slot_i)
        SLOT_R: e_r{{s}}_q <= exp_i{{exp}};
        SLOT_K: e_k{{s}}_q <= exp_i{{exp}};
        SLOT_V: e_v{{s}}_q <= exp_i{{exp}};
        SLOT_KK: e_kk{{s}}_q <= exp_i{{exp}};
        SLOT_B: e_b{{s}}_q <= exp_i{{exp}};
        default: ;
      endcase
    end
  end
"#;

const SHIFTS: &str = r#"
  wire [7:0] left_sa{{s}} = {2'b0, f_sh_sa} - {3'b0, e_kk{{s}}_q};
  wire [7:0] left_b{{s}}  = {2'b0, f_sh_b} - {3'b0, e_b{{s}}_q};
  wire [7:0] left_vk{{s}} = {2'b0, f_sh_vk} - {3'b0, e_v{{s}}_q} - {3'b0, e_k{{s}}_q};
  wire [7:0] left_y{{s}}  = {2'b0, f_sh_y} - {3'b0, e_r{{s}}_q};
  reg  [5:0] shift_sa{{s}}_q, shift_b{{s}}_q, shift_vk{{s}}_q, shift_y{{s}}_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      shift_sa{{s}}_q <= '0;
      shift_b{{s}}_q  <= '0;
      shift_vk{{s}}_q <= '0;
      shift_y{{s}}_q  <= '0;
    end else if (go_q) begin
      shift_sa{{s}}_q <= left_sa{{s}}[7] ? 6'd0 : left_sa{{s}}[5:0];
      shift_b{{s}}_q  <= left_b{{s}}[7] ? 6'd0 : left_b{{s}}[5:0];
      shift_vk{{s}}_q <= left_vk{{s}}[7] ? 6'd0 : left_vk{{s}}[5:0];
      shift_y{{s}}_q  <= left_y{{s}}[7] ? 6'd0 : left_y{{s}}[5:0];
    end
  end
  wire unused_left{{s}} = &{1'b0, left_sa{{s}}[6], left_b{{s}}[6], left_vk{{s}}[6], left_y{{s}}[6]};

  assign shift_sa_o{{out}} = shift_sa{{s}}_q;
  assign shift_b_o{{out}}  = shift_b{{s}}_q;
  assign shift_vk_o{{out}} = shift_vk{{s}}_q;
  assign shift_y_o{{out}}  = shift_y{{s}}_q;
"#;
