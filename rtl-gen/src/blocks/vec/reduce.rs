//! Sums over segments: a pipelined tree over the lanes, one accumulator, a queue of finished sums.

use crate::blocks::prim::fifo;
use crate::blocks::vec::sizes::{ACC_BITS, PRODUCT_BITS};
use crate::blocks::vec::sum::vec_sum;
use crate::config::{Config, VEC_BITS};
use crate::hdl::Module;
use std::sync::Arc;

/// Finished sums that may wait for the scalar unit.
pub const QUEUE: usize = 4;
/// Numbers that the tree adds in a stage.
const FAN: usize = 4;

/// Lane sums and segment accumulator. The sender must not end more than [`QUEUE`] segments whose sums it has not seen popped.
pub fn vec_reduce(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let mut m = Module::new(
        "vec_reduce",
        format!(
            "Exact sum over each segment of the lanes' products (product_i, {PRODUCT_BITS} bits) or results ({VEC_BITS} bits).\n\
             A word enters in the cycle of its valid bit; *_end_i marks a segment's last word, *_last_i the instruction's.\n\
             The tree adds four numbers a stage; the accumulator is {ACC_BITS} bits: 2^17 elements below 2^54 never wrap.\n\
             Finished sums wait in a queue of {QUEUE}, popped by sum_ready_i. Nothing here stalls: vec keeps a credit for each segment.\n\
             Latency: {} cycles from a segment's last word to sum_valid_o.",
            stages(lanes) + 1
        ),
    );
    m.input("product_i", 1, "sum t, not o; stable while words are inside");
    m.input("t_valid_i", 1, "").input("t_end_i", 1, "").input("t_last_i", 1, "");
    m.input("t_i", lanes * PRODUCT_BITS, "");
    m.input("o_valid_i", 1, "").input("o_end_i", 1, "").input("o_last_i", 1, "").input("o_i", lanes * VEC_BITS, "");
    m.output("sum_valid_o", 1, "").input("sum_ready_i", 1, "");
    m.output("sum_last_o", 1, "last segment of the instruction").output("sum_o", ACC_BITS, "signed");
    m.sizes(&[("LANES", lanes), ("PRODUCT_BITS", PRODUCT_BITS), ("ACC_BITS", ACC_BITS)]);
    m.body(include_str!("../../../rtl/vec/reduce_terms.sv"));
    let tree_bits = tree(&mut m, lanes);
    m.sizes(&[("TREE_BITS", tree_bits)]);
    m.body(include_str!("../../../rtl/vec/reduce.sv"));
    m.instance(
        "u_queue",
        &fifo(ACC_BITS + 1, QUEUE),
        &[
            ("in_valid_i", "push"),
            ("in_ready_o", "unused_ready"),
            ("in_data_i", "{tree_last, acc_next}"),
            ("out_valid_o", "sum_valid_o"),
            ("out_ready_i", "sum_ready_i"),
            ("out_data_o", "{sum_last_o, sum_o}"),
        ],
    );
    m.done()
}

/// Places the stages of the tree between the wires `terms_*` and `tree_*`; gives the bits of its sum.
fn tree(m: &mut Module, lanes: usize) -> usize {
    let (mut n, mut bits, mut stage, mut from) = (lanes, PRODUCT_BITS, 0, "terms".to_string());
    while n > 1 {
        let fan = n.min(FAN);
        let sum = vec_sum(n, fan, bits);
        (n, bits, stage) = (n / fan, bits + fan.ilog2() as usize, stage + 1);
        let to = if n == 1 { "tree".to_string() } else { format!("stage_{stage}") };
        let names: Vec<_> =
            ["valid", "end", "last", "data"].map(|w| (format!("{from}_{w}"), format!("{to}_{w}"))).into();
        for ((_, wire), bits) in names.iter().zip([1, 1, 1, n * bits]) {
            m.wire(wire, bits);
        }
        m.instance(
            &format!("u_stage_{stage}"),
            &sum,
            &[
                ("valid_i", &names[0].0),
                ("end_i", &names[1].0),
                ("last_i", &names[2].0),
                ("terms_i", &names[3].0),
                ("valid_o", &names[0].1),
                ("end_o", &names[1].1),
                ("last_o", &names[2].1),
                ("sums_o", &names[3].1),
            ],
        );
        from = to;
    }
    bits
}

/// Register stages of the tree.
pub fn stages(lanes: usize) -> usize {
    (lanes.ilog2() as usize).div_ceil(2)
}
