  reg [1:0] chain_q;
  reg       released_q;
  assign rst_no = released_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      chain_q    <= '0;
      released_q <= 1'b0;
    end else begin
      chain_q    <= {chain_q[0], 1'b1};
      released_q <= chain_q[1];
    end
  end
