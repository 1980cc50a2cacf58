//! Pass 1: reads the state in order, sums `sa_i`, and keeps the words until their row's `sa_i` is known.

use super::dot::{latency, wkv_dot};
use super::sizes::{Sizes, HEAD_TOTAL_BITS};
use super::state::READ_LATENCY;
use super::walk::wkv_walk;
use crate::blocks::connect::{bare, same};
use crate::blocks::prim::fifo;
use crate::hdl::Module;
use crate::widths::SHIFT_BITS;
use std::sync::Arc;

/// State words that may lie between the two passes: the longest row (63 words), and for rows of up to 49 words the whole latency
/// of `sa_i` on top of it, so that pass 1 never waits at full rate.
const ROW_BUFFER: usize = 64;

/// Cycles from the read to the operand registers.
pub const OPERANDS: usize = READ_LATENCY + 1;

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
            OPERANDS + latency(vl) + 1
        ),
    );
    ports(&mut m, sizes);
    m.sizes(&[
        ("LANES", vl),
        ("STATE_BITS", sw),
        ("STATE_ADDR_BITS", sizes.state_addr),
        ("ADDR_BITS", sizes.word_addr),
    ]);
    m.sizes(&[("BUFFER_WORDS", ROW_BUFFER), ("QUEUE_ROWS", sizes.row_queue()), ("OPERANDS", OPERANDS)]);
    m.body(include_str!("../../../rtl/wkv/wkv_pass1.sv"));
    if sizes.many() {
        m.sizes(&[("SLOT_BITS", sizes.slot_bits)]);
    }
    m.body(match sizes.many() {
        true => include_str!("../../../rtl/wkv/wkv_pass1_slots.sv"),
        false => include_str!("../../../rtl/wkv/wkv_pass1_one.sv"),
    });
    if sizes.ordered() {
        m.sizes(&[("HEAD_TOTAL_BITS", HEAD_TOTAL_BITS)]).body(include_str!("../../../rtl/wkv/wkv_pass1_order.sv"));
    } else {
        m.body(if sizes.streamed { "  assign allowed = have_i;" } else { "  assign allowed = 1'b1;" });
    }

    let mut c = same(&["n_head_i", "head_size_i", "head_words_i"]);
    c.extend(bare(&["active_o", "first_o", "last_o"]));
    c.extend([("load_i", "go_i"), ("step_i", "read"), ("word_o", "kk_addr")]);
    if sizes.many() {
        c.extend(same(sizes.slot_names()));
        c.extend(bare(&["slot_o", "turn_o", "head_o"]));
    }
    m.instance("u_walk", &wkv_walk(sizes), &c);
    m.instance(
        "u_sa",
        &wkv_dot(sizes, sw, true),
        &[
            ("valid_i", "sum_valid"),
            ("first_i", "sum_first"),
            ("last_i", "sum_last"),
            ("a_i", "s_q"),
            ("b_i", "kk_q"),
            ("shift_i", "shift_sa"),
            ("valid_o", "sa_valid_o"),
            ("data_o", "sa_final_o"),
            ("clipped_o", "sa_clipped_o"),
        ],
    );
    m.instance(
        "u_row_buffer",
        &fifo(sizes.word_bits(), ROW_BUFFER),
        &[
            ("in_valid_i", "sum_valid"),
            ("in_ready_o", "unused_word_ready"),
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
            ("in_ready_o", "unused_sa_ready"),
            ("in_data_i", "sa_final_o"),
            ("out_valid_o", "sa_known"),
            ("out_ready_i", "take_last_i"),
            ("out_data_o", "sa_o"),
        ],
    );
    m.done()
}

fn ports(m: &mut Module, sizes: &Sizes) {
    m.input("go_i", 1, "pulse: start; the fields are stable from now on");
    sizes.word_ports(m);
    m.input("s_addr_i", sizes.state_addr, "first word").input("shift_sa_i", SHIFT_BITS * sizes.slots, "slot 0 lowest");
    sizes.slot_ports(m);
    if sizes.ordered() {
        m.input("head_total_i", HEAD_TOTAL_BITS, "words of a head").input("write_i", 1, "pass 2 writes a word");
        m.output("s_slot_o", sizes.slot_bits, "whose state is read");
    }
    if sizes.many() {
        m.output("kk_slot_o", sizes.slot_bits, "whose kk");
    }
    if sizes.streamed {
        m.input("have_i", 1, "the next state word is there; then it may be read");
    }
    m.output("read_o", 1, "").output("s_addr_o", sizes.state_addr, "");
    m.output("kk_read_o", 1, "").output("kk_addr_o", sizes.word_addr, "");
    m.input("kk_i", sizes.operand_bits(), "one cycle after kk_read_o");
    m.input("s_i", sizes.word_bits(), format!("{READ_LATENCY} cycles after read_o"));
    m.output("valid_o", 1, "").output("word_o", sizes.word_bits(), "S, before the update");
    m.output("sa_o", sizes.sw, "of its row");
    m.input("take_i", 1, "only with valid_o").input("take_last_i", 1, "with take_i: end of a row");
    m.output("sa_valid_o", 1, "pulse: an sa is final").output("sa_final_o", sizes.sw, "");
    m.output("sa_clipped_o", 1, "it was saturated");
    m.output("idle_o", 1, "all words of the instruction are taken; not before one cycle after go_i");
}
