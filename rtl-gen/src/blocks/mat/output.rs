//! The output of the matrix unit: finished rows to vmem or to argmax and the logits stream.

use crate::blocks::mat::argmax::argmax;
use crate::blocks::mat::dims::OUT_ROWS;
use crate::blocks::prelude::*;
use crate::blocks::prim::fifo;

/// Instructions that may be in the unit at once: one waits, one runs, one drains, one hands over its rows.
const INSTRUCTIONS: usize = 4;

/// Queues rows, pairs them with their instruction's destination, and reports when an instruction is done.
pub(in crate::blocks) fn output() -> Arc<Module> {
    let mut m = Module::new(
        "mat_output",
        format!(
            "Output of the matrix unit: a queue of {OUT_ROWS} rows and the destinations of up to {INSTRUCTIONS} instructions, both in order.\n\
             Row r of an instruction goes to vmem element d_addr + r, or to argmax and the logits stream.\n\
             in_* has no ready: the sender counts free_o. Latency: a row is offered one cycle after in_valid_i;\n\
             done_o comes one cycle after the last row was handed over, argmax_o is final then. sat_o: a handed-over row was clipped."
        ),
    );
    ports! { m;
        start_i "a token starts", accept_i "an instruction; only with ready_o", ready_o, logits_i "destination",
        d_addr_i["anser_pkg::MAT_D_ADDR_BITS"] "vmem element of row 0",
        op_i["anser_pkg::COUNT_BITS"] "the instruction's number", in_valid_i, in_data_i["anser_pkg::VEC_BITS"] "signed",
        in_clipped_i, in_last_i, free_o "a row left the queue", d_valid_o, d_ready_i,
        d_addr_o["anser_pkg::MAT_D_ADDR_BITS"], d_data_o["anser_pkg::VEC_BITS"], logit_valid_o, logit_ready_i,
        logit_data_o["anser_pkg::VEC_BITS"], logit_last_o, argmax_o["anser_pkg::MAT_ROWS_BITS"], sat_o, done_o, busy_o,
        trace_valid_o "a row is handed over", trace_op_o["anser_pkg::COUNT_BITS"],
        trace_row_o["anser_pkg::MAT_ROWS_BITS"], trace_data_o["anser_pkg::VEC_BITS"],
    }
    m.body(rtl!("mat/mat_output"));
    let destination = m.constant("1 + anser_pkg::MAT_D_ADDR_BITS + anser_pkg::COUNT_BITS");
    let (data, index) = (m.constant("anser_pkg::VEC_BITS"), m.constant("anser_pkg::MAT_ROWS_BITS"));
    instance! { m, "u_destinations", fifo(destination, INSTRUCTIONS);
        in_valid_i: accept_i, in_ready_o: ready_o, in_data_i: "{logits_i, d_addr_i, op_i}", out_valid_o: known,
        out_ready_i: take_last, out_data_o: "{logits, d_addr, op}",
    }
    instance! { m, "u_rows", fifo(2 + data, OUT_ROWS);
        in_valid_i, in_ready_o: unused_in_ready, in_data_i: "{in_last_i, in_clipped_i, in_data_i}", out_valid_o: valid,
        out_ready_i: take, out_data_o: "{last, clipped, data}",
    }
    instance! { m, "u_argmax", argmax(data, index);
        start_i, valid_i: take_logit, index_i: row_q, data_i: data, index_o: argmax_o,
    }
    m.done()
}
