//! Whose turn it is: after each head of one session comes the same head of the next one.

use super::sizes::Sizes;
use crate::blocks::prelude::*;
use crate::blocks::prim::next_set::next_set;

/// Steps through the slots of one head.
pub fn wkv_slots(sizes: &Sizes) -> Arc<Module> {
    let mut m = Module::new(
        "wkv_slots",
        "The slot whose rows are visited. Active slots from the lowest to the highest, over and over; with prefill_i all of them,\n\
         from home_i round to the one before it, because each goes on with the state of the one before.\n\
         Latency: slot_o and last_o (no further slot for this head) one cycle after load_i or step_i.",
    );
    ports! { m; load_i "start", step_i "the next slot" }
    sizes.slot_ports(&mut m);
    ports! { m; slot_o[sizes.slot_bits], last_o }
    m.sizes(&[("SLOT_BITS", sizes.slot_bits)]).body(rtl!("wkv/wkv_slots"));
    instance! { m, "u_next", next_set(sizes.slots);
        set_i: active_i, at_i: slot_q, first_o: first, next_o: next, last_o: none,
    }
    m.done()
}
