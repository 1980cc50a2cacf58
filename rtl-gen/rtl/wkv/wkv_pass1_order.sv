
  // While prefill_i is high a slot reads what the one before it wrote: a word may be read when no more than a head's other words are still to be
  // written.
  reg [HEAD_TOTAL_BITS-1:0] open_q;  // words read and not yet written

  assign allowed  = !prefill_i || open_q < head_total_i;
  assign s_slot_o = prefill_i ? home_i : slot;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) open_q <= '0;
    else if (read != write_i) open_q <= read ? open_q + HEAD_TOTAL_BITS'(1) : open_q - HEAD_TOTAL_BITS'(1);
  end
