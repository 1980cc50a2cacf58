  // Power-up: wait, PRECHARGE all, eight REFRESH, LOAD MODE; then RUN for ever.
  localparam [1:0] POWER = 2'd0, SET_UP = 2'd1, MODE = 2'd2, RUN = 2'd3;

  // Widths of the counters.
  localparam int WAIT_BITS    = $clog2(((POWER_UP_CYCLES > RFC_CYCLES) ? POWER_UP_CYCLES : RFC_CYCLES) + 1);
  localparam int REFRESH_BITS = $clog2(REFRESH_CYCLES + 1);
  localparam int TURN_BITS    = $clog2(TURN_CYCLES + 1);
  localparam int RRD_BITS     = $clog2(((RRD_CYCLES > 2) ? RRD_CYCLES : 2) + 1);

  reg [1:0]           init_q;
  reg [WAIT_BITS-1:0] wait_q;
  reg                 idle_q;   // that is 0
  reg [3:0]           count_q;  // steps of SET_UP

  // The request being served and the one after it.
  reg                 cur_valid_q, cur_we_q, nxt_valid_q, nxt_we_q;
  reg [BEAT_BITS-1:0] cur_q, nxt_q;
  reg [127:0]         cur_data_q, nxt_data_q;

  // An address in beats is row, bank, column; a beat is eight words of a column.
  wire [1:0]          cur_bank = cur_q[COLUMN_BITS-2:COLUMN_BITS-3];
  wire [1:0]          nxt_bank = nxt_q[COLUMN_BITS-2:COLUMN_BITS-3];
  wire [ROW_BITS-1:0] cur_row  = cur_q[BEAT_BITS-1:COLUMN_BITS-1];
  wire [ROW_BITS-1:0] nxt_row  = nxt_q[BEAT_BITS-1:COLUMN_BITS-1];
  wire [ROW_BITS-1:0] cur_col  = ROW_BITS'({cur_q[COLUMN_BITS-4:0], 3'b0});

  // What rows and banks allow them in the next cycle, unless anything changes in this one (settle_q, of the cycle before).
  reg                 settle_q;
  reg                 ready_q;                 // the current request's row is open
  reg                 want_pre_q, want_act_q;  // a row is to be closed, opened
  reg [1:0]           prep_bank_q;
  reg [ROW_BITS-1:0]  prep_row_q;
  reg                 all_pre_q, all_act_q;    // for every bank
  wire [3:0]          open, col_ok, pre_ok, act_ok;
  wire [ROW_BITS-1:0] row_0, row_1, row_2, row_3;

  reg [2:0]              slot_q;                          // cycles until the data bus takes the next burst
  reg [TURN_BITS-1:0]    turn_q;                          // cycles until it takes a written one
  reg [RRD_BITS-1:0]     rrd_q;                           // cycles until the next ACTIVE of any bank
  reg [REFRESH_BITS-1:0] refresh_q;                       // cycles until a refresh is due
  reg                    slot_ok_q, turn_ok_q, rrd_ok_q;  // the three are 0
  reg                    due_q, closed_q;

  wire run     = (init_q == RUN);
  wire go      = run && !settle_q && idle_q && !due_q;
  wire col     = go && ready_q && slot_ok_q && (!cur_we_q || turn_ok_q);
  wire pre     = go && !col && want_pre_q;
  wire act     = go && !col && want_act_q && rrd_ok_q;

  // Refresh, and the same commands at power-up.
  wire still   = !settle_q && idle_q;
  wire pre_all = run ? (due_q && !closed_q && all_pre_q && still) : ((init_q == POWER) && idle_q);
  wire refresh = run ? (due_q && closed_q && all_act_q && still) : ((init_q == SET_UP) && idle_q);
  wire mode    = (init_q == MODE) && idle_q;

  // What happens to each bank.
  wire [3:0] bank_act, bank_pre, bank_read, bank_write;

  for (genvar i = 0; i < 4; i++) begin : gen_bank
    assign bank_act[i]   = act && (prep_bank_q == 2'(i));
    assign bank_pre[i]   = pre_all || (pre && (prep_bank_q == 2'(i)));
    assign bank_read[i]  = col && !cur_we_q && (cur_bank == 2'(i));
    assign bank_write[i] = col && cur_we_q && (cur_bank == 2'(i));
  end

  // A row is opened for the current request, or if it has one, for the next in another bank.
  wire [3:0] cur_hits = open & {row_3 == cur_row, row_2 == cur_row, row_1 == cur_row, row_0 == cur_row};
  wire [3:0] nxt_hits = open & {row_3 == nxt_row, row_2 == nxt_row, row_1 == nxt_row, row_0 == nxt_row};
  wire cur_hit  = cur_hits[cur_bank];
  wire nxt_hit  = nxt_hits[nxt_bank];
  wire nxt_else = nxt_valid_q && (nxt_bank != cur_bank);

  assign req_ready_o = run && !nxt_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      init_q      <= POWER;
      wait_q      <= WAIT_BITS'(POWER_UP_CYCLES);
      idle_q      <= 1'b0;
      slot_ok_q   <= 1'b1;
      turn_ok_q   <= 1'b1;
      rrd_ok_q    <= 1'b1;
      count_q     <= '0;
      cur_valid_q <= 1'b0;
      nxt_valid_q <= 1'b0;
      settle_q    <= 1'b0;
      slot_q      <= '0;
      turn_q      <= '0;
      rrd_q       <= '0;
      refresh_q   <= REFRESH_BITS'(REFRESH_CYCLES);
      due_q       <= 1'b0;
      closed_q    <= 1'b0;
    end else begin
      if (pre_all) wait_q <= WAIT_BITS'(RP_CYCLES - 1);
      else if (refresh) wait_q <= WAIT_BITS'(RFC_CYCLES - 1);
      else if (mode) wait_q <= WAIT_BITS'(MRD_CYCLES - 1);
      else if (wait_q != '0) wait_q <= wait_q - WAIT_BITS'(1);

      idle_q <= !(pre_all || refresh || mode) && (wait_q <= WAIT_BITS'(1));

      if (init_q == POWER && pre_all) init_q <= SET_UP;
      if (init_q == SET_UP && refresh) begin
        count_q <= count_q + 4'd1;
        if (count_q == 4'd7) init_q <= MODE;
      end
      if (mode) init_q <= RUN;

      if (refresh_q == '0) refresh_q <= REFRESH_BITS'(REFRESH_CYCLES);
      else if (run) refresh_q <= refresh_q - REFRESH_BITS'(1);
      if (refresh_q == '0) due_q <= 1'b1;
      else if (refresh) due_q <= 1'b0;
      if (pre_all) closed_q <= 1'b1;
      else if (refresh) closed_q <= 1'b0;

      settle_q <= col || pre || act || pre_all || (req_valid_i && req_ready_o) || (nxt_valid_q && !cur_valid_q);
      if (col) slot_q <= 3'd7;
      else if (slot_q != '0) slot_q <= slot_q - 3'd1;
      if (col && !cur_we_q) turn_q <= TURN_BITS'(TURN_CYCLES - 1);
      else if (turn_q != '0) turn_q <= turn_q - TURN_BITS'(1);
      if (act) rrd_q <= RRD_BITS'(RRD_CYCLES - 1);
      else if (rrd_q != '0) rrd_q <= rrd_q - RRD_BITS'(1);
      slot_ok_q <= !col && (slot_q <= 3'd1);
      turn_ok_q <= !(col && !cur_we_q) && (turn_q <= TURN_BITS'(1));
      rrd_ok_q  <= !act && (rrd_q <= RRD_BITS'(1));

      if (col || !cur_valid_q) begin
        cur_valid_q <= nxt_valid_q;
        nxt_valid_q <= 1'b0;
      end
      if (req_valid_i && req_ready_o) nxt_valid_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (col || !cur_valid_q) begin
      cur_q      <= nxt_q;
      cur_we_q   <= nxt_we_q;
      cur_data_q <= nxt_data_q;
    end
    if (req_valid_i && req_ready_o) begin
      nxt_q      <= req_beat_i;
      nxt_we_q   <= req_we_i;
      nxt_data_q <= req_data_i;
    end
    ready_q     <= cur_valid_q && cur_hit && col_ok[cur_bank];
    want_pre_q  <= cur_valid_q && (cur_hit ? nxt_else && !nxt_hit && open[nxt_bank] && pre_ok[nxt_bank]
                                           : open[cur_bank] && pre_ok[cur_bank]);
    want_act_q  <= cur_valid_q && (cur_hit ? nxt_else && !open[nxt_bank] && act_ok[nxt_bank]
                                           : !open[cur_bank] && act_ok[cur_bank]);
    prep_bank_q <= cur_hit ? nxt_bank : cur_bank;
    prep_row_q  <= cur_hit ? nxt_row : cur_row;
    all_pre_q   <= (&pre_ok);
    all_act_q   <= (&act_ok);
  end

  // Commands: {ras, cas, we} low. Written words follow their command, the first with it.
  localparam [ROW_BITS-1:0] ALL_BANKS = ROW_BITS'(1 << 10);  // PRECHARGE of every bank: address bit 10
  localparam [ROW_BITS-1:0] MODE_WORD = ROW_BITS'((CAS_CYCLES << 4) | 3);  // bursts of eight words

  reg [2:0]          cmd_q;
  reg [1:0]          ba_q;
  reg [ROW_BITS-1:0] addr_q;
  reg                oe_q;
  reg [15:0]         dq_q;
  reg [2:0]          write_left_q;
  reg [111:0]        write_q;

  assign cs_no   = 1'b0;
  assign ras_no  = cmd_q[2];
  assign cas_no  = cmd_q[1];
  assign we_no   = cmd_q[0];
  assign ba_o    = ba_q;
  assign addr_o  = addr_q;
  assign dq_oe_o = oe_q;
  assign dq_o    = dq_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      cmd_q        <= 3'b111;
      oe_q         <= 1'b0;
      write_left_q <= '0;
    end else begin
      cmd_q <= (pre || pre_all) ? 3'b010 : act ? 3'b011 : refresh ? 3'b001 : mode ? 3'b000
             : col ? {2'b10, !cur_we_q} : 3'b111;
      oe_q  <= (col && cur_we_q) || (write_left_q != '0);
      if (col && cur_we_q) write_left_q <= 3'd7;
      else if (write_left_q != '0) write_left_q <= write_left_q - 3'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    ba_q    <= mode ? 2'd0 : col ? cur_bank : prep_bank_q;
    addr_q  <= pre_all ? ALL_BANKS : mode ? MODE_WORD : act ? prep_row_q : col ? cur_col : '0;
    dq_q    <= col ? cur_data_q[15:0] : write_q[15:0];
    write_q <= col ? cur_data_q[127:16] : {16'b0, write_q[111:16]};
  end

  // Read data: a marker walks with each read; when it arrives, eight words do.
  reg [READ_CYCLES-1:0] reads_q;
  reg                   take_q, rvalid_q;
  reg [2:0]             word_q;
  reg [127:0]           rdata_q;

  wire       take = reads_q[READ_CYCLES-1] || take_q;
  wire [2:0] word = reads_q[READ_CYCLES-1] ? 3'd0 : word_q;

  assign rvalid_o = rvalid_q;
  assign rdata_o  = rdata_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reads_q  <= '0;
      take_q   <= 1'b0;
      word_q   <= '0;
      rvalid_q <= 1'b0;
    end else begin
      reads_q  <= {reads_q[READ_CYCLES-2:0], col && !cur_we_q};
      take_q   <= take && (word != 3'd7);
      word_q   <= word + 3'd1;
      rvalid_q <= take && (word == 3'd7);
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) rdata_q <= {dq_i, rdata_q[127:16]};
  end
