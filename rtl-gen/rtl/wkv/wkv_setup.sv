  localparam int SLOT_BITS  = anser_pkg::WKV_SLOT_BITS;
  localparam int EXP_BITS   = anser_pkg::EXP_BITS;
  localparam int SHIFT_BITS = anser_pkg::SHIFT_BITS;
  localparam int LEFT_BITS  = SHIFT_BITS + 2;  // a shift less two exponents, which may be negative

  reg                               run_q, go_q;
  reg [anser_pkg::COUNT_BITS-1:0]   op_q;
  reg [anser_pkg::WKV_INSTR_BITS-1:0] instr_q;
  wire                              accept = instr_valid_i && instr_ready_o;

  assign instr_ready_o = !run_q && !block_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q   <= 1'b0;
      go_q    <= 1'b0;
      op_q    <= '0;
      instr_q <= '0;
    end else begin
      go_q <= accept;
      if (accept) begin
        run_q   <= 1'b1;
        op_q    <= instr_idx_i;
        instr_q <= instr_i;
      end else if (finish_i) begin
        run_q <= 1'b0;
      end
    end
  end

  assign run_o        = run_q;
  assign go_o         = go_q;
  assign op_o         = op_q;
  assign n_head_o     = instr_q[anser_pkg::WKV_N_HEAD_LSB +: anser_pkg::WKV_N_HEAD_BITS];
  assign head_size_o  = instr_q[anser_pkg::WKV_HEAD_SIZE_LSB +: anser_pkg::WKV_HEAD_SIZE_BITS];
  assign head_words_o = instr_q[anser_pkg::WKV_HEAD_WORDS_LSB +: anser_pkg::WKV_HEAD_WORDS_BITS];
  assign s_addr_o     = instr_q[anser_pkg::WKV_S_ADDR_LSB +: anser_pkg::WKV_S_ADDR_BITS];
  assign y_addr_o     = instr_q[anser_pkg::WKV_Y_ADDR_LSB +: anser_pkg::WKV_Y_ADDR_BITS];
  wire unused_instr = &{1'b0, instr_q};  // the fetch unit reads the other fields

  wire [LEFT_BITS-1:0] sh_sa = LEFT_BITS'(instr_q[anser_pkg::WKV_SH_SA_LSB +: SHIFT_BITS]);
  wire [LEFT_BITS-1:0] sh_b  = LEFT_BITS'(instr_q[anser_pkg::WKV_SH_B_LSB +: SHIFT_BITS]);
  wire [LEFT_BITS-1:0] sh_vk = LEFT_BITS'(instr_q[anser_pkg::WKV_SH_VK_LSB +: SHIFT_BITS]);
  wire [LEFT_BITS-1:0] sh_y  = LEFT_BITS'(instr_q[anser_pkg::WKV_SH_Y_LSB +: SHIFT_BITS]);

  for (genvar s = 0; s < SLOTS; s++) begin : gen_slot
    // The exponents that enter a shift. That of d does not: d has 16 fraction bits, always.
    reg  [EXP_BITS-1:0] e_r_q, e_k_q, e_v_q, e_kk_q, e_b_q;
    wire [EXP_BITS-1:0] exponent = exp_i[s*EXP_BITS +: EXP_BITS];

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        e_r_q  <= '0;
        e_k_q  <= '0;
        e_v_q  <= '0;
        e_kk_q <= '0;
        e_b_q  <= '0;
      end else if (exp_we_i) begin
        if (exp_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_R)) e_r_q <= exponent;
        if (exp_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_K)) e_k_q <= exponent;
        if (exp_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_V)) e_v_q <= exponent;
        if (exp_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_KK)) e_kk_q <= exponent;
        if (exp_slot_i == SLOT_BITS'(anser_pkg::WKV_SLOT_B)) e_b_q <= exponent;
      end
    end

    // An exponent above its shift gives a negative difference, whose highest bit is set.
    wire [LEFT_BITS-1:0]  left_sa = sh_sa - LEFT_BITS'(e_kk_q);
    wire [LEFT_BITS-1:0]  left_b  = sh_b - LEFT_BITS'(e_b_q);
    wire [LEFT_BITS-1:0]  left_vk = sh_vk - LEFT_BITS'(e_v_q) - LEFT_BITS'(e_k_q);
    wire [LEFT_BITS-1:0]  left_y  = sh_y - LEFT_BITS'(e_r_q);
    reg  [SHIFT_BITS-1:0] shift_sa_q, shift_b_q, shift_vk_q, shift_y_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        shift_sa_q <= '0;
        shift_b_q  <= '0;
        shift_vk_q <= '0;
        shift_y_q  <= '0;
      end else if (go_q) begin
        shift_sa_q <= left_sa[LEFT_BITS-1] ? '0 : left_sa[SHIFT_BITS-1:0];
        shift_b_q  <= left_b[LEFT_BITS-1] ? '0 : left_b[SHIFT_BITS-1:0];
        shift_vk_q <= left_vk[LEFT_BITS-1] ? '0 : left_vk[SHIFT_BITS-1:0];
        shift_y_q  <= left_y[LEFT_BITS-1] ? '0 : left_y[SHIFT_BITS-1:0];
      end
    end
    wire unused_left = &{1'b0, left_sa, left_b, left_vk, left_y};

    assign shift_sa_o[s*SHIFT_BITS +: SHIFT_BITS] = shift_sa_q;
    assign shift_b_o[s*SHIFT_BITS +: SHIFT_BITS]  = shift_b_q;
    assign shift_vk_o[s*SHIFT_BITS +: SHIFT_BITS] = shift_vk_q;
    assign shift_y_o[s*SHIFT_BITS +: SHIFT_BITS]  = shift_y_q;
  end
