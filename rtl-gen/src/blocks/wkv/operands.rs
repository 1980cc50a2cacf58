//! The operands r d k v kk b of one session, one memory each.

use super::sizes::Sizes;
use crate::blocks::prelude::*;
use crate::blocks::prim::ram_1w1r;

/// Each memory with its read enable and address.
pub const MEMORIES: [(&str, &str, &str); 6] = [
    ("kk", "kk_en_i", "kk_addr_i"),
    ("d", "row_en_i", "dbk_addr_i"),
    ("b", "row_en_i", "dbk_addr_i"),
    ("k", "row_en_i", "dbk_addr_i"),
    ("v", "row_en_i", "v_addr_i"),
    ("r", "r_en_i", "r_addr_i"),
];

/// The ports of [`wkv_operands`], where each write brings words for `slots` slots.
pub fn ports(m: &mut Module, sizes: &Sizes, slots: usize) {
    let (addr, bits) = (sizes.word_addr, sizes.operand_bits());
    ports! { m; clk_i, kw_en_i "write", kw_slot_i["anser_pkg::WKV_SLOT_BITS"] "isa.rs, wkv_slot" }
    m.input("kw_addr_i", "anser_pkg::WORD_ADDR_BITS", format!("word of {} elements", sizes.written));
    m.input("kw_data_i", slots * sizes.written * OPERAND_BITS, if slots > 1 { "slot 0 lowest" } else { "" });
    ports! { m;
        kk_en_i, kk_addr_i[addr], kk_o[bits], row_en_i, dbk_addr_i[addr], v_addr_i[addr], d_o[bits], b_o[bits],
        k_o[bits], v_o[bits], r_en_i, r_addr_i[addr], r_o[bits],
    }
}

/// Memories of words of `sizes.vl` elements, written in words of `sizes.written` elements.
pub fn wkv_operands(sizes: &Sizes) -> Arc<Module> {
    let (vl, words) = (sizes.vl, sizes.operand_words);
    let mut m = Module::combinational(
        "wkv_operands",
        format!(
            "Operands of the recurrence: six memories of {words} words of {vl} signed {OPERAND_BITS}-bit elements.\n\
             There is one memory for each, because the stages read different words of all of them in one cycle. A word written is read\n\
             from the next cycle on. Latency: x_o one cycle after its enable (kk_en_i; row_en_i for d, b, k, v; r_en_i), kept while that\n\
             is low. No reset: memories."
        ),
    );
    ports(&mut m, sizes, 1);
    let parts = vl / sizes.written;
    sizes! { m; PARTS = parts, ADDR_BITS = sizes.word_addr }
    m.body(rtl!("wkv/wkv_operands"));
    let bits = sizes.written * OPERAND_BITS;
    for (name, enable, addr) in MEMORIES {
        for p in 0..parts {
            let number = if parts == 1 { String::new() } else { format!("_{p}") };
            instance! { m, format!("u_{name}{number}"), ram_1w1r(bits, words);
                we_i: format!("{name}_we[{p}]"), waddr_i: waddr, wdata_i: kw_data_i, re_i: &enable, raddr_i: &addr,
                rdata_o: part(&format!("{name}_o"), p, bits),
            }
        }
    }
    m.done()
}
