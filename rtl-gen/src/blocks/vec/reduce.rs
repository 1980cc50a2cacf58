//! Sums over segments: a pipelined tree over the lanes, one accumulator, a queue of finished sums.

use crate::blocks::prelude::*;
use crate::blocks::prim::adder_level::adder_level;
use crate::blocks::prim::fifo;
use crate::blocks::vec::delay::vec_delay;
use crate::blocks::vec::sizes::{ACC_BITS, PRODUCT_BITS};

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
    ports! { m;
        product_i "sum t, not o; stable while words are inside", t_valid_i, t_end_i, t_last_i,
        t_i[lanes * PRODUCT_BITS], o_valid_i, o_end_i, o_last_i, o_i[lanes * VEC_BITS], sum_valid_o, sum_ready_i,
        sum_last_o "last segment of the instruction", sum_o[ACC_BITS] "signed",
    }
    sizes! { m; LANES = lanes, PRODUCT_BITS, ACC_BITS, STAGES = stages(lanes), TREE_BITS = PRODUCT_BITS + lanes.ilog2() as usize }
    m.body(rtl!("vec/reduce"));
    instance! { m, "u_marks", vec_delay(2, stages(lanes));
        en_i: "valid[STAGES-1:0]", d_i: "{terms_end, terms_last}", q_o: "{tree_end, tree_last}",
    }
    tree(&mut m, lanes);
    instance! { m, "u_queue", fifo(ACC_BITS + 1, QUEUE);
        in_valid_i: push, in_ready_o: unused_ready, in_data_i: "{tree_last, acc_next}", out_valid_o: sum_valid_o,
        out_ready_i: sum_ready_i, out_data_o: "{sum_last_o, sum_o}",
    }
    m.done()
}

/// Places the stages of the tree between the wires `terms` and `tree`.
fn tree(m: &mut Module, lanes: usize) {
    let (mut n, mut bits, mut from) = (lanes, PRODUCT_BITS, "terms".to_string());
    for stage in 1..=stages(lanes) {
        let fan = n.min(FAN);
        let level = adder_level(n, fan, bits);
        (n, bits) = (n / fan, bits + fan.ilog2() as usize);
        let to = if n == 1 { "tree".to_string() } else { format!("stage_{stage}") };
        if n > 1 {
            m.wire(&to, n * bits);
        }
        instance! { m, format!("u_stage_{stage}"), level; en_i: format!("valid[{}]", stage - 1), terms_i: &from, sums_o: &to }
        from = to;
    }
}

/// Register stages of the tree.
pub fn stages(lanes: usize) -> usize {
    (lanes.ilog2() as usize).div_ceil(2)
}
