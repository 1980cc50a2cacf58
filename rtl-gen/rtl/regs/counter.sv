  // What is added comes from all over the core: it is registered first.
  reg [ADD_BITS-1:0] add_q;
  reg [31:0]         count_q;

  assign count_o = count_q;

  always_ff @(posedge clk_i) begin
    add_q <= add_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= '0;
    else if (clear_i) count_q <= '0;
    else if (count_i) count_q <= count_q + 32'(add_q);
  end
