//! The order in which the recurrence visits its words: heads, slots of a head, rows of a head, words of a row.

use super::slots::{inputs, wkv_slots, INPUTS};
use super::Sizes;
use crate::hdl::Module;
use std::sync::Arc;

/// Walks `n_head` × `head_size` rows of `head_words` words, each head for every slot, and gives the operand address of each.
///
/// Every stage that reads an operand walks by itself: a few counters are less than an address carried along the pipeline.
pub fn wkv_walk(sizes: &Sizes) -> Arc<Module> {
    let addr_bits = sizes.word_addr;
    let many = sizes.slots > 1;
    let mut m = Module::new(
        "wkv_walk",
        "Visits n_head x head_size rows of head_words words; each at least 1, stable from load_i on.\n\
         load_i starts a walk; while active_o, word_o/first_o/last_o describe the present word and step_i goes to the next one.\n\
         word_o is the operand address, head * head_words + word: every row of a head reads the same words.\n\
         With several slots each head is visited for one after the other; turn_o: the last word of a slot's rows, head_o: no slot is left.
\
         Latency: active_o and the first word one cycle after load_i; the next word one cycle after step_i.",
    );
    m.input("load_i", 1, "start").input("n_head_i", 8, "").input("head_size_i", 8, "rows of a head").input(
        "head_words_i",
        6,
        "words of a row",
    );
    m.input("step_i", 1, "next word");
    m.output("active_o", 1, "").output("word_o", addr_bits, "operand word").output("first_o", 1, "of its row").output(
        "last_o",
        1,
        "of its row",
    );
    if many {
        inputs(&mut m, sizes);
        m.output("slot_o", sizes.slot_bits, "whose word").output("turn_o", 1, "").output("head_o", 1, "");
        m.text("  wire last_slot;", &[]);
    }
    m.text(
        r#"
  reg         active_q, first_q;
  reg  [5:0]  words_left_q;  // of this row, this one included
  reg  [7:0]  rows_left_q;   // of this head
  reg  [7:0]  heads_left_q;
  reg  [{{amsb}}:0] word_q, row_start_q;

  wire [{{amsb}}:0] next_word = word_q + 1'b1;
  wire        last_word = (words_left_q == 6'd1);
  wire        last_row  = (rows_left_q == 8'd1);
  wire        last_head = (heads_left_q == 8'd1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q     <= 1'b0;
      first_q      <= 1'b0;
      words_left_q <= '0;
      rows_left_q  <= '0;
      heads_left_q <= '0;
      word_q       <= '0;
      row_start_q  <= '0;
    end else if (load_i) begin
      active_q     <= 1'b1;
      first_q      <= 1'b1;
      words_left_q <= head_words_i;
      rows_left_q  <= head_size_i;
      heads_left_q <= n_head_i;
      word_q       <= '0;
      row_start_q  <= '0;
    end else if (step_i) begin
      first_q <= last_word;
      if (!last_word) begin
        words_left_q <= words_left_q - 6'd1;
        word_q       <= next_word;
      end else begin
        words_left_q <= head_words_i;
        if (!last_row) begin
          rows_left_q <= rows_left_q - 8'd1;
          word_q      <= row_start_q;
        end else begin
{{next_head}}
        end
      end
    end
  end

  assign active_o = active_q;
  assign word_o   = word_q;
  assign first_o  = first_q;
  assign last_o   = last_word;
"#,
        &[
            ("amsb", (addr_bits - 1).to_string()),
            ("next_head", if many { NEXT_SLOT } else { NEXT_HEAD }.trim_matches('\n').into()),
        ],
    );
    if many {
        m.text(
            r#"
  assign turn_o = last_word && last_row;
  assign head_o = last_slot;
"#,
            &[],
        );
        let mut c =
            vec![("load_i", "load_i"), ("step_i", "step_i && turn_o"), ("slot_o", "slot_o"), ("last_o", "last_slot")];
        c.extend(INPUTS);
        m.instance("u_slots", &wkv_slots(sizes), &c);
    }
    m.done()
}

/// After the last row of a head.
const NEXT_HEAD: &str = r#"
          rows_left_q  <= head_size_i;
          heads_left_q <= heads_left_q - 8'd1;
          word_q       <= next_word;
          row_start_q  <= next_word;
          if (last_head) active_q <= 1'b0;
"#;

/// The same with slots: the head once more, or the next one.
const NEXT_SLOT: &str = r#"
          rows_left_q <= head_size_i;
          word_q      <= last_slot ? next_word : row_start_q;
          if (last_slot) begin
            heads_left_q <= heads_left_q - 8'd1;
            row_start_q  <= next_word;
            if (last_head) active_q <= 1'b0;
          end
"#;
