//! The operands r d k v kk b, one memory each.

use super::Sizes;
use crate::blocks::prim::ram_1w1r;
use crate::config::OPERAND_BITS;
use crate::hdl::Module;
use crate::isa::wkv_slot;
use std::sync::Arc;

/// Memories of `words` words of `sizes.vl` elements, written in words of `sizes.written` elements.
pub fn wkv_operands(sizes: &Sizes, words: usize) -> Arc<Module> {
    let (vlanes, addr_bits) = (sizes.vl, sizes.word_addr);
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
    let parts = sizes.vl / sizes.written;
    let part_bits = parts.ilog2() as usize;
    m.input("kw_en_i", 1, "write").input("kw_slot_i", 3, "isa.rs, wkv_slot");
    m.input("kw_addr_i", 14, format!("word of {} elements", sizes.written)).input(
        "kw_data_i",
        sizes.written * OPERAND_BITS,
        "",
    );
    m.input("kk_en_i", 1, "").input("kk_addr_i", addr_bits, "").output("kk_o", bits, "");
    m.input("row_en_i", 1, "").input("dbk_addr_i", addr_bits, "").input("v_addr_i", addr_bits, "");
    m.output("d_o", bits, "").output("b_o", bits, "").output("k_o", bits, "").output("v_o", bits, "");
    m.input("r_en_i", 1, "").input("r_addr_i", addr_bits, "").output("r_o", bits, "");
    let used = addr_bits + part_bits;
    if used < 14 {
        m.text("  wire unused_kw_addr = &{1'b0, kw_addr_i[13:{{a}}]};", &[("a", used.to_string())]);
    }
    let part = sizes.written * OPERAND_BITS;
    let ram = ram_1w1r(part, words);
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
        for p in 0..parts {
            // a word of the recurrence is several of the vector unit's, side by side
            let (suffix, we, rdata) = match parts {
                1 => (String::new(), format!("{name}_we"), format!("{name}_o")),
                _ => (
                    format!("_{p}"),
                    format!("{name}_we && (kw_addr_i[{}:0] == {part_bits}'d{p})", part_bits - 1),
                    format!("{name}_o[{}:{}]", (p + 1) * part - 1, p * part),
                ),
            };
            m.instance(
                &format!("u_{name}{suffix}"),
                &ram,
                &[
                    ("we_i", &we),
                    ("waddr_i", &format!("kw_addr_i[{}:{part_bits}]", used - 1)),
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

/// The operands of every slot; each read names whose.
pub fn wkv_slot_operands(sizes: &Sizes, words: usize) -> Arc<Module> {
    let (vl, slots, sb) = (sizes.vl, sizes.slots, sizes.slot_bits);
    let bits = vl * OPERAND_BITS;
    let written = sizes.written * OPERAND_BITS;
    let mut m = Module::combinational(
        "wkv_slot_operands",
        format!(
            "Operands of {slots} slots, as wkv_operands each. All slots are written in one cycle; a read is of one slot, and the memories of\n\
             the others rest. Latency: as wkv_operands."
        ),
    );
    m.input("clk_i", 1, "").input("kw_en_i", 1, "").input("kw_slot_i", 3, "isa.rs, wkv_slot").input(
        "kw_addr_i",
        14,
        "",
    );
    m.input("kw_data_i", slots * written, "slot 0 lowest");
    let a = sizes.word_addr;
    m.input("kk_en_i", 1, "").input("kk_addr_i", a, "").input("kk_whose_i", sb, "slot").output("kk_o", bits, "");
    m.input("row_en_i", 1, "").input("dbk_addr_i", a, "").input("v_addr_i", a, "").input("row_whose_i", sb, "slot");
    m.output("d_o", bits, "").output("b_o", bits, "").output("k_o", bits, "").output("v_o", bits, "");
    m.input("r_en_i", 1, "").input("r_addr_i", a, "").input("r_whose_i", sb, "slot").output("r_o", bits, "");
    for group in ["kk", "row", "r"] {
        m.text(
            r#"
  reg  [{{msb}}:0] {{g}}_whose_q;
  always_ff @(posedge clk_i) if ({{g}}_en_i) {{g}}_whose_q <= {{g}}_whose_i;
"#,
            &[("g", group.into()), ("msb", (sb - 1).to_string())],
        );
    }
    let one = wkv_operands(sizes, words);
    for s in 0..slots {
        let names = ["kk", "d", "b", "k", "v", "r"];
        for n in names {
            m.text(
                "  wire [{{b}}:0] {{n}}_{{s}};",
                &[("b", (bits - 1).to_string()), ("n", n.into()), ("s", s.to_string())],
            );
        }
        let en = |g: &str| format!("{g}_en_i && ({g}_whose_i == {sb}'d{s})");
        let data = format!("kw_data_i[{}:{}]", (s + 1) * written - 1, s * written);
        m.instance(
            &format!("u_slot_{s}"),
            &one,
            &[
                ("clk_i", "clk_i"),
                ("kw_en_i", "kw_en_i"),
                ("kw_slot_i", "kw_slot_i"),
                ("kw_addr_i", "kw_addr_i"),
                ("kw_data_i", &data),
                ("kk_en_i", &en("kk")),
                ("kk_addr_i", "kk_addr_i"),
                ("kk_o", &format!("kk_{s}")),
                ("row_en_i", &en("row")),
                ("dbk_addr_i", "dbk_addr_i"),
                ("v_addr_i", "v_addr_i"),
                ("d_o", &format!("d_{s}")),
                ("b_o", &format!("b_{s}")),
                ("k_o", &format!("k_{s}")),
                ("v_o", &format!("v_{s}")),
                ("r_en_i", &en("r")),
                ("r_addr_i", "r_addr_i"),
                ("r_o", &format!("r_{s}")),
            ],
        );
    }
    for (n, g) in [("kk", "kk"), ("d", "row"), ("b", "row"), ("k", "row"), ("v", "row"), ("r", "r")] {
        let terms = (0..slots).map(|s| format!("({{{bits}{{{g}_whose_q == {sb}'d{s}}}}} & {n}_{s})"));
        m.text("  assign {{n}}_o = {{t}};", &[("n", n.into()), ("t", terms.collect::<Vec<_>>().join("\n    | "))]);
    }
    m.done()
}
