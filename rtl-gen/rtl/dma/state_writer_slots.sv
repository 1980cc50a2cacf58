
  // Several sessions: a burst also ends before a word of another slot.
  reg [SLOT_BITS-1:0] run_slot_q;  // whose burst is under way

  assign slot  = r_valid_i ? r_slot_i : v_slot_i;
  assign kept  = slots_i[v_slot_i];
  assign close = flush_q || (begun && run_slot_q != slot && (r_valid_i || v_valid_i));

  always_ff @(posedge clk_i) begin
    if (accept) run_slot_q <= slot;
  end
