  // A row of the ROM, from bit 0: c0, c1, c2. The offset in a segment is unsigned; T_BITS has a sign bit, which is 0.
  localparam int C1_LSB  = C0_BITS;
  localparam int C2_LSB  = C0_BITS + C1_BITS;
  localparam int T_BITS  = OFFSET_BITS + 1;
  localparam int P1_BITS = C2_BITS + OFFSET_BITS;
  localparam int P0_BITS = C1_BITS + OFFSET_BITS;
  localparam int S0_BITS = C0_BITS + 1;
  // sigmoid and decay drop LOST bits of s0; tanh is twice as much and drops one bit less
  localparam int LOST    = ROM_FRAC - OUT_FRAC;
  localparam int H_BITS  = S0_BITS - LOST + 1;
  localparam int SIGN    = IN_BITS - 1;

  // -- Row and offset: sigmoid reads |z|, tanh the sigmoid of 2|z|, decay z plus half the range.
  wire                is_tanh  = (sel_i == anser_pkg::LUT_TANH);
  wire                is_decay = (sel_i == anser_pkg::LUT_DECAY);
  wire [SIGN:0]       mag      = z_i[SIGN] ? (~z_i + IN_BITS'(1)) : z_i;  // |z|, up to 2^SIGN
  wire                beyond   = mag[SIGN] || (is_tanh && mag[SIGN-1]);
  wire [SIGN-1:0]     half_a   = beyond ? {SIGN{1'b1}} : is_tanh ? {mag[SIGN-2:0], 1'b0} : mag[SIGN-1:0];
  wire [ROW_BITS-1:0] row      = is_decay ? (ROW_BITS'({!z_i[SIGN], z_i[SIGN-1:OFFSET_BITS]}) + ROW_BITS'(DECAY_ROW))
                                          : ROW_BITS'(half_a[SIGN-1:OFFSET_BITS]);
  wire [OFFSET_BITS-1:0] offset = is_decay ? z_i[OFFSET_BITS-1:0] : half_a[OFFSET_BITS-1:0];

  wire        [WORD_BITS-1:0] rom_row;
  reg         [WORD_BITS-1:0] row_1_q;
  reg  signed [T_BITS-1:0]    t_0_q, t_1_q, t_2_q, t_3_q;
  reg                         tanh_0_q, tanh_1_q, tanh_2_q, tanh_3_q, tanh_4_q, tanh_5_q;
  // the mirrored half: z is negative and the table is not decay
  reg                         flip_0_q, flip_1_q, flip_2_q, flip_3_q, flip_4_q, flip_5_q;
  reg         [C0_BITS-1:0]   c0_2_q, c0_3_q, c0_4_q;
  reg  signed [C1_BITS-1:0]   c1_2_q, s1_3_q;
  reg  signed [P1_BITS-1:0]   p1_2_q;
  reg  signed [P0_BITS-1:0]   p0_4_q;
  reg  signed [S0_BITS-1:0]   s0_5_q;

  // Rounding by OFFSET_BITS bits: the carry is the half bit, unless it is a tie and the floor is even.
  wire p1_up = p1_2_q[OFFSET_BITS-1] && (|p1_2_q[OFFSET_BITS-2:0] || p1_2_q[OFFSET_BITS]);
  wire p0_up = p0_4_q[OFFSET_BITS-1] && (|p0_4_q[OFFSET_BITS-2:0] || p0_4_q[OFFSET_BITS]);

  always_ff @(posedge clk_i) begin
    if (en_i[0]) begin
      t_0_q    <= $signed({1'b0, offset});
      tanh_0_q <= is_tanh;
      flip_0_q <= z_i[SIGN] && !is_decay;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[1]) begin
      row_1_q  <= rom_row;
      t_1_q    <= t_0_q;
      tanh_1_q <= tanh_0_q;
      flip_1_q <= flip_0_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[2]) begin
      p1_2_q   <= P1_BITS'($signed(row_1_q[C2_LSB +: C2_BITS]) * t_1_q);
      c1_2_q   <= $signed(row_1_q[C1_LSB +: C1_BITS]);
      c0_2_q   <= row_1_q[C0_BITS-1:0];
      t_2_q    <= t_1_q;
      tanh_2_q <= tanh_1_q;
      flip_2_q <= flip_1_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[3]) begin
      s1_3_q   <= c1_2_q + $signed({{(C1_BITS-C2_BITS){p1_2_q[P1_BITS-1]}}, p1_2_q[P1_BITS-1:OFFSET_BITS]})
                  + $signed({{(C1_BITS-1){1'b0}}, p1_up});
      c0_3_q   <= c0_2_q;
      t_3_q    <= t_2_q;
      tanh_3_q <= tanh_2_q;
      flip_3_q <= flip_2_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[4]) begin
      p0_4_q   <= P0_BITS'(s1_3_q * t_3_q);
      c0_4_q   <= c0_3_q;
      tanh_4_q <= tanh_3_q;
      flip_4_q <= flip_3_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en_i[5]) begin
      s0_5_q   <= $signed({1'b0, c0_4_q}) + $signed({{(S0_BITS-C1_BITS){p0_4_q[P0_BITS-1]}}, p0_4_q[P0_BITS-1:OFFSET_BITS]})
                  + $signed({{(S0_BITS-1){1'b0}}, p0_up});
      tanh_5_q <= tanh_4_q;
      flip_5_q <= flip_4_q;
    end
  end

  // -- Back to OUT_FRAC fraction bits. sigmoid(-z) = 1 - sigmoid(z); tanh(z) = 2 sigmoid(2z) - 1 is odd.
  wire              twice_up = s0_5_q[LOST-2] && (|s0_5_q[LOST-3:0] || s0_5_q[LOST-1]);
  wire              once_up  = s0_5_q[LOST-1] && (|s0_5_q[LOST-2:0] || s0_5_q[LOST]);
  wire [H_BITS-1:0] h        = tanh_5_q ? (s0_5_q[S0_BITS-1:LOST-1] + H_BITS'(twice_up))
                                        : ({s0_5_q[S0_BITS-1], s0_5_q[S0_BITS-1:LOST]} + H_BITS'(once_up));
  wire [H_BITS-1:0] one      = H_BITS'(1) << OUT_FRAC;
  wire [H_BITS-1:0] y        = flip_5_q ? (one - h) : tanh_5_q ? (h - one) : h;

  assign y_o = y[OUT_BITS-1:0];

  wire unused_y = &{1'b0, y[H_BITS-1:OUT_BITS]};  // a second sign bit
