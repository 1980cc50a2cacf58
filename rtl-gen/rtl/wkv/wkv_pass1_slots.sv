
  // Several sessions: the next slot of a head begins where the head does, and the shift goes with the slot.
  wire                             turn, head;   // the last word of a slot's rows of a head; no slot is left for the head
  wire [SLOT_BITS-1:0]             slot;
  reg  [STATE_ADDR_BITS-1:0]       head_addr_q;
  reg  [SLOT_BITS-1:0]             slot_1_q, slot_2_q, slot_3_q;
  reg  [anser_pkg::SHIFT_BITS-1:0] shift_sa_q;

  assign next_addr = (turn && !head) ? head_addr_q : s_addr_q + STATE_ADDR_BITS'(1);
  assign shift_sa  = shift_sa_q;
  assign kk_slot_o = slot_2_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) head_addr_q <= '0;
    else if (go_i) head_addr_q <= s_addr_i;
    else if (read && turn && head) head_addr_q <= s_addr_q + STATE_ADDR_BITS'(1);
  end

  always_ff @(posedge clk_i) begin
    slot_1_q   <= slot;
    slot_2_q   <= slot_1_q;
    slot_3_q   <= slot_2_q;
    shift_sa_q <= shift_sa_i[slot_3_q*anser_pkg::SHIFT_BITS +: anser_pkg::SHIFT_BITS];
  end
