//! The operands r d k v kk b, one memory each.

use crate::blocks::prim::ram_1w1r;
use crate::config::OPERAND_BITS;
use crate::hdl::Module;
use crate::isa::wkv_slot;
use std::sync::Arc;

/// Memories of `words` words of `vlanes` elements; `addr_bits` select a word.
pub fn wkv_operands(vlanes: usize, words: usize, addr_bits: usize) -> Arc<Module> {
    let bits = vlanes * OPERAND_BITS;
    let mut m = Module::combinational(
        "wkv_operands",
        format!(
            "Operands of the recurrence: six memories of {words} words of {vlanes} signed {OPERAND_BITS}-bit elements.\n\
             One memory each, because the stages read different words of all of them in one cycle. A word written is read from the next cycle on.\n\
             Latency: x_o one cycle after its enable (kk_en_i; row_en_i for d, b, k, v; r_en_i), kept while that is low. No reset: memories."
        ),
    );
    m.input("clk_i", 1, "");
    m.input("kw_en_i", 1, "write").input("kw_slot_i", 3, "isa.rs, wkv_slot").input("kw_addr_i", 14, "word").input(
        "kw_data_i",
        bits,
        "",
    );
    m.input("kk_en_i", 1, "").input("kk_addr_i", addr_bits, "").output("kk_o", bits, "");
    m.input("row_en_i", 1, "").input("dbk_addr_i", addr_bits, "").input("v_addr_i", addr_bits, "");
    m.output("d_o", bits, "").output("b_o", bits, "").output("k_o", bits, "").output("v_o", bits, "");
    m.input("r_en_i", 1, "").input("r_addr_i", addr_bits, "").output("r_o", bits, "");
    if addr_bits < 14 {
        m.text("  wire unused_kw_addr = &{1'b0, kw_addr_i[13:{{a}}]};", &[("a", addr_bits.to_string())]);
    }
    let ram = ram_1w1r(bits, words);
    for (name, slot, enable, addr) in [
        ("kk", wkv_slot::KK, "kk_en_i", "kk_addr_i"),
        ("d", wkv_slot::D, "row_en_i", "dbk_addr_i"),
        ("b", wkv_slot::B, "row_en_i", "dbk_addr_i"),
        ("k", wkv_slot::K, "row_en_i", "dbk_addr_i"),
        ("v", wkv_slot::V, "row_en_i", "v_addr_i"),
        ("r", wkv_slot::R, "r_en_i", "r_addr_i"),
    ] {
        m.localparams(&[(&format!("SLOT_{}", name.to_uppercase()), 3, slot)]);
        m.text(
            "\n  wire {{n}}_we = kw_en_i && (kw_slot_i == SLOT_{{slot}});",
            &[("n", name.to_string()), ("slot", name.to_uppercase())],
        );
        m.instance(
            &format!("u_{name}"),
            &ram,
            &[
                ("we_i", &format!("{name}_we")),
                ("waddr_i", &format!("kw_addr_i[{}:0]", addr_bits - 1)),
                ("wdata_i", "kw_data_i"),
                ("re_i", enable),
                ("raddr_i", addr),
                ("rdata_o", &format!("{name}_o")),
            ],
        );
    }
    m.done()
}
