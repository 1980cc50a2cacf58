  // Where the state of each slot's session lies; the registers show that of the selected slot.
  localparam int UNIT_BITS = ADDR_BITS - 6;

  reg  [SLOTS*UNIT_BITS-1:0] state_base_q;  // slot 0 lowest
  wire [ADDR_BITS-1:6]       state_base = state_base_q[32'(state_slot) * UNIT_BITS +: UNIT_BITS];

  assign state_base_o = state_base_q;

  for (genvar s = 0; s < SLOTS; s++) begin : gen_state_base
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) state_base_q[s*UNIT_BITS +: 26] <= '0;
      else if (write_state_base_lo && state_slot == SLOT_BITS'(s)) state_base_q[s*UNIT_BITS +: 26] <= w_data_q[31:6];
    end
  end
