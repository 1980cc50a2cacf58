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
pub fn wkv_setup() -> Arc<Module> {
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
        EXP_BITS,
        "exponent of the operand",
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
    m.output("shift_sa_o", 6, "max(0, sh_sa - e_kk)").output("shift_b_o", 6, "max(0, sh_b - e_b)");
    m.output("shift_vk_o", 6, "max(0, sh_vk - e_v - e_k)").output("shift_y_o", 6, "max(0, sh_y - e_r)");

    m.localparams(&[
        ("SLOT_R", 3, wkv_slot::R),
        ("SLOT_K", 3, wkv_slot::K),
        ("SLOT_V", 3, wkv_slot::V),
        ("SLOT_KK", 3, wkv_slot::KK),
        ("SLOT_B", 3, wkv_slot::B),
    ]);
    m.text("  // the exponents that enter a shift (d has none: 16 fraction bits, always)", &[]);
    m.text("  reg [{{e}}:0] e_r_q, e_k_q, e_v_q, e_kk_q, e_b_q;", &[("e", (EXP_BITS - 1).to_string())]);
    m.text(
        r#"
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      e_r_q  <= '0;
      e_k_q  <= '0;
      e_v_q  <= '0;
      e_kk_q <= '0;
      e_b_q  <= '0;
    end else if (exp_we_i) begin
      case (exp_slot_i)
        SLOT_R: e_r_q <= exp_i;
        SLOT_K: e_k_q <= exp_i;
        SLOT_V: e_v_q <= exp_i;
        SLOT_KK: e_kk_q <= exp_i;
        SLOT_B: e_b_q <= exp_i;
        default: ;
      endcase
    end
  end

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
    // wait_vec and last are the fetch unit's
    let used = WKV.fields.iter().map(|f| f.1).sum::<usize>();
    let head = WKV.field("n_head").0;
    m.text(
        "  wire unused_instr = &{1'b0, instr_q[{{top}}:{{used}}], instr_q[{{head}}:0]};",
        &[("top", (WKV.bits - 1).to_string()), ("used", used.to_string()), ("head", (head - 1).to_string())],
    );
    m.text(
        r#"

  // an exponent above its shift gives a negative difference: bit 7
  wire [7:0] left_sa = {2'b0, f_sh_sa} - {3'b0, e_kk_q};
  wire [7:0] left_b  = {2'b0, f_sh_b} - {3'b0, e_b_q};
  wire [7:0] left_vk = {2'b0, f_sh_vk} - {3'b0, e_v_q} - {3'b0, e_k_q};
  wire [7:0] left_y  = {2'b0, f_sh_y} - {3'b0, e_r_q};
  reg  [5:0] shift_sa_q, shift_b_q, shift_vk_q, shift_y_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      shift_sa_q <= '0;
      shift_b_q  <= '0;
      shift_vk_q <= '0;
      shift_y_q  <= '0;
    end else if (go_q) begin
      shift_sa_q <= left_sa[7] ? 6'd0 : left_sa[5:0];
      shift_b_q  <= left_b[7] ? 6'd0 : left_b[5:0];
      shift_vk_q <= left_vk[7] ? 6'd0 : left_vk[5:0];
      shift_y_q  <= left_y[7] ? 6'd0 : left_y[5:0];
    end
  end
  wire unused_left = &{1'b0, left_sa[6], left_b[6], left_vk[6], left_y[6]};

  assign run_o      = run_q;
  assign go_o       = go_q;
  assign op_o       = op_q;
  assign shift_sa_o = shift_sa_q;
  assign shift_b_o  = shift_b_q;
  assign shift_vk_o = shift_vk_q;
  assign shift_y_o  = shift_y_q;
"#,
        &[],
    );
    for (field, _) in KEPT {
        m.text("  assign {{f}}_o = f_{{f}};", &[("f", field.to_string())]);
    }
    m.done()
}
