
  localparam int TOKEN_BITS = anser_pkg::TOKEN_BITS;
  localparam int COUNT_BITS = anser_pkg::COUNT_BITS;

  reg                        logits_on_q, no_head_q, done_q, read_error_q;
  reg [SLOTS*TOKEN_BITS-1:0] token_q, argmax_q;  // slot 0 lowest
  reg [31:6]                 base_lo_q;
  reg [1:0]                  select_q;
  reg [2:0]                  lane_q;  // next 32-bit word of the instruction
  reg [COUNT_BITS-1:0]       idx_q;   // next instruction
  reg                        prog_full_q;

  wire [2:0] last_lane = (select_q == 2'd0) ? 3'(anser_pkg::DMA_INSTR_BITS / 32 - 1)
                         : (select_q == 2'd1) ? 3'(anser_pkg::MAT_INSTR_BITS / 32 - 1)
                         : (select_q == 2'd2) ? 3'(anser_pkg::VEC_INSTR_BITS / 32 - 1) : 3'(anser_pkg::WKV_INSTR_BITS / 32 - 1);
  wire [COUNT_BITS-1:0] last_idx = (select_q == 2'd0) ? COUNT_BITS'(DMA_DEPTH - 1)
                                   : (select_q == 2'd1) ? COUNT_BITS'(MAT_DEPTH - 1)
                                   : (select_q == 2'd2) ? COUNT_BITS'(VEC_DEPTH - 1) : COUNT_BITS'(WKV_DEPTH - 1);

  assign logits_on_o  = logits_on_q;
  assign no_head_o    = no_head_q;
  assign token_o      = token_q;
  assign prog_we_o    = write_prog_data ? (4'b0001 << select_q) : 4'b0000;
  assign prog_lane_o  = lane_q;
  assign prog_idx_o   = idx_q;
  assign prog_wdata_o = w_data_q;

  // What CTRL is asked for, and why it is refused.
  reg             abort_q;          // ends what runs
  reg             hit_q;            // with abort_q: something ran
  reg [SLOTS-1:0] over_q;           // the slot's token is not below the limit
  reg [SLOTS-1:0] invalid_q;

  wire busy         = busy_i || abort_q;
  wire asks_start   = w_data_q[anser_pkg::CTRL_START_LSB];
  wire asks_clear   = w_data_q[anser_pkg::CTRL_CLEAR_LSB];
  wire asks_abort   = w_data_q[anser_pkg::CTRL_ABORT_LSB];
  wire asks         = asks_start || asks_clear;
  wire token_over   = asks_start && (|(active & over_q));
  wire not_sound    = asks_start && !asks_clear && (|(mine & invalid_q));
  wire ctrl_may     = !(asks && (busy || asks_abort)) && !token_over && !not_sound;
  wire attempt      = act && w_whole && at_ctrl && asks && !busy && !asks_abort;

  assign w_may = !(w_idle_only && busy) && !(at_ctrl && !ctrl_may) && !(at_prog_data && prog_full_q)
                 && !(at_token && (|w_data_q[31:TOKEN_BITS])) && slots_may;
  assign start_o = write_ctrl && asks_start;
  assign clear_o = write_ctrl && asks_clear;

  // What ends a token before its time. The same cycle may be the token's last: then it is not done.
  reg  expired_q;
  wire fail     = read_error_i || (expired_q && running_i);
  wire stop     = fail || (write_ctrl && asks_abort);
  wire finished = finished_i && !stop && !abort_q;

  assign abort_o = abort_q;

  reg        aborted_q, timeout_q, token_error_q;
  reg [1:0]  irq_enable_q, irq_status_q;
  reg        irq_q;
  reg [31:0] watchdog_q;
  reg [TOKEN_BITS:0] limit_q;
  reg [15:0] refused_q;

  assign irq_o = irq_q;

  wire       failed   = fail || (stop && busy_i) || (attempt && token_over);
  wire [1:0] refusals = 2'(act && !w_good) + 2'(answer && !r_good);
  wire [16:0] refused_next = 17'(refused_q) + 17'(refusals);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      logits_on_q   <= 1'b0;
      no_head_q     <= 1'b0;
      done_q        <= 1'b0;
      read_error_q  <= 1'b0;
      aborted_q     <= 1'b0;
      timeout_q     <= 1'b0;
      token_error_q <= 1'b0;
      abort_q       <= 1'b0;
      hit_q         <= 1'b0;
      expired_q     <= 1'b0;
      invalid_q     <= '1;
      irq_enable_q  <= '0;
      irq_status_q  <= '0;
      irq_q         <= 1'b0;
      watchdog_q    <= '0;
      limit_q       <= '0;
      refused_q     <= '0;
      base_lo_q     <= '0;
      select_q      <= '0;
      lane_q        <= '0;
      idx_q         <= '0;
      prog_full_q   <= 1'b0;
    end else begin
      if (start_o) logits_on_q <= w_data_q[anser_pkg::CTRL_LOGITS_LSB];
      if (start_o) no_head_q <= w_data_q[anser_pkg::CTRL_NO_HEAD_LSB];
      if (attempt) done_q <= 1'b0;
      else if (finished) done_q <= 1'b1;
      if (read_error_i) read_error_q <= 1'b1;
      else if (write_status && w_data_q[anser_pkg::STATUS_READ_ERROR_LSB]) read_error_q <= 1'b0;
      if (write_ctrl && asks_abort && busy_i) aborted_q <= 1'b1;
      else if (write_status && w_data_q[anser_pkg::STATUS_ABORTED_LSB]) aborted_q <= 1'b0;
      if (expired_q && running_i) timeout_q <= 1'b1;
      else if (write_status && w_data_q[anser_pkg::STATUS_TIMEOUT_LSB]) timeout_q <= 1'b0;
      if (attempt && token_over) token_error_q <= 1'b1;
      else if (write_status && w_data_q[anser_pkg::STATUS_TOKEN_ERROR_LSB]) token_error_q <= 1'b0;
      abort_q   <= stop;
      hit_q     <= stop && busy_i;
      expired_q <= count_q && (watchdog_q != '0) && (count_cycles >= watchdog_q);
      if (abort_q) invalid_q <= invalid_q | (({SLOTS{hit_q}} & mine) | pending);
      else if (clear_o) invalid_q <= invalid_q & ~active;
      else if (write_invalid) invalid_q <= invalid_q & ~w_data_q[SLOTS-1:0];
      if (write_irq_enable) irq_enable_q <= w_data_q[1:0];
      irq_status_q <= (irq_status_q & ~(w_data_q[1:0] & {2{write_irq_status}})) | {failed, finished};
      irq_q        <= |(irq_enable_q & irq_status_q);
      if (write_watchdog) watchdog_q <= w_data_q;
      if (write_token_limit) limit_q <= w_data_q[TOKEN_BITS:0];
      refused_q <= refused_next[16] ? '1 : refused_next[15:0];
      if (write_image_base_lo) base_lo_q <= w_data_q[31:6];
      if (write_prog_select) begin
        select_q    <= w_data_q[1:0];
        lane_q      <= '0;
        idx_q       <= '0;
        prog_full_q <= 1'b0;
      end else if (write_prog_data) begin
        lane_q <= (lane_q == last_lane) ? 3'd0 : lane_q + 3'd1;
        if (lane_q == last_lane) idx_q <= idx_q + COUNT_BITS'(1);
        if (lane_q == last_lane && idx_q == last_idx) prog_full_q <= 1'b1;
      end
    end
  end

  // A slot's token is written at its own address, that of slot 0 also at TOKEN_IN.
  for (genvar s = 0; s < SLOTS; s++) begin : gen_slot
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        token_q[s*TOKEN_BITS +: TOKEN_BITS]  <= '0;
        argmax_q[s*TOKEN_BITS +: TOKEN_BITS] <= '0;
        over_q[s]                            <= 1'b1;
      end else begin
        if (write_token[s]) token_q[s*TOKEN_BITS +: TOKEN_BITS] <= w_data_q[TOKEN_BITS-1:0];
        over_q[s] <= ({1'b0, token_q[s*TOKEN_BITS +: TOKEN_BITS]} >= limit_q);
        if (finished && !no_head_q && active[s]) begin
          argmax_q[s*TOKEN_BITS +: TOKEN_BITS] <= argmax_i[s*TOKEN_BITS +: TOKEN_BITS];
        end
      end
    end
  end
