//! Scalar registers of the vector unit: mean, mult and shift of each segment.

use crate::blocks::prelude::*;
use crate::blocks::prim::ram_1w1r;
use crate::blocks::vec::sizes::{field_bits, seg_bits};

/// `n_head` entries of mean, mult and shift; the three are written independently and read together.
pub fn sreg(config: &Config) -> Arc<Module> {
    let depth = config.limits.n_head;
    let addr = seg_bits(config);
    let shift = field_bits("shift");
    let fields = [("mean", VEC_BITS), ("mult", VEC_BITS), ("shift", shift)];
    let mut m = Module::combinational(
        "sreg",
        format!(
            "Scalars of {depth} segments: mean ({VEC_BITS} bits, signed), mult ({VEC_BITS}, signed), shift ({shift}).\n\
             Latency: the read ports hold entry raddr_i one cycle after re_i, and keep it while re_i is low. No reset: memories.\n\
             Each field has its own write enable, because MEAN, RSQ and VALUE write different ones."
        ),
    );
    ports! { m; clk_i, waddr_i[addr] }
    for (field, bits) in fields {
        m.input(format!("{field}_we_i"), 1, "").input(format!("{field}_i"), bits, "");
    }
    ports! { m; re_i, raddr_i[addr] }
    for (field, bits) in fields {
        m.output(format!("{field}_o"), bits, "");
    }
    for (field, bits) in fields {
        instance! { m, format!("u_{field}"), ram_1w1r(bits, depth);
            we_i: format!("{field}_we_i"), waddr_i, wdata_i: format!("{field}_i"), re_i, raddr_i,
            rdata_o: format!("{field}_o"),
        }
    }
    m.done()
}
