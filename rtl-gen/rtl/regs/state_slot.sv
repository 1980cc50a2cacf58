  reg  [SLOT_BITS-1:0] state_slot_q;
  wire [SLOT_BITS-1:0] state_slot = state_slot_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) state_slot_q <= '0;
    else if (write_state_slot) state_slot_q <= w_data_q[SLOT_BITS-1:0];
  end
