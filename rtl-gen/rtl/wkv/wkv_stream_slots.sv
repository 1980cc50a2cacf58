  localparam int ELEMENT_BITS = anser_pkg::MEMORY_ELEMENT_BITS;

  // The walks of the words that come, while that matters, and of those that leave.
  wire                          coming, leaving, leave_last;
  wire [SLOT_BITS-1:0]          come_slot, leave_slot;
  wire [ADDR_BITS-1:0]          unused_come_word, unused_leave_word;
  wire                          unused_come_first, unused_come_last, unused_come_turn, unused_come_head;
  wire                          unused_leave_first, unused_leave_last, unused_leave_turn;
  wire                          in_ready, out_valid;
  wire [LANES*ELEMENT_BITS-1:0] back;  // the word that leaves, as it would come back from memory

  wire round     = prefill_i && !leave_last;  // the word that leaves goes to the next slot
  wire here      = !prefill_i || (coming && come_slot == home_i);  // the next word comes from outside
  wire in_valid  = here ? in_valid_i : (out_valid && round);
  wire out_ready = round ? (!here && in_ready) : out_ready_i;
  wire come      = in_valid && in_ready;
  wire leave     = out_valid && out_ready;
  wire come_load = go_i && prefill_i;
  wire [LANES*ELEMENT_BITS-1:0] in_data = here ? in_data_i : back;

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    assign back[l*ELEMENT_BITS +: ELEMENT_BITS] =
      {{(ELEMENT_BITS-STORED_BITS){out_data_o[l*STORED_BITS + STORED_BITS-1]}}, out_data_o[l*STORED_BITS +: STORED_BITS]};
  end

  assign in_ready_o  = here && in_ready;
  assign out_valid_o = out_valid && !round;
  assign out_slot_o  = prefill_i ? home_i : leave_slot;
  assign busy_o      = leaving;
