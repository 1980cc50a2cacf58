  localparam int UNIT_SHIFT   = UNIT_BYTES_LOG - BEAT_BYTES_LOG;  // beats of a unit of 64 B, as a power of two
  localparam int BEAT_BITS    = UNIT_BITS + UNIT_SHIFT;           // address of a beat
  localparam int KIND_BITS    = anser_pkg::DMA_KIND_BITS;
  localparam int LEN_BITS     = anser_pkg::DMA_LEN_BITS;
  localparam int LEFT_BITS    = LEN_BITS + UNIT_SHIFT;            // length of an instruction in beats
  localparam int BURST_BITS   = $clog2(BURST_BEATS) + 1;          // beats of a burst
  localparam int FLIGHT_BITS  = $clog2(MAX_IN_FLIGHT + 1);
  localparam int TOKEN_BITS   = anser_pkg::TOKEN_BITS;
  localparam int HALF_BITS    = 9;  // The length of an embedding row has two halves of so many bits, that of a column one.
  localparam int PRODUCT_BITS = TOKEN_BITS + HALF_BITS;
  localparam int RUN_LEN_BITS = anser_pkg::RUN_BITS + HALF_BITS;  // length of a run of columns in units of 64 B
  localparam int AR_LEN_BITS  = anser_pkg::AXI_LEN_BITS;
  localparam int AR_SIZE_BITS = anser_pkg::AXI_SIZE_BITS;

  wire [KIND_BITS-1:0] kind = instr_i[anser_pkg::DMA_KIND_LSB +: KIND_BITS];
  wire [LEN_BITS-1:0]  len  = instr_i[anser_pkg::DMA_LEN_LSB +: LEN_BITS];
  wire [anser_pkg::DMA_ADDR_BITS-1:0] addr = instr_i[anser_pkg::DMA_ADDR_LSB +: anser_pkg::DMA_ADDR_BITS];
  wire unused_instr = &{1'b0, addr, instr_i};  // the fetch unit reads the other fields

  // What depends on the number of sessions and on where their state lies is driven below.
  wire                  to_params;   // the beats go to the parameter fifo
  wire [UNIT_BITS-1:0]  base;        // what the instruction's address counts from
  wire [TOKEN_BITS-1:0] token;       // of the session whose embedding row, or own matrix, is read
  wire [UNIT_BITS-1:0]  piece_base;  // where the state of the piece's session lies; 0 for what is no state
  wire [anser_pkg::WKV_N_HEAD_BITS-1:0] piece_head;
  wire                  piece_last;

  // Stage a holds the instruction. Stage b holds a piece of it: base + address + n * length, where n is the token of an embedding
  // row or of its own matrix, the first column of a run, or the head of a state.
  reg                    a_valid_q, a_param_q, a_token_q, a_columns_q;
  reg [LEN_BITS-1:0]     a_len_q;
  reg [UNIT_BITS-1:0]    a_unit_q;
  reg                    b_valid_q, b_param_q, b_end_q;  // end: the instruction ends with this piece
  reg [LEN_BITS-1:0]     b_len_q;
  reg [UNIT_BITS-1:0]    b_unit_q;
  reg [PRODUCT_BITS-1:0] b_low_q, b_high_q;  // n times the low and the high half of the length, still to be added
  // Stage c makes bursts of a piece.
  reg                    c_valid_q, c_param_q, c_end_q;
  reg [BEAT_BITS-1:0]    c_beat_q;  // address of the next burst, in beats
  reg [LEFT_BITS-1:0]    c_left_q;  // beats still to be asked for
  // The address channel.
  reg                    ar_valid_q;
  reg [BEAT_BITS-1:0]    ar_beat_q;
  reg [AR_LEN_BITS-1:0]  ar_len_q;
  reg [FLIGHT_BITS-1:0]  in_flight_q;  // bursts asked for or on offer whose last beat was not accepted yet

  // The next burst is worked out in the cycle after its address and what is left are known.
  reg                   c_known_q, c_final_q, c_empty_q;
  reg  [BURST_BITS-1:0] n_q;
  wire [BURST_BITS-1:0] to_boundary = BURST_BITS'(BURST_BEATS) - BURST_BITS'(c_beat_q & BEAT_BITS'(BURST_BEATS - 1));
  wire                  last_burst  = (c_left_q <= LEFT_BITS'(to_boundary));
  wire [BURST_BITS-1:0] n_minus_1   = n_q - BURST_BITS'(1);
  wire                  unused_n    = &{1'b0, n_minus_1};

  // Where the beats of a burst go is kept when it is asked for.
  wire       tag_valid, tag_param, tag_final, unused_tag_ready;
  wire [1:0] tag = {c_param_q, c_final_q && c_end_q};

  wire issue  = c_known_q && !c_empty_q && (in_flight_q != FLIGHT_BITS'(MAX_IN_FLIGHT)) && !ar_valid_q && !stop_i;  // arready comes late
  wire skip   = c_known_q && c_empty_q && (in_flight_q == '0);
  wire c_load = b_valid_q && (!c_valid_q || (issue && c_final_q) || skip);
  wire b_free = !b_valid_q;  // not also when it goes on: the way from the bursts back to the program would be long
  wire b_load = a_valid_q && b_free && (!a_columns_q || run_valid_i);
  wire a_end  = a_columns_q ? run_last_i : piece_last;
  wire a_load = instr_valid_i && instr_ready_o;

  wire [PRODUCT_BITS+HALF_BITS-1:0] b_high = {b_high_q, {HALF_BITS{1'b0}}};
  wire [UNIT_BITS-1:0]              b_unit = b_unit_q + UNIT_BITS'(b_low_q) + UNIT_BITS'(b_high);
  wire                              unused_product = &{1'b0, b_low_q, b_high};

  assign instr_ready_o = !a_valid_q;
  assign run_ready_o   = a_valid_q && a_columns_q && b_free;
  assign scan_o        = a_load && (kind == anser_pkg::DMA_KIND_COLUMNS);
  assign scan_x_addr_o = instr_i[anser_pkg::DMA_X_ADDR_LSB +: anser_pkg::DMA_X_ADDR_BITS];
  assign scan_cols_o   = instr_i[anser_pkg::DMA_COLS_LSB +: anser_pkg::DMA_COLS_BITS];

  wire [TOKEN_BITS-1:0]   n        = a_token_q ? token : a_columns_q ? TOKEN_BITS'(run_first_i) : TOKEN_BITS'(piece_head);
  wire [HALF_BITS-1:0]    len_low  = a_len_q[HALF_BITS-1:0];
  wire [HALF_BITS-1:0]    len_high = a_len_q[2*HALF_BITS-1:HALF_BITS];
  wire [RUN_LEN_BITS-1:0] run_len  = RUN_LEN_BITS'(run_len_i) * RUN_LEN_BITS'(len_low);

  wire beat      = m_axi_rvalid_i && m_axi_rready_o;
  wire burst_end = beat && m_axi_rlast_i;

  assign m_axi_araddr_o  = {ar_beat_q, {BEAT_BYTES_LOG{1'b0}}};
  assign m_axi_arlen_o   = ar_len_q;
  assign m_axi_arsize_o  = AR_SIZE_BITS'(BEAT_BYTES_LOG);
  assign m_axi_arburst_o = anser_pkg::AXI_BURST_INCR;
  assign m_axi_arvalid_o = ar_valid_q;
  assign p_valid_o       = m_axi_rvalid_i && tag_valid && tag_param && !stop_i;
  assign w_data_o        = m_axi_rdata_i;
  assign done_o          = (burst_end && tag_final) || skip;
  assign error_o         = beat && !stop_i && m_axi_rresp_i[anser_pkg::AXI_RESP_BITS-1];
  assign beat_o          = beat;
  assign idle_o          = (in_flight_q == '0);
  assign refused_o       = m_axi_rvalid_i && tag_valid && !m_axi_rready_o;  // never while stop_i is high
  wire unused_rresp = &{1'b0, m_axi_rresp_i};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      a_valid_q   <= 1'b0;
      b_valid_q   <= 1'b0;
      c_valid_q   <= 1'b0;
      c_known_q   <= 1'b0;
      ar_valid_q  <= 1'b0;
      in_flight_q <= '0;
    end else begin
      if (stop_i) a_valid_q <= 1'b0;
      else if (a_load) a_valid_q <= 1'b1;
      else if (b_load && a_end) a_valid_q <= 1'b0;
      if (stop_i) b_valid_q <= 1'b0;
      else if (b_load) b_valid_q <= 1'b1;
      else if (c_load) b_valid_q <= 1'b0;
      if (stop_i) c_valid_q <= 1'b0;
      else if (c_load) c_valid_q <= 1'b1;
      else if ((issue && c_final_q) || skip) c_valid_q <= 1'b0;
      c_known_q <= c_valid_q && !issue && !skip && !stop_i;
      if (issue) ar_valid_q <= 1'b1;
      else if (m_axi_arready_i) ar_valid_q <= 1'b0;
      if (issue && !burst_end) in_flight_q <= in_flight_q + FLIGHT_BITS'(1);
      else if (!issue && burst_end) in_flight_q <= in_flight_q - FLIGHT_BITS'(1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (a_load) begin
      a_param_q   <= to_params;
      a_token_q   <= (kind == anser_pkg::DMA_KIND_EMBEDDING) || (kind == anser_pkg::DMA_KIND_TOKEN_WEIGHTS);
      a_columns_q <= (kind == anser_pkg::DMA_KIND_COLUMNS);
      a_len_q     <= len;
      a_unit_q    <= base + UNIT_BITS'(addr);
    end
    if (b_load) begin
      b_param_q <= a_param_q;
      b_end_q   <= a_end;
      b_len_q   <= a_columns_q ? LEN_BITS'(run_len) : a_len_q;
      b_unit_q  <= a_unit_q + piece_base;
      b_low_q   <= PRODUCT_BITS'(n) * PRODUCT_BITS'(len_low);
      b_high_q  <= PRODUCT_BITS'(n) * PRODUCT_BITS'(len_high);
    end
    if (c_load) begin
      c_param_q <= b_param_q;
      c_end_q   <= b_end_q;
      c_beat_q  <= BEAT_BITS'(b_unit) << UNIT_SHIFT;
      c_left_q  <= LEFT_BITS'(b_len_q) << UNIT_SHIFT;
    end else if (issue) begin
      c_beat_q  <= c_beat_q + BEAT_BITS'(n_q);
      c_left_q  <= c_left_q - LEFT_BITS'(n_q);
    end
    c_final_q <= last_burst;
    c_empty_q <= (c_left_q == '0);
    n_q       <= last_burst ? c_left_q[BURST_BITS-1:0] : to_boundary;
    if (issue) begin
      ar_beat_q <= c_beat_q;
      ar_len_q  <= AR_LEN_BITS'(n_minus_1);
    end
  end
