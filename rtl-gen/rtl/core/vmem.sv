  localparam int ADDR_BITS    = $clog2(DEPTH);
  localparam int LANE_BITS    = $clog2(LANES);
  localparam int ELEMENT_BITS = anser_pkg::VEC_BITS;
  localparam int WORD_BITS    = LANES * ELEMENT_BITS;

  localparam [ADDR_BITS-1:0] LAST = ADDR_BITS'(DEPTH - 1);

  reg                  clearing_q, clear_busy_q;
  reg  [ADDR_BITS-1:0] walk_q;

  // An element waits here for one cycle.
  reg                                   element_q, word_ok_q;  // word_ok_q: nothing is in the way of a word
  reg  [anser_pkg::ELEMENT_ADDR_BITS-1:0] element_addr_q;
  reg  [ELEMENT_BITS-1:0]               element_data_q;

  wire             element  = (d_valid_i || y_valid_i) && !clearing_q;
  wire [LANES-1:0] lane_sel = LANES'(1) << element_addr_q[LANE_BITS-1:0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      element_q <= 1'b0;
      word_ok_q <= 1'b1;
    end else begin
      element_q <= element;
      word_ok_q <= !element && !(clearing_q ? walk_q != LAST : clear_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (element) begin
      element_addr_q <= d_valid_i ? d_addr_i : y_addr_i;
      element_data_q <= d_valid_i ? d_data_i : y_data_i;
    end
  end

  wire [ADDR_BITS-1:0] waddr = clearing_q ? walk_q
                               : element_q ? element_addr_q[LANE_BITS +: ADDR_BITS] : vw_addr_i[ADDR_BITS-1:0];
  wire [WORD_BITS-1:0] wdata = clearing_q ? '0 : element_q ? {LANES{element_data_q}} : vw_data_i;
  wire [LANES-1:0]     we    = clearing_q ? '1 : element_q ? (lane_sel & {LANES{element_on}}) : {LANES{vw_valid_i && word_on}};

  assign d_ready_o    = !clearing_q;
  assign y_ready_o    = !clearing_q && !d_valid_i;
  assign vw_ready_o   = word_ok_q;
  assign clear_busy_o = clear_busy_q;

  // The write on its way to the memories.
  reg [LANES-1:0]     we_q;
  reg [ADDR_BITS-1:0] waddr_q;
  reg [WORD_BITS-1:0] wdata_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      we_q         <= '0;
      clear_busy_q <= 1'b0;
    end else begin
      we_q         <= we;
      clear_busy_q <= clearing_q || clear_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (clearing_q || element_q || vw_valid_i) begin
      waddr_q <= waddr;
      wdata_q <= wdata;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      clearing_q <= 1'b0;
      walk_q     <= '0;
    end else if (!clearing_q) begin
      clearing_q <= clear_i;
      walk_q     <= '0;
    end else begin
      walk_q     <= walk_q + ADDR_BITS'(1);
      clearing_q <= (walk_q != LAST);
    end
  end

  // Addresses are wider than this memory.
  wire unused_addr = &{1'b0, va_addr_i, vb_addr_i, vw_addr_i, element_addr_q};
