//! The output of the matrix unit: finished rows to vmem or to argmax and the logits stream.

use crate::blocks::mat::argmax::argmax;
use crate::blocks::mat::dims::OUT_ROWS;
use crate::blocks::prim::fifo;
use crate::hdl::Module;
use std::sync::Arc;

/// Instructions that may be in the unit at once: one waits, one runs, one drains, one hands over its rows.
const INSTRUCTIONS: usize = 4;

/// Queues rows, pairs them with their instruction's destination, and tells when an instruction is done.
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
    m.input("start_i", 1, "a token starts");
    m.input("accept_i", 1, "an instruction; only with ready_o").output("ready_o", 1, "");
    m.input("logits_i", 1, "destination").input("d_addr_i", "anser_pkg::MAT_D_ADDR_BITS", "vmem element of row 0");
    m.input("op_i", "anser_pkg::COUNT_BITS", "the instruction's number");
    m.input("in_valid_i", 1, "").input("in_data_i", "anser_pkg::VEC_BITS", "signed");
    m.input("in_clipped_i", 1, "").input("in_last_i", 1, "");
    m.output("free_o", 1, "a row left the queue");
    m.output("d_valid_o", 1, "").input("d_ready_i", 1, "");
    m.output("d_addr_o", "anser_pkg::MAT_D_ADDR_BITS", "").output("d_data_o", "anser_pkg::VEC_BITS", "");
    m.output("logit_valid_o", 1, "").input("logit_ready_i", 1, "");
    m.output("logit_data_o", "anser_pkg::VEC_BITS", "").output("logit_last_o", 1, "");
    m.output("argmax_o", "anser_pkg::MAT_ROWS_BITS", "").output("sat_o", 1, "");
    m.output("done_o", 1, "").output("busy_o", 1, "");
    m.output("trace_valid_o", 1, "a row is handed over").output("trace_op_o", "anser_pkg::COUNT_BITS", "");
    m.output("trace_row_o", "anser_pkg::MAT_ROWS_BITS", "").output("trace_data_o", "anser_pkg::VEC_BITS", "");
    m.body(include_str!("../../../rtl/mat/mat_output.sv"));
    let destination = m.constant("1 + anser_pkg::MAT_D_ADDR_BITS + anser_pkg::COUNT_BITS");
    let (data, index) = (m.constant("anser_pkg::VEC_BITS"), m.constant("anser_pkg::MAT_ROWS_BITS"));
    m.instance(
        "u_destinations",
        &fifo(destination, INSTRUCTIONS),
        &[
            ("in_valid_i", "accept_i"),
            ("in_ready_o", "ready_o"),
            ("in_data_i", "{logits_i, d_addr_i, op_i}"),
            ("out_valid_o", "known"),
            ("out_ready_i", "take_last"),
            ("out_data_o", "{logits, d_addr, op}"),
        ],
    );
    m.instance(
        "u_rows",
        &fifo(2 + data, OUT_ROWS),
        &[
            ("in_valid_i", "in_valid_i"),
            ("in_ready_o", "unused_in_ready"),
            ("in_data_i", "{in_last_i, in_clipped_i, in_data_i}"),
            ("out_valid_o", "valid"),
            ("out_ready_i", "take"),
            ("out_data_o", "{last, clipped, data}"),
        ],
    );
    m.instance(
        "u_argmax",
        &argmax(data, index),
        &[
            ("start_i", "start_i"),
            ("valid_i", "take_logit"),
            ("index_i", "row_q"),
            ("data_i", "data"),
            ("index_o", "argmax_o"),
        ],
    );
    m.done()
}
