//! Pass 2: updates the state words, writes them, and sums `y_i`.

use super::dot::{latency, wkv_dot};
use super::lane::{wkv_lane, LATENCY};
use super::rows::wkv_rows;
use super::sizes::Sizes;
use super::walk::wkv_walk;
use crate::blocks::connect::{bare, same};
use crate::blocks::prim::fifo;
use crate::config::{OPERAND_BITS, VEC_BITS};
use crate::hdl::Module;
use crate::widths::SHIFT_BITS;
use std::sync::Arc;

/// Stage whose registers hold S': two for the operands, then the lane.
pub const UPDATED: usize = 2 + LATENCY;

/// State words with their `sa_i` in, updated words and `y_i` out.
pub fn wkv_pass2(sizes: &Sizes) -> Arc<Module> {
    let Sizes { vl, sw, .. } = *sizes;
    let many = sizes.many();
    let mut m = Module::new(
        "wkv_pass2",
        format!(
            "Takes state words with their row's sa_i, updates each in {vl} lanes (wkv_lane), writes it, and sums\n\
             y_i = sat(round(sum_j S'_ij*r_j, shift_y)), which leaves through a queue of {} rows.\n\
             The end of a row is taken only if its y_i will find room there, so nothing after the take ever waits.\n\
             Latency: take_o to the state write (we_o) {UPDATED} cycles, last take of a row to y_valid_o {} cycles; one word a cycle.",
            sizes.row_queue(),
            UPDATED + latency(vl) + 1
        ),
    );
    ports(&mut m, sizes);
    m.sizes(&[
        ("LANES", vl),
        ("STATE_BITS", sw),
        ("STATE_ADDR_BITS", sizes.state_addr),
        ("ADDR_BITS", sizes.word_addr),
    ]);
    m.sizes(&[("QUEUE_ROWS", sizes.row_queue()), ("CLIP_BITS", sizes.clip_bits()), ("UPDATED", UPDATED)]);
    m.body(include_str!("../../../rtl/wkv/wkv_pass2.sv"));
    m.body(if sizes.streamed { "  assign room = room_i;" } else { "  assign room = 1'b1;" });
    if many {
        m.sizes(&[("SLOT_BITS", sizes.slot_bits)]).body(include_str!("../../../rtl/wkv/wkv_pass2_slots.sv"));
        m.body(if sizes.streamed { "" } else { "  assign s_slot_o = prefill_i ? home_i : y_slot_2_q;" });
    } else {
        m.body(include_str!("../../../rtl/wkv/wkv_pass2_one.sv"));
    }

    let walk = wkv_walk(sizes);
    let mut instruction = same(&["n_head_i", "head_size_i"]);
    instruction.push(("load_i", "go_i"));
    instruction.extend(same(sizes.slot_names()));
    let mut c = [&instruction[..], &same(&["head_words_i"])].concat();
    c.extend([("step_i", "take"), ("active_o", "unused_active"), ("word_o", "dbk_addr_o")]);
    c.extend([("first_o", "unused_first"), ("last_o", "last")]);
    if many {
        c.extend([("slot_o", "slot"), ("turn_o", "unused_turn"), ("head_o", "unused_head")]);
    }
    m.instance("u_walk", &walk, &c);
    for l in 0..vl {
        let part = |name: &str, bits: usize| format!("{name}[{}:{}]", (l + 1) * bits - 1, l * bits);
        let words = ["d", "b", "k"].map(|n| (format!("{n}_i"), part(&format!("{n}_q"), OPERAND_BITS)));
        let (s, new, clipped) = (part("s_q", sw), part("s_o", sw), format!("clipped[{l}]"));
        let mut c = bare(&["shift_b_i", "shift_vk_i"]);
        c.extend([
            ("en_i", "lane_en"),
            ("s_i", &s),
            ("sa_i", "sa_q"),
            ("v_i", "v_q"),
            ("s_o", &new),
            ("clipped_o", &clipped),
        ]);
        c.extend(words.iter().map(|(port, e)| (port.as_str(), e.as_str())));
        m.instance(&format!("u_lane_{l}"), &wkv_lane(sw), &c);
    }
    let mut c = [&instruction[..], &same(&["head_words_i"])].concat();
    c.extend([("step_i", "r_read_o"), ("active_o", "unused_y_active"), ("word_o", "r_addr_o")]);
    c.extend([("first_o", "y_first"), ("last_o", "y_last")]);
    if many {
        c.extend([("slot_o", "y_slot"), ("turn_o", "y_turn"), ("head_o", "y_head")]);
    }
    m.instance("u_walk_y", &walk, &c);
    if many {
        let mut c = instruction.clone();
        c.extend([("step_i", "take_row"), ("row_o", "v_row"), ("slot_o", "unused_v_slot")]);
        m.instance("u_rows", &wkv_rows(sizes), &c);
    }
    m.instance(
        "u_y",
        &wkv_dot(sizes, VEC_BITS, false),
        &[
            ("valid_i", "we_o"),
            ("first_i", "sum_first"),
            ("last_i", "sum_last"),
            ("a_i", "s_o"),
            ("b_i", "r_q"),
            ("shift_i", "shift_y"),
            ("valid_o", "y_final"),
            ("data_o", "y"),
            ("clipped_o", "y_clipped_o"),
        ],
    );
    m.instance(
        "u_y_queue",
        &fifo(VEC_BITS, sizes.row_queue()),
        &[
            ("in_valid_i", "y_final"),
            ("in_ready_o", "unused_y_ready"),
            ("in_data_i", "y"),
            ("out_valid_o", "y_valid_o"),
            ("out_ready_i", "y_ready_i"),
            ("out_data_o", "y_o"),
        ],
    );
    m.done()
}

fn ports(m: &mut Module, sizes: &Sizes) {
    let (word, shifts) = (sizes.word_bits(), SHIFT_BITS * sizes.slots);
    m.input("go_i", 1, "pulse: start; the fields are stable from now on");
    sizes.word_ports(m);
    m.input("s_addr_i", sizes.state_addr, "first word").input("shift_b_i", shifts, "").input("shift_vk_i", shifts, "");
    m.input("shift_y_i", shifts, "slot 0 lowest");
    if sizes.many() {
        sizes.slot_ports(m);
        m.output("slot_o", sizes.slot_bits, "whose d, b, k, v").output("r_slot_o", sizes.slot_bits, "whose r");
        if !sizes.streamed {
            m.output("s_slot_o", sizes.slot_bits, "whose state is written");
        }
        m.output("s_of_o", sizes.slot_bits, "by whose token");
    }
    m.input("valid_i", 1, "word_i and sa_i can be taken").input("word_i", word, "S").input("sa_i", sizes.sw, "");
    if sizes.streamed {
        m.input("room_i", 1, "what is written for a word taken now will find room");
    }
    m.output("take_o", 1, "").output("take_last_o", 1, "end of a row");
    m.output("dbk_addr_o", sizes.word_addr, "d, b, k; read with take_o");
    m.output("v_addr_o", sizes.word_addr, "read with take_o");
    for operand in ["d", "b", "k", "v"] {
        m.input(format!("{operand}_i"), sizes.operand_bits(), "one cycle after take_o");
    }
    m.output("r_read_o", 1, "").output("r_addr_o", sizes.word_addr, "");
    m.input("r_i", sizes.operand_bits(), "one cycle after r_read_o");
    m.output("we_o", 1, "state write").output("s_addr_o", sizes.state_addr, "").output("s_o", word, "S'");
    m.output("y_valid_o", 1, "").input("y_ready_i", 1, "").output("y_o", VEC_BITS, "signed");
    m.output("clips_o", sizes.clip_bits(), "elements of S' clipped in this cycle; 0 without we_o");
    m.output("y_clipped_o", 1, "a y was clipped").output("idle_o", 1, "no y is under way");
}
