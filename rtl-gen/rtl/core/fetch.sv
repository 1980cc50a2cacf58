  localparam int ADDR_BITS = $clog2(DEPTH);

  reg                 active_q;    // the program has instructions that are not read yet
  reg [ADDR_BITS-1:0] pc_q;        // next instruction to read
  reg                 rvalid_q;    // the RAM's output holds the instruction after instr_q
  reg                 known_q;     // next_* describe it: a memory and a comparison are too much for one cycle
  reg                 next_last_q;
  reg                 valid_q;     // instr_q holds the instruction on offer
  reg                 holds_q;     // and its waits held a cycle ago
  reg                 offer_q;     // valid_q && holds_q
  reg [WIDTH-1:0]     instr_q;
  reg                 finished_q;

  reg [anser_pkg::COUNT_BITS-1:0] next_wait_a_q, next_wait_b_q, idx_q;

  wire [WIDTH-1:0] rdata;

  wire [anser_pkg::COUNT_BITS-1:0] wait_a = instr_q[WAIT_A_LSB +: anser_pkg::COUNT_BITS];
  wire [anser_pkg::COUNT_BITS-1:0] wait_b = instr_q[WAIT_B_LSB +: anser_pkg::COUNT_BITS];

  wire holds      = (WAITS < 1 || done_a_i >= wait_a) && (WAITS < 2 || done_b_i >= wait_b);
  wire holds_next = (WAITS < 1 || done_a_i >= next_wait_a_q) && (WAITS < 2 || done_b_i >= next_wait_b_q);
  wire handover   = instr_valid_o && instr_ready_i;
  wire load       = known_q && (!valid_q || handover);
  wire rlast      = rdata[LAST_LSB] || (no_head_i && rdata[LAST_BODY_LSB]);
  wire ilast      = instr_q[LAST_LSB] || (no_head_i && instr_q[LAST_BODY_LSB]);
  wire read       = active_q && (!rvalid_q || (known_q && !valid_q));  // after the last instruction it is not used

  assign instr_valid_o = offer_q && !stall_i;
  assign instr_o       = instr_q;
  assign instr_idx_o   = idx_q;
  assign waiting_o     = valid_q && !holds_q;
  assign finished_o    = finished_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q   <= 1'b0;
      pc_q       <= '0;
      rvalid_q   <= 1'b0;
      known_q    <= 1'b0;
      valid_q    <= 1'b0;
      offer_q    <= 1'b0;
      idx_q      <= '0;
      finished_q <= 1'b0;
    end else if (start_i) begin
      active_q   <= 1'b1;
      pc_q       <= '0;
      rvalid_q   <= 1'b0;
      known_q    <= 1'b0;
      valid_q    <= 1'b0;
      offer_q    <= 1'b0;
      idx_q      <= '0;
      finished_q <= 1'b0;
    end else begin
      if (read) pc_q <= pc_q + ADDR_BITS'(1);
      if (load && next_last_q) active_q <= 1'b0;
      if (load && next_last_q) rvalid_q <= 1'b0;
      else if (read) rvalid_q <= 1'b1;
      else if (load) rvalid_q <= 1'b0;
      known_q <= rvalid_q && !load;
      offer_q <= load ? holds_next : valid_q && !handover && holds;
      if (load) valid_q <= 1'b1;
      else if (handover) valid_q <= 1'b0;
      if (handover) idx_q <= idx_q + anser_pkg::COUNT_BITS'(1);
      if (handover && ilast) finished_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) instr_q <= rdata;
    next_last_q   <= rlast;
    next_wait_a_q <= rdata[WAIT_A_LSB +: anser_pkg::COUNT_BITS];
    next_wait_b_q <= rdata[WAIT_B_LSB +: anser_pkg::COUNT_BITS];
    holds_q       <= load ? holds_next : holds;
  end

  wire unused_prog_idx = &{1'b0, prog_idx_i};  // wider than this program's address
