
  // Several sessions: an embedding row is that of the token of one of them.
  reg [SLOT_BITS-1:0] a_slot_q;

  always_ff @(posedge clk_i) begin
    if (a_load) a_slot_q <= instr_i[anser_pkg::DMA_SLOT_LSB +: SLOT_BITS];
  end

  assign token = token_i[a_slot_q*TOKEN_BITS +: TOKEN_BITS];
