//! The output of the matrix unit: finished rows to vmem or to argmax and the logits stream.

use crate::blocks::mat::argmax::argmax;
use crate::blocks::mat::drain::OUT_ROWS;
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
    m.input("logits_i", 1, "destination").input("d_addr_i", 18, "vmem element of row 0").input(
        "op_i",
        12,
        "instruction index",
    );
    m.input("in_valid_i", 1, "").input("in_data_i", 27, "").input("in_clipped_i", 1, "").input("in_last_i", 1, "");
    m.output("free_o", 1, "a row left the queue");
    m.output("d_valid_o", 1, "").input("d_ready_i", 1, "").output("d_addr_o", 18, "").output("d_data_o", 27, "");
    m.output("logit_valid_o", 1, "").input("logit_ready_i", 1, "").output("logit_data_o", 27, "").output(
        "logit_last_o",
        1,
        "",
    );
    m.output("argmax_o", 18, "").output("sat_o", 1, "").output("done_o", 1, "").output("busy_o", 1, "");
    m.output("trace_valid_o", 1, "a row is handed over").output("trace_op_o", 12, "").output("trace_row_o", 18, "");
    m.output("trace_data_o", 27, "");
    m.text(
        r#"
  wire        known, logits;  // an instruction is in the unit; its destination
  wire [17:0] d_addr;
  wire [11:0] op;
  wire        valid, clipped, last;
  wire [26:0] data;
  reg  [17:0] row_q;
  reg         done_q;

  wire        take_d     = d_valid_o && d_ready_i;
  wire        take_logit = logit_valid_o && logit_ready_i;
  wire        take       = take_d || take_logit;
  wire        unused_in_ready;  // the sender counts free_o

  assign d_valid_o     = valid && known && !logits;
  assign d_addr_o      = d_addr + row_q;
  assign d_data_o      = data;
  assign logit_valid_o = valid && known && logits;
  assign logit_data_o  = data;
  assign logit_last_o  = last;
  assign free_o        = take;
  assign sat_o         = take && clipped;
  assign done_o        = done_q;
  assign busy_o        = known;
  assign trace_valid_o = take;
  assign trace_op_o    = op;
  assign trace_row_o   = row_q;
  assign trace_data_o  = data;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      row_q  <= 18'd0;
      done_q <= 1'b0;
    end else begin
      done_q <= take && last;
      if (take) row_q <= last ? 18'd0 : row_q + 18'd1;
    end
  end
"#,
        &[],
    );
    m.instance(
        "u_destinations",
        &fifo(31, INSTRUCTIONS),
        &[
            ("in_valid_i", "accept_i"),
            ("in_ready_o", "ready_o"),
            ("in_data_i", "{logits_i, d_addr_i, op_i}"),
            ("out_valid_o", "known"),
            ("out_ready_i", "take && last"),
            ("out_data_o", "{logits, d_addr, op}"),
        ],
    );
    m.instance(
        "u_rows",
        &fifo(29, OUT_ROWS),
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
        &argmax(27, 18),
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
