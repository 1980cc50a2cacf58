//! The operands of every session.

use super::operands::{ports, wkv_operands, MEMORIES};
use super::sizes::Sizes;
use crate::blocks::connect::same;
use crate::config::OPERAND_BITS;
use crate::hdl::Module;
use std::sync::Arc;

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
    m.sizes(&[("SLOTS", slots), ("SLOT_BITS", slot_bits), ("WORD_BITS", bits)]);
    m.body(include_str!("../../../rtl/wkv/wkv_slot_operands.sv"));
    let one = wkv_operands(sizes);
    for s in 0..slots {
        let part = |name: &str, bits: usize| format!("{name}[{}:{}]", (s + 1) * bits - 1, s * bits);
        let data = part("kw_data_i", sizes.written * OPERAND_BITS);
        let enables = ["kk", "row", "r"].map(|g| (format!("{g}_en_i"), format!("{g}_en[{s}]")));
        let words = MEMORIES.map(|(name, ..)| (format!("{name}_o"), part(&format!("{name}_words"), bits)));
        let mut c = same(&["kw_en_i", "kw_slot_i", "kw_addr_i", "kk_addr_i", "dbk_addr_i", "v_addr_i", "r_addr_i"]);
        c.push(("kw_data_i", &data));
        c.extend(enables.iter().chain(&words).map(|(port, e)| (port.as_str(), e.as_str())));
        m.instance(&format!("u_slot_{s}"), &one, &c);
    }
    m.done()
}
