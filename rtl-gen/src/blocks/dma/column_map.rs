//! Keeps a bit for each element of xmem that says whether it is not 0, set while the element is written.

use crate::blocks::connect::same;
use crate::blocks::prim::ram_1w1r;
use crate::config::{Config, OPERAND_BITS};
use crate::hdl::{index_bits, Module};
use std::sync::Arc;

/// One bit for each element of xmem: it is not 0, in a slot at work.
pub fn column_map(config: &Config) -> Arc<Module> {
    let (vl, depth, slots) = (config.vlanes(), config.xmem_words(), config.sessions);
    let addr = index_bits(depth);
    let any = if slots > 1 { " in an active slot" } else { "" };
    let mut m = Module::new(
        "column_map",
        format!(
            "Keeps one bit for each element of the {depth} words of {vl} operands in xmem: it is not 0{any}. It looks at what is written there.\n\
             Latency: a word written in cycle T can be read (re_i) in T+2; mask_o one cycle after re_i, kept while re_i is low."
        ),
    );
    m.input("we_i", 1, "a word of operands is written").input("waddr_i", addr, "");
    m.input("wdata_i", slots * vl * OPERAND_BITS, "slot 0 lowest");
    if slots > 1 {
        m.input("active_i", slots, "slots that count");
    }
    m.input("re_i", 1, "").input("raddr_i", addr, "").output("mask_o", vl, "bit l: element l is not 0");
    m.sizes(&[("LANES", vl), ("SLOTS", slots), ("ADDR_BITS", addr)]);
    m.body(match slots {
        1 => "  wire [SLOTS-1:0] active = 1'b1;  // there is one slot",
        _ => "  wire [SLOTS-1:0] active = active_i;",
    });
    m.body(include_str!("../../../rtl/dma/column_map.sv"));
    let mut c = same(&["re_i", "raddr_i"]);
    c.extend([("we_i", "we_q"), ("waddr_i", "waddr_q"), ("wdata_i", "mask_q"), ("rdata_o", "mask_o")]);
    m.instance("u_mem", &ram_1w1r(vl, depth), &c);
    m.done()
}
