  localparam int VEC_BITS   = anser_pkg::VEC_BITS;
  localparam int SHIFT_BITS = anser_pkg::VEC_SHIFT_BITS;
  localparam int K_BITS     = anser_pkg::VEC_K_CONST_BITS;
  localparam int EPS_BITS   = anser_pkg::VEC_EPS_M_BITS;
  localparam int BASE_BITS  = anser_pkg::VEC_RSQ_BASE_BITS;
  localparam int BYTE_BITS  = 8;

  // The working value is as long as acc * k_const. u is a byte longer than acc. The product is summed over chunks of acc as long as
  // k_const; a factor of the multiplier has a sign bit more.
  localparam int U_BITS      = ACC_BITS + BYTE_BITS;
  localparam int FACTOR_BITS = K_BITS + 1;
  localparam int PROD_BITS   = 2 * FACTOR_BITS;
  localparam int CHUNKS      = ACC_BITS / K_BITS;
  localparam int ZERO_BYTES  = U_BITS / BYTE_BITS - 1;  // u has at most that many bytes of zeros in front, if it is not 0

  // A row of the ROM, from bit 0: c0, c1, c2. Below the highest bit of u stand BELOW_BITS bits of address and offset.
  localparam int C1_LSB     = C0_BITS;
  localparam int C2_LSB     = C0_BITS + C1_BITS;
  localparam int S_BITS     = C0_BITS + 1;
  localparam int BELOW_BITS = ROW_BITS - 1 + OFFSET_BITS;
  localparam int LOST       = ROM_FRAC - R_FRAC;

  localparam int STATE_BITS = 4;
  localparam int STEP_BITS  = 3;
  localparam [STATE_BITS-1:0] IDLE = 4'd0, EPS = 4'd1, NORM = 4'd2, ROM = 4'd3, C2T = 4'd4, S1 = 4'd5, S1T = 4'd6, S0 = 4'd7,
                              R = 4'd8, RK = 4'd9, PRODUCT = 4'd10, MUL = 4'd11, FLOOR = 4'd12, UP = 4'd13, WRITE = 4'd14;

  reg        [STATE_BITS-1:0]               state_q;
  reg        [STEP_BITS-1:0]                step_q;     // within NORM, MUL, FLOOR and the states that multiply
  reg        [anser_pkg::VEC_POST_BITS-1:0] post_q;
  reg        [K_BITS-1:0]                   k_const_q;
  reg        [SHIFT_BITS-1:0]               k_shift_q, eps_s_q;
  reg        [EPS_BITS-1:0]                 eps_m_q;
  reg        [U_BITS-1:0]                   eps_q;      // eps_m << eps_s, from two cycles after start_i on; EPS is no earlier
  reg        [BASE_BITS-1:0]                rsq_base_q;
  reg        [SEG_BITS-1:0]                 seg_q;

  reg        [WORK_BITS-1:0]   v_q;      // working value: acc * k_const so far, then u, then the number to round
  reg                          up_q;
  reg        [SHIFT_BITS-1:0]  zeros_q;  // pairs of leading zeros of u taken off so far
  reg                          mul_q;    // state MUL
  reg signed [S_BITS-1:0]      s_q;      // s1, then s0, then R
  reg signed [PROD_BITS-1:0]   prod_q;

  wire is_rsq  = (post_q == anser_pkg::POST_RSQ);
  wire is_mean = (post_q == anser_pkg::POST_MEAN);

  // -- Normalisation of u, a cycle each: which bytes are not 0, how many that are lead, shift by bytes, shift by pairs of bits.
  localparam int LEAD_BITS = $clog2(ZERO_BYTES + 1);
  localparam int TOP       = U_BITS - 1;

  reg  [ZERO_BYTES-1:0] byte_q;  // bit i: byte i + 1 is not 0
  reg  [LEAD_BITS-1:0]  lead;
  reg  [LEAD_BITS-1:0]  lead_q;  // bytes of zeros in front
  wire [U_BITS-1:0]     u_bytes = v_q[U_BITS-1:0] << {lead_q, {$clog2(BYTE_BITS){1'b0}}};
  wire [1:0]            pairs   = (v_q[TOP-1 +: 2] != '0) ? 2'd0 : (v_q[TOP-3 +: 2] != '0) ? 2'd1
                                : (v_q[TOP-5 +: 2] != '0) ? 2'd2 : 2'd3;
  wire [U_BITS-1:0]     u_pairs = v_q[U_BITS-1:0] << {pairs, 1'b0};

  for (genvar i = 0; i < ZERO_BYTES; i++) begin : gen_byte
    always_ff @(posedge clk_i) begin
      byte_q[i] <= |v_q[(i+1)*BYTE_BITS +: BYTE_BITS];
    end
  end

  always_comb begin
    lead = LEAD_BITS'(ZERO_BYTES);
    for (int i = 0; i < ZERO_BYTES; i++) begin
      if (byte_q[i]) lead = LEAD_BITS'(ZERO_BYTES - 1 - i);
    end
  end

  always_ff @(posedge clk_i) begin
    lead_q <= lead;
  end

  // After it the highest set bit is TOP (odd position) or the one below (even); the bits below it address the table.
  wire                  odd    = v_q[TOP];
  wire [BELOW_BITS-1:0] below  = odd ? v_q[TOP-BELOW_BITS +: BELOW_BITS] : v_q[TOP-1-BELOW_BITS +: BELOW_BITS];
  wire                  u_zero = (v_q[TOP-1 +: 2] == '0);
  wire [SHIFT_BITS-1:0] e      = u_zero ? '0 : SHIFT_BITS'(U_BITS / 2 - 1) - zeros_q;
  reg  [ROW_BITS-1:0]   index_q;  // of the table's row, from the second cycle of ROM on
  wire [WORD_BITS-1:0]  row;

  always_ff @(posedge clk_i) begin
    index_q <= {odd, below[BELOW_BITS-1:OFFSET_BITS]};
  end

  // -- Operands of the multiplier
  // A chunk of acc, the most significant one first, which alone has a sign.
  wire        [FACTOR_BITS-1:0] chunk  = (step_q == STEP_BITS'(0)) ? {sum_i[ACC_BITS-1], sum_i[3*K_BITS +: K_BITS]}
                                       : (step_q == STEP_BITS'(1)) ? {1'b0, sum_i[2*K_BITS +: K_BITS]}
                                       : (step_q == STEP_BITS'(2)) ? {1'b0, sum_i[K_BITS +: K_BITS]} : {1'b0, sum_i[K_BITS-1:0]};
  wire        [FACTOR_BITS-1:0] c2     = {{(FACTOR_BITS-C2_BITS){row[C2_LSB+C2_BITS-1]}}, row[C2_LSB +: C2_BITS]};
  wire signed [FACTOR_BITS-1:0] factor = $signed((state_q == MUL) ? chunk : (state_q == C2T) ? c2 : s_q[FACTOR_BITS-1:0]);
  wire                          by_t   = (state_q == C2T) || (state_q == S1T);
  wire signed [FACTOR_BITS-1:0] other  = $signed(by_t ? FACTOR_BITS'(below[OFFSET_BITS-1:0]) : {1'b0, k_const_q});
  reg  signed [FACTOR_BITS-1:0] factor_q, other_q;

  // -- The one wide adder: u = acc + eps, acc * k_const chunk by chunk, the last bit of a rounding. Of the states that add, UP alone is
  // above S0.
  wire [WORK_BITS-1:0] prod_wide = {{(WORK_BITS-PROD_BITS){prod_q[PROD_BITS-1]}}, prod_q};
  wire [WORK_BITS-1:0] sum_a     = mul_q ? {v_q[WORK_BITS-K_BITS-1:0], {K_BITS{1'b0}}} : v_q;
  wire [WORK_BITS-1:0] sum_b     = mul_q ? prod_wide : state_q[STATE_BITS-1] ? WORK_BITS'(up_q) : WORK_BITS'(eps_q);
  wire [WORK_BITS-1:0] sum       = sum_a + sum_b;

  // Rounding of prod by OFFSET_BITS bits and of s0 by LOST: the carry is the half bit, unless it is a tie and the floor is even.
  wire prod_up = prod_q[OFFSET_BITS-1] && (|prod_q[OFFSET_BITS-2:0] || prod_q[OFFSET_BITS]);
  wire r_up    = s_q[LOST-1] && (|s_q[LOST-2:0] || s_q[LOST]);
  wire signed [S_BITS-1:0] prod_floor = prod_q[OFFSET_BITS +: S_BITS];
  wire signed [S_BITS-1:0] h_base     = $signed((state_q == S1)
                                        ? {{(S_BITS-C1_BITS){row[C1_LSB+C1_BITS-1]}}, row[C1_LSB +: C1_BITS]}
                                        : {1'b0, row[C0_BITS-1:0]});

  wire [WORK_BITS-1:0] floor;
  wire                 up;
  // far_q: floor needs more than an element's bits and one. It is found while up is added; the sum then decides by its own low bits.
  reg                  far_q;
  wire                 was_clipped = far_q || (v_q[VEC_BITS+1:VEC_BITS-1] != {3{v_q[WORK_BITS-1]}});
  wire [VEC_BITS-1:0]  clipped     = was_clipped ? {v_q[WORK_BITS-1], {(VEC_BITS-1){!v_q[WORK_BITS-1]}}} : v_q[VEC_BITS-1:0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= IDLE;
      mul_q   <= 1'b0;
      step_q  <= '0;
      post_q  <= '0;
      seg_q   <= '0;
    end else begin
      step_q <= '0;
      case (state_q)
        IDLE: if (sum_valid_i) begin
          state_q <= is_rsq ? EPS : is_mean ? MUL : FLOOR;
          mul_q   <= is_mean;
        end
        EPS: state_q <= NORM;
        NORM: begin
          step_q <= step_q + STEP_BITS'(1);
          if (step_q == STEP_BITS'(3)) begin
            step_q  <= '0;
            state_q <= ROM;
          end
        end
        ROM: if (step_q[0]) state_q <= C2T;
        else step_q <= STEP_BITS'(1);
        C2T: if (step_q[0]) state_q <= S1;
        else step_q <= STEP_BITS'(1);
        S1: state_q <= S1T;
        S1T: if (step_q[0]) state_q <= S0;
        else step_q <= STEP_BITS'(1);
        S0: state_q <= R;
        R: state_q <= RK;
        RK: if (step_q[0]) state_q <= PRODUCT;
        else step_q <= STEP_BITS'(1);
        PRODUCT: state_q <= FLOOR;
        MUL: begin
          step_q <= step_q + STEP_BITS'(1);
          if (step_q == STEP_BITS'(CHUNKS + 1)) begin  // the multiplier takes two cycles
            step_q  <= '0;
            state_q <= FLOOR;
            mul_q   <= 1'b0;
          end
        end
        FLOOR: if (step_q[0]) state_q <= UP;
        else step_q <= STEP_BITS'(1);
        UP: state_q <= WRITE;
        default: begin
          state_q <= IDLE;
          seg_q   <= seg_q + SEG_BITS'(1);
        end
      endcase
      if (start_i) begin
        post_q <= post_i;
        seg_q  <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      k_const_q  <= k_const_i;
      k_shift_q  <= k_shift_i;
      eps_m_q    <= eps_m_i;
      eps_s_q    <= eps_s_i;
      rsq_base_q <= rsq_base_i;
    end
  end

  always_ff @(posedge clk_i) begin
    eps_q <= U_BITS'(eps_m_q) << eps_s_q;
  end

  always_ff @(posedge clk_i) begin
    case (state_q)
      IDLE: if (sum_valid_i) v_q <= is_mean ? '0 : {{(WORK_BITS-ACC_BITS){sum_i[ACC_BITS-1]}}, sum_i};
      EPS: v_q <= sum;
      NORM: begin
        if (step_q == STEP_BITS'(2)) begin
          v_q[U_BITS-1:0] <= u_bytes;
          zeros_q         <= {lead_q, 2'b0};
        end
        if (step_q == STEP_BITS'(3)) begin
          v_q[U_BITS-1:0] <= u_pairs;
          zeros_q[1:0]    <= pairs;
        end
      end
      PRODUCT: v_q <= prod_wide;
      MUL: if (step_q > STEP_BITS'(1)) v_q <= sum;
      FLOOR: if (step_q[0]) begin
        v_q  <= floor;
        up_q <= up;
      end
      UP: v_q <= sum;
      default: ;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (state_q == MUL || state_q == C2T || state_q == S1T || state_q == RK) begin
      factor_q <= factor;
      other_q  <= other;
      prod_q   <= factor_q * other_q;
    end
    far_q <= (v_q[WORK_BITS-1:VEC_BITS] != {(WORK_BITS-VEC_BITS){v_q[WORK_BITS-1]}});
    if (state_q == S1 || state_q == S0) s_q <= h_base + prod_floor + $signed({{(S_BITS-1){1'b0}}, prod_up});
    if (state_q == R) begin
      s_q <= u_zero ? '0 : $signed({{LOST{s_q[S_BITS-1]}}, s_q[S_BITS-1:LOST]}) + $signed({{(S_BITS-1){1'b0}}, r_up});
    end
  end

  // What the ROM and the rounding shift take.
  wire rom_re   = (state_q == ROM);
  wire round_en = (state_q == FLOOR);

  // -- Write
  localparam int SUM_BITS = BASE_BITS + 1;

  reg         [SHIFT_BITS-1:0] shift_e_q;  // e, kept while v_q is used again
  wire                         write = (state_q == WRITE);
  wire signed [SUM_BITS-1:0]   shift = $signed({rsq_base_q[BASE_BITS-1], rsq_base_q}) + $signed(SUM_BITS'(shift_e_q));
  wire                         below_0 = shift[SUM_BITS-1];
  wire                         above   = shift[SHIFT_BITS];

  always_ff @(posedge clk_i) begin
    if (state_q == ROM) shift_e_q <= e;
  end

  assign sum_ready_o = write;
  assign seg_o       = seg_q;
  assign mean_we_o   = write && is_mean;
  assign mult_we_o   = write && !is_mean;
  assign shift_we_o  = write && is_rsq;
  assign value_o     = clipped;
  assign shift_o     = below_0 ? '0 : above ? {SHIFT_BITS{1'b1}} : shift[SHIFT_BITS-1:0];
  assign last_o      = write && sum_last_i;
  assign sat_o       = write && was_clipped && !is_rsq;
  assign busy_o      = (state_q != IDLE);
