  localparam int UNIT_SHIFT   = UNIT_BYTES_LOG - BEAT_BYTES_LOG;  // beats of a unit of 64 B, as a power of two
  localparam int BEAT_BITS    = UNIT_BITS + UNIT_SHIFT;           // address of a beat
  localparam int BURST_BITS   = $clog2(BURST_BEATS);
  localparam int RUN_BITS     = (BURST_BITS > 0) ? BURST_BITS : 1;  // a burst ends with its last beat, so that is never counted
  localparam int FLIGHT_BITS  = $clog2(MAX_IN_FLIGHT + 1);
  localparam int VEC_BITS     = anser_pkg::VEC_BITS;
  localparam int ELEMENT_BITS = anser_pkg::MEMORY_ELEMENT_BITS;
  localparam int LEN_BITS     = anser_pkg::AXI_LEN_BITS;
  localparam int SIZE_BITS    = anser_pkg::AXI_SIZE_BITS;
  localparam int BEAT_BYTES   = 1 << BEAT_BYTES_LOG;

  // In: words get their place, and bursts their ends. Whose word comes, and what follows from that, is driven below.
  wire [SLOT_BITS-1:0]       slot;   // whose word is next
  wire                       kept;   // a session vector's word goes to memory
  wire                       close;  // the burst under way ends before another word comes
  reg  [SLOTS*BEAT_BITS-1:0] beat_q;   // of each slot's next word
  reg  [BEAT_BITS-1:0]       first_q;  // of the first word of the burst under way
  reg  [RUN_BITS-1:0]        run_q;    // words of the burst under way
  reg                        flush_q;  // the burst is complete
  wire                       data_room, cut_room;
  wire [LANES*STORED_BITS-1:0] vector, data;
  wire [SLOTS*BEAT_BITS-1:0] base_beats;

  wire [BEAT_BITS-1:0]       beat     = beat_q[slot*BEAT_BITS +: BEAT_BITS];
  wire                       in_ready = data_room && cut_room && !close;
  wire                       accept   = (r_valid_i || (v_valid_i && kept)) && in_ready;
  wire                       at_end   = ((beat & BEAT_BITS'(BURST_BEATS - 1)) == BEAT_BITS'(BURST_BEATS - 1));
  wire                       begun    = (run_q != '0);
  wire                       cut      = (accept && at_end) || (close && begun && cut_room);
  wire [BEAT_BITS-1:0]       first    = begun ? first_q : beat;
  wire [RUN_BITS-1:0]        more     = close ? run_q - RUN_BITS'(1) : run_q;  // words but one
  wire [LEN_BITS-1:0]        len      = LEN_BITS'(more);
  wire [LANES*STORED_BITS-1:0] word   = r_valid_i ? r_data_i : vector;

  assign r_ready_o = in_ready;
  assign v_ready_o = (in_ready || !kept) && !r_valid_i;

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    assign vector[l*STORED_BITS +: STORED_BITS] =
      {{(STORED_BITS-VEC_BITS){v_data_i[l*VEC_BITS + VEC_BITS-1]}}, v_data_i[l*VEC_BITS +: VEC_BITS]};
    assign m_axi_wdata_o[l*ELEMENT_BITS +: ELEMENT_BITS] =
      {{(ELEMENT_BITS-STORED_BITS){data[l*STORED_BITS + STORED_BITS-1]}}, data[l*STORED_BITS +: STORED_BITS]};
  end

  for (genvar s = 0; s < SLOTS; s++) begin : gen_slot
    assign base_beats[s*BEAT_BITS +: BEAT_BITS] = BEAT_BITS'(base_i[s*UNIT_BITS +: UNIT_BITS]) << UNIT_SHIFT;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beat_q  <= '0;
      first_q <= '0;
      run_q   <= '0;
      flush_q <= 1'b0;
    end else begin
      if (start_i) beat_q <= base_beats;
      else if (accept) beat_q[slot*BEAT_BITS +: BEAT_BITS] <= beat + BEAT_BITS'(1);
      first_q <= first;
      if (cut || stop_i) run_q <= '0;
      else if (accept) run_q <= run_q + RUN_BITS'(1);
      if (stop_i) flush_q <= 1'b0;
      else if (r_flush_i || (v_last_i && v_valid_i && v_ready_o)) flush_q <= 1'b1;
      else if (cut || !begun) flush_q <= 1'b0;
    end
  end

  // Out: addresses are a burst ahead of the data, so that a slave which wants them first costs nothing.
  reg                    aw_valid_q, w_next_q, w_active_q;
  reg  [BEAT_BITS-1:0]   aw_beat_q;
  reg  [LEN_BITS-1:0]    aw_len_q;
  reg  [LEN_BITS-1:0]    w_len_q;   // of the burst whose data are next
  reg  [LEN_BITS-1:0]    w_left_q;  // beats of the present burst after the present one
  reg  [FLIGHT_BITS-1:0] open_q;    // bursts without response
  wire                   data_valid, burst_valid, drop;
  wire [BEAT_BITS-1:0]   burst_beat;
  wire [LEN_BITS-1:0]    burst_len;
  wire                   w_beat   = m_axi_wvalid_o && m_axi_wready_i;
  wire                   w_end    = w_beat && m_axi_wlast_o;
  wire                   follow   = w_next_q && (!w_active_q || w_end);
  wire                   may_open = (open_q != FLIGHT_BITS'(MAX_IN_FLIGHT));
  wire                   load     = burst_valid && (!aw_valid_q || m_axi_awready_i) && (!w_next_q || follow) && may_open && !stop_i;
  wire                   answer   = m_axi_bvalid_i && m_axi_bready_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_valid_q <= 1'b0;
      w_next_q   <= 1'b0;
      w_active_q <= 1'b0;
      open_q     <= '0;
    end else begin
      if (load) aw_valid_q <= 1'b1;
      else if (m_axi_awready_i) aw_valid_q <= 1'b0;
      if (load) w_next_q <= 1'b1;
      else if (follow) w_next_q <= 1'b0;
      if (follow) w_active_q <= 1'b1;
      else if (w_end) w_active_q <= 1'b0;
      if (load && !answer) open_q <= open_q + FLIGHT_BITS'(1);
      else if (!load && answer) open_q <= open_q - FLIGHT_BITS'(1);
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) begin
      aw_beat_q <= burst_beat;
      aw_len_q  <= burst_len;
      w_len_q   <= burst_len;
    end
    if (follow) w_left_q <= w_len_q;
    else if (w_beat) w_left_q <= w_left_q - LEN_BITS'(1);
  end

  assign m_axi_awaddr_o  = {aw_beat_q, {BEAT_BYTES_LOG{1'b0}}};
  assign m_axi_awlen_o   = aw_len_q;
  assign m_axi_awsize_o  = SIZE_BITS'(BEAT_BYTES_LOG);
  assign m_axi_awburst_o = anser_pkg::AXI_BURST_INCR;
  assign m_axi_awvalid_o = aw_valid_q;
  assign m_axi_wstrb_o   = {BEAT_BYTES{1'b1}};
  assign m_axi_wlast_o   = (w_left_q == '0);
  assign m_axi_wvalid_o  = w_active_q && data_valid;
  assign m_axi_bready_o  = 1'b1;
  wire unused_bresp = &{1'b0, m_axi_bresp_i};

  // While it is stopped the bursts that the bus has seen are completed, and then whatever waits is dropped.
  assign drop = stop_i && !aw_valid_q && !w_next_q && !w_active_q;

  assign quiet_o = !burst_valid && !data_valid && (open_q == '0);
  assign idle_o  = !r_valid_i && !v_valid_i && !begun && !burst_valid && (open_q == '0);
  assign error_o = answer && m_axi_bresp_i[anser_pkg::AXI_RESP_BITS-1];
