//! The numbers of the rows in the order in which they are visited, for several sessions.

use super::sizes::Sizes;
use super::walk::wkv_walk;
use crate::blocks::connect::{bare, same};
use crate::hdl::Module;
use std::sync::Arc;

/// Walks the rows of all slots.
pub fn wkv_rows(sizes: &Sizes) -> Arc<Module> {
    let mut m = Module::new(
        "wkv_rows",
        "Visits the rows in the order of the words: heads, slots of a head, rows. row_o is head * head_size + row, slot_o says whose.\n\
         Latency: that of wkv_walk.",
    );
    m.input("load_i", 1, "start");
    sizes.row_ports(&mut m);
    m.input("step_i", 1, "next row");
    sizes.slot_ports(&mut m);
    m.output("row_o", "anser_pkg::WKV_Y_ADDR_BITS", "").output("slot_o", sizes.slot_bits, "");
    m.sizes(&[("ADDR_BITS", sizes.word_addr)]).body(include_str!("../../../rtl/wkv/wkv_rows.sv"));
    let mut c = same(sizes.slot_names());
    c.extend(same(&["load_i", "n_head_i", "head_size_i", "step_i", "slot_o"]));
    c.extend(bare(&["turn_o", "head_o"]));
    c.extend([("head_words_i", "one_word"), ("active_o", "unused_active"), ("word_o", "unused_word")]);
    c.extend([("first_o", "unused_first"), ("last_o", "unused_last")]);
    m.instance("u_walk", &wkv_walk(sizes), &c);
    m.done()
}
