  reg                  seen_q;
  reg [INDEX_BITS-1:0] index_q;
  reg [DATA_BITS-1:0]  best_q;

  assign index_o = index_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      seen_q  <= 1'b0;
      index_q <= '0;
      best_q  <= '0;
    end else if (start_i) begin
      seen_q  <= 1'b0;
      index_q <= '0;
    end else if (valid_i && (!seen_q || $signed(data_i) > $signed(best_q))) begin
      seen_q  <= 1'b1;
      index_q <= index_i;
      best_q  <= data_i;
    end
  end
