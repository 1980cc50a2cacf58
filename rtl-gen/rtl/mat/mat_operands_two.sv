
  // The window of 4-bit weights: the word used last, and the oldest one.
  localparam int PLACE_BITS = VL_BITS;

  reg  [VL*X_BITS-1:0]   used_q;
  wire [2*VL*X_BITS-1:0] window = {word, used_q};

  always_ff @(posedge clk_i) begin
    if (x_pop_i && use_w4_i) used_q <= word;
  end
