
  // Stage 4: partial products. 5: product. 6: shifted by a multiple of 8. 7: shifted. Until the last shift 8 bits are kept below the point:
  // the fine shift, 7 at most, moves no more than these.
  localparam int FINE_BITS     = 3;
  localparam int FRACTION_BITS = 1 << FINE_BITS;
  localparam int FINE_MAX      = FRACTION_BITS - 1;
  localparam int PRODUCT_BITS  = SUM_BITS + M_BITS;
  localparam int WIDE_BITS     = PRODUCT_BITS + FRACTION_BITS;
  localparam int LOW_BITS      = 2 * THIRD_BITS;
  localparam int THIRD_M_BITS  = THIRD_BITS + M_BITS;
  localparam int HIGH_M_BITS   = SUM_BITS - LOW_BITS + M_BITS;

  reg [THIRD_M_BITS-1:0] low_4_q, mid_4_q;
  reg [HIGH_M_BITS-1:0]  high_4_q;
  reg [SHIFT_BITS-1:0]   shift_4_q, shift_5_q;
  reg [FINE_BITS-1:0]    fine_6_q;
  reg [PRODUCT_BITS-1:0] product_5_q;
  reg [WIDE_BITS-1:0]    coarse_6_q, fine_7_q;
  reg                    sticky_6_q, sticky_7_q;

  wire        [THIRD_M_BITS-1:0] low      = THIRD_M_BITS'(value_3_q[THIRD_BITS-1:0]);
  wire        [THIRD_M_BITS-1:0] mid      = THIRD_M_BITS'(value_3_q[LOW_BITS-1:THIRD_BITS]);
  wire        [THIRD_M_BITS-1:0] m_third  = THIRD_M_BITS'(m_3_q);
  wire signed [HIGH_M_BITS-1:0]  high     = HIGH_M_BITS'($signed(value_3_q[SUM_BITS-1:LOW_BITS]));
  wire signed [HIGH_M_BITS-1:0]  m_high   = $signed(HIGH_M_BITS'(m_3_q));
  wire        [SHIFT_BITS-1:0]   coarse   = {shift_5_q[SHIFT_BITS-1:FINE_BITS], FINE_BITS'(0)};
  wire        [PRODUCT_BITS-1:0] below    = ~({PRODUCT_BITS{1'b1}} << coarse) >> FRACTION_BITS;  // what the coarse shift loses
  wire signed [WIDE_BITS-1:0]    to_shift = $signed({product_5_q, FRACTION_BITS'(0)});

  always_ff @(posedge clk_i) begin
    if (valid_q[3]) begin
      low_4_q   <= low * m_third;
      mid_4_q   <= mid * m_third;
      high_4_q  <= high * m_high;
      shift_4_q <= shift_3_q;
    end
    if (valid_q[4]) begin
      product_5_q <= {high_4_q, LOW_BITS'(low_4_q)} + PRODUCT_BITS'({mid_4_q, THIRD_BITS'(0)});
      shift_5_q   <= shift_4_q;
    end
    if (valid_q[5]) begin
      coarse_6_q <= to_shift >>> coarse;
      sticky_6_q <= |(product_5_q & below);
      fine_6_q   <= shift_5_q[FINE_BITS-1:0];
    end
    if (valid_q[6]) begin
      fine_7_q   <= $signed(coarse_6_q) >>> fine_6_q;
      sticky_7_q <= sticky_6_q || (|(coarse_6_q[FINE_MAX-1:0] & ~({FINE_MAX{1'b1}} << fine_6_q)));
    end
  end

  // Rounding and saturation need VEC_BITS + 1 integer bits; of those above only whether they are copies of the sign.
  localparam int ROUNDED_BITS = VEC_BITS + 2;
  localparam int TOP          = FRACTION_BITS + VEC_BITS;

  wire negative = fine_7_q[WIDE_BITS-1];
  wire up       = fine_7_q[FRACTION_BITS-1] && (sticky_7_q || fine_7_q[FRACTION_BITS] || (|fine_7_q[FRACTION_BITS-2:0]));
  wire far      = (fine_7_q[WIDE_BITS-1:TOP] != {(WIDE_BITS-TOP){negative}});

  wire [ROUNDED_BITS-1:0] rounded = {fine_7_q[TOP], fine_7_q[TOP:FRACTION_BITS]} + ROUNDED_BITS'(up);
  wire                    clipped = far || rounded[VEC_BITS+1:VEC_BITS-1] != {3{rounded[VEC_BITS+1]}};

  assign out_valid_o   = valid_q[7];
  assign out_last_o    = end_q[7];
  assign out_clipped_o = clipped;
  assign out_data_o    = clipped ? {negative, {(VEC_BITS-1){!negative}}} : rounded[VEC_BITS-1:0];
