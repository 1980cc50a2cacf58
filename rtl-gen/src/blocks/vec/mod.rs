//! The vector unit: its parts and how they meet.
//!
//! `vec_issue` starts words, `vec_control` follows them, one `vec_lane` a lane computes them, `vec_write` hands them over, `vec_finish`
//! reports instructions; parameters come through `param_gear`, reductions leave through `vec_reduce` and `vec_scalar` into `sreg`;
//! `vec_parts` connects them. `docs/hardware.md`, section 3, says what an instruction computes.

pub mod control;
pub mod finish;
pub mod issue;
pub mod lane;
pub mod lut;
pub mod param_gear;
pub mod parts;
pub mod reduce;
pub mod round_parts;
pub mod scalar;
pub mod sreg;
pub mod write;

use crate::blocks::core::vmem::WRITE_LATENCY;
use crate::blocks::vec::issue::TAG_BITS;
use crate::blocks::vec::lane::{C_CASES, LANE_STAGES, M_CASES, PRODUCT_STAGE, TABLE_STAGES, X_CASES};
use crate::blocks::vec::param_gear::element_bits;
use crate::blocks::vec::parts::parts;
use crate::blocks::vec::reduce::{stages, QUEUE};
use crate::blocks::vec::scalar::{MEAN_CYCLES, RSQ_CYCLES, VALUE_CYCLES};
use crate::blocks::vec::write::record_bits;
use crate::config::Config;
use crate::hdl::{index_bits, Module};
use crate::isa::{self, c_sel, shift_sel};
use std::sync::Arc;

/// Cycles from the read of a word to its result, for an instruction without table.
pub const RESULT_STAGE: usize = LANE_STAGES + 1;
/// Smallest distance, in cycles without stalls, between the read of a word and a read that sees what was written for it,
/// for an instruction without table: one more for the queue of results.
pub const VEC_LATENCY: usize = RESULT_STAGE + 1 + WRITE_LATENCY;
/// The same through the table.
pub const VEC_LATENCY_LUT: usize = VEC_LATENCY + TABLE_STAGES;

/// The distance that holds for every instruction, with table or without; what the compiler schedules with.
pub fn latency(_config: &Config) -> usize {
    VEC_LATENCY_LUT
}

/// The unit `vec` of `docs/hardware.md`.
pub fn vec(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let mut m = Module::new("vec", header(lanes));
    ports(&mut m, config);
    m.localparams(&[("SHIFT_SCALAR", 2, shift_sel::SCALAR), ("C_P", 3, c_sel::P)]);
    let cases = X_CASES.iter().chain(&M_CASES).chain(&C_CASES).filter(|(name, _)| *name != "C_P");
    m.localparams(&cases.map(|&(name, value)| (name, 3, value)).collect::<Vec<_>>());
    if config.streams_state() {
        m.localparams(&[("C_SESSION", 3, c_sel::SESSION)]);
        m.text("  wire wide;", &[]);
    }
    let fields = if config.sessions > 1 { &FIELDS[..] } else { &FIELDS[..14] }; // the last one: several slices
    m.text(&isa::VEC.decode_wires("instr_i", fields), &[]);
    let here = if config.sessions > 1 { " && scalar_here" } else { "" }.to_string();
    // an element of a session vector comes where a parameter does
    let addend_p = if config.streams_state() { "c_sel_q == C_P || c_sel_q == C_SESSION" } else { "c_sel_q == C_P" };
    let vars = [
        ("segmsb", (index_bits(config.limits.n_head) - 1).to_string()),
        ("tagmsb", (TAG_BITS - 1).to_string()),
        ("nmsb", (LANE_STAGES - 1).to_string()),
        ("lt", TABLE_STAGES.to_string()),
        ("recmsb", (record_bits(config) - 1).to_string()),
        ("lmsb", (lanes - 1).to_string()),
        ("bmsb", (config.bus_bits - 1).to_string()),
        ("wordp", (lanes * element_bits(config) - 1).to_string()),
        ("word27", (lanes * 27 - 1).to_string()),
        ("word56", (lanes * 56 - 1).to_string()),
        ("x_is", one_hot("x_sel_q", &X_CASES)),
        ("m_is", one_hot("m_sel_q", &M_CASES)),
        ("c_is", one_hot("c_sel_q", &C_CASES).replace("c_sel_q == C_P", addend_p)),
        ("here", here.clone()),
        ("xs", (X_CASES.len() - 1).to_string()),
        ("ms", (M_CASES.len() - 1).to_string()),
        ("cs", (C_CASES.len() - 1).to_string()),
    ];
    m.text(WIRES, &vars);
    if config.sessions > 1 {
        m.text(ONLY, &[]);
    }
    parts(&mut m, config);
    m.done()
}

/// The fields that the stages take from the instruction as a word is issued; `vec_issue` decodes the others.
const FIELDS: [&str; 15] = [
    "x_sel",
    "m_sel",
    "c_sel",
    "pshift",
    "shift_sel",
    "lut",
    "lut_shift",
    "acc_sel",
    "post",
    "k_const",
    "k_shift",
    "eps_m",
    "eps_s",
    "rsq_base",
    "only",
];

/// Scalars of an instruction for one slice stay away from the others.
const ONLY: &str = r#"
  reg  [3:0]  red_only_q;
  always_ff @(posedge clk_i) begin
    if (begin_red) red_only_q <= f_only;
  end
  wire scalar_here = (red_only_q == 4'd0) || (red_only_q == {1'b0, slot_i} + 4'd1);
"#;

const WIRES: &str = r#"
  wire        go, open, last, reduce, take_params;  // a word is issued; the instruction's first, last; part of a reduction
  wire        begin_red;                            // the reduction on offer is about to begin
  wire        en;                                   // the pipeline advances
  wire        commit, finish;                       // a word is written; an instruction's last
  wire        beat_valid, beat_ready;
  wire [{{bmsb}}:0] beat;
  wire        rec_valid, rec_ready, red_busy, report_full, pending, pop_sum, p_valid, scalar_sat, unused_results_ready;
  wire [{{recmsb}}:0] rec_in, rec;
  wire [{{nmsb}}:0] v;                                   // stages that hand a word on
  wire [{{lt}}:0]  lv;
  wire [{{lmsb}}:0] live, live_end, clip;
  wire        t_valid, t_end, t_last, w_valid, w_to_vmem, w_red, w_seg_end, w_last;
  wire        r_valid, r_to_vmem, r_red, r_last;    // the oldest finished word
  wire [{{lmsb}}:0] r_clip;
  wire [{{word27}}:0] r_o;
  wire [5:0]  shift_6;
  wire [4:0]  pshift_7;
  wire [3:0]  lut_shift_l1;
  wire [1:0]  lut_l4;
  wire [{{tagmsb}}:0] tag_in;  // {to vmem, reduction, segment end, last word, live lanes}
  wire [5:0]  shift_in, clipped;
  wire [{{segmsb}}:0] seg, scalar_seg;
  wire [{{wordp}}:0] p_word;
  wire [10:0] amax;
  wire [{{word56}}:0] t;
  wire [{{word27}}:0] o;
  wire        sum_valid, sum_last, scalar_last, mean_we, mult_we, shift_we, unused_scalar_busy;
  wire [71:0] sum;
  wire [26:0] scalar_value, s_mean, s_mult;
  wire [5:0]  scalar_shift, s_shift;

  assign busy_o = instr_valid_i || rec_valid || red_busy || pending;
  assign started_o = open;

  reg  [5:0]  sat_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) sat_q <= '0;
    else sat_q <= clipped + {5'b0, scalar_sat{{here}}};
  end
  assign sat_o = sat_q;

  // -- stage 1: what the operands need
  reg  [2:0]  x_sel_q, m_sel_q, c_sel_q;
  reg         scalar_shift_q;
  reg  [{{wordp}}:0] p_q;

  always_ff @(posedge clk_i) begin
    if (go) begin
      x_sel_q        <= f_x_sel;
      m_sel_q        <= f_m_sel;
      c_sel_q        <= f_c_sel;
      scalar_shift_q <= (f_shift_sel == SHIFT_SCALAR);
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_params) p_q <= p_word;
  end

  // -- stage 2: what came out of the memories, and what selects from it
  reg  [{{xs}}:0]  x_is_2_q;  // one bit a case, see vec_lane
  reg  [{{ms}}:0]  m_is_2_q;
  reg  [{{cs}}:0]  c_is_2_q;
  reg  [{{wordp}}:0] p_2_q;
  reg  [{{word27}}:0] a_2_q, b_2_q;
  reg  [26:0] mean_2_q, mult_2_q;

  always_ff @(posedge clk_i) begin
    if (v[0]) begin
      x_is_2_q <= { {{x_is}}};
      m_is_2_q <= { {{m_is}}};
      c_is_2_q <= { {{c_is}}};
      p_2_q    <= p_q;
      a_2_q    <= va_data_i;
      b_2_q    <= vb_data_i;
      mean_2_q <= s_mean;
      mult_2_q <= s_mult;
    end
  end

  // -- the reduction under way
  reg  [11:0] red_op_q;
  reg         red_product_q;

  always_ff @(posedge clk_i) begin
    if (begin_red) begin
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
"#;

/// The comparisons of `select` with `cases`, the first one in bit 0.
fn one_hot(select: &str, cases: &[(&str, u64)]) -> String {
    cases.iter().rev().map(|(name, _)| format!("{select} == {name}")).collect::<Vec<_>>().join(", ")
}

fn header(lanes: usize) -> String {
    format!(
        "Vector unit, {lanes} lanes: one word of {lanes} elements a cycle (docs/hardware.md, 3).\n\
         \n\
         Instructions are taken in order; instr_i must hold while instr_valid_i is high, instr_ready_o is high in the cycle of the\n\
         issue of its last word. n_words >= 1; seg_words = 0 means one segment; tail >= {lanes}: no dead lanes.\n\
         Word i is read (va, vb, one cycle of memory latency) and its parameters taken in the cycle of its issue. Issue pauses, and\n\
         bubbles follow, while parameters are missing or {QUEUE} segments wait for the scalar unit; a refused vmem write (vw_valid_o\n\
         and not vw_ready_i) holds the whole pipeline in the next cycle. vw_valid_o does not depend on vw_ready_i. A write is taken\n\
         to be seen by reads {WRITE_LATENCY} cycles after it was accepted (vmem).\n\
         \n\
         VEC_LATENCY = {VEC_LATENCY}: what is written for a word read in cycle t (without stalls) is seen by reads from cycle t + {VEC_LATENCY} on; with\n\
         lut {VEC_LATENCY_LUT}. An instruction with drain = 0 follows after one cycle (after a lut instruction one without lut waits {TABLE_STAGES} cycles more),\n\
         and may read what the one before wrote if every word is read that many words after the one it was computed from: the\n\
         cycle in between does not count, a stall may hide it.\n\
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
        PRODUCT_STAGE + stages(lanes),
        RESULT_STAGE + stages(lanes),
        RESULT_STAGE + TABLE_STAGES + stages(lanes),
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
    if config.streams_state() {
        m.output("sw_valid_o", 1, "session vector to memory, on vw_data_o").input("sw_ready_i", 1, "");
        m.output("sw_last_o", 1, "its last word");
        if config.sessions > 1 {
            m.output("sw_slot_o", index_bits(config.sessions), "the slice it is taken from");
        }
    }
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
    if config.sessions > 1 {
        m.input("slot_i", 3, "which slice this is; constant");
        m.input("prefill_i", 1, "the slots read one text").input("home_i", 1, "its first token is here");
        m.output("vw_en_o", 1, "write vmem").output("vw_ring_o", 1, "with what the slice before this one writes");
    }
    m.input("p_valid_i", 1, "parameter beats").output("p_ready_o", 1, "").input("p_data_i", config.bus_bits, "");
    m.output("sat_o", 6, "values clipped a cycle ago").output("busy_o", 1, "");
    m.output("started_o", 1, "the first word of an instruction is issued");
    m.output("trace_vec_valid_o", 1, "").output("trace_vec_op_o", 12, "").output("trace_vec_word_o", 13, "");
    m.output("trace_vec_data_o", lanes * 27, "");
    m.output("trace_sreg_valid_o", 1, "").output("trace_sreg_op_o", 12, "").output("trace_sreg_seg_o", 8, "");
    m.output("trace_sreg_mean_o", 27, "").output("trace_sreg_mult_o", 27, "").output("trace_sreg_shift_o", 6, "");
    m.output("trace_exp_valid_o", 1, "").output("trace_exp_op_o", 12, "").output("trace_exp_exp_o", 5, "");
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
            assert_eq!(printed.instances.values().filter(|m| *m == "anser_vec_lane").count(), bus_bits / 32);
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
