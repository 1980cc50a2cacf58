  for (genvar s = 0; s < SLOTS; s++) begin : gen_state_base_high
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        state_base_q[s*UNIT_BITS+26 +: ADDR_BITS-32] <= '0;
      end else if (write_state_base_hi && state_slot == SLOT_BITS'(s)) begin
        state_base_q[s*UNIT_BITS+26 +: ADDR_BITS-32] <= w_data_q[ADDR_BITS-33:0];
      end
    end
  end
