//! State in memory for several slots: whose words leave, and, while one text is read in all slots, the way from one slot to the next.

use super::sizes::Sizes;
use super::stream::{ports, wkv_stream};
use super::walk::wkv_walk;
use crate::blocks::prelude::*;

/// [`wkv_stream`] for several slots.
pub fn wkv_stream_slots(sizes: &Sizes) -> Arc<Module> {
    let mut m = Module::new(
        "wkv_stream_slots",
        format!(
            "Words of state for several slots, in the order of the walk, through wkv_stream, whose contract holds; out_slot_o is whose word\n\
             leaves. With prefill_i all slots work on the state of home_i: each head comes from outside once, for home_i; what the others\n\
             take is what the slot before them gave, which comes back at the end of out_*, and only the last one's words leave. So a head\n\
             must not have more than {} words; then there is room for one on its way round. No word of the next instruction is taken\n\
             before go_i. busy_o: words of an instruction are still to leave or to come round; go_i only without it.",
            sizes.stream_words
        ),
    );
    ports(&mut m, sizes);
    ports! { m; out_slot_o[sizes.slot_bits], go_i "pulse: start; the fields are stable from now on" }
    sizes.word_ports(&mut m);
    ports! { m; busy_o }
    sizes.slot_ports(&mut m);
    sizes! { m; LANES = sizes.vl, STORED_BITS = sizes.stored, SLOT_BITS = sizes.slot_bits, ADDR_BITS = sizes.word_addr }
    m.body(rtl!("wkv/wkv_stream_slots"));
    let walk = wkv_walk(sizes);
    for (name, load, step, active, slot, head) in [
        ("u_come", "come_load", "come", "coming", "come_slot", "unused_come_head"),
        ("u_leave", "go_i", "leave", "leaving", "leave_slot", "leave_last"),
    ] {
        let unused = |port: &str| format!("unused_{step}_{port}");
        instance! { m, name, walk;
            load_i: &load, step_i: &step, active_o: &active, slot_o: &slot, head_o: &head, word_o: unused("word"),
            first_o: unused("first"), last_o: unused("last"), turn_o: unused("turn"), ..
        }
    }
    instance! { m, "u_words", wkv_stream(sizes);
        in_valid_i: in_valid, in_ready_o: in_ready, in_data_i: in_data, out_valid_o: out_valid, out_ready_i: out_ready,
        ..
    }
    m.done()
}
