
  reg valid_q;  // the memory's output register holds the oldest entry, which is no longer counted above

  assign pop         = some_q && (!valid_q || out_ready_i);
  assign out_valid_o = valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (pop) valid_q <= 1'b1;
    else if (out_ready_i) valid_q <= 1'b0;
  end
