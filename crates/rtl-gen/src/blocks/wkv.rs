//! The delta-rule recurrence (`docs/hardware.md` §4), one state word a cycle.

use super::prim::{fifo, ram_1w1r};
use super::wkv_dot::{self, wkv_dot};
use super::wkv_lane::{self, wkv_lane};
use super::wkv_setup::wkv_setup;
use super::wkv_state::wkv_state;
use super::wkv_walk::wkv_walk;
use crate::config::{Config, EXP_BITS, OPERAND_BITS, VEC_BITS};
use crate::hdl::{index_bits, Module};
use crate::isa::{wkv_slot, WKV};
use std::sync::Arc;

/// State words that may lie between the two passes: the longest row (63 words), and for rows of up to 50 words the whole latency
/// of `sa_i` on top of it, so that pass 1 never waits at full rate.
const ROW_BUFFER: usize = 64;

/// Rows that may wait for pass 2 (`sa_i`) and for vmem (`y_i`): the pipelines' latency in rows of 16 elements and more.
fn row_queue(vlanes: usize) -> usize {
    2 * vlanes
}

/// Cycles of an instruction beyond its `n_head · head_size · head_words` state words, from the handshake to `done_o`, if
/// every `y_i` is accepted at once, `head_size` is at least 16 and `head_words` at most 50: filling both pipelines and one row.
pub fn overhead_cycles(vlanes: usize, head_words: usize) -> usize {
    // handshake to first read 2; read and operand register 2, sa, its queue 1; read and operand register 2, update; y, its queue 1, done 1
    let fill = 2 + 2 + wkv_dot::latency(vlanes) + 1 + 2 + wkv_lane::LATENCY + wkv_dot::latency(vlanes) + 1 + 1;
    head_words + fill - 2
}

/// The recurrence unit of `config`: VL = `vlanes` lanes, state elements of SW = `state_bits`.
pub fn wkv(config: &Config) -> Arc<Module> {
    let (vl, sw) = (config.vlanes(), config.numbers.state_bits);
    let sizes = Sizes { vl, sw, state_addr: index_bits(config.state_words()), word_addr: index_bits(config.limits.n_embd / vl) };
    let mut m = Module::new("wkv", header(&sizes));
    ports(&mut m, &sizes);
    let vars = sizes.vars();

    m.text(CONTROL, &vars);
    let mut setup: Vec<(&str, &str)> = vec![("block_i", "clear_busy_o"), ("finish_i", "finish"), ("run_o", "run"), ("go_o", "go"), ("op_o", "op")];
    for p in ["instr_valid_i", "instr_ready_o", "instr_i", "instr_idx_i", "exp_we_i", "exp_slot_i", "exp_i"] {
        setup.push((p, p));
    }
    for (port, wire) in SETUP_WIRES {
        setup.push((port, wire));
    }
    m.instance("u_setup", &wkv_setup(), &setup);

    operand_memories(&mut m, config, &sizes);

    m.text(PASS_1, &vars);
    let walk = wkv_walk(sizes.word_addr);
    let steps = |step, active, word, first, last| {
        let mut c = vec![("load_i", "go"), ("n_head_i", "n_head"), ("head_size_i", "head_size"), ("head_words_i", "head_words")];
        c.extend([("step_i", step), ("active_o", active), ("word_o", word), ("first_o", first), ("last_o", last)]);
        c
    };
    m.instance("u_walk_sa", &walk, &steps("issue", "active_1", "kk_addr", "first_1", "last_1"));
    m.instance("u_state", &wkv_state(vl * sw, config.state_words()), &[
        ("clear_i", "clear_i"),
        ("hold_i", "run"),
        ("clear_busy_o", "clear_busy_o"),
        ("we_i", "update_q[8]"),
        ("waddr_i", "s_waddr_q"),
        ("wdata_i", "s_new"),
        ("re_i", "issue"),
        ("raddr_i", "s_raddr_q"),
        ("rdata_o", "s_word"),
    ]);
    m.instance("u_sa", &wkv_dot("wkv_dot_sa", vl, sw, sw, true), &[
        ("valid_i", "valid_1_q[2]"),
        ("first_i", "first_1_q[2]"),
        ("last_i", "last_1_q[2]"),
        ("a_i", "s_1_q"),
        ("b_i", "kk_1_q"),
        ("shift_i", "shift_sa"),
        ("valid_o", "sa_valid"),
        ("data_o", "sa"),
        ("clipped_o", "sa_clipped"),
    ]);

    m.text(BETWEEN, &vars);
    m.instance("u_row_buffer", &fifo(vl * sw, ROW_BUFFER), &[
        ("in_valid_i", "valid_1_q[2]"),
        ("in_ready_o", "row_ready"),
        ("in_data_i", "s_1_q"),
        ("out_valid_o", "old_valid"),
        ("out_ready_i", "take"),
        ("out_data_o", "old_word"),
    ]);
    m.instance("u_sa_queue", &fifo(sw, row_queue(vl)), &[
        ("in_valid_i", "sa_valid"),
        ("in_ready_o", "sa_ready"),
        ("in_data_i", "sa"),
        ("out_valid_o", "sa_known"),
        ("out_ready_i", "take_row"),
        ("out_data_o", "sa_of_row"),
    ]);

    m.text(PASS_2, &vars);
    m.instance("u_walk_update", &walk, &steps("take", "active_2", "dbk_addr", "first_2", "last_2"));
    for lane in 0..vl {
        let state = sizes.slice("s_2_q", lane, sw);
        let [d, b, k] = ["d_2_q", "b_2_q", "k_2_q"].map(|w| sizes.slice(w, lane, OPERAND_BITS));
        m.instance(&format!("u_lane_{lane}"), &wkv_lane(sw), &[
            ("clk_i", "clk_i"),
            ("en_i", "update_q[7:2]"),
            ("s_i", &state),
            ("sa_i", "sa_2_q"),
            ("v_i", "v_2_q"),
            ("d_i", &d),
            ("b_i", &b),
            ("k_i", &k),
            ("shift_b_i", "shift_b"),
            ("shift_vk_i", "shift_vk"),
            ("s_o", &sizes.slice("s_new", lane, sw)),
            ("clipped_o", &format!("lane_clipped[{lane}]")),
        ]);
    }

    m.text(READOUT, &vars);
    m.instance("u_walk_y", &walk, &steps("update_q[6]", "active_3", "r_addr", "first_3", "last_3"));
    m.instance("u_y", &wkv_dot("wkv_dot_y", vl, sw, VEC_BITS, false), &[
        ("valid_i", "update_q[8]"),
        ("first_i", "first_3_q[2]"),
        ("last_i", "last_3_q[2]"),
        ("a_i", "s_new"),
        ("b_i", "r_3_q"),
        ("shift_i", "shift_y"),
        ("valid_o", "y_valid"),
        ("data_o", "y"),
        ("clipped_o", "y_clipped"),
    ]);
    m.instance("u_y_queue", &fifo(VEC_BITS, row_queue(vl)), &[
        ("in_valid_i", "y_valid"),
        ("in_ready_o", "y_ready"),
        ("in_data_i", "y"),
        ("out_valid_o", "y_valid_o"),
        ("out_ready_i", "y_ready_i"),
        ("out_data_o", "y_data_o"),
    ]);
    m.text(COUNTS, &vars);
    m.done()
}

/// What the widths inside follow from.
struct Sizes {
    vl: usize,
    sw: usize,
    state_addr: usize,
    word_addr: usize,
}

impl Sizes {
    fn lane_bits(&self) -> usize {
        index_bits(self.vl)
    }

    fn slice(&self, word: &str, lane: usize, bits: usize) -> String {
        format!("{word}[{}:{}]", (lane + 1) * bits - 1, lane * bits)
    }

    fn vars(&self) -> Vec<(&'static str, String)> {
        let clips: Vec<String> = (0..self.vl).map(|l| format!("{{5'b0, lane_clipped[{l}]}}")).collect();
        let above = |wire: &str, bits: usize, port: usize| {
            if bits < port { format!("  wire unused_{wire} = &{{1'b0, {wire}[{}:{bits}]}};", port - 1) } else { String::new() }
        };
        vec![
            ("s", (self.sw - 1).to_string()),
            ("sword", (self.vl * self.sw - 1).to_string()),
            ("oword", (self.vl * OPERAND_BITS - 1).to_string()),
            ("omsb", (OPERAND_BITS - 1).to_string()),
            ("ymsb", (VEC_BITS - 1).to_string()),
            ("sa", (self.state_addr - 1).to_string()),
            ("wa", (self.word_addr - 1).to_string()),
            ("lb", self.lane_bits().to_string()),
            ("lane", (self.lane_bits() - 1).to_string()),
            ("vmsb", (self.word_addr + self.lane_bits() - 1).to_string()),
            ("vl1", (self.vl - 1).to_string()),
            ("buf", index_bits(ROW_BUFFER).to_string()),
            ("rows", index_bits(row_queue(self.vl)).to_string()),
            ("s_pad", if self.state_addr < 20 { format!("{}'b0, ", 20 - self.state_addr) } else { String::new() }),
            ("clips", clips.join(" + ")),
            ("unused_s_addr", above("s_addr", self.state_addr, 20)),
            ("unused_kw_addr", above("kw_addr_i", self.word_addr, 14)),
        ]
    }
}

fn header(sizes: &Sizes) -> String {
    format!(
        "Delta-rule recurrence of one layer an instruction (docs/hardware.md, wkv), for head h, row i, column j:\n\
         \x20 sa_i  = sat(round(-sum_j S_ij * kk_j, shift_sa))\n\
         \x20 S'_ij = sat(S_ij - round(S_ij * d_j, 16) + round(sa_i * b_j, shift_b) + round(v_i * k_j, shift_vk))\n\
         \x20 y_i   = sat(round(sum_j S'_ij * r_j, shift_y))           to vmem element y_addr + h*N + i\n\
         State elements have {sw} bits, {vl} a word. Pass 1 reads each state word once and sums sa; the words wait in the row buffer;\n\
         pass 2 updates and writes each once, and sums y. Rows overlap: pass 1 runs ahead as far as the row buffer allows.\n\
         Nothing inside stalls: a word is read, or taken into pass 2, only if there is room for everything that follows from it, so\n\
         a y that vmem refuses stops the front ends, never a pipeline. y_valid_o does not depend on y_ready_i.\n\
         Operands and exponents must not change while an instruction that uses them runs (the program's waits see to it).\n\
         n_head, head_size and head_words are at least 1; head_size = head_words * {vl} <= 255.\n\
         Latency: heads * rows * head_words + head_words + {fill} cycles from the handshake to done_o, if every y is accepted at once;\n\
         done_o (pulse) follows the last y by one cycle; the next instruction is accepted in the cycle after it.\n\
         clear_i writes 0 to all state, one word a cycle, after a running instruction; no instruction is accepted until then.",
        sw = sizes.sw,
        vl = sizes.vl,
        fill = overhead_cycles(sizes.vl, 0),
    )
}

fn ports(m: &mut Module, sizes: &Sizes) {
    let Sizes { vl, sw, .. } = *sizes;
    m.input("start_i", 1, "a token starts; nothing is kept from token to token here but the state");
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "").input("instr_i", WKV.bits, "isa.rs, WKV").input("instr_idx_i", 12, "");
    m.output("done_o", 1, "pulse: all S written, all y handed over");
    m.input("kw_en_i", 1, "operand write").input("kw_slot_i", 3, "isa.rs, wkv_slot").input("kw_addr_i", 14, "word");
    m.input("kw_data_i", vl * OPERAND_BITS, "signed elements");
    m.input("exp_we_i", 1, "").input("exp_slot_i", 3, "").input("exp_i", EXP_BITS, "exponent of an operand");
    m.input("clear_i", 1, "pulse").output("clear_busy_o", 1, "");
    m.output("y_valid_o", 1, "").input("y_ready_i", 1, "").output("y_addr_o", 18, "vmem element").output("y_data_o", VEC_BITS, "signed");
    m.output("sat_o", 6, "values clipped, one cycle's").output("busy_o", 1, "an instruction runs");
    m.output("trace_wkv_s_valid_o", 1, "a state word is written").output("trace_wkv_s_op_o", 12, "");
    m.output("trace_wkv_s_addr_o", 20, "").output("trace_wkv_s_data_o", vl * sw, "");
    m.output("trace_wkv_sa_valid_o", 1, "an sa_i is final").output("trace_wkv_sa_op_o", 12, "");
    m.output("trace_wkv_sa_row_o", 18, "").output("trace_wkv_sa_data_o", sw, "");
    m.output("trace_wkv_y_valid_o", 1, "a y_i is handed over").output("trace_wkv_y_op_o", 12, "");
    m.output("trace_wkv_y_row_o", 18, "").output("trace_wkv_y_data_o", VEC_BITS, "");
}

/// Ports of `wkv_setup` and the wires they drive, named for what the rest of the body calls them.
const SETUP_WIRES: [(&str, &str); 9] = [
    ("n_head_o", "n_head"),
    ("head_size_o", "head_size"),
    ("head_words_o", "head_words"),
    ("s_addr_o", "s_addr"),
    ("y_addr_o", "y_addr"),
    ("shift_sa_o", "shift_sa"),
    ("shift_b_o", "shift_b"),
    ("shift_vk_o", "shift_vk"),
    ("shift_y_o", "shift_y"),
];

/// One memory an operand, so that every pass reads what it needs in the same cycle.
fn operand_memories(m: &mut Module, config: &Config, sizes: &Sizes) {
    m.text("\n  // operands: one memory each, because r, d, b, k and v of different words are read in one cycle", &[]);
    let ram = ram_1w1r(sizes.vl * OPERAND_BITS, config.limits.n_embd / sizes.vl);
    for (name, slot, enable, addr) in [
        ("kk", wkv_slot::KK, "issue", "kk_addr"),
        ("d", wkv_slot::D, "take", "dbk_addr"),
        ("b", wkv_slot::B, "take", "dbk_addr"),
        ("k", wkv_slot::K, "take", "dbk_addr"),
        ("v", wkv_slot::V, "take", "v_addr"),
        ("r", wkv_slot::R, "update_q[6]", "r_addr"),
    ] {
        let vars = [("n", name.to_string()), ("slot", slot.to_string()), ("msb", (sizes.vl * OPERAND_BITS - 1).to_string())];
        m.text("  wire [{{msb}}:0] {{n}}_word;\n  wire {{n}}_we = kw_en_i && (kw_slot_i == 3'd{{slot}});", &vars);
        m.instance(&format!("u_{name}"), &ram, &[
            ("we_i", &format!("{name}_we")),
            ("waddr_i", &format!("kw_addr_i[{}:0]", sizes.word_addr - 1)),
            ("wdata_i", "kw_data_i"),
            ("re_i", enable),
            ("raddr_i", addr),
            ("rdata_o", &format!("{name}_word")),
        ]);
    }
}

const CONTROL: &str = r#"
  wire        run, go, finish;
  wire [11:0] op;
  wire [7:0]  n_head, head_size;
  wire [5:0]  head_words, shift_sa, shift_b, shift_vk, shift_y;
  wire [19:0] s_addr;
  wire [17:0] y_addr;
{{unused_s_addr}}
{{unused_kw_addr}}
  wire        unused_start = start_i;

  // the front ends: issue reads a state word for pass 1, take moves one into pass 2, take_row ends its row
  wire        issue, take, take_row;
  wire [{{wa}}:0]  kk_addr, dbk_addr, v_addr, r_addr;  // operand words
  wire [{{sword}}:0] s_new;                            // S', final
  reg  [8:1]  update_q;                            // bit n: a word is in stage n of pass 2
"#;

const PASS_1: &str = r#"
  // ---- pass 1: sa. A word is issued if the row buffer, and for the end of a row the sa queue, has room when it arrives.
  wire        active_1, first_1, last_1;
  reg  [{{buf}}:0]  words_q;    // words issued and not yet taken; 2^{{buf}} at most
  reg  [{{rows}}:0]  sa_rows_q;  // rows issued and not yet taken; 2^{{rows}} at most
  assign issue = active_1 && !words_q[{{buf}}] && (!last_1 || !sa_rows_q[{{rows}}]);
  wire        issue_row = issue && last_1;

  reg  [{{sa}}:0] s_raddr_q;
  reg  [2:1]  valid_1_q, first_1_q, last_1_q;  // stage 1: memory outputs, stage 2: operands
  wire [{{sword}}:0] s_word;
  reg  [{{sword}}:0] s_1_q;
  reg  [{{oword}}:0] kk_1_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      words_q   <= '0;
      sa_rows_q <= '0;
      s_raddr_q <= '0;
      valid_1_q <= '0;
      first_1_q <= '0;
      last_1_q  <= '0;
    end else begin
      if (issue != take) words_q <= issue ? words_q + 1'b1 : words_q - 1'b1;
      if (issue_row != take_row) sa_rows_q <= issue_row ? sa_rows_q + 1'b1 : sa_rows_q - 1'b1;
      if (go) s_raddr_q <= s_addr[{{sa}}:0];
      else if (issue) s_raddr_q <= s_raddr_q + 1'b1;
      valid_1_q <= {valid_1_q[1], issue};
      first_1_q <= {first_1_q[1], first_1};
      last_1_q  <= {last_1_q[1], last_1};
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_1_q[1]) begin
      s_1_q  <= s_word;
      kk_1_q <= kk_word;
    end
  end

  wire        sa_valid, sa_clipped;
  wire [{{s}}:0] sa;
"#;

const BETWEEN: &str = r#"

  // ---- between the passes: the words of rows under way, and the sa of rows complete. Their room was reserved at issue.
  wire        old_valid, row_ready, sa_ready, sa_known;
  wire [{{sword}}:0] old_word;
  wire [{{s}}:0] sa_of_row;
  wire        unused_ready = &{1'b0, row_ready, sa_ready};
"#;

const PASS_2: &str = r#"

  // ---- pass 2: S'. A word is taken when its row's sa is known and, at the end of a row, y will find room.
  wire        active_2, first_2, last_2;
  reg  [{{rows}}:0]  y_rows_q;  // rows taken whose y was not handed over yet; 2^{{rows}} at most
  assign take     = old_valid && sa_known && (!last_2 || !y_rows_q[{{rows}}]);
  assign take_row = take && last_2;
  wire        hand_over = y_valid_o && y_ready_i;
  wire        unused_walk_2 = &{1'b0, active_2, first_2};

  reg  [{{vmsb}}:0] v_element_q;  // head * head_size + row
  assign v_addr = v_element_q[{{vmsb}}:{{lb}}];

  reg  [{{sword}}:0] s_old_q, s_2_q;  // stage 1: beside the memory outputs, stage 2: operands
  reg  [{{oword}}:0] d_2_q, b_2_q, k_2_q;
  reg  [{{s}}:0] sa_old_q, sa_2_q;
  reg  [{{omsb}}:0] v_2_q;
  reg  [{{lane}}:0] v_lane_q;
  reg  [{{sa}}:0] s_waddr_q;
  wire [{{vl1}}:0] lane_clipped;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      update_q    <= '0;
      y_rows_q    <= '0;
      v_element_q <= '0;
      s_waddr_q   <= '0;
    end else begin
      update_q <= {update_q[7:1], take};
      if (take_row != hand_over) y_rows_q <= take_row ? y_rows_q + 1'b1 : y_rows_q - 1'b1;
      if (go) v_element_q <= '0;
      else if (take_row) v_element_q <= v_element_q + 1'b1;
      if (go) s_waddr_q <= s_addr[{{sa}}:0];
      else if (update_q[8]) s_waddr_q <= s_waddr_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      s_old_q  <= old_word;
      sa_old_q <= sa_of_row;
      v_lane_q <= v_element_q[{{lane}}:0];
    end
    if (update_q[1]) begin
      s_2_q  <= s_old_q;
      sa_2_q <= sa_old_q;
      d_2_q  <= d_word;
      b_2_q  <= b_word;
      k_2_q  <= k_word;
      v_2_q  <= v_word[v_lane_q*16 +: 16];
    end
  end
"#;

const READOUT: &str = r#"

  // ---- y: r is read so that it meets S' (stage 8)
  wire        active_3, first_3, last_3;
  wire        unused_walk_3 = active_3;
  reg  [2:1]  first_3_q, last_3_q;
  reg  [{{oword}}:0] r_3_q;
  wire        y_valid, y_clipped, y_ready;
  wire [{{ymsb}}:0] y;
  wire        unused_y_ready = y_ready;  // room was reserved when the row was taken

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      first_3_q <= '0;
      last_3_q  <= '0;
    end else begin
      first_3_q <= {first_3_q[1], first_3};
      last_3_q  <= {last_3_q[1], last_3};
    end
  end

  always_ff @(posedge clk_i) begin
    if (update_q[7]) r_3_q <= r_word;
  end
"#;

const COUNTS: &str = r#"

  // ---- results, counts, trace
  reg  [17:0] sa_row_q, y_row_q, y_addr_q;
  reg  [5:0]  sat_q;
  wire [5:0]  lanes_clipped = {{clips}};

  // everything issued was taken, everything taken was handed over; the last y is later than the last S word by construction
  assign finish = run && !go && !active_1 && (words_q == '0) && (y_rows_q == '0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sa_row_q <= '0;
      y_row_q  <= '0;
      y_addr_q <= '0;
      sat_q    <= '0;
    end else begin
      if (go) sa_row_q <= '0;
      else if (sa_valid) sa_row_q <= sa_row_q + 18'd1;
      if (go) begin
        y_row_q  <= '0;
        y_addr_q <= y_addr;
      end else if (hand_over) begin
        y_row_q  <= y_row_q + 18'd1;
        y_addr_q <= y_addr_q + 18'd1;
      end
      sat_q <= (update_q[8] ? lanes_clipped : 6'd0) + {5'b0, sa_clipped} + {5'b0, y_clipped};
    end
  end

  assign done_o   = finish;
  assign busy_o   = run;
  assign sat_o    = sat_q;
  assign y_addr_o = y_addr_q;

  assign trace_wkv_s_valid_o  = update_q[8];
  assign trace_wkv_s_op_o     = op;
  assign trace_wkv_s_addr_o   = { {{s_pad}}s_waddr_q};
  assign trace_wkv_s_data_o   = s_new;
  assign trace_wkv_sa_valid_o = sa_valid;
  assign trace_wkv_sa_op_o    = op;
  assign trace_wkv_sa_row_o   = sa_row_q;
  assign trace_wkv_sa_data_o  = sa;
  assign trace_wkv_y_valid_o  = hand_over;
  assign trace_wkv_y_op_o     = op;
  assign trace_wkv_y_row_o    = y_row_q;
  assign trace_wkv_y_data_o   = y_data_o;
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_for_every_lane_count_and_state_width() {
        for (bus, state_bits) in [(128, 16), (128, 24), (256, 17), (512, 32)] {
            let text = include_str!("../../../../configs/nano.toml")
                .replace("bus_bits = 128 ", &format!("bus_bits = {bus} "))
                .replace("state_bits = 24", &format!("state_bits = {state_bits}"));
            let config = Config::parse(&text, "nano").unwrap();
            assert_eq!((config.bus_bits, config.numbers.state_bits), (bus, state_bits));
            let printed = crate::hdl::print(&wkv(&config)).unwrap();
            assert_eq!(printed.top, "wkv");
            if let Ok(dir) = std::env::var("ANSER_DUMP_RTL") {
                let dir = format!("{dir}/wkv_{bus}_{state_bits}");
                std::fs::create_dir_all(&dir).unwrap();
                for (file, text) in &printed.files {
                    std::fs::write(format!("{dir}/{file}"), text).unwrap();
                }
            }
        }
    }
}
