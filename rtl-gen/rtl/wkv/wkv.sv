  localparam int WORD_BITS    = LANES * STATE_BITS;
  localparam int OPERAND_BITS = LANES * anser_pkg::OPERAND_BITS;
  localparam int SHIFTS_BITS  = SLOTS * anser_pkg::SHIFT_BITS;
  localparam int S_ADDR_BITS  = anser_pkg::WKV_S_ADDR_BITS;
  localparam int ROW_BITS     = anser_pkg::WKV_Y_ADDR_BITS;

  // The instruction.
  wire                                      run, go, finish;
  wire                                      block;  // no instruction is accepted
  wire [anser_pkg::COUNT_BITS-1:0]          op;
  wire [anser_pkg::WKV_N_HEAD_BITS-1:0]     n_head;
  wire [anser_pkg::WKV_HEAD_SIZE_BITS-1:0]  head_size;
  wire [anser_pkg::WKV_HEAD_WORDS_BITS-1:0] head_words;
  wire [SHIFTS_BITS-1:0]                    shift_sa, shift_b, shift_vk, shift_y;
  wire [S_ADDR_BITS-1:0]                    s_addr;
  wire [ROW_BITS-1:0]                       y_addr;
  wire [STATE_ADDR_BITS-1:0]                first_addr = s_addr[STATE_ADDR_BITS-1:0];
  wire                                      unused_instr = &{1'b0, start_i, s_addr};

  // Pass 1 reads a state word, pass 2 takes it (take_last: end of a row), reads r and writes.
  wire                       read, old_valid, take, take_last, kk_read, r_read, write;
  wire [STATE_ADDR_BITS-1:0] read_addr, write_addr;
  wire [WORD_BITS-1:0]       s_read, s_old, s_new;
  wire [ADDR_BITS-1:0]       kk_addr, dbk_addr, v_addr, r_addr;
  wire [OPERAND_BITS-1:0]    kk, d, b, k, v, r;
  wire                       sa_valid, sa_clipped, y_clipped, idle_1, idle_2;
  wire [STATE_BITS-1:0]      sa, sa_old;
  wire [CLIP_BITS-1:0]       s_clips;

  // The rows that are final, and the one that is handed over.
  wire [ROW_BITS-1:0]        sa_row, y_row;
  wire                       hand_over = y_valid_o && y_ready_i;

  reg  [SAT_BITS-1:0]        sat_q;

  // Everything read was taken, everything taken was handed over; a row's last S word is written before its y is known.
  assign finish = run && !go && idle_1 && idle_2;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) sat_q <= '0;
    else sat_q <= SAT_BITS'(s_clips) + SAT_BITS'(sa_clipped) + SAT_BITS'(y_clipped);
  end

  assign done_o = finish;
  assign busy_o = run;
  assign sat_o  = sat_q;

  assign trace_wkv_s_valid_o  = write;
  assign trace_wkv_s_op_o     = op;
  assign trace_wkv_s_addr_o   = S_ADDR_BITS'(write_addr);
  assign trace_wkv_s_data_o   = s_new;
  assign trace_wkv_sa_valid_o = sa_valid;
  assign trace_wkv_sa_op_o    = op;
  assign trace_wkv_sa_row_o   = sa_row;
  assign trace_wkv_sa_data_o  = sa;
  assign trace_wkv_y_valid_o  = hand_over;
  assign trace_wkv_y_op_o     = op;
  assign trace_wkv_y_row_o    = y_row;
  assign trace_wkv_y_data_o   = y_data_o;
