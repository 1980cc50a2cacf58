
  // Several sessions with the state on the chip: pass 1 asks how long a head is.
  reg [HEAD_TOTAL_BITS-1:0] head_total_q;

  always_ff @(posedge clk_i) begin
    if (go_q) head_total_q <= HEAD_TOTAL_BITS'(head_size_o) * HEAD_TOTAL_BITS'(head_words_o);
  end

  assign head_total_o = head_total_q;
