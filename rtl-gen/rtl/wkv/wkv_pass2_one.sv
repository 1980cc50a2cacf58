
  // One session: rows and words lie one after the other, and the shifts are those of the instruction.
  reg [ROW_BITS-1:0] v_element_q;

  assign v_element = v_element_q;
  assign shift_b   = shift_b_i;
  assign shift_vk  = shift_vk_i;
  assign shift_y   = shift_y_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      v_element_q <= '0;
      s_addr_q    <= '0;
    end else begin
      if (go_i) v_element_q <= '0;
      else if (take_row) v_element_q <= v_element_q + ROW_BITS'(1);
      if (go_i) s_addr_q <= s_addr_i;
      else if (we_o) s_addr_q <= s_addr_q + STATE_ADDR_BITS'(1);
    end
  end
