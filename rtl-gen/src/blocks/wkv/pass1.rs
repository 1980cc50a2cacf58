//! Pass 1: reads the state in order, sums `sa_i`, and keeps the words until their row's `sa_i` is known.

use super::dot::{latency, wkv_dot};
use super::sizes::{Sizes, HEAD_TOTAL_BITS};
use super::state::READ_LATENCY;
use super::walk::wkv_walk;
use crate::blocks::prelude::*;
use crate::blocks::prim::fifo;

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
    sizes! { m;
        LANES = vl, STATE_BITS = sw, STATE_ADDR_BITS = sizes.state_addr, ADDR_BITS = sizes.word_addr,
        BUFFER_WORDS = ROW_BUFFER, QUEUE_ROWS = sizes.row_queue(), OPERANDS,
    }
    m.body(rtl!("wkv/wkv_pass1"));
    if sizes.many() {
        sizes! { m; SLOT_BITS = sizes.slot_bits }
    }
    m.body(match sizes.many() {
        true => rtl!("wkv/wkv_pass1_slots"),
        false => rtl!("wkv/wkv_pass1_one"),
    });
    if sizes.ordered() {
        m.sizes(&[("HEAD_TOTAL_BITS", HEAD_TOTAL_BITS)]).body(rtl!("wkv/wkv_pass1_order"));
    } else {
        m.body(if sizes.streamed { "  assign allowed = have_i;" } else { "  assign allowed = 1'b1;" });
    }

    instance! { m, "u_walk", wkv_walk(sizes); load_i: go_i, step_i: read, word_o: kk_addr, .. }
    instance! { m, "u_sa", wkv_dot(sizes, sw, true);
        valid_i: sum_valid, first_i: sum_first, last_i: sum_last, a_i: s_q, b_i: kk_q, shift_i: shift_sa,
        valid_o: sa_valid_o, data_o: sa_final_o, clipped_o: sa_clipped_o,
    }
    instance! { m, "u_row_buffer", fifo(sizes.word_bits(), ROW_BUFFER);
        in_valid_i: sum_valid, in_ready_o: unused_word_ready, in_data_i: s_q, out_valid_o: word_valid,
        out_ready_i: take_i, out_data_o: word_o,
    }
    instance! { m, "u_sa_queue", fifo(sw, sizes.row_queue());
        in_valid_i: sa_valid_o, in_ready_o: unused_sa_ready, in_data_i: sa_final_o, out_valid_o: sa_known,
        out_ready_i: take_last_i, out_data_o: sa_o,
    }
    m.done()
}

fn ports(m: &mut Module, sizes: &Sizes) {
    ports! { m; go_i "pulse: start; the fields are stable from now on" }
    sizes.word_ports(m);
    ports! { m; s_addr_i[sizes.state_addr] "first word", shift_sa_i[SHIFT_BITS * sizes.slots] "slot 0 lowest" }
    sizes.slot_ports(m);
    if sizes.ordered() {
        ports! { m;
            head_total_i[HEAD_TOTAL_BITS] "words of a head", write_i "pass 2 writes a word",
            s_slot_o[sizes.slot_bits] "whose state is read",
        }
    }
    if sizes.many() {
        ports! { m; kk_slot_o[sizes.slot_bits] "whose kk" }
    }
    if sizes.streamed {
        ports! { m; have_i "the next state word is there; then it may be read" }
    }
    ports! { m;
        read_o, s_addr_o[sizes.state_addr], kk_read_o, kk_addr_o[sizes.word_addr],
        kk_i[sizes.operand_bits()] "one cycle after kk_read_o",
    }
    m.input("s_i", sizes.word_bits(), format!("{READ_LATENCY} cycles after read_o"));
    ports! { m;
        valid_o, word_o[sizes.word_bits()] "S, before the update", sa_o[sizes.sw] "of its row",
        take_i "only with valid_o", take_last_i "with take_i: end of a row", sa_valid_o "pulse: an sa is final",
        sa_final_o[sizes.sw], sa_clipped_o "it was saturated",
        idle_o "all words of the instruction are taken; not before one cycle after go_i",
    }
}
