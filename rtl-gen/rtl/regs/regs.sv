
  localparam int TOKEN_BITS = anser_pkg::TOKEN_BITS;

  reg                        logits_on_q, no_head_q, done_q, read_error_q;
  reg [SLOTS*TOKEN_BITS-1:0] token_q, argmax_q;  // slot 0 lowest
  reg [31:6]                 base_lo_q;
  reg [1:0]                  select_q;
  reg [2:0]                  lane_q;  // next 32-bit word of the instruction
  reg [11:0]                 idx_q;   // next instruction

  wire [2:0] last_lane = (select_q == 2'd0) ? 3'(anser_pkg::DMA_INSTR_BITS / 32 - 1)
                         : (select_q == 2'd1) ? 3'(anser_pkg::MAT_INSTR_BITS / 32 - 1)
                         : (select_q == 2'd2) ? 3'(anser_pkg::VEC_INSTR_BITS / 32 - 1) : 3'(anser_pkg::WKV_INSTR_BITS / 32 - 1);

  assign start_o      = write_ctrl && w_data_q[anser_pkg::CTRL_START_LSB] && !busy_i;
  assign clear_o      = write_ctrl && w_data_q[anser_pkg::CTRL_CLEAR_LSB] && !busy_i;
  assign logits_on_o  = logits_on_q;
  assign no_head_o    = no_head_q;
  assign token_o      = token_q;
  assign prog_we_o    = write_prog_data ? (4'b0001 << select_q) : 4'b0000;
  assign prog_lane_o  = lane_q;
  assign prog_idx_o   = idx_q;
  assign prog_wdata_o = w_data_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      logits_on_q  <= 1'b0;
      no_head_q    <= 1'b0;
      done_q       <= 1'b0;
      read_error_q <= 1'b0;
      base_lo_q    <= '0;
      select_q     <= '0;
      lane_q       <= '0;
      idx_q        <= '0;
    end else begin
      if (start_o) logits_on_q <= w_data_q[anser_pkg::CTRL_LOGITS_LSB];
      if (start_o) no_head_q <= w_data_q[anser_pkg::CTRL_NO_HEAD_LSB];
      if (start_o) done_q <= 1'b0;
      else if (finished_i) done_q <= 1'b1;
      if (read_error_i) read_error_q <= 1'b1;
      else if (write_status && w_data_q[anser_pkg::STATUS_READ_ERROR_LSB]) read_error_q <= 1'b0;
      if (write_image_base_lo) base_lo_q <= w_data_q[31:6];
      if (write_prog_select) begin
        select_q <= w_data_q[1:0];
        lane_q   <= '0;
        idx_q    <= '0;
      end else if (write_prog_data) begin
        lane_q <= (lane_q == last_lane) ? 3'd0 : lane_q + 3'd1;
        if (lane_q == last_lane) idx_q <= idx_q + 12'd1;
      end
    end
  end

  // A slot's token is written at its own address, that of slot 0 also at TOKEN_IN.
  for (genvar s = 0; s < SLOTS; s++) begin : gen_slot
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        token_q[s*TOKEN_BITS +: TOKEN_BITS]  <= '0;
        argmax_q[s*TOKEN_BITS +: TOKEN_BITS] <= '0;
      end else begin
        if (write_token[s]) token_q[s*TOKEN_BITS +: TOKEN_BITS] <= w_data_q[TOKEN_BITS-1:0];
        if (finished_i && !no_head_q && active[s]) begin
          argmax_q[s*TOKEN_BITS +: TOKEN_BITS] <= argmax_i[s*TOKEN_BITS +: TOKEN_BITS];
        end
      end
    end
  end

  // What the counters add was registered by each of them, so they start and stop a cycle after the token.
  reg clear_counters_q, count_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clear_counters_q <= 1'b0;
      count_q          <= 1'b0;
    end else begin
      clear_counters_q <= started_i;
      count_q          <= running_i;
    end
  end
