
  assign busy_o    = instr_valid_i || record_valid || red_busy || pending;
  assign started_o = open;

  reg [SAT_BITS-1:0] sat_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) sat_q <= '0;
    else sat_q <= clipped + SAT_BITS'(scalar_sat && scalar_here);
  end

  assign sat_o = sat_q;

  // -- Stage 1: what the operands need.
  reg [anser_pkg::VEC_X_SEL_BITS-1:0] x_sel_q;
  reg [anser_pkg::VEC_M_SEL_BITS-1:0] m_sel_q;
  reg [anser_pkg::VEC_C_SEL_BITS-1:0] c_sel_q;
  reg                                 scalar_shift_q;
  reg [LANES*PARAM_BITS-1:0]          p_q;

  always_ff @(posedge clk_i) begin
    if (go) begin
      x_sel_q        <= f_x_sel;
      m_sel_q        <= f_m_sel;
      // An element of a session vector comes where a parameter does.
      c_sel_q        <= (STATE_IN_MEMORY != 0 && f_c_sel == anser_pkg::C_SESSION) ? anser_pkg::C_P : f_c_sel;
      scalar_shift_q <= (f_shift_sel == anser_pkg::SHIFT_SCALAR);
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_params) p_q <= p_word;
  end

  // -- Stage 2: what came out of the memories, and what selects from it, one bit a case (see vec_lane).
  wire [X_CASES-1:0]         x_is;
  wire [M_CASES-1:0]         m_is;
  wire [C_CASES-1:0]         c_is;
  reg [X_CASES-1:0]          x_is_2_q;
  reg [M_CASES-1:0]          m_is_2_q;
  reg [C_CASES-1:0]          c_is_2_q;
  reg [LANES*PARAM_BITS-1:0] p_2_q;
  reg [LANES*VEC_BITS-1:0]   a_2_q, b_2_q;
  reg [VEC_BITS-1:0]         mean_2_q, mult_2_q;

  always_ff @(posedge clk_i) begin
    if (v[0]) begin
      x_is_2_q <= x_is;
      m_is_2_q <= m_is;
      c_is_2_q <= c_is;
      p_2_q    <= p_q;
      a_2_q    <= va_data_i;
      b_2_q    <= vb_data_i;
      mean_2_q <= s_mean;
      mult_2_q <= s_mult;
    end
  end

  // -- The reduction under way
  reg [anser_pkg::COUNT_BITS-1:0] red_op_q;
  reg                             red_product_q;

  always_ff @(posedge clk_i) begin
    if (begin_red) begin
      red_op_q      <= instr_idx_i;
      red_product_q <= (f_acc_sel == anser_pkg::ACC_PRODUCT);
    end
  end

  // Scalars of another slice's instruction are computed here too, and not kept.
  wire mean_keep  = mean_we && scalar_here;
  wire mult_keep  = mult_we && scalar_here;
  wire shift_keep = shift_we && scalar_here;

  assign trace_sreg_valid_o = mean_we || mult_we;
  assign trace_sreg_op_o    = red_op_q;
  assign trace_sreg_seg_o   = TRACE_SEG_BITS'(scalar_seg);
  assign trace_sreg_mean_o  = mean_we ? scalar_value : '0;
  assign trace_sreg_mult_o  = mult_we ? scalar_value : '0;
  assign trace_sreg_shift_o = shift_we ? scalar_shift : '0;
