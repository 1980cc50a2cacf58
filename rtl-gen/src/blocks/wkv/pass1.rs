//! Pass 1: reads the state in order, sums `sa_i`, and keeps the words until their row's `sa_i` is known.

use super::dot::wkv_dot;
use super::setup::HEAD_TOTAL_BITS;
use super::slots::inputs;
use super::state::READ_LATENCY;
use super::walk::wkv_walk;
use super::Sizes;
use crate::blocks::prim::fifo;
use crate::config::OPERAND_BITS;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// State words that may lie between the two passes: the longest row (63 words), and for rows of up to 49 words the whole latency
/// of `sa_i` on top of it, so that pass 1 never waits at full rate.
const ROW_BUFFER: usize = 64;

/// Cycles from the read to the operand registers.
pub const OPERANDS: usize = READ_LATENCY + 1;

/// The walk's ports that only several slots have.
const SLOT_WALK: [(&str, &str); 6] = [
    ("active_i", "active_i"),
    ("prefill_i", "prefill_i"),
    ("home_i", "home_i"),
    ("slot_o", "slot"),
    ("turn_o", "turn"),
    ("head_o", "head"),
];

/// What several slots add: the next slot of a head begins where the head does; the shift goes with the slot. With `prefill_i` a slot
/// reads what the one before it wrote: a word may be read when no more than a head's other words are still to be written. State that
/// comes from memory sees to that itself ([`super::stream_slots`]).
const SLOTS: &str = r#"
  reg  [{{sa}}:0] head_addr_q;
  reg  [{{slot}}:0] slot_1_q, slot_2_q, slot_3_q;
  reg  [5:0]  shift_sa_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_addr_q <= '0;
{{open_reset}}    end else begin
      if (go_i) head_addr_q <= s_addr_i;
      else if (read && turn && head) head_addr_q <= s_addr_q + 1'b1;
{{open_count}}    end
  end

  always_ff @(posedge clk_i) begin
    slot_1_q   <= slot;
    slot_2_q   <= slot_1_q;
    slot_3_q   <= slot_2_q;
    shift_sa_q <= shift_sa_i[slot_3_q*6 +: 6];
  end

{{s_slot}}  assign kk_slot_o = slot_2_q;
"#;

/// State words in, state words with their row's `sa_i` out.
pub fn wkv_pass1(sizes: &Sizes) -> Arc<Module> {
    let Sizes { vl, sw, .. } = *sizes;
    let mut m = Module::new(
        "wkv_pass1",
        format!(
            "Reads each state word of an instruction once, in order, sums sa_i = sat(round(-sum_j S_ij*kk_j, shift_sa)), and gives the words\n\
             to pass 2 once their row's sa_i is known: valid_o says that word_o is the next word and sa_o belongs to its row; take_i takes\n\
             it, with take_last_i if it ends its row.\n\
             A word is read only if the row buffer ({ROW_BUFFER} words) and the sa queue ({} rows) have room for what follows from it, so nothing\n\
             after the read ever waits. Up to {ROW_BUFFER} words are read ahead: the longest row fits, whatever its sa needs.\n\
             Latency: go_i to first read 1 cycle; last word of a row read to valid_o {} cycles; one word a cycle.",
            sizes.row_queue(),
            OPERANDS + super::dot::latency(vl) + 1
        ),
    );
    m.input("go_i", 1, "pulse: start; the fields are stable from now on").input("n_head_i", 8, "").input(
        "head_size_i",
        8,
        "",
    );
    m.input("head_words_i", 6, "").input("s_addr_i", sizes.state_addr, "first word");
    m.input("shift_sa_i", 6 * sizes.slots, "slot 0 lowest");
    let many = sizes.slots > 1;
    let ordered = many && !sizes.streamed; // the state memory must be asked late enough
    if many {
        inputs(&mut m, sizes);
    }
    if ordered {
        m.input("head_total_i", HEAD_TOTAL_BITS, "words of a head").input("write_i", 1, "pass 2 writes a word");
        m.output("s_slot_o", sizes.slot_bits, "whose state is read");
    }
    if many {
        m.output("kk_slot_o", sizes.slot_bits, "whose kk");
    }
    if sizes.streamed {
        m.input("have_i", 1, "the next state word is there; then it may be read");
    }
    m.output("read_o", 1, "").output("s_addr_o", sizes.state_addr, "");
    m.output("kk_read_o", 1, "").output("kk_addr_o", sizes.word_addr, "").input(
        "kk_i",
        vl * OPERAND_BITS,
        "one cycle after kk_read_o",
    );
    m.input("s_i", vl * sw, format!("{READ_LATENCY} cycles after read_o"));
    m.output("valid_o", 1, "").output("word_o", vl * sw, "S, before the update").output("sa_o", sw, "of its row");
    m.input("take_i", 1, "only with valid_o").input("take_last_i", 1, "with take_i: end of a row");
    m.output("sa_valid_o", 1, "pulse: an sa is final").output("sa_final_o", sw, "").output(
        "sa_clipped_o",
        1,
        "it was saturated",
    );
    m.output("idle_o", 1, "all words of the instruction are taken; not before one cycle after go_i");
    let vars = [
        ("sword", (vl * sw - 1).to_string()),
        ("oword", (vl * OPERAND_BITS - 1).to_string()),
        ("sa", (sizes.state_addr - 1).to_string()),
        ("buf", index_bits(ROW_BUFFER).to_string()),
        ("wa", (sizes.word_addr - 1).to_string()),
        ("n", OPERANDS.to_string()),
        ("n1", (OPERANDS - 1).to_string()),
        ("n2", (OPERANDS - 2).to_string()),
        ("rows", index_bits(sizes.row_queue()).to_string()),
        ("have", if sizes.streamed { " && have_i" } else { "" }.to_string()),
        (
            "written",
            if ordered { "\n                         && (!prefill_i || open_q < head_total_i)" } else { "" }.into(),
        ),
        ("open_reset", if ordered { "      open_q      <= '0;\n" } else { "" }.into()),
        (
            "open_count",
            if ordered { "      if (read != write_i) open_q <= read ? open_q + 1'b1 : open_q - 1'b1;\n" } else { "" }
                .into(),
        ),
        ("s_slot", if ordered { "  assign s_slot_o  = prefill_i ? home_i : slot;\n" } else { "" }.into()),
        (
            "open_reg",
            match ordered {
                true => format!("\n  reg  [{}:0] open_q;     // words read and not yet written", HEAD_TOTAL_BITS - 1),
                false => String::new(),
            },
        ),
        (
            "next_addr",
            if many {
                "      else if (read) s_addr_q <= (turn && !head) ? head_addr_q : s_addr_q + 1'b1;"
            } else {
                "      else if (read) s_addr_q <= s_addr_q + 1'b1;"
            }
            .into(),
        ),
        ("slot", sizes.slot_bits.saturating_sub(1).to_string()),
    ];
    if many {
        m.text(
            r#"
  wire        turn, head;   // the last word of a slot's rows of a head, and no slot is left
  wire [{{slot}}:0] slot;{{open_reg}}
"#,
            &vars,
        );
    }
    m.text(
        r#"
  wire        active, first, last;
  reg  [{{buf}}:0]  words_q;    // words read and not yet taken; 2^{{buf}} at most
  reg  [{{rows}}:0]  rows_q;     // rows read to their end and not yet taken; 2^{{rows}} at most
  wire        read     = active{{have}} && !words_q[{{buf}}] && (!last || !rows_q[{{rows}}]){{written}};
  wire        read_row = read && last;

  reg  [{{sa}}:0] s_addr_q;
  wire [{{wa}}:0] kk_addr;
  reg  [{{wa}}:0] kk_addr_1_q, kk_addr_q;  // kk is read two cycles later, its memory is faster
  reg  [{{n}}:1]  valid_q, first_q, last_q;  // bit n: stage n; stage {{n}}: operands
  reg  [{{sword}}:0] s_q;
  reg  [{{oword}}:0] kk_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      words_q  <= '0;
      rows_q   <= '0;
      s_addr_q <= '0;
      valid_q  <= '0;
      first_q  <= '0;
      last_q   <= '0;
    end else begin
      if (read != take_i) words_q <= read ? words_q + 1'b1 : words_q - 1'b1;
      if (read_row != take_last_i) rows_q <= read_row ? rows_q + 1'b1 : rows_q - 1'b1;
      if (go_i) s_addr_q <= s_addr_i;
{{next_addr}}
      valid_q <= {valid_q[{{n1}}:1], read};
      first_q <= {first_q[{{n1}}:1], first};
      last_q  <= {last_q[{{n1}}:1], last};
    end
  end

  always_ff @(posedge clk_i) begin
    if (read) kk_addr_1_q <= kk_addr;
    if (valid_q[1]) kk_addr_q <= kk_addr_1_q;
    if (valid_q[{{n1}}]) begin
      s_q  <= s_i;
      kk_q <= kk_i;
    end
  end

  assign read_o   = read;
  assign s_addr_o = s_addr_q;
  assign kk_read_o = valid_q[{{n2}}];
  assign kk_addr_o = kk_addr_q;
  assign idle_o   = !active && (words_q == '0);
"#,
        &vars,
    );
    if many {
        m.text(SLOTS, &vars);
    }
    m.instance(
        "u_walk",
        &wkv_walk(sizes),
        &[
            &[
                ("load_i", "go_i"),
                ("n_head_i", "n_head_i"),
                ("head_size_i", "head_size_i"),
                ("head_words_i", "head_words_i"),
                ("step_i", "read"),
                ("active_o", "active"),
                ("word_o", "kk_addr"),
                ("first_o", "first"),
                ("last_o", "last"),
            ][..],
            if many { &SLOT_WALK[..] } else { &[] },
        ]
        .concat(),
    );
    let [valid, first, last] = ["valid_q", "first_q", "last_q"].map(|q| format!("{q}[{OPERANDS}]"));
    m.instance(
        "u_sa",
        &wkv_dot("wkv_dot_sa", (vl, sw), sw, true, many),
        &[
            ("valid_i", &valid),
            ("first_i", &first),
            ("last_i", &last),
            ("a_i", "s_q"),
            ("b_i", "kk_q"),
            ("shift_i", if many { "shift_sa_q" } else { "shift_sa_i" }),
            ("valid_o", "sa_valid_o"),
            ("data_o", "sa_final_o"),
            ("clipped_o", "sa_clipped_o"),
        ],
    );
    m.text(
        r#"

  // the words of rows under way, and the sa of complete rows; both have room, it was reserved when the word was read
  wire word_valid, word_ready, sa_known, sa_ready;
  assign valid_o = word_valid && sa_known;
  wire unused_ready = &{1'b0, word_ready, sa_ready};
"#,
        &[],
    );
    m.instance(
        "u_row_buffer",
        &fifo(vl * sw, ROW_BUFFER),
        &[
            ("in_valid_i", &valid),
            ("in_ready_o", "word_ready"),
            ("in_data_i", "s_q"),
            ("out_valid_o", "word_valid"),
            ("out_ready_i", "take_i"),
            ("out_data_o", "word_o"),
        ],
    );
    m.instance(
        "u_sa_queue",
        &fifo(sw, sizes.row_queue()),
        &[
            ("in_valid_i", "sa_valid_o"),
            ("in_ready_o", "sa_ready"),
            ("in_data_i", "sa_final_o"),
            ("out_valid_o", "sa_known"),
            ("out_ready_i", "take_last_i"),
            ("out_data_o", "sa_o"),
        ],
    );
    m.done()
}
