//! Pass 2: updates the state words, writes them, and sums `y_i`.

use super::dot::{latency, wkv_dot};
use super::lane::{wkv_lane, LATENCY};
use super::rows::wkv_rows;
use super::sizes::Sizes;
use super::walk::wkv_walk;
use crate::blocks::prelude::*;
use crate::blocks::prim::fifo;

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
    sizes! { m;
        LANES = vl, STATE_BITS = sw, STATE_ADDR_BITS = sizes.state_addr, ADDR_BITS = sizes.word_addr,
        QUEUE_ROWS = sizes.row_queue(), CLIP_BITS = sizes.clip_bits(), UPDATED,
    }
    m.body(rtl!("wkv/wkv_pass2"));
    m.body(if sizes.streamed { "  assign room = room_i;" } else { "  assign room = 1'b1;" });
    if many {
        m.sizes(&[("SLOT_BITS", sizes.slot_bits)]).body(rtl!("wkv/wkv_pass2_slots"));
        m.body(if sizes.streamed { "" } else { "  assign s_slot_o = prefill_i ? home_i : y_slot_2_q;" });
    } else {
        m.body(rtl!("wkv/wkv_pass2_one"));
    }

    let walk = wkv_walk(sizes);
    let mut c = wires! {
        load_i: go_i, step_i: take, active_o: unused_active, word_o: dbk_addr_o, first_o: unused_first, last_o: last, ..
    };
    if many {
        c.extend(wires! { slot_o: slot, turn_o: unused_turn, head_o: unused_head });
    }
    m.instance("u_walk", &walk, c);
    for l in 0..vl {
        instance! { m, format!("u_lane_{l}"), wkv_lane(sw);
            en_i: lane_en, s_i: part("s_q", l, sw), sa_i: sa_q, v_i: v_q, d_i: part("d_q", l, OPERAND_BITS),
            b_i: part("b_q", l, OPERAND_BITS), k_i: part("k_q", l, OPERAND_BITS), shift_b_i: shift_b,
            shift_vk_i: shift_vk, s_o: part("s_o", l, sw), clipped_o: format!("clipped[{l}]"),
        }
    }
    let mut c = wires! {
        load_i: go_i, step_i: r_read_o, active_o: unused_y_active, word_o: r_addr_o, first_o: y_first, last_o: y_last, ..
    };
    if many {
        c.extend(wires! { slot_o: y_slot, turn_o: y_turn, head_o: y_head });
    }
    m.instance("u_walk_y", &walk, c);
    if many {
        instance! { m, "u_rows", wkv_rows(sizes); load_i: go_i, step_i: take_row, row_o: v_row, slot_o: unused_v_slot, .. }
    }
    instance! { m, "u_y", wkv_dot(sizes, VEC_BITS, false);
        valid_i: we_o, first_i: sum_first, last_i: sum_last, a_i: s_o, b_i: r_q, shift_i: shift_y, valid_o: y_final,
        data_o: y, clipped_o: y_clipped_o,
    }
    instance! { m, "u_y_queue", fifo(VEC_BITS, sizes.row_queue());
        in_valid_i: y_final, in_ready_o: unused_y_ready, in_data_i: y, out_valid_o: y_valid_o, out_ready_i: y_ready_i,
        out_data_o: y_o,
    }
    m.done()
}

fn ports(m: &mut Module, sizes: &Sizes) {
    let (word, shifts) = (sizes.word_bits(), SHIFT_BITS * sizes.slots);
    ports! { m; go_i "pulse: start; the fields are stable from now on" }
    sizes.word_ports(m);
    ports! { m;
        s_addr_i[sizes.state_addr] "first word", shift_b_i[shifts], shift_vk_i[shifts],
        shift_y_i[shifts] "slot 0 lowest",
    }
    if sizes.many() {
        sizes.slot_ports(m);
        ports! { m; slot_o[sizes.slot_bits] "whose d, b, k, v", r_slot_o[sizes.slot_bits] "whose r" }
        if !sizes.streamed {
            ports! { m; s_slot_o[sizes.slot_bits] "whose state is written" }
        }
        ports! { m; s_of_o[sizes.slot_bits] "by whose token" }
    }
    ports! { m; valid_i "word_i and sa_i can be taken", word_i[word] "S", sa_i[sizes.sw] }
    if sizes.streamed {
        ports! { m; room_i "what is written for a word taken now will find room" }
    }
    ports! { m;
        take_o, take_last_o "end of a row", dbk_addr_o[sizes.word_addr] "d, b, k; read with take_o",
        v_addr_o[sizes.word_addr] "read with take_o",
    }
    for operand in ["d", "b", "k", "v"] {
        m.input(format!("{operand}_i"), sizes.operand_bits(), "one cycle after take_o");
    }
    ports! { m;
        r_read_o, r_addr_o[sizes.word_addr], r_i[sizes.operand_bits()] "one cycle after r_read_o", we_o "state write",
        s_addr_o[sizes.state_addr], s_o[word] "S'", y_valid_o, y_ready_i, y_o[VEC_BITS] "signed",
        clips_o[sizes.clip_bits()] "elements of S' clipped in this cycle; 0 without we_o",
        y_clipped_o "a y was clipped", idle_o "no y is under way",
    }
}
