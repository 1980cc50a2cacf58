//! Whose part of the state the stream reader asks for next, if several sessions have their state in memory.

use crate::blocks::prim::next_set::next_set;
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// Steps through the pieces of memory that an instruction about state is made of, for `slots` slots.
pub fn state_order(slots: usize) -> Arc<Module> {
    let bits = index_bits(slots);
    let mut m = Module::new(
        "state_order",
        "Lists the pieces of an instruction that reads state. With walk_i: each of heads_i heads for every slot of slots_i, slots from\n\
         the lowest to the highest, before the next head. Otherwise one piece, of slot_i, or of the lowest slot of slots_i if slot_i is\n\
         none of them: so no address is used but those of slots that take part. slots_i is not 0, and stable.\n\
         Latency: slot_o, head_o and last_o (no piece follows) one cycle after load_i or step_i.",
    );
    m.input("load_i", 1, "an instruction begins").input("walk_i", 1, "it is about all heads");
    m.input("slot_i", bits, "").input("heads_i", "anser_pkg::WKV_N_HEAD_BITS", "").input("step_i", 1, "the next piece");
    m.input("slots_i", slots, "slots whose state is read");
    m.output("slot_o", bits, "").output("head_o", "anser_pkg::WKV_N_HEAD_BITS", "").output("last_o", 1, "");
    m.sizes(&[("SLOT_BITS", bits)]).body(include_str!("../../../rtl/dma/state_order.sv"));
    let c = [("set_i", "slots_i"), ("at_i", "slot_q"), ("first_o", "first"), ("next_o", "next"), ("last_o", "turn")];
    m.instance("u_slots", &next_set(slots), &c);
    m.done()
}
