//! The operands of every session.

use super::operands::{ports, wkv_operands, MEMORIES};
use super::sizes::Sizes;
use crate::blocks::prelude::*;

/// The operands of every slot; each read names whose it wants.
pub fn wkv_slot_operands(sizes: &Sizes) -> Arc<Module> {
    let (slots, slot_bits, bits) = (sizes.slots, sizes.slot_bits, sizes.operand_bits());
    let mut m = Module::combinational(
        "wkv_slot_operands",
        format!(
            "Operands of {slots} slots, those of each in a wkv_operands. All slots are written in one cycle; a read is of the slot x_whose_i,\n\
             and the memories of the others rest. Latency: that of wkv_operands."
        ),
    );
    ports(&mut m, sizes, slots);
    for group in ["kk", "row", "r"] {
        m.input(format!("{group}_whose_i"), slot_bits, "slot");
    }
    sizes! { m; SLOTS = slots, SLOT_BITS = slot_bits, WORD_BITS = bits }
    m.body(rtl!("wkv/wkv_slot_operands"));
    let one = wkv_operands(sizes);
    for s in 0..slots {
        let mut w = wires! { kw_data_i: part("kw_data_i", s, sizes.written * OPERAND_BITS), .. };
        for group in ["kk", "row", "r"] {
            w.add(&format!("{group}_en_i"), format!("{group}_en[{s}]"));
        }
        for (name, ..) in MEMORIES {
            w.add(&format!("{name}_o"), part(&format!("{name}_words"), s, bits));
        }
        m.instance(format!("u_slot_{s}"), &one, w);
    }
    m.done()
}
