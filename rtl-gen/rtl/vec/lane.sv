  localparam int VEC_BITS = anser_pkg::VEC_BITS;

  // -- Stage 2: operands. A factor has one bit more than an element, because it may be a difference of two.
  wire signed [FACTOR_BITS-1:0] a    = $signed({a_i[VEC_BITS-1], a_i});
  wire signed [FACTOR_BITS-1:0] b    = $signed({b_i[VEC_BITS-1], b_i});
  wire signed [FACTOR_BITS-1:0] p    = $signed({{(FACTOR_BITS-PARAM_BITS){p_i[PARAM_BITS-1]}}, p_i});
  wire signed [FACTOR_BITS-1:0] mean = $signed({mean_i[VEC_BITS-1], mean_i});
  wire signed [FACTOR_BITS-1:0] mult = $signed({mult_i[VEC_BITS-1], mult_i});

  wire x_zero = !live_i || x_is_i[X_IS_ZERO] || (x_is_i[X_IS_RELU_A] && a_i[VEC_BITS-1]);
  wire signed [FACTOR_BITS-1:0] sub = ({FACTOR_BITS{x_is_i[X_IS_A_MINUS_B]}} & b)
                                      | ({FACTOR_BITS{x_is_i[X_IS_A_MINUS_MEAN]}} & mean)
                                      | (FACTOR_BITS'(x_is_i[X_IS_A_MINUS_ONE]) << ONE_FRAC);
  wire signed [FACTOR_BITS-1:0] m   = ({FACTOR_BITS{m_is_i[M_IS_P]}} & p)
                                      | ({FACTOR_BITS{m_is_i[M_IS_B]}} & b)
                                      | ({FACTOR_BITS{m_is_i[M_IS_SCALAR]}} & mult)
                                      | FACTOR_BITS'(m_is_i == '0);
  wire signed [FACTOR_BITS-1:0] c   = {FACTOR_BITS{live_i}}
                                      & (({FACTOR_BITS{c_is_i[C_IS_A]}} & a)
                                         | ({FACTOR_BITS{c_is_i[C_IS_B]}} & b)
                                         | ({FACTOR_BITS{c_is_i[C_IS_P]}} & p)
                                         | (FACTOR_BITS'(c_is_i[C_IS_ONE]) << ONE_FRAC));

  // -- Stages 3 to 9
  reg signed [VEC_BITS-1:0]     a_3_q;
  reg signed [FACTOR_BITS-1:0]  sub_3_q, m_3_q, x_4_q, m_4_q;
  reg                           x_zero_3_q, m_is_x_3_q;
  reg signed [VEC_BITS-1:0]     c_3_q, c_4_q, c_5_q, c_6_q, c_7_q;
  reg signed [ADDEND_BITS-1:0]  c_8_q;
  reg signed [PRODUCT_BITS-1:0] floor_8_q;
  reg                           up_8_q;
  reg signed [Z_BITS-1:0]       z_9_q;
  reg        [VEC_BITS-1:0]     o_q;
  reg                           clip_q;

  wire signed [FACTOR_BITS-1:0] x = x_zero_3_q ? '0 : $signed({a_3_q[VEC_BITS-1], a_3_q}) - sub_3_q;

  wire [PRODUCT_BITS-1:0]   floor;
  wire                      up;
  wire [VEC_BITS-1:0]       o;
  wire                      clip;
  wire [TABLE_OUT_BITS-1:0] table_y;

  always_ff @(posedge clk_i) begin
    if (v_i[1]) begin
      a_3_q      <= $signed(a_i);
      sub_3_q    <= sub;
      x_zero_3_q <= x_zero;
      m_3_q      <= m;
      m_is_x_3_q <= m_is_i[M_IS_X];
      c_3_q      <= c[VEC_BITS-1:0];
    end
  end

  always_ff @(posedge clk_i) begin
    if (v_i[2]) begin
      x_4_q <= x;
      m_4_q <= m_is_x_3_q ? x : m_3_q;
      c_4_q <= c_3_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (v_i[3]) c_5_q <= c_4_q;
  end

  always_ff @(posedge clk_i) begin
    if (v_i[4]) c_6_q <= c_5_q;
  end

  always_ff @(posedge clk_i) begin
    if (v_i[5]) c_7_q <= c_6_q;
  end

  always_ff @(posedge clk_i) begin
    if (v_i[6]) begin
      floor_8_q <= $signed(floor);
      up_8_q    <= up;
      c_8_q     <= $signed({{(ADDEND_BITS-VEC_BITS){c_7_q[VEC_BITS-1]}}, c_7_q}) <<< pshift_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (v_i[7]) begin
      z_9_q <= $signed({floor_8_q[PRODUCT_BITS-1], floor_8_q})
               + $signed({{(Z_BITS-ADDEND_BITS){c_8_q[ADDEND_BITS-1]}}, c_8_q})
               + $signed({{(Z_BITS-1){1'b0}}, up_8_q});
    end
  end

  // -- Table path: clip to what lut_shift can bring into range, round, clip to the table's input.
  wire [CLIP_BITS-1:0]     z_clipped;
  wire [CLIP_BITS-1:0]     z_floor;
  wire                     z_up;
  reg  [CLIP_BITS-1:0]     z_floor_3_q;
  reg                      z_up_3_q;
  wire [CLIP_BITS-1:0]     z_rounded = z_floor_3_q + CLIP_BITS'(z_up_3_q);
  wire [TABLE_IN_BITS-1:0] z_in;
  wire                     unused_clipped, unused_in_clipped;
  reg  [CLIP_BITS-1:0]     z_clipped_1_q;
  reg  [TABLE_IN_BITS-1:0] z_in_4_q;

  always_ff @(posedge clk_i) begin
    if (lv_i[0]) z_clipped_1_q <= z_clipped;
  end

  always_ff @(posedge clk_i) begin
    if (lv_i[2]) begin
      z_floor_3_q <= z_floor;
      z_up_3_q    <= z_up;
    end
  end

  always_ff @(posedge clk_i) begin
    if (lv_i[3]) z_in_4_q <= z_in;
  end

  // -- Result
  wire                from_table = lv_i[TABLE_STAGES];
  wire [VEC_BITS-1:0] table_wide = {{(VEC_BITS-TABLE_OUT_BITS){table_y[TABLE_OUT_BITS-1]}}, table_y};

  always_ff @(posedge clk_i) begin
    if (from_table || v_i[LANE_STAGES-1]) begin
      o_q    <= from_table ? table_wide & {VEC_BITS{live_end_i}} : o;
      clip_q <= !from_table && clip;
    end
  end

  wire unused_c = &{1'b0, c[FACTOR_BITS-1], v_i[0]};  // a sign bit, because every addend fits an element; vec uses v_i[0]

  assign o_o    = o_q;
  assign clip_o = clip_q;
