//! Keeps a bit for each element of xmem that says whether it is not 0, set while the element is written.

use crate::blocks::prelude::*;
use crate::blocks::prim::ram_1w1r;

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
    ports! { m;
        we_i "a word of operands is written", waddr_i[addr], wdata_i[slots * vl * OPERAND_BITS] "slot 0 lowest",
    }
    if slots > 1 {
        ports! { m; active_i[slots] "slots that count" }
    }
    ports! { m; re_i, raddr_i[addr], mask_o[vl] "bit l: element l is not 0" }
    sizes! { m; LANES = vl, SLOTS = slots, ADDR_BITS = addr }
    m.body(match slots {
        1 => "  wire [SLOTS-1:0] active = 1'b1;  // there is one slot",
        _ => "  wire [SLOTS-1:0] active = active_i;",
    });
    m.body(rtl!("dma/column_map"));
    instance! { m, "u_mem", ram_1w1r(vl, depth);
        we_i: we_q, waddr_i: waddr_q, wdata_i: mask_q, re_i, raddr_i, rdata_o: mask_o,
    }
    m.done()
}
