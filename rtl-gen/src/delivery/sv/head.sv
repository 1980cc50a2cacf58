  // Checks begin a cycle after the reset of the bus ends and stop when it comes. Before that, nothing may be offered.
  reg on_q;
  always @(posedge clk_i or negedge bus_rst_ni) begin
    if (!bus_rst_ni) on_q <= 1'b0;
    else on_q <= 1'b1;
  end

  default clocking @(posedge clk_i); endclocking
  default disable iff (!on_q);
