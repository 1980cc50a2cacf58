  // Pointers and flags of the queue. The flags are kept beside the pointers, so that no handshake waits for a comparison.
  localparam int ADDR_BITS = $clog2(DEPTH);

  reg [ADDR_BITS-1:0] wptr_q, rptr_q, rnext_q;  // rnext: the entry after the oldest
  reg                 full_q, some_q, one_q;

  wire                 push = in_valid_i && !full_q;
  wire                 pop;  // the entry at rptr_q goes
  wire [ADDR_BITS-1:0] wptr_next = wptr_q + ADDR_BITS'(1);
  wire [ADDR_BITS-1:0] rnext_2   = rnext_q + ADDR_BITS'(1);

  assign in_ready_o = !full_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wptr_q  <= '0;
      rptr_q  <= '0;
      rnext_q <= ADDR_BITS'(1);
      full_q  <= 1'b0;
      some_q  <= 1'b0;
      one_q   <= 1'b0;
    end else begin
      if (push) wptr_q <= wptr_next;
      if (pop) rptr_q <= rnext_q;
      if (pop) rnext_q <= rnext_2;
      full_q <= !pop && (full_q || (push && wptr_next == rptr_q));
      some_q <= push || (some_q && !(pop && one_q));
      one_q  <= (push == pop) ? one_q : push ? !some_q : (rnext_2 == wptr_q);
    end
  end
