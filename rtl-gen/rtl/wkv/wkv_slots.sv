  reg  [SLOT_BITS-1:0] slot_q;
  wire [SLOT_BITS-1:0] first, next;
  wire                 none;  // no active slot is left for this head
  wire [SLOT_BITS-1:0] after = slot_q + SLOT_BITS'(1);  // wraps

  assign slot_o = slot_q;
  assign last_o = prefill_i ? (after == home_i) : none;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) slot_q <= '0;
    else if (load_i) slot_q <= prefill_i ? home_i : first;
    else if (step_i) slot_q <= prefill_i ? after : next;
  end
