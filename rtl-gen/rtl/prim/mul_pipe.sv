  localparam int HALF = WIDTH / 2;

  // operand = high * 2^HALF + low, low unsigned
  wire signed [HALF-1:0] x_high = $signed(x_i[WIDTH-1:HALF]);
  wire signed [HALF-1:0] m_high = $signed(m_i[WIDTH-1:HALF]);
  wire signed [HALF:0]   x_low  = $signed({1'b0, x_i[HALF-1:0]});
  wire signed [HALF:0]   m_low  = $signed({1'b0, m_i[HALF-1:0]});

  reg signed [WIDTH-1:0]   high_q;
  reg signed [WIDTH:0]     mid_a_q, mid_b_q;
  reg signed [WIDTH+1:0]   low_q;
  reg        [2*WIDTH-1:0] t_q;

  wire signed [WIDTH+1:0] mid = $signed({mid_a_q[WIDTH], mid_a_q}) + $signed({mid_b_q[WIDTH], mid_b_q});

  always_ff @(posedge clk_i) begin
    if (en_i[0]) begin
      high_q  <= x_high * m_high;
      mid_a_q <= x_high * m_low;
      mid_b_q <= x_low * m_high;
      low_q   <= x_low * m_low;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[1]) begin
      t_q <= {high_q, low_q[WIDTH-1:0]} + {{(HALF-2){mid[WIDTH+1]}}, mid, {HALF{1'b0}}};
    end
  end

  assign t_o = t_q;

  wire unused_low = &{1'b0, low_q[WIDTH+1:WIDTH]};  // a product of two numbers that are not negative: sign bits
