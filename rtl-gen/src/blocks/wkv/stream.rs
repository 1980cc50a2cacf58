//! What stands in place of the state memory if the state lies outside the chip: a queue on the way in and one on the way out.

use super::state::READ_LATENCY;
use crate::blocks::prim::fifo;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Updated words that may wait for the way out; more than the cycles from a take to its write, so that pass 2 runs at full rate.
const OUT_WORDS: usize = 32;

/// Words of `vlanes` elements of `state_bits`; `depth` of them can wait for pass 1. Elements leave with `stored_bits`.
pub fn wkv_stream(vlanes: usize, state_bits: usize, stored_bits: usize, depth: usize) -> Arc<Module> {
    let word = vlanes * state_bits;
    let mut m = Module::new(
        "wkv_stream",
        format!(
            "State that lies in memory: words of {vlanes} elements come in the order of the walk, of each 32 bits the low {state_bits} are kept;\n\
             updated words leave in the same order, sign-extended to {stored_bits} bits an element.\n\
             have_o: the next word is here; re_i (only with it) takes it, and rdata_o is that word {READ_LATENCY} cycles later, as from a memory.\n\
             room_o: a word may be taken into pass 2 (take_i, only with it); its we_i follows whenever pass 2 has it. The way out holds\n\
             {OUT_WORDS} words and never refuses one that had room. flush_o (pulse): all words up to the end of an instruction (finish_i)\n\
             have left. Latency: in_* to have_o one or two cycles, we_i to out_valid_o one. {depth} words wait on the way in."
        ),
    );
    m.input("in_valid_i", 1, "").output("in_ready_o", 1, "").input("in_data_i", 32 * vlanes, "");
    m.output("have_o", 1, "").input("re_i", 1, "").output("rdata_o", word, "");
    m.output("room_o", 1, "").input("take_i", 1, "").input("we_i", 1, "").input("wdata_i", word, "");
    m.output("out_valid_o", 1, "").input("out_ready_i", 1, "").output("out_data_o", vlanes * stored_bits, "");
    m.input("finish_i", 1, "pulse, after the last we_i").output("flush_o", 1, "");
    let lanes = |f: &dyn Fn(usize) -> String| (0..vlanes).rev().map(f).collect::<Vec<_>>().join(", ");
    let cut = lanes(&|l| format!("in_data_i[{}:{}]", 32 * l + state_bits - 1, 32 * l));
    let extended = lanes(&|l| {
        let (top, low) = ((l + 1) * state_bits - 1, l * state_bits);
        match stored_bits - state_bits {
            0 => format!("updated[{top}:{low}]"),
            n => format!("{{{n}{{updated[{top}]}}}}, updated[{top}:{low}]"),
        }
    });
    m.text(
        r#"
  wire [{{wmsb}}:0] next, updated;
  wire        unused_out_ready;  // room was reserved with take_i
  reg  [{{rl}}:1]  read_q;
  reg  [{{wmsb}}:0] word_1_q, word_2_q, word_3_q;
  reg  [{{cnt}}:0]  taken_q;   // words taken that have not left; 2^{{cnt}} at most
  reg         flush_q;
  wire        leave = out_valid_o && out_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      read_q  <= '0;
      taken_q <= '0;
      flush_q <= 1'b0;
    end else begin
      read_q <= {read_q[{{rl1}}:1], re_i};
      if (take_i != leave) taken_q <= take_i ? taken_q + 1'b1 : taken_q - 1'b1;
      if (finish_i) flush_q <= 1'b1;
      else if (flush_o) flush_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (re_i) word_1_q <= next;
    if (read_q[1]) word_2_q <= word_1_q;
    if (read_q[2]) word_3_q <= word_2_q;
  end

  assign rdata_o    = word_3_q;
  assign room_o     = !taken_q[{{cnt}}];
  assign flush_o    = flush_q && !out_valid_o;
  assign out_data_o = { {{extended}}};
  wire unused_read = &{1'b0, read_q[{{rl}}]};
"#,
        &[
            ("wmsb", (word - 1).to_string()),
            ("rl", READ_LATENCY.to_string()),
            ("rl1", (READ_LATENCY - 1).to_string()),
            ("cnt", index_bits(OUT_WORDS).to_string()),
            ("extended", extended),
        ],
    );
    const { assert!(READ_LATENCY == 3) }; // word_1_q to word_3_q
    let unused: Vec<_> = (0..vlanes)
        .filter(|_| state_bits < 32)
        .map(|l| format!("in_data_i[{}:{}]", 32 * l + 31, 32 * l + state_bits))
        .collect();
    if !unused.is_empty() {
        m.text("  wire unused_signs = &{1'b0, {{bits}}};", &[("bits", unused.join(", "))]);
    }
    m.instance(
        "u_in",
        &fifo(word, depth),
        &[
            ("in_valid_i", "in_valid_i"),
            ("in_ready_o", "in_ready_o"),
            ("in_data_i", &format!("{{{cut}}}")),
            ("out_valid_o", "have_o"),
            ("out_ready_i", "re_i"),
            ("out_data_o", "next"),
        ],
    );
    m.instance(
        "u_out",
        &fifo(word, OUT_WORDS),
        &[
            ("in_valid_i", "we_i"),
            ("in_ready_o", "unused_out_ready"),
            ("in_data_i", "wdata_i"),
            ("out_valid_o", "out_valid_o"),
            ("out_ready_i", "out_ready_i"),
            ("out_data_o", "updated"),
        ],
    );
    m.done()
}
