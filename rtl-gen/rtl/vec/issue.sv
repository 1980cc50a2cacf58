
  localparam int WORD_BITS   = anser_pkg::VEC_N_WORDS_BITS;
  localparam int ADDR_BITS   = anser_pkg::VEC_A_ADDR_BITS;
  localparam int SHIFT_BITS  = anser_pkg::VEC_SHIFT_BITS;
  localparam int S_BITS      = $clog2(AMAX_BITS + 1);
  localparam int CREDIT_BITS = $clog2(QUEUE + 1);
  localparam int GAP_BITS    = $clog2(TABLE_STAGES + 1);

  reg  [WORD_BITS-1:0]   word_q, seg_word_q;
  reg  [ADDR_BITS-1:0]   a_addr_q, b_addr_q;    // of this word
  reg                    first_q, last_q;       // this word is the instruction's first; its last
  reg                    seg_end_q, sum_end_q;  // it is its segment's last; and the segment is summed
  reg  [SEG_BITS-1:0]    seg_q;
  reg  [GAP_BITS-1:0]    gap_q;        // cycles until a word without table cannot meet one from the table
  reg  [CREDIT_BITS-1:0] credit_q;     // sums that the reduction still has room for
  reg                    credit_ok_q;  // there is room for one
  // The instruction that was on offer a cycle ago and still is: whether it has begun or may begin, and what it is.
  reg                    run_q, seg_one_q, is_red_q, uses_p_q, uses_b_q, is_lut_q;
  reg  [S_BITS-1:0]      exp_q;  // S(amax) when the instruction began

  wire is_red = (f_post != anser_pkg::POST_NONE);
  wire is_lut = (f_lut != anser_pkg::LUT_NONE);
  wire uses_p = (f_m_sel == anser_pkg::M_P) || (f_c_sel == anser_pkg::C_P) || is_session;
  wire uses_b = (f_x_sel == anser_pkg::X_A_MINUS_B) || (f_m_sel == anser_pkg::M_B) || (f_c_sel == anser_pkg::C_B);

  wire may_open = record_ready_i && !report_full_i && (!f_drain || drained_i) && !(is_red && red_busy_i)
                  && (is_lut || gap_q == '0);
  wire go       = instr_valid_i && en_i && run_q && (!uses_p_q || p_valid_i)
                  && (!sum_end_q || credit_ok_q);
  wire send_sum = go && sum_end_q;
  // The word after this one. As long as the first word may not go, what the instruction says of it.
  wire next_end     = (word_q + WORD_BITS'(2) == f_n_words);
  wire next_seg_end = next_end || (seg_end_q ? seg_one_q : (seg_word_q + WORD_BITS'(2) == f_seg_words));
  wire one          = (f_n_words == WORD_BITS'(1));
  wire seg_one      = one || (f_seg_words == WORD_BITS'(1));
  wire [CREDIT_BITS-1:0] credit_next = (send_sum == sum_popped_i) ? credit_q
                                     : send_sum ? credit_q - CREDIT_BITS'(1) : credit_q + CREDIT_BITS'(1);

  assign go_o          = go;
  assign open_o        = go && first_q;
  assign last_o        = last_q;
  assign reduce_o      = is_red_q;
  assign begin_o       = run_q && first_q && is_red_q;
  assign instr_ready_o = go && last_q;
  assign take_params_o = go && uses_p_q;
  assign va_en_o       = go;
  assign vb_en_o       = go && uses_b_q;
  assign va_addr_o     = a_addr_q;
  assign vb_addr_o     = b_addr_q;
  assign seg_o         = seg_q;

  // S(amax): the significant bits of the largest magnitude that a mantissa has no room for.
  reg [S_BITS-1:0] s_amax;

  always_comb begin
    s_amax = '0;
    for (int i = 0; i < AMAX_BITS; i++) begin
      if (amax_i[i]) s_amax = S_BITS'(i + 1);
    end
  end

  wire [S_BITS-1:0]     s_word  = first_q ? s_amax : exp_q;
  wire                  by_amax = (f_shift_sel == anser_pkg::SHIFT_AMAX);

  assign shift_o = by_amax ? SHIFT_BITS'(s_word) : f_shift;

  assign tag_o[TAG_LIVE_LSB +: TAG_LIVE_BITS] = last_q ? f_tail : TAG_LIVE_BITS'(LANES);
  assign tag_o[TAG_LAST_LSB]                  = last_q;
  assign tag_o[TAG_SEG_END_LSB]               = seg_end_q;
  assign tag_o[TAG_RED_LSB]                   = is_red_q;
  assign tag_o[TAG_TO_VMEM_LSB]               = (f_dest == anser_pkg::DEST_VMEM);

  assign record_o[REC_OP_LSB +: REC_OP_BITS]         = instr_idx_i;
  assign record_o[REC_D_ADDR_LSB +: REC_D_ADDR_BITS] = f_d_addr;
  assign record_o[REC_DEST_LSB +: REC_DEST_BITS]     = f_dest;
  assign record_o[REC_SLOT_LSB +: REC_SLOT_BITS]     = f_slot;
  assign record_o[REC_EXP_LSB +: REC_EXP_BITS]       = by_amax ? REC_EXP_BITS'(s_amax) : '0;
  assign record_o[REC_AMAX_LSB]                      = f_amax;
  assign record_o[REC_AMAX_KEEP_LSB]                 = f_amax_keep;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q      <= '0;
      seg_word_q  <= '0;
      first_q     <= 1'b1;
      last_q      <= 1'b0;
      seg_end_q   <= 1'b0;
      sum_end_q   <= 1'b0;
      seg_q       <= '0;
      gap_q       <= '0;
      credit_q    <= CREDIT_BITS'(QUEUE);
      credit_ok_q <= 1'b1;
      run_q       <= 1'b0;
      seg_one_q   <= 1'b0;
      is_red_q    <= 1'b0;
      uses_p_q    <= 1'b0;
      uses_b_q    <= 1'b0;
      is_lut_q    <= 1'b0;
      exp_q       <= '0;
    end else begin
      if (go) begin
        word_q     <= last_q ? '0 : word_q + WORD_BITS'(1);
        seg_word_q <= seg_end_q ? '0 : seg_word_q + WORD_BITS'(1);
        first_q    <= last_q;
        last_q     <= next_end;
        seg_end_q  <= next_seg_end;
        sum_end_q  <= next_seg_end && is_red_q;
        seg_q      <= last_q ? '0 : seg_end_q ? seg_q + SEG_BITS'(1) : seg_q;
      end
      if (!go && first_q) begin
        last_q    <= one;
        seg_end_q <= seg_one;
        sum_end_q <= seg_one && is_red;
      end
      if (go && first_q) exp_q <= s_amax;
      if (go && is_lut_q) gap_q <= GAP_BITS'(TABLE_STAGES);
      else if (en_i && gap_q != '0) gap_q <= gap_q - GAP_BITS'(1);
      credit_q    <= credit_next;
      credit_ok_q <= (credit_next != '0);
      run_q       <= instr_valid_i && !(go && last_q) && (!first_q || go || may_open);
      seg_one_q   <= (f_seg_words == WORD_BITS'(1));
      is_red_q    <= is_red;
      uses_p_q    <= uses_p;
      uses_b_q    <= uses_b;
      is_lut_q    <= is_lut;
    end
  end

  // A first word goes one cycle after it is on offer, at the earliest.
  always_ff @(posedge clk_i) begin
    if (go) begin
      a_addr_q <= a_addr_q + ADDR_BITS'(1);
      b_addr_q <= b_addr_q + ADDR_BITS'(1);
    end else if (first_q) begin
      a_addr_q <= f_a_addr;
      b_addr_q <= f_b_addr;
    end
  end

  wire unused_instr = &{1'b0, instr_i};  // the other fields are read elsewhere
