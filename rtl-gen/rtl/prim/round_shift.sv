  localparam int BYTE_BITS = 8;
  localparam int FINE_BITS = $clog2(BYTE_BITS);
  localparam int BYTES     = (IN_BITS + BYTE_BITS) / BYTE_BITS;  // of the number with the bit below the point, rounded up

  wire [IN_BITS:0]           doubled = {x_i, 1'b0};  // keeps the bit just below the point
  wire [BYTES*BYTE_BITS-1:0] padded  = (BYTES*BYTE_BITS)'(doubled);
  wire [SHIFT_BITS-1:0]      coarse  = {shift_i[SHIFT_BITS-1:FINE_BITS], {FINE_BITS{1'b0}}};
  wire [BYTES-1:0]           some;  // which bytes are not 0: the coarse shift loses whole bytes

  for (genvar i = 0; i < BYTES; i++) begin : gen_some
    assign some[i] = |padded[i*BYTE_BITS +: BYTE_BITS];
  end

  reg [IN_BITS:0]     coarse_q;
  reg [FINE_BITS-1:0] fine_q;
  reg                 sticky_q;  // a bit that is not 0 was shifted out

  always_ff @(posedge clk_i) begin
    if (en_i) begin
      coarse_q <= $signed(doubled) >>> coarse;
      fine_q   <= shift_i[FINE_BITS-1:0];
      sticky_q <= |(some & ~({BYTES{1'b1}} << shift_i[SHIFT_BITS-1:FINE_BITS]));
    end
  end

  wire signed [IN_BITS:0] shifted = $signed(coarse_q) >>> fine_q;
  wire                    sticky  = sticky_q || (|(coarse_q[BYTE_BITS-2:0] & ~({(BYTE_BITS-1){1'b1}} << fine_q)));

  assign floor_o = shifted[OUT_BITS:1];
  assign up_o    = shifted[0] && (sticky || shifted[1]);

  wire unused_upper = &{1'b0, shifted};
