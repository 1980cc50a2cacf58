//! Issue of the vector unit: from the instruction offered to one word a cycle.

use crate::blocks::vec::lane::TABLE_STAGES;
use crate::blocks::vec::reduce::QUEUE;
use crate::blocks::vec::write::record_bits;
use crate::config::Config;
use crate::hdl::{index_bits, Module};
use crate::isa::{self, c_sel, dest, m_sel, post, shift_sel, x_sel};
use std::sync::Arc;

/// What travels with a word, from bit 0: live lanes (5), last word, segment end, part of a reduction, goes to vmem.
pub const TAG_BITS: usize = 9;

/// The fields issue looks at; the rest of the instruction goes to the stages that use it.
const FIELDS: [&str; 20] = [
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
    "shift_sel",
    "shift",
    "lut",
    "post",
    "amax",
    "amax_keep",
    "dest",
    "slot",
    "only",
    "route",
];

/// Word counter, hazards and the record of each instruction for the write stage.
pub fn vec_issue(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let seg = index_bits(config.limits.n_head);
    let mut m = Module::new(
        "vec_issue",
        format!(
            "Issues an instruction's words, one a cycle, straight from the instruction offered; latency 1: the cycle in which it is\n\
             first on offer decides whether it may begin, and what it is, for the next one.\n\
             go_o: a word is read in this cycle; never while en_i is low, a parameter word is missing, or its segment's sum would find\n\
             no room among {QUEUE}. The first word (open_o) also waits for room in the write stage's queue of records, for drained_i\n\
             if the instruction drains, and for the reduction before it if it reduces; after a table instruction an instruction\n\
             without table waits {TABLE_STAGES} cycles, the length by which the table's path is longer, so that words stay in order.\n\
             begin_o: the first word of a reduction goes as soon as nothing holds it; high until it does.\n\
             shift_o is the word's shift unless it comes from sreg; S(amax) is taken with the first word and kept for the others."
        ),
    );
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "the last word goes");
    m.input("instr_i", isa::VEC.bits, "isa VEC").input("instr_idx_i", 12, "");
    m.input("en_i", 1, "the pipeline advances").input("drained_i", 1, "nothing unfinished");
    m.input("record_ready_i", 1, "").input("red_busy_i", 1, "").input("report_full_i", 1, "");
    m.input("p_valid_i", 1, "").input("sum_popped_i", 1, "").input("amax_i", 11, "bits 25 to 15 of amax");
    m.output("va_en_o", 1, "").output("va_addr_o", 14, "").output("vb_en_o", 1, "").output("vb_addr_o", 14, "");
    m.output("go_o", 1, "").output("open_o", 1, "").output("last_o", 1, "").output("reduce_o", 1, "");
    m.output("begin_o", 1, "");
    if config.streams_state() {
        m.output("wide_o", 1, "with take_params_o: the word is one of a session vector");
    }
    m.output("take_params_o", 1, "").output("seg_o", seg, "").output("shift_o", 6, "").output("tag_o", TAG_BITS, "");
    m.output("record_o", record_bits(config), "");
    m.localparams(&[
        ("X_A_MINUS_B", 3, x_sel::A_MINUS_B),
        ("M_P", 3, m_sel::P),
        ("M_B", 3, m_sel::B),
        ("C_P", 3, c_sel::P),
        ("C_B", 3, c_sel::B),
        ("SHIFT_AMAX", 2, shift_sel::AMAX),
        ("POST_NONE", 2, post::NONE),
        ("DEST_VMEM", 2, dest::VMEM),
    ]);
    let fields = if config.sessions > 1 { &FIELDS[..] } else { &FIELDS[..18] }; // the last two: several slices
    m.text(&isa::VEC.decode_wires("instr_i", fields), &[]);
    if config.streams_state() {
        m.localparams(&[("C_SESSION", 3, c_sel::SESSION)]);
        m.text(&isa::VEC.decode_wires("instr_i", &["store"]), &[]);
        m.text(
            r#"
  reg is_wide_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) is_wide_q <= 1'b0;
    else is_wide_q <= (f_c_sel == C_SESSION);
  end
  assign wide_o = is_wide_q;
"#,
            &[],
        );
    }
    m.text(
        r#"
  reg  [12:0] word_q, seg_word_q;
  reg  [13:0] a_addr_q, b_addr_q;       // of this word
  reg         first_q, last_q;          // this word is the instruction's first; its last
  reg         seg_end_q, sum_end_q;     // its segment's last; and the segment is summed
  reg  [{{segmsb}}:0] seg_q;
  reg  [3:0]  gap_q;     // cycles until a word without table cannot meet one from the table
  reg  [2:0]  credit_q;  // sums the reduction still has room for
  reg         credit_ok_q;  // there is one
  // of the instruction that was on offer a cycle ago and still is: it has begun or may begin, and what it is
  reg         run_q, seg_one_q, is_red_q, uses_p_q, uses_b_q, is_lut_q;
  reg  [3:0]  exp_q;     // S(amax) when the instruction began

  wire is_red  = (f_post != POST_NONE);
  wire is_lut  = (f_lut != 2'd0);
  wire uses_p  = (f_m_sel == M_P) || (f_c_sel == C_P){{or_session}};
  wire uses_b  = (f_x_sel == X_A_MINUS_B) || (f_m_sel == M_B) || (f_c_sel == C_B);

  wire may_open = record_ready_i && !report_full_i && (!f_drain || drained_i) && !(is_red && red_busy_i)
                  && (is_lut || gap_q == 4'd0);
  wire go       = instr_valid_i && en_i && run_q && (!uses_p_q || p_valid_i)
                  && (!sum_end_q || credit_ok_q);
  wire send_sum = go && sum_end_q;
  // of the word after this one; of the first, as long as it may not go, what its instruction says
  wire next_end     = (word_q + 13'd2 == f_n_words);
  wire next_seg_end = next_end || (seg_end_q ? seg_one_q : (seg_word_q + 13'd2 == f_seg_words));
  wire one          = (f_n_words == 13'd1);
  wire seg_one      = one || (f_seg_words == 13'd1);
  wire [2:0] credit_next = (send_sum == sum_popped_i) ? credit_q : send_sum ? credit_q - 3'd1 : credit_q + 3'd1;

  assign go_o          = go;
  assign open_o        = go && first_q;
  assign last_o        = last_q;
  assign reduce_o      = is_red_q;
  assign begin_o       = run_q && first_q && is_red_q;
  assign instr_ready_o = go && last_q;
  assign take_params_o = go && uses_p_q;
  assign va_en_o       = go;
  assign vb_en_o       = go && uses_b_q;
  assign va_addr_o     = a_addr_q;
  assign vb_addr_o     = b_addr_q;
  assign seg_o         = seg_q;

  // S(A): significant bits of the largest magnitude, less 15; 0 to 11
  wire [3:0] s_amax  = amax_i[10] ? 4'd11 : amax_i[9] ? 4'd10 : amax_i[8] ? 4'd9 : amax_i[7] ? 4'd8
                     : amax_i[6] ? 4'd7 : amax_i[5] ? 4'd6 : amax_i[4] ? 4'd5 : amax_i[3] ? 4'd4
                     : amax_i[2] ? 4'd3 : amax_i[1] ? 4'd2 : amax_i[0] ? 4'd1 : 4'd0;
  wire [3:0] s_word  = first_q ? s_amax : exp_q;
  wire       by_amax = (f_shift_sel == SHIFT_AMAX);

  assign shift_o  = by_amax ? {2'b0, s_word} : f_shift;
  assign tag_o    = {f_dest == DEST_VMEM, is_red_q, seg_end_q, last_q, last_q ? f_tail : 5'd{{lanes}}};
  assign record_o = { {{store}}{{slots}}f_amax_keep, f_amax, by_amax ? {1'b0, s_amax} : 5'd0, f_slot, f_dest, f_d_addr, instr_idx_i};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q      <= '0;
      seg_word_q  <= '0;
      first_q     <= 1'b1;
      last_q      <= 1'b0;
      seg_end_q   <= 1'b0;
      sum_end_q   <= 1'b0;
      seg_q       <= '0;
      gap_q       <= '0;
      credit_q    <= 3'd{{queue}};
      credit_ok_q <= 1'b1;
      run_q       <= 1'b0;
      seg_one_q   <= 1'b0;
      is_red_q    <= 1'b0;
      uses_p_q    <= 1'b0;
      uses_b_q    <= 1'b0;
      is_lut_q    <= 1'b0;
      exp_q       <= '0;
    end else begin
      if (go) begin
        word_q      <= last_q ? 13'd0 : word_q + 13'd1;
        seg_word_q  <= seg_end_q ? 13'd0 : seg_word_q + 13'd1;
        first_q     <= last_q;
        last_q      <= next_end;
        seg_end_q   <= next_seg_end;
        sum_end_q   <= next_seg_end && is_red_q;
        seg_q       <= last_q ? '0 : seg_end_q ? seg_q + 1'b1 : seg_q;
      end
      if (!go && first_q) begin
        last_q    <= one;
        seg_end_q <= seg_one;
        sum_end_q <= seg_one && is_red;
      end
      if (go && first_q) exp_q <= s_amax;
      if (go && is_lut_q) gap_q <= 4'd{{gap}};
      else if (en_i && gap_q != 4'd0) gap_q <= gap_q - 4'd1;
      credit_q    <= credit_next;
      credit_ok_q <= (credit_next != 3'd0);
      run_q       <= instr_valid_i && !(go && last_q) && (!first_q || go || may_open);
      seg_one_q   <= (f_seg_words == 13'd1);
      is_red_q    <= is_red;
      uses_p_q    <= uses_p;
      uses_b_q    <= uses_b;
      is_lut_q    <= is_lut;
    end
  end

  // A first word goes one cycle after it is on offer, at the earliest.
  always_ff @(posedge clk_i) begin
    if (go) begin
      a_addr_q <= a_addr_q + 14'd1;
      b_addr_q <= b_addr_q + 14'd1;
    end else if (first_q) begin
      a_addr_q <= f_a_addr;
      b_addr_q <= f_b_addr;
    end
  end

  wire unused_instr = &{1'b0, instr_i};  // the other fields are read elsewhere
"#,
        &[
            ("lanes", lanes.to_string()),
            ("or_session", if config.streams_state() { " || (f_c_sel == C_SESSION)" } else { "" }.to_string()),
            ("store", if config.streams_state() { "f_store, " } else { "" }.to_string()),
            ("slots", if config.sessions > 1 { "f_route, f_only, " } else { "" }.into()),
            ("segmsb", (seg - 1).to_string()),
            ("gap", TABLE_STAGES.to_string()),
            ("queue", QUEUE.to_string()),
        ],
    );
    m.done()
}
