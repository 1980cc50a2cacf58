  localparam int OUT_BITS  = A_BITS + B_BITS;
  localparam int LOW_BITS  = A_BITS / 2;
  localparam int HIGH_BITS = A_BITS - LOW_BITS;

  // a = high * 2^LOW_BITS + low, low unsigned
  wire signed [HIGH_BITS-1:0]        a_high = $signed(a_i[A_BITS-1:LOW_BITS]);
  wire signed [LOW_BITS:0]           a_low  = $signed({1'b0, a_i[LOW_BITS-1:0]});
  wire signed [B_BITS-1:0]           b      = $signed(b_i);
  reg  signed [HIGH_BITS+B_BITS-1:0] high_q;
  reg  signed [LOW_BITS+B_BITS:0]    low_q;
  reg         [OUT_BITS-1:0]         p_q;

  always_ff @(posedge clk_i) begin
    if (en_i[0]) begin
      high_q <= a_high * b;
      low_q  <= a_low * b;
    end
    if (en_i[1]) p_q <= {high_q, {LOW_BITS{1'b0}}} + {{(HIGH_BITS-1){low_q[LOW_BITS+B_BITS]}}, low_q};
  end

  assign p_o = p_q;
