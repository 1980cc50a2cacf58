
  // What the counters add was registered by each of them, so they start and stop a cycle after the token.
  reg clear_counters_q, count_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clear_counters_q <= 1'b0;
      count_q          <= 1'b0;
    end else begin
      clear_counters_q <= started_i;
      count_q          <= running_i;
    end
  end
