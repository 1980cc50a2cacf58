
  // Whose state is read and written: of one text that all slots read, it is the slot that the text lives in.
  wire [SLOTS-1:0]     state_slots  = regs_prefill ? (SLOTS'(1) << regs_home) : regs_active;
  wire [WORD_BITS-1:0] session_word = slices_vec_vw_data[32'(vec_sw_slot) * WORD_BITS +: WORD_BITS];
