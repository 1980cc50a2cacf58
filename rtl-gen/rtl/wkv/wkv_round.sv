  localparam int FINE_BITS = 3;                     // bits of the shift that act behind the register
  localparam int FINE_MAX  = (1 << FINE_BITS) - 1;  // and the longest shift there

  wire [IN_BITS:0]      doubled = {x_i, 1'b0};  // keeps the bit just below the point
  wire [SHIFT_BITS-1:0] coarse  = {shift_i[SHIFT_BITS-1:FINE_BITS], {FINE_BITS{1'b0}}};
  reg  [IN_BITS:0]      coarse_q;
  reg  [FINE_BITS-1:0]  fine_q;
  reg                   sticky_q;  // a bit that is not 0 was shifted out

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      coarse_q <= $signed(doubled) >>> coarse;
      fine_q   <= shift_i[FINE_BITS-1:0];
      sticky_q <= |(doubled & ~({(IN_BITS+1){1'b1}} << coarse));
    end
  end

  wire signed [IN_BITS:0] shifted = $signed(coarse_q) >>> fine_q;
  wire                    sticky  = sticky_q || (|(coarse_q[FINE_MAX-1:0] & ~({FINE_MAX{1'b1}} << fine_q)));

  assign floor_o = shifted[OUT_BITS:1];
  assign up_o    = shifted[0] && (sticky || shifted[1]);

  wire unused_upper = &{1'b0, shifted};
