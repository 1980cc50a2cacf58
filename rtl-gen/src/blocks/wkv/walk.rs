//! The order in which the recurrence visits its words: heads, slots of a head, rows of a head, words of a row.

use super::sizes::Sizes;
use super::slots::wkv_slots;
use crate::blocks::connect::same;
use crate::hdl::Module;
use std::sync::Arc;

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
    m.input("load_i", 1, "start");
    sizes.word_ports(&mut m);
    m.input("step_i", 1, "next word").output("active_o", 1, "").output("word_o", sizes.word_addr, "operand word");
    m.output("first_o", 1, "of its row").output("last_o", 1, "of its row");
    if sizes.many() {
        sizes.slot_ports(&mut m);
        m.output("slot_o", sizes.slot_bits, "whose word").output("turn_o", 1, "").output("head_o", 1, "");
        m.wire("last_slot", 1).wire("slot_step", 1);
        let mut c = same(sizes.slot_names());
        c.extend([("load_i", "load_i"), ("step_i", "slot_step"), ("slot_o", "slot_o"), ("last_o", "last_slot")]);
        m.instance("u_slots", &wkv_slots(sizes), &c);
    } else {
        m.body("  wire last_slot = 1'b1;  // there is one");
    }
    m.sizes(&[("ADDR_BITS", sizes.word_addr)]).body(include_str!("../../../rtl/wkv/wkv_walk.sv"));
    m.body(if sizes.many() { include_str!("../../../rtl/wkv/wkv_walk_slots.sv") } else { "" });
    m.done()
}
