//! The numbers of the rows in the order in which they are visited, for several sessions.

use super::sizes::Sizes;
use super::walk::wkv_walk;
use crate::blocks::prelude::*;

/// Walks the rows of all slots.
pub fn wkv_rows(sizes: &Sizes) -> Arc<Module> {
    let mut m = Module::new(
        "wkv_rows",
        "Visits the rows in the order of the words: heads, slots of a head, rows. row_o is head * head_size + row, slot_o says whose.\n\
         Latency: that of wkv_walk.",
    );
    ports! { m; load_i "start" }
    sizes.row_ports(&mut m);
    ports! { m; step_i "next row" }
    sizes.slot_ports(&mut m);
    ports! { m; row_o["anser_pkg::WKV_Y_ADDR_BITS"], slot_o[sizes.slot_bits] }
    m.sizes(&[("ADDR_BITS", sizes.word_addr)]).body(rtl!("wkv/wkv_rows"));
    instance! { m, "u_walk", wkv_walk(sizes);
        head_words_i: one_word, active_o: unused_active, word_o: unused_word, first_o: unused_first,
        last_o: unused_last, ..
    }
    m.done()
}
