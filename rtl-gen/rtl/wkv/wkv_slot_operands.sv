  // Whose memories are read, one bit a slot, and whose word is on the outputs.
  wire [SLOTS-1:0]     kk_en  = {SLOTS{kk_en_i}} & (SLOTS'(1) << kk_whose_i);
  wire [SLOTS-1:0]     row_en = {SLOTS{row_en_i}} & (SLOTS'(1) << row_whose_i);
  wire [SLOTS-1:0]     r_en   = {SLOTS{r_en_i}} & (SLOTS'(1) << r_whose_i);
  reg  [SLOT_BITS-1:0] kk_whose_q, row_whose_q, r_whose_q;

  always_ff @(posedge clk_i) begin
    if (kk_en_i) kk_whose_q <= kk_whose_i;
    if (row_en_i) row_whose_q <= row_whose_i;
    if (r_en_i) r_whose_q <= r_whose_i;
  end

  // The words of all slots, slot 0 lowest.
  wire [SLOTS*WORD_BITS-1:0] kk_words, d_words, b_words, k_words, v_words, r_words;

  assign kk_o = kk_words[kk_whose_q*WORD_BITS +: WORD_BITS];
  assign d_o  = d_words[row_whose_q*WORD_BITS +: WORD_BITS];
  assign b_o  = b_words[row_whose_q*WORD_BITS +: WORD_BITS];
  assign k_o  = k_words[row_whose_q*WORD_BITS +: WORD_BITS];
  assign v_o  = v_words[row_whose_q*WORD_BITS +: WORD_BITS];
  assign r_o  = r_words[r_whose_q*WORD_BITS +: WORD_BITS];
