  reg [ADDR_BITS-1:32] base_hi_q;

  assign image_base_o = {base_hi_q, base_lo_q};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) base_hi_q <= '0;
    else if (write_image_base_hi) base_hi_q <= w_data_q[ADDR_BITS-33:0];
  end
