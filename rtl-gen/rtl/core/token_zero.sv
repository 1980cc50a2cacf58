
  // From a clear to the end of the slot's next token, its state reads as 0.
  reg [SLOTS-1:0] zero_q;
  assign zero_o = zero_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) zero_q <= '0;
    else if (clear_o) zero_q <= zero_q | cleared_slots;
    else if (finished_o) zero_q <= zero_q & ~read_slots;
  end
