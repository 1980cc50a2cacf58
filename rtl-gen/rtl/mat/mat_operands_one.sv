
  // Two columns a beat never straddle words: the oldest word is the window.
  localparam int PLACE_BITS = VL_BITS - 1;

  wire [VL*X_BITS-1:0] window = word;

  wire unused_pair = &{1'b0, pair_i[VL_BITS-1]};
