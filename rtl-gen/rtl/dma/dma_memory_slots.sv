
  // Several sessions: the state of each has a base of its own, which is added piece by piece. A beat's tag says whether it is to be
  // read as 0, because that depends on the slot.
  wire [SLOT_BITS-1:0] state_slot;
  wire [SLOT_BITS-1:0] state_only = instr_i[anser_pkg::DMA_SLOT_LSB +: SLOT_BITS];
  wire [anser_pkg::WKV_N_HEAD_BITS-1:0] state_heads = instr_i[anser_pkg::DMA_COLS_LSB +: anser_pkg::WKV_N_HEAD_BITS];
  reg                  b_zero_q, c_zero_q;

  assign base       = (is_state || is_session) ? '0 : image_base_i;
  assign piece_base = (|a_to_q) ? state_base_i[state_slot*UNIT_BITS +: UNIT_BITS] : '0;

  always_ff @(posedge clk_i) begin
    if (b_load) b_zero_q <= (|a_to_q) && zero_i[state_slot];
    if (c_load) c_zero_q <= b_zero_q;
  end
