
  // Several sessions: each slot of a head begins where the head does, and brings its shifts to the stages that use them.
  wire                                  y_turn, y_head;  // the last word of a slot's rows of a head; no slot is left for the head
  wire                                  unused_turn, unused_head;
  wire [SLOT_BITS-1:0]                  slot, y_slot, unused_v_slot;
  wire [anser_pkg::WKV_Y_ADDR_BITS-1:0] v_row;
  wire                                  unused_row = &{1'b0, v_row};
  reg  [STATE_ADDR_BITS-1:0]            head_addr_q;
  reg  [2:1]                            y_turn_q, y_head_q;
  reg  [SLOT_BITS-1:0]                  slot_1_q, slot_2_q, slot_3_q, slot_4_q, y_slot_1_q, y_slot_2_q;
  reg  [SHIFT_BITS-1:0]                 shift_b_q, shift_vk_q, shift_y_q;
  wire [STATE_ADDR_BITS-1:0]            next_addr = s_addr_q + STATE_ADDR_BITS'(1);

  assign v_element = v_row[ROW_BITS-1:0];
  assign shift_b   = shift_b_q;
  assign shift_vk  = shift_vk_q;
  assign shift_y   = shift_y_q;
  assign slot_o    = slot;
  assign r_slot_o  = y_slot;
  assign s_of_o    = y_slot_2_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s_addr_q    <= '0;
      head_addr_q <= '0;
    end else if (go_i) begin
      s_addr_q    <= s_addr_i;
      head_addr_q <= s_addr_i;
    end else if (we_o) begin
      s_addr_q <= (y_turn_q[2] && !y_head_q[2]) ? head_addr_q : next_addr;
      if (y_turn_q[2] && y_head_q[2]) head_addr_q <= next_addr;
    end
  end

  always_ff @(posedge clk_i) begin
    slot_1_q   <= slot;
    slot_2_q   <= slot_1_q;
    slot_3_q   <= slot_2_q;
    slot_4_q   <= slot_3_q;
    shift_b_q  <= shift_b_i[slot_3_q*SHIFT_BITS +: SHIFT_BITS];
    shift_vk_q <= shift_vk_i[slot_4_q*SHIFT_BITS +: SHIFT_BITS];
    y_turn_q   <= {y_turn_q[1], y_turn};
    y_head_q   <= {y_head_q[1], y_head};
    y_slot_1_q <= y_slot;
    y_slot_2_q <= y_slot_1_q;
    shift_y_q  <= shift_y_i[y_slot_1_q*SHIFT_BITS +: SHIFT_BITS];
  end
