//! The order in which the recurrence visits its words: heads, slots of a head, rows of a head, words of a row.

use super::sizes::Sizes;
use super::slots::wkv_slots;
use crate::blocks::prelude::*;

/// Walks `n_head` × `head_size` rows of `head_words` words, each head for every slot, and gives the operand address of each.
///
/// Every stage that reads an operand walks by itself: a few counters are less than an address carried along the pipeline.
pub fn wkv_walk(sizes: &Sizes) -> Arc<Module> {
    let slots = match sizes.many() {
        true => {
            "With several slots each head is visited for one after the other; turn_o marks the last word of a slot's rows, head_o says\n\
             that no slot is left for the head.\n"
        }
        false => "",
    };
    let mut m = Module::new(
        "wkv_walk",
        format!(
            "Visits n_head x head_size rows of head_words words; each is at least 1, and stable from load_i on.\n\
             load_i starts a walk; while active_o, word_o/first_o/last_o describe the present word and step_i goes to the next one.\n\
             word_o is the operand address, head * head_words + word: every row of a head reads the same words.\n\
             {slots}\
             Latency: active_o and the first word one cycle after load_i; the next word one cycle after step_i."
        ),
    );
    ports! { m; load_i "start" }
    sizes.word_ports(&mut m);
    ports! { m;
        step_i "next word", active_o, word_o[sizes.word_addr] "operand word", first_o "of its row", last_o "of its row",
    }
    if sizes.many() {
        sizes.slot_ports(&mut m);
        ports! { m; slot_o[sizes.slot_bits] "whose word", turn_o, head_o }
        m.wire("last_slot", 1).wire("slot_step", 1);
        instance! { m, "u_slots", wkv_slots(sizes); step_i: slot_step, last_o: last_slot, .. }
    } else {
        m.body("  wire last_slot = 1'b1;  // there is one");
    }
    m.sizes(&[("ADDR_BITS", sizes.word_addr)]).body(rtl!("wkv/wkv_walk"));
    m.body(if sizes.many() { rtl!("wkv/wkv_walk_slots") } else { "" });
    m.done()
}
