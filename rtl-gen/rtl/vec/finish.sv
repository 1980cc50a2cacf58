  localparam int COUNT_BITS = 6;  // up to 31 instructions before full_o, and those in the pipeline

  reg                  busy_q;     // a reduction is open
  reg                  written_q;  // its last word is written
  reg                  summed_q;   // its last scalar is written
  reg [COUNT_BITS-1:0] pend_q;     // instructions that are finished and not reported

  wire written  = written_q || (finish_i && finish_red_i);
  wire summed   = summed_q || last_scalar_i;
  wire red_done = busy_q && written && summed;
  // finish_i comes late in the cycle, so it only chooses between two sums
  wire done_red = busy_q && summed && (written_q || finish_red_i);
  wire [COUNT_BITS-1:0] with_finish    = pend_q + COUNT_BITS'(!finish_red_i) + COUNT_BITS'(done_red) - COUNT_BITS'(done_o);
  wire [COUNT_BITS-1:0] without_finish = pend_q + COUNT_BITS'(busy_q && summed && written_q) - COUNT_BITS'(done_o);

  assign red_busy_o = busy_q;
  assign done_o     = pending_o && !written_q;
  assign full_o     = pend_q[COUNT_BITS-1];
  assign pending_o  = (pend_q != '0);

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
