//! The vector unit: issue, the pipeline's control, the write stage and the bookkeeping of finished instructions.
//!
//! The datapath is one [`vec_lane`] a lane; parameters come through [`param_gear`], reductions leave through
//! [`vec_reduce`] and [`vec_scalar`] into [`sreg`]. `docs/hardware.md`, section 3, says what an instruction computes.

use super::param_gear::param_gear;
use super::prim::fifo;
use super::sreg::sreg;
use super::vec_lane::{vec_lane, LANE_STAGES, TABLE_STAGES};
use super::vec_reduce::{stages, vec_reduce, QUEUE};
use super::vec_scalar::{vec_scalar, MEAN_CYCLES, RSQ_CYCLES, VALUE_CYCLES};
use crate::config::Config;
use crate::hdl::{index_bits, Module};
use crate::isa::{self, c_sel, dest, m_sel, post, shift_sel, x_sel};
use std::fmt::Write as _;
use std::sync::Arc;

/// Smallest distance, in cycles without stalls, between the read of a word and a read that sees what was written for it,
/// for an instruction without table.
pub const VEC_LATENCY: usize = 2 + LANE_STAGES;
/// The same through the table.
pub const VEC_LATENCY_LUT: usize = VEC_LATENCY + TABLE_STAGES;

/// The distance that holds for every instruction, with table or without; what the compiler schedules with.
pub fn latency(_config: &Config) -> usize {
    VEC_LATENCY_LUT
}

/// Instructions that may be in the pipeline at once.
const RECORDS: usize = 4;

/// What the write stage needs of an instruction: `(field, bits)` from bit 0 upwards.
const RECORD: [(&str, usize); 7] =
    [("op", 12), ("d_addr", 14), ("dest", 2), ("slot", 4), ("exp", 5), ("amax", 1), ("amax_keep", 1)];

/// What travels with a word: live lanes, and whether it ends the instruction or a segment, is part of a reduction, goes to vmem.
const TAG_BITS: usize = 9;

/// The unit `vec` of `docs/hardware.md`.
pub fn vec(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let mut m = Module::new("vec", header(lanes));
    ports(&mut m, config);
    m.text(&isa::VEC.decode_wires("instr_i", &FIELDS), &[]);
    m.text(&record_wires(), &[]);
    let last_stage = TABLE_STAGES;
    let vars = [
        ("lanes", lanes.to_string()),
        ("segmsb", (index_bits(config.limits.n_head) - 1).to_string()),
        ("tagmsb", (TAG_BITS - 1).to_string()),
        ("lut_gap", TABLE_STAGES.to_string()),
        ("lt", last_stage.to_string()),
        ("queue", QUEUE.to_string()),
        ("word16", (lanes * 16 - 1).to_string()),
        ("word27", (lanes * 27 - 1).to_string()),
        ("word56", (lanes * 56 - 1).to_string()),
        ("x_a_b", x_sel::A_MINUS_B.to_string()),
        ("m_p", m_sel::P.to_string()),
        ("m_b", m_sel::B.to_string()),
        ("c_p", c_sel::P.to_string()),
        ("c_b", c_sel::B.to_string()),
        ("by_scalar", shift_sel::SCALAR.to_string()),
        ("by_amax", shift_sel::AMAX.to_string()),
        ("post_none", post::NONE.to_string()),
        ("d_vmem", dest::VMEM.to_string()),
        ("d_xmem", dest::XMEM.to_string()),
        ("d_wkv", dest::WKV.to_string()),
    ];
    m.text(ISSUE, &vars);
    m.text(&control_pipeline(), &vars);
    m.text(WRITE, &vars);
    write_lanes(&mut m, lanes);
    m.text(FINISH, &vars);
    children(&mut m, config);
    m.done()
}

/// The instruction's fields this unit decodes, in the order of the format.
const FIELDS: [&str; 29] = [
    "wait_mat",
    "wait_wkv",
    "last",
    "drain",
    "a_addr",
    "b_addr",
    "d_addr",
    "n_words",
    "tail",
    "seg_words",
    "x_sel",
    "m_sel",
    "c_sel",
    "pshift",
    "shift_sel",
    "shift",
    "lut",
    "lut_shift",
    "acc_sel",
    "post",
    "amax",
    "amax_keep",
    "dest",
    "slot",
    "k_const",
    "k_shift",
    "eps_m",
    "eps_s",
    "rsq_base",
];

fn header(lanes: usize) -> String {
    format!(
        "Vector unit, {lanes} lanes: one word of {lanes} elements a cycle (docs/hardware.md, 3).\n\
         \n\
         Instructions are taken in order; instr_i must hold while instr_valid_i is high, instr_ready_o is high in the cycle of the\n\
         issue of its last word. n_words >= 1; seg_words = 0 means one segment; tail >= {lanes}: no dead lanes.\n\
         Word i is read (va, vb, one cycle of memory latency) and its parameters taken in the cycle of its issue. Issue pauses, and\n\
         bubbles follow, while parameters are missing or {QUEUE} segments wait for the scalar unit; a refused vmem write (vw_valid_o\n\
         and not vw_ready_i) holds the whole pipeline. vw_valid_o does not depend on vw_ready_i.\n\
         \n\
         VEC_LATENCY = {VEC_LATENCY}: what is written for a word read in cycle t (without stalls) is seen by reads from cycle t + {VEC_LATENCY} on; with\n\
         lut {VEC_LATENCY_LUT}. An instruction with drain = 0 follows without a gap (after a lut instruction one without lut waits {TABLE_STAGES} cycles more),\n\
         and may read what the one before wrote if every word is read that many cycles after the read it was computed from.\n\
         drain = 1: the first word is read when all earlier instructions are finished, amax, exponents and scalars included: {VEC_LATENCY}\n\
         cycles after the last read of an instruction without reduction ({VEC_LATENCY_LUT} with lut). Pass = n_words + {} cycles then.\n\
         A reduction is finished when its last scalar is written: sums of products {} cycles after the last read, sums of results\n\
         {} ({} with lut), plus {VALUE_CYCLES} VALUE, {MEAN_CYCLES} MEAN or {RSQ_CYCLES} RSQ; each segment takes the scalar unit that long, overlapping the pass.\n\
         A reduction waits for the reduction before it, whatever drain says. Nothing depends on data.\n\
         The program sets drain where shift_sel is AMAX or sreg is read, and lets no instruction read a word that it has itself\n\
         written fewer than that many words before (in place is fine). amax is 0 when a token starts.\n\
         \n\
         done_o: one pulse an instruction, in order, one cycle after its last write at the earliest.\n\
         Widths: t 56, z 57, sums 72 bits, see vec_lane and vec_reduce; nothing wraps.",
        VEC_LATENCY - 1,
        4 + stages(lanes),
        VEC_LATENCY - 1 + stages(lanes),
        VEC_LATENCY_LUT - 1 + stages(lanes),
    )
}

fn ports(m: &mut Module, config: &Config) {
    let lanes = config.vlanes();
    m.input("start_i", 1, "a token starts; everything is idle");
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "").input("instr_i", isa::VEC.bits, "isa VEC").input(
        "instr_idx_i",
        12,
        "",
    );
    m.output("done_o", 1, "pulse: an instruction is finished");
    for port in ["va", "vb"] {
        m.output(format!("{port}_en_o"), 1, "vmem read").output(format!("{port}_addr_o"), 14, "");
        m.input(format!("{port}_data_i"), lanes * 27, "");
    }
    m.output("vw_valid_o", 1, "vmem word write").input("vw_ready_i", 1, "").output("vw_addr_o", 14, "").output(
        "vw_data_o",
        lanes * 27,
        "",
    );
    m.output("xw_en_o", 1, "xmem word write").output("xw_addr_o", 14, "").output("xw_data_o", lanes * 16, "");
    m.output("kw_en_o", 1, "wkv operand write").output("kw_slot_o", 3, "").output("kw_addr_o", 14, "").output(
        "kw_data_o",
        lanes * 16,
        "",
    );
    m.output("exp_we_o", 1, "exponent of an operand")
        .output("exp_wkv_o", 1, "wkv's, not xexp")
        .output("exp_slot_o", 4, "")
        .output("exp_o", 5, "");
    m.input("p_valid_i", 1, "parameter beats").output("p_ready_o", 1, "").input("p_data_i", config.bus_bits, "");
    m.output("sat_o", 6, "values clipped in this cycle").output("busy_o", 1, "");
    m.output("trace_vec_valid_o", 1, "").output("trace_vec_op_o", 12, "").output("trace_vec_word_o", 13, "");
    m.output("trace_vec_data_o", lanes * 27, "");
    m.output("trace_sreg_valid_o", 1, "").output("trace_sreg_op_o", 12, "").output("trace_sreg_seg_o", 8, "");
    m.output("trace_sreg_mean_o", 27, "").output("trace_sreg_mult_o", 27, "").output("trace_sreg_shift_o", 6, "");
    m.output("trace_exp_valid_o", 1, "").output("trace_exp_op_o", 12, "").output("trace_exp_exp_o", 5, "");
}

/// The wires `r_<field>` of the record at the write stage.
fn record_wires() -> String {
    let bits: usize = RECORD.iter().map(|f| f.1).sum();
    let mut s = format!("  wire rec_valid, rec_ready;\n  wire [{}:0] rec;\n", bits - 1);
    let mut at = 0;
    for (field, bits) in RECORD {
        let _ = match bits {
            1 => writeln!(s, "  wire r_{field} = rec[{at}];"),
            _ => writeln!(s, "  wire [{}:0] r_{field} = rec[{}:{at}];", bits - 1, at + bits - 1),
        };
        at += bits;
    }
    s
}

const ISSUE: &str = r#"
  // -- issue: one word a cycle, straight from the instruction offered
  wire        en;               // the pipeline advances
  wire        p_valid;
  wire [{{word16}}:0] p_word;
  reg  [12:0] word_q, seg_word_q;
  reg  [{{segmsb}}:0] seg_q;
  reg  [2:0]  gap_q;            // cycles until a word without table cannot meet one from the table
  reg  [2:0]  credit_q;         // segments that may still be sent to the reduction
  reg         red_busy_q;       // a reduction is not finished
  reg  [5:0]  pend_q;           // finished instructions not yet reported
  reg  [25:0] amax_q;
  reg  [3:0]  exp_q;            // S(amax) when the instruction began

  wire first   = (word_q == 13'd0);
  wire last    = (word_q + 13'd1 == f_n_words);
  wire seg_end = last || (seg_word_q + 13'd1 == f_seg_words);
  wire is_red  = (f_post != 2'd{{post_none}});
  wire is_lut  = (f_lut != 2'd0);
  wire uses_p  = (f_m_sel == 3'd{{m_p}}) || (f_c_sel == 3'd{{c_p}});
  wire uses_b  = (f_x_sel == 3'd{{x_a_b}}) || (f_m_sel == 3'd{{m_b}}) || (f_c_sel == 3'd{{c_b}});

  wire drained  = !rec_valid && !red_busy_q;
  wire may_open = rec_ready && !pend_q[5] && (!f_drain || drained) && !(is_red && red_busy_q) && (is_lut || gap_q == 3'd0);
  wire go       = instr_valid_i && en && (!first || may_open) && (!uses_p || p_valid) && (!(is_red && seg_end) || credit_q != 3'd0);
  wire open     = go && first;
  wire send_sum = go && is_red && seg_end;
  wire pop_sum;

  assign instr_ready_o = go && last;
  assign va_en_o       = go;
  assign vb_en_o       = go && uses_b;
  assign va_addr_o     = f_a_addr + {1'b0, word_q};
  assign vb_addr_o     = f_b_addr + {1'b0, word_q};

  // S(A): significant bits of the largest magnitude, less 15; 0 to 11
  wire [3:0] s_amax = amax_q[25] ? 4'd11 : amax_q[24] ? 4'd10 : amax_q[23] ? 4'd9 : amax_q[22] ? 4'd8
                    : amax_q[21] ? 4'd7 : amax_q[20] ? 4'd6 : amax_q[19] ? 4'd5 : amax_q[18] ? 4'd4
                    : amax_q[17] ? 4'd3 : amax_q[16] ? 4'd2 : amax_q[15] ? 4'd1 : 4'd0;
  wire [3:0] s_open  = first ? s_amax : exp_q;
  wire       by_amax = (f_shift_sel == 2'd{{by_amax}});
  wire [5:0] shift_0 = by_amax ? {2'b0, s_open} : f_shift;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q     <= '0;
      seg_word_q <= '0;
      seg_q      <= '0;
      gap_q      <= '0;
      credit_q   <= 3'd{{queue}};
      exp_q      <= '0;
    end else begin
      if (go) begin
        word_q     <= last ? 13'd0 : word_q + 13'd1;
        seg_word_q <= seg_end ? 13'd0 : seg_word_q + 13'd1;
        seg_q      <= last ? '0 : seg_end ? seg_q + 1'b1 : seg_q;
      end
      if (open) exp_q <= s_amax;
      if (go && is_lut) gap_q <= 3'd{{lut_gap}};
      else if (en && gap_q != 3'd0) gap_q <= gap_q - 3'd1;
      if (send_sum != pop_sum) credit_q <= send_sum ? credit_q - 3'd1 : credit_q + 3'd1;
    end
  end

  // -- stage 1: what the operands need
  reg  [2:0]  x_sel_q, m_sel_q, c_sel_q;
  reg         scalar_shift_q;
  reg  [{{word16}}:0] p_q;
  wire [26:0] s_mean, s_mult;
  wire [5:0]  s_shift;

  always_ff @(posedge clk_i) begin
    if (go) begin
      x_sel_q        <= f_x_sel;
      m_sel_q        <= f_m_sel;
      c_sel_q        <= f_c_sel;
      scalar_shift_q <= (f_shift_sel == 2'd{{by_scalar}});
    end
  end

  always_ff @(posedge clk_i) begin
    if (go && uses_p) p_q <= p_word;
  end
"#;

/// The registers that carry control beside the lanes: stages 1 to 6, then 1 to 7 of the table path, then the write stage.
fn control_pipeline() -> String {
    // one shift register: `name_{k}_q` loads stage k from stage k - 1 when that one holds a word
    let chain =
        |name: &str, bits: usize, input: &str, stages: std::ops::RangeInclusive<usize>, prefix: &str, valid: &str| {
            let (start, end) = (*stages.start(), *stages.end());
            let names: Vec<_> = stages.clone().map(|k| format!("{name}_{prefix}{k}_q")).collect();
            let mut s = format!("  reg [{}:0] {};\n  always_ff @(posedge clk_i) begin\n", bits - 1, names.join(", "));
            for k in start..=end {
                let from = if k == start { input.to_string() } else { format!("{name}_{prefix}{}_q", k - 1) };
                // stage 1 loads with the issue, the others with the stage before
                let enable =
                    if k == 1 && prefix.is_empty() { "go".into() } else { format!("en && {valid}[{}]", k - 1) };
                let _ = writeln!(s, "    if ({enable}) {name}_{prefix}{k}_q <= {from};");
            }
            s + "  end\n"
        };
    let mut s = String::from(
        r#"
  // -- control beside the lanes; v_q[k]: stage k holds a word, lv[k]: stage k of the table path does
  reg  [6:1] v_q;
  reg  [{{lt}}:1] lv_q;
  reg        w_valid_q;
  wire [5:0] v  = {v_q[5:1], go};
  wire       to_table;
  wire [{{lt}}:0] lv = {lv_q, v_q[6] && to_table};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      v_q       <= '0;
      lv_q      <= '0;
      w_valid_q <= 1'b0;
    end else if (en) begin
      v_q       <= v;
      lv_q      <= lv[{{lt}}-1:0];
      w_valid_q <= (v_q[6] && !to_table) || lv_q[{{lt}}];
    end
  end

  // tag: {to vmem, reduction, segment end, last word, live lanes}
  wire [{{tagmsb}}:0] tag_in = {f_dest == 2'd{{d_vmem}}, is_red, seg_end, last, last ? f_tail : 5'd{{lanes}}};
"#,
    );
    s += &chain("tag", TAG_BITS, "tag_in", 1..=6, "", "v");
    s += &chain("tag", TAG_BITS, "tag_6_q", 1..=TABLE_STAGES, "l", "lv");
    s += &chain("shift", 6, "shift_0", 1..=1, "", "v");
    s += &chain("shift", 6, "(scalar_shift_q ? s_shift : shift_1_q)", 2..=4, "", "v");
    s += &chain("pshift", 5, "(f_c_sel == 3'd{{c_p}} ? f_pshift : 5'd0)", 1..=4, "", "v");
    s += &chain("lut", 2, "f_lut", 1..=6, "", "v");
    s += &chain("lut", 2, "lut_6_q", 1..=2, "l", "lv");
    s += &chain("lut_shift", 4, "f_lut_shift", 1..=6, "", "v");
    s += &chain("lut_shift", 4, "lut_shift_6_q", 1..=1, "l", "lv");
    s += r#"
  reg w_to_vmem_q, w_red_q, w_seg_end_q, w_last_q;
  always_ff @(posedge clk_i) begin
    if (en && (lv_q[{{lt}}] || v_q[6])) begin
      {w_to_vmem_q, w_red_q, w_seg_end_q, w_last_q} <= lv_q[{{lt}}] ? tag_l{{lt}}_q[{{tagmsb}}:5] : tag_6_q[{{tagmsb}}:5];
    end
  end

  assign to_table = (lut_6_q != 2'd0);
  wire [5:0] sel_v  = v_q & {6{en}};  // lanes: stage k loads stage k + 1
  wire [{{lt}}:0] sel_lv = lv & {{{lanes_lv}}{en}};
"#;
    s.replace("{{{lanes_lv}}{en}}", &format!("{{{}{{en}}}}", TABLE_STAGES + 1))
}

const WRITE: &str = r#"
  // -- write stage
  reg  [12:0] out_word_q;
  wire [{{word56}}:0] t;
  wire [{{word27}}:0] o;
  wire [{{lanes}}-1:0] clip;
  wire [{{word16}}:0] o16;          // clip_16(o)
  wire [{{word27}}:0] o16_wide;     // the same, sign-extended
  wire [25:0] magnitude;        // OR over the lanes of o ^ (o >>> 26)
  wire [5:0]  n_clipped;

  wire w_vmem    = w_valid_q && w_to_vmem_q;
  wire to_xmem   = (r_dest == 2'd{{d_xmem}});
  wire to_wkv    = (r_dest == 2'd{{d_wkv}});
  assign en      = !(w_vmem && !vw_ready_i);
  wire commit    = w_valid_q && en;
  wire finish    = commit && w_last_q;
  wire [13:0] d_addr = r_d_addr + {1'b0, out_word_q};

  assign vw_valid_o = w_vmem;
  assign vw_addr_o  = d_addr;
  assign vw_data_o  = o;
  assign xw_en_o    = commit && to_xmem;
  assign xw_addr_o  = d_addr;
  assign xw_data_o  = o16;
  assign kw_en_o    = commit && to_wkv;
  assign kw_slot_o  = r_slot[2:0];
  assign kw_addr_o  = d_addr;
  assign kw_data_o  = o16;
  assign exp_we_o   = finish && (to_xmem || to_wkv);
  assign exp_wkv_o  = to_wkv;
  assign exp_slot_o = r_slot;
  assign exp_o      = r_exp;

  assign trace_vec_valid_o = commit;
  assign trace_vec_op_o    = r_op;
  assign trace_vec_word_o  = out_word_q;
  assign trace_vec_data_o  = (to_xmem || to_wkv) ? o16_wide : o;
  assign trace_exp_valid_o = exp_we_o;
  assign trace_exp_op_o    = r_op;
  assign trace_exp_exp_o   = r_exp;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      out_word_q <= '0;
      amax_q     <= '0;
    end else begin
      if (commit) out_word_q <= w_last_q ? 13'd0 : out_word_q + 13'd1;
      if (start_i) amax_q <= '0;
      else if (commit && r_amax) amax_q <= magnitude | ((out_word_q == 13'd0 && !r_amax_keep) ? 26'd0 : amax_q);
    end
  end
"#;

/// The per-lane parts of the write stage.
fn write_lanes(m: &mut Module, lanes: usize) {
    let mut magnitude = vec![];
    let mut clips = vec![];
    for l in 0..lanes {
        let vars = [
            ("l", l.to_string()),
            ("hi", (27 * l + 26).to_string()),
            ("lo", (27 * l).to_string()),
            ("x1", (16 * l + 15).to_string()),
            ("x0", (16 * l).to_string()),
        ];
        m.text(
            r#"
  wire [26:0] o_{{l}}   = o[{{hi}}:{{lo}}];
  wire        out_{{l}} = (o_{{l}}[26:15] != {12{o_{{l}}[26]}});
  assign o16[{{x1}}:{{x0}}] = out_{{l}} ? {o_{{l}}[26], {15{!o_{{l}}[26]}}} : o_{{l}}[15:0];
  assign o16_wide[{{hi}}:{{lo}}] = { {11{o16[{{x1}}]}}, o16[{{x1}}:{{x0}}]};
"#,
            &vars,
        );
        magnitude.push(format!("(o_{l}[25:0] ^ {{26{{o_{l}[26]}}}})"));
        clips.push(format!("{{5'b0, clip[{l}]}}"));
    }
    m.text(
        "  assign magnitude = {{m}};\n  assign n_clipped = {{c}};\n",
        &[("m", magnitude.join("\n    | ")), ("c", clips.join(" + "))],
    );
}

const FINISH: &str = r#"
  // -- finished instructions: in order, so those behind an unfinished reduction wait to be reported
  reg  red_written_q, red_summed_q;
  reg  [11:0] red_op_q;
  reg         red_product_q;
  wire [{{segmsb}}:0] scalar_seg;
  wire scalar_last, scalar_sat, mean_we, mult_we, shift_we;
  wire [26:0] scalar_value;
  wire [5:0]  scalar_shift;

  wire red_finish  = finish && w_red_q;
  wire red_written = red_written_q || red_finish;
  wire red_summed  = red_summed_q || scalar_last;
  wire red_done    = red_busy_q && red_written && red_summed;
  wire plain_done  = finish && !w_red_q;

  assign done_o = (pend_q != 6'd0) && !red_written_q;
  assign busy_o = instr_valid_i || rec_valid || red_busy_q || (pend_q != 6'd0);
  assign sat_o  = (w_vmem && en ? n_clipped : 6'd0) + {5'b0, scalar_sat};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      red_busy_q    <= 1'b0;
      red_written_q <= 1'b0;
      red_summed_q  <= 1'b0;
      pend_q        <= '0;
    end else begin
      red_busy_q    <= (open && is_red) || (red_busy_q && !red_done);
      red_written_q <= red_written && !red_done;
      red_summed_q  <= red_summed && !red_done;
      pend_q        <= pend_q + {5'b0, plain_done} + {5'b0, red_done} - {5'b0, done_o};
    end
  end

  always_ff @(posedge clk_i) begin
    if (open && is_red) begin
      red_op_q      <= instr_idx_i;
      red_product_q <= f_acc_sel;
    end
  end

  assign trace_sreg_valid_o = mean_we || mult_we;
  assign trace_sreg_op_o    = red_op_q;
  assign trace_sreg_seg_o   = 8'(scalar_seg);
  assign trace_sreg_mean_o  = mean_we ? scalar_value : 27'd0;
  assign trace_sreg_mult_o  = mult_we ? scalar_value : 27'd0;
  assign trace_sreg_shift_o = shift_we ? scalar_shift : 6'd0;

  wire        sum_valid, sum_last;
  wire [71:0] sum;
  wire        unused_scalar_busy;
  wire [31:0] unused_instr_bits = instr_i[223:192];
  wire        unused = &{1'b0, f_wait_mat, f_wait_wkv, f_last, unused_instr_bits, instr_i[191]};
"#;

fn children(m: &mut Module, config: &Config) {
    let lanes = config.vlanes();
    let record_bits: usize = RECORD.iter().map(|f| f.1).sum();
    m.instance(
        "u_records",
        &fifo(record_bits, RECORDS),
        &[
            ("in_valid_i", "open"),
            ("in_ready_o", "rec_ready"),
            (
                "in_data_i",
                "{f_amax_keep, f_amax, by_amax ? {1'b0, s_open} : 5'd0, f_slot, f_dest, f_d_addr, instr_idx_i}",
            ),
            ("out_valid_o", "rec_valid"),
            ("out_ready_i", "finish"),
            ("out_data_o", "rec"),
        ],
    );
    m.instance(
        "u_params",
        &param_gear(config),
        &[
            ("start_i", "start_i"),
            ("p_valid_i", "p_valid_i"),
            ("p_ready_o", "p_ready_o"),
            ("p_data_i", "p_data_i"),
            ("valid_o", "p_valid"),
            ("data_o", "p_word"),
            ("take_i", "go && uses_p"),
            ("last_i", "last"),
        ],
    );
    m.instance(
        "u_sreg",
        &sreg(config),
        &[
            ("waddr_i", "scalar_seg"),
            ("mean_we_i", "mean_we"),
            ("mean_i", "scalar_value"),
            ("mult_we_i", "mult_we"),
            ("mult_i", "scalar_value"),
            ("shift_we_i", "shift_we"),
            ("shift_i", "scalar_shift"),
            ("re_i", "go"),
            ("raddr_i", "seg_q"),
            ("mean_o", "s_mean"),
            ("mult_o", "s_mult"),
            ("shift_o", "s_shift"),
        ],
    );
    let lane = vec_lane();
    for l in 0..lanes {
        let slice = |name: &str, bits: usize| format!("{name}[{}:{}]", bits * l + bits - 1, bits * l);
        m.instance(
            &format!("u_lane_{l}"),
            &lane,
            &[
                ("clk_i", "clk_i"),
                ("v_i", "sel_v"),
                ("lv_i", "sel_lv"),
                ("a_i", &slice("va_data_i", 27)),
                ("b_i", &slice("vb_data_i", 27)),
                ("p_i", &slice("p_q", 16)),
                ("mean_i", "s_mean"),
                ("mult_i", "s_mult"),
                ("x_sel_i", "x_sel_q"),
                ("m_sel_i", "m_sel_q"),
                ("c_sel_i", "c_sel_q"),
                ("live_i", &format!("5'd{l} < tag_1_q[4:0]")),
                ("shift_i", "shift_4_q"),
                ("pshift_i", "pshift_4_q"),
                ("lut_shift_i", "lut_shift_l1_q"),
                ("lut_i", "lut_l2_q"),
                ("live_end_i", &format!("5'd{l} < tag_l{TABLE_STAGES}_q[4:0]")),
                ("t_o", &slice("t", 56)),
                ("o_o", &slice("o", 27)),
                ("clip_o", &format!("clip[{l}]")),
            ],
        );
    }
    m.instance(
        "u_reduce",
        &vec_reduce(config),
        &[
            ("product_i", "red_product_q"),
            ("t_valid_i", "en && v_q[4] && tag_4_q[7]"),
            ("t_end_i", "tag_4_q[6]"),
            ("t_last_i", "tag_4_q[5]"),
            ("t_i", "t"),
            ("o_valid_i", "commit && w_red_q"),
            ("o_end_i", "w_seg_end_q"),
            ("o_last_i", "w_last_q"),
            ("o_i", "o"),
            ("sum_valid_o", "sum_valid"),
            ("sum_ready_i", "pop_sum"),
            ("sum_last_o", "sum_last"),
            ("sum_o", "sum"),
        ],
    );
    m.instance(
        "u_scalar",
        &vec_scalar(config),
        &[
            ("start_i", "open && is_red"),
            ("post_i", "f_post"),
            ("k_const_i", "f_k_const"),
            ("k_shift_i", "f_k_shift"),
            ("eps_m_i", "f_eps_m"),
            ("eps_s_i", "f_eps_s"),
            ("rsq_base_i", "f_rsq_base"),
            ("sum_valid_i", "sum_valid"),
            ("sum_ready_o", "pop_sum"),
            ("sum_last_i", "sum_last"),
            ("sum_i", "sum"),
            ("seg_o", "scalar_seg"),
            ("mean_we_o", "mean_we"),
            ("mult_we_o", "mult_we"),
            ("shift_we_o", "shift_we"),
            ("value_o", "scalar_value"),
            ("shift_o", "scalar_shift"),
            ("last_o", "scalar_last"),
            ("sat_o", "scalar_sat"),
            ("busy_o", "unused_scalar_busy"),
        ],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_for_every_bus() {
        for bus_bits in [128, 256, 512] {
            let text = include_str!("../../../../configs/nano.toml")
                .replace("bus_bits = 128", &format!("bus_bits = {bus_bits}"));
            let config = Config::parse(&text, "nano.toml").unwrap();
            let printed = crate::hdl::print(&vec(&config)).unwrap();
            assert_eq!(printed.instances.values().filter(|m| *m == "vec_lane").count(), bus_bits / 32);
            if let Ok(dir) = std::env::var("ANSER_DUMP_RTL") {
                let dir = format!("{dir}/vec{bus_bits}");
                std::fs::create_dir_all(&dir).unwrap();
                for (file, text) in &printed.files {
                    std::fs::write(format!("{dir}/{file}"), text).unwrap();
                }
            }
        }
    }
}
