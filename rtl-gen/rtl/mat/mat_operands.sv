  localparam int X_BITS      = anser_pkg::OPERAND_BITS;
  localparam int X_ADDR_BITS = anser_pkg::MAT_X_ADDR_BITS;
  localparam int COLS_BITS   = anser_pkg::MAT_COLS_BITS;
  localparam int TILES_BITS  = anser_pkg::MAT_TILES_BITS;
  localparam int UP_BITS     = COLS_BITS + 1;
  localparam int VL_BITS     = $clog2(VL);
  localparam int WORDS_BITS  = UP_BITS - VL_BITS;
  localparam int COUNT_BITS  = 3;

  // The walk: words left in this pass, passes left.
  reg                   busy_q, skip_q;
  reg [X_ADDR_BITS-1:0] first_addr_q, addr_q;
  reg [TILES_BITS-1:0]  passes_q;
  reg [WORDS_BITS-1:0]  words_q, left_q;
  reg [COUNT_BITS-1:0]  reserved_q;  // queue entries in use or on their way
  reg                   fetched_q, last_q;
  reg [VL_BITS-1:0]     lane_q;

  wire [UP_BITS-1:0]     cols_up  = {1'b0, cols_i} + UP_BITS'(VL - 1);
  wire [WORDS_BITS-1:0]  words    = cols_up[UP_BITS-1:VL_BITS];
  wire                   pass_end = (left_q == WORDS_BITS'(1));
  wire                   fetch    = busy_q && reserved_q != COUNT_BITS'(DEPTH) && (!skip_q || col_valid_i);
  wire [X_ADDR_BITS-1:0] col_word = X_ADDR_BITS'(col_i >> VL_BITS);

  wire unused_cols_up = &{1'b0, cols_up[VL_BITS-1:0]};

  assign ready_o     = !busy_q;
  assign xr_en_o     = fetch;
  assign xr_addr_o   = skip_q ? first_addr_q + col_word : addr_q;
  assign col_ready_o = fetch && skip_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q       <= 1'b0;
      skip_q       <= 1'b0;
      first_addr_q <= '0;
      addr_q       <= '0;
      passes_q     <= '0;
      words_q      <= '0;
      left_q       <= '0;
      reserved_q   <= '0;
      fetched_q    <= 1'b0;
    end else begin
      fetched_q <= fetch;
      case ({fetch, x_pop_i})
        2'b10:   reserved_q <= reserved_q + COUNT_BITS'(1);
        2'b01:   reserved_q <= reserved_q - COUNT_BITS'(1);
        default: reserved_q <= reserved_q;
      endcase
      if (accept_i) begin
        busy_q       <= 1'b1;
        skip_q       <= skip_i;
        first_addr_q <= x_addr_i;
        addr_q       <= x_addr_i;
        passes_q     <= columns_i ? TILES_BITS'(1) : tiles_i;
        words_q      <= words;
        left_q       <= words;
      end else if (fetch) begin
        addr_q <= pass_end ? first_addr_q : addr_q + X_ADDR_BITS'(1);
        left_q <= pass_end ? words_q : left_q - WORDS_BITS'(1);
        if (pass_end) begin
          passes_q <= passes_q - TILES_BITS'(1);
          if (passes_q == TILES_BITS'(1) && !skip_q) busy_q <= 1'b0;
        end
        if (skip_q && col_last_i) busy_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (fetch) begin
      lane_q <= col_i[VL_BITS-1:0];
      last_q <= col_last_i;
    end
  end

  wire [VL*X_BITS-1:0] word;                // the oldest in the queue
  wire                 unused_queue_ready;  // reserved_q keeps the queue from filling
