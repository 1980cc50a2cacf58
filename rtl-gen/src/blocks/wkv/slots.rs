//! Whose turn it is: after each head of one session comes the same head of the next one.

use super::sizes::Sizes;
use crate::blocks::prim::next_set::next_set;
use crate::hdl::Module;
use std::sync::Arc;

/// Steps through the slots of one head.
pub fn wkv_slots(sizes: &Sizes) -> Arc<Module> {
    let mut m = Module::new(
        "wkv_slots",
        "The slot whose rows are visited. Active slots from the lowest to the highest, over and over; with prefill_i all of them,\n\
         from home_i round to the one before it, because each goes on with the state of the one before.\n\
         Latency: slot_o and last_o (no further slot for this head) one cycle after load_i or step_i.",
    );
    m.input("load_i", 1, "start").input("step_i", 1, "the next slot");
    sizes.slot_ports(&mut m);
    m.output("slot_o", sizes.slot_bits, "").output("last_o", 1, "");
    m.sizes(&[("SLOT_BITS", sizes.slot_bits)]).body(include_str!("../../../rtl/wkv/wkv_slots.sv"));
    let c = [("set_i", "active_i"), ("at_i", "slot_q"), ("first_o", "first"), ("next_o", "next"), ("last_o", "none")];
    m.instance("u_next", &next_set(sizes.slots), &c);
    m.done()
}
