//! Bookkeeping of finished instructions of the vector unit.

use crate::hdl::Module;
use std::sync::Arc;

/// Reports instructions in order although a reduction finishes later than the words behind it.
pub fn vec_finish() -> Arc<Module> {
    let mut m = Module::new(
        "vec_finish",
        "Counts finished instructions and reports them in order, one done_o a cycle.\n\
         finish_i: the last word of an instruction is written (finish_red_i: of a reduction). A reduction, one at a time, is open\n\
         from open_red_i until both its last word and its last scalar (last_scalar_i) are written; instructions that finish\n\
         meanwhile behind it are reported after it. full_o: no room for instructions not yet issued (up to 4 are in the pipeline).\n\
         Latency: done_o one cycle after the event.",
    );
    m.input("open_red_i", 1, "").input("finish_i", 1, "").input("finish_red_i", 1, "with finish_i");
    m.input("last_scalar_i", 1, "");
    m.output("red_busy_o", 1, "").output("done_o", 1, "").output("full_o", 1, "").output("pending_o", 1, "");
    m.text(
        r#"
  reg       busy_q;     // a reduction is open
  reg       written_q;  // its last word is written
  reg       summed_q;   // its last scalar is written
  reg [5:0] pend_q;     // finished, not reported; up to 31 and the 4 in the pipeline

  wire written  = written_q || (finish_i && finish_red_i);
  wire summed   = summed_q || last_scalar_i;
  wire red_done = busy_q && written && summed;
  // finish_i comes late in the cycle: it only chooses between two sums
  wire done_red = busy_q && summed && (written_q || finish_red_i);
  wire [5:0] with_finish    = pend_q + {5'b0, !finish_red_i} + {5'b0, done_red} - {5'b0, done_o};
  wire [5:0] without_finish = pend_q + {5'b0, busy_q && summed && written_q} - {5'b0, done_o};

  assign red_busy_o = busy_q;
  assign done_o     = pending_o && !written_q;
  assign full_o     = pend_q[5];
  assign pending_o  = (pend_q != 6'd0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q    <= 1'b0;
      written_q <= 1'b0;
      summed_q  <= 1'b0;
      pend_q    <= '0;
    end else begin
      busy_q    <= open_red_i || (busy_q && !red_done);
      written_q <= written && !red_done;
      summed_q  <= summed && !red_done;
      pend_q    <= finish_i ? with_finish : without_finish;
    end
  end
"#,
        &[],
    );
    m.done()
}
