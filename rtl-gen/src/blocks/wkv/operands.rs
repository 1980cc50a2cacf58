//! The operands r d k v kk b of one session, one memory each.

use super::sizes::Sizes;
use crate::blocks::prim::ram_1w1r;
use crate::config::OPERAND_BITS;
use crate::hdl::Module;
use std::sync::Arc;

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
    m.input("clk_i", 1, "").input("kw_en_i", 1, "write");
    m.input("kw_slot_i", "anser_pkg::WKV_SLOT_BITS", "isa.rs, wkv_slot");
    m.input("kw_addr_i", "anser_pkg::WORD_ADDR_BITS", format!("word of {} elements", sizes.written));
    m.input("kw_data_i", slots * sizes.written * OPERAND_BITS, if slots > 1 { "slot 0 lowest" } else { "" });
    m.input("kk_en_i", 1, "").input("kk_addr_i", addr, "").output("kk_o", bits, "");
    m.input("row_en_i", 1, "").input("dbk_addr_i", addr, "").input("v_addr_i", addr, "");
    m.output("d_o", bits, "").output("b_o", bits, "").output("k_o", bits, "").output("v_o", bits, "");
    m.input("r_en_i", 1, "").input("r_addr_i", addr, "").output("r_o", bits, "");
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
    m.sizes(&[("PARTS", parts), ("ADDR_BITS", sizes.word_addr)]);
    m.body(include_str!("../../../rtl/wkv/wkv_operands.sv"));
    let bits = sizes.written * OPERAND_BITS;
    for (name, enable, addr) in MEMORIES {
        for p in 0..parts {
            let part = if parts == 1 { String::new() } else { format!("_{p}") };
            let (we, rdata) = (format!("{name}_we[{p}]"), format!("{name}_o[{}:{}]", (p + 1) * bits - 1, p * bits));
            m.instance(
                &format!("u_{name}{part}"),
                &ram_1w1r(bits, words),
                &[
                    ("we_i", &we),
                    ("waddr_i", "waddr"),
                    ("wdata_i", "kw_data_i"),
                    ("re_i", enable),
                    ("raddr_i", addr),
                    ("rdata_o", &rdata),
                ],
            );
        }
    }
    m.done()
}
