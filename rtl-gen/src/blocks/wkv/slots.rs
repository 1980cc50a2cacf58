//! Whose turn it is: after each head of one session comes the same head of the next one.

use super::walk::wkv_walk;
use super::Sizes;
use crate::blocks::prim::next_set::next_set;
use crate::hdl::Module;
use std::sync::Arc;

/// The inputs and outputs that a unit with slots has on top of those for one session.
pub fn inputs(m: &mut Module, sizes: &Sizes) {
    if sizes.slots > 1 {
        m.input("active_i", sizes.slots, "slots that take part; stable while an instruction runs");
        m.input("prefill_i", 1, "they work on one text").input("home_i", sizes.slot_bits, "whose first token is here");
    }
}

/// The connections of [`inputs`], by name.
pub const INPUTS: [(&str, &str); 3] = [("active_i", "active_i"), ("prefill_i", "prefill_i"), ("home_i", "home_i")];

/// Steps through the slots of one head.
pub fn wkv_slots(sizes: &Sizes) -> Arc<Module> {
    let mut m = Module::new(
        "wkv_slots",
        "The slot whose rows are visited. Active slots from the lowest to the highest, over and over; with prefill_i all of them,\n\
         from home_i round to the one before it, because each goes on with the state of the one before.\n\
         Latency: slot_o and last_o (no further slot for this head) one cycle after load_i or step_i.",
    );
    m.input("load_i", 1, "start").input("step_i", 1, "the next slot");
    inputs(&mut m, sizes);
    m.output("slot_o", sizes.slot_bits, "").output("last_o", 1, "");
    m.sizes(&[("SLOT_BITS", sizes.slot_bits)]).body(include_str!("../../../rtl/wkv/slots.sv"));
    let c = [("set_i", "active_i"), ("at_i", "slot_q"), ("first_o", "first"), ("next_o", "next"), ("last_o", "none")];
    m.instance("u_next", &next_set(sizes.slots), &c);
    m.done()
}

/// Bits of a row's number in its session.
pub const ROW_BITS: usize = 18;

/// Walks the rows of all slots.
pub fn wkv_rows(sizes: &Sizes) -> Arc<Module> {
    let mut m = Module::new(
        "wkv_rows",
        "Visits the rows in the order of the words: heads, slots of a head, rows. row_o is head * head_size + row, slot_o whose.\n\
         Latency: as wkv_walk.",
    );
    m.input("load_i", 1, "start").input("n_head_i", 8, "").input("head_size_i", 8, "rows of a head");
    m.input("step_i", 1, "next row");
    inputs(&mut m, sizes);
    m.output("row_o", ROW_BITS, "").output("slot_o", sizes.slot_bits, "");
    m.text(
        r#"
  reg  [17:0] row_q, head_row_q;
  wire [17:0] next_row = row_q + 18'd1;
  wire        turn, head;
  wire [{{wa}}:0] unused_word;
  wire        unused_active, unused_first, unused_last;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      row_q      <= '0;
      head_row_q <= '0;
    end else if (load_i) begin
      row_q      <= '0;
      head_row_q <= '0;
    end else if (step_i) begin
      row_q <= (turn && !head) ? head_row_q : next_row;
      if (turn && head) head_row_q <= next_row;
    end
  end

  assign row_o = row_q;
"#,
        &[("wa", (sizes.word_addr - 1).to_string())],
    );
    let mut c = vec![
        ("load_i", "load_i"),
        ("n_head_i", "n_head_i"),
        ("head_size_i", "head_size_i"),
        ("head_words_i", "6'd1"),
        ("step_i", "step_i"),
        ("active_o", "unused_active"),
        ("word_o", "unused_word"),
        ("first_o", "unused_first"),
        ("last_o", "unused_last"),
        ("slot_o", "slot_o"),
        ("turn_o", "turn"),
        ("head_o", "head"),
    ];
    c.extend(INPUTS);
    m.instance("u_walk", &wkv_walk(sizes), &c);
    m.done()
}
