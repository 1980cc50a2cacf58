//! Whose part of the state the stream reader asks for next, if several sessions have their state in memory.

use crate::blocks::prelude::*;
use crate::blocks::prim::next_set::next_set;

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
    ports! { m;
        load_i "an instruction begins", walk_i "it is about all heads", slot_i[bits],
        heads_i["anser_pkg::WKV_N_HEAD_BITS"], step_i "the next piece", slots_i[slots] "slots whose state is read",
        slot_o[bits], head_o["anser_pkg::WKV_N_HEAD_BITS"], last_o,
    }
    m.sizes(&[("SLOT_BITS", bits)]).body(rtl!("dma/state_order"));
    instance! { m, "u_slots", next_set(slots);
        set_i: slots_i, at_i: slot_q, first_o: first, next_o: next, last_o: turn,
    }
    m.done()
}
