  wire [SLOTS-1:0] write_token = write_tokens_in | SLOTS'(write_token_in);
  wire             at_token    = at_token_in || (|at_tokens_in);
  wire             slots_may   = !(at_active && (w_data_q[SLOTS-1:0] == '0));

  reg  [SLOTS-1:0]     active_q;
  reg                  prefill_q;
  reg  [SLOT_BITS-1:0] home_q;

  // While one text is read side by side, all slots work.
  wire [SLOTS-1:0] active = active_q | {SLOTS{prefill_q}};

  // Whose session a token changes: of one text that all slots read, it is the slot that the text lives in.
  wire [SLOTS-1:0] mine = prefill_q ? (SLOTS'(1) << home_q) : active_q;

  assign active_o  = active;
  assign prefill_o = prefill_q;
  assign home_o    = home_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q  <= '1;
      prefill_q <= 1'b0;
      home_q    <= '0;
    end else begin
      if (write_active) active_q <= w_data_q[SLOTS-1:0];
      if (write_prefill) begin
        prefill_q <= w_data_q[anser_pkg::PREFILL_ON_LSB];
        home_q    <= w_data_q[SLOT_BITS-1:0];
      end
    end
  end
