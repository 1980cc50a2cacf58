  localparam int COLUMN_BITS = anser_pkg::COLUMN_BITS;
  localparam int RUN_BITS    = anser_pkg::RUN_BITS;
  localparam int PLACE_BITS  = $clog2(anser_pkg::RUN_COLUMNS);  // a column's place between two ends of runs
  localparam int COUNT_BITS  = COLUMN_BITS + 1;                 // a number of columns
  localparam int LANE_BITS   = $clog2(LANES);
  localparam int LEFT_BITS   = COUNT_BITS - LANE_BITS;          // a number of words
  localparam int WORD_BITS   = COLUMN_BITS - LANE_BITS;         // a word's number in its operand

  reg                    busy_q;
  reg  [ADDR_BITS-1:0]   addr_q;                     // the next word to read
  reg  [LEFT_BITS-1:0]   left_q;                     // words to read
  reg                    wrote_q, begin_q, inside_q;
  reg  [ADDR_BITS-1:0]   last_q, reach_q;            // the last word written, and the same one cycle later
  reg  [ADDR_BITS-1:0]   end_q;                      // the last word of the operand
  reg                    read_q;                     // the map's output is the next word
  reg  [LANES-1:0]       mask_q;                     // columns of the present word that are still to be listed
  reg  [WORD_BITS-1:0]   word_q;                     // number of the next word
  reg  [WORD_BITS-1:0]   present_q;                  // number of the present word
  reg                    some_q;                     // a column was found; the last one is kept back, because it may be the end
  reg  [COLUMN_BITS-1:0] kept_q, first_q;            // that column, and the first of its run
  reg  [COLUMN_BITS-1:0] after_q;                    // the column after it
  reg  [RUN_BITS-1:0]    run_q;                      // columns of the run
  reg  [COUNT_BITS-1:0]  skip_q;                     // columns not listed yet

  wire [ADDR_BITS-1:0]   xw_addr = xw_addr_i[ADDR_BITS-1:0];
  wire [LANES-1:0]       mask;
  wire                   run_room, col_room;
  wire                   room = run_room && col_room;

  // The lowest column of the present word: as one bit, and as a number.
  wire [LANES-1:0]       lowest = mask_q & (~mask_q + LANES'(1));
  reg  [LANE_BITS-1:0]   lane;

  always_comb begin
    lane = '0;
    for (int l = 0; l < LANES; l++) begin
      lane = lane | ({LANE_BITS{lowest[l]}} & LANE_BITS'(l));
    end
  end

  wire [COLUMN_BITS-1:0] column  = {present_q, lane};
  wire                   found   = (mask_q != '0) && room;
  wire [LANES-1:0]       rest    = mask_q & ~lowest;
  wire                   empty   = found ? (rest == '0) : (mask_q == '0);
  wire                   load    = read_q && empty;
  wire                   there   = inside_q && (addr_q <= reach_q);
  wire                   read    = (left_q != '0) && (!read_q || load) && there;
  wire                   at_end  = busy_q && (left_q == '0) && !read_q && (mask_q == '0);
  wire                   finish  = at_end && room;
  wire                   follows = (column == after_q) && (column[PLACE_BITS-1:0] != '0);
  wire                   push    = finish || (found && some_q);
  wire                   run_end = finish || (found && some_q && !follows);

  wire [anser_pkg::DMA_COLS_BITS-1:0] cols_up = cols_i + anser_pkg::DMA_COLS_BITS'(LANES - 1);
  wire unused_start = &{1'b0, cols_up, cols_i, x_addr_i, xw_addr_i};

  assign skipped_o = finish ? skip_q - COUNT_BITS'(1) : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wrote_q  <= 1'b0;
      begin_q  <= 1'b0;
      inside_q <= 1'b0;
    end else begin
      if (xw_en_i) wrote_q <= 1'b1;
      begin_q  <= start_i;
      inside_q <= !start_i && !begin_q && wrote_q && (last_q <= end_q);
    end
  end

  always_ff @(posedge clk_i) begin
    if (xw_en_i) last_q <= xw_addr;
    reach_q <= last_q;
    if (begin_q) end_q <= addr_q + ADDR_BITS'(left_q) - ADDR_BITS'(1);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q    <= 1'b0;
      addr_q    <= '0;
      left_q    <= '0;
      read_q    <= 1'b0;
      mask_q    <= '0;
      word_q    <= '0;
      present_q <= '0;
      some_q    <= 1'b0;
      kept_q    <= '0;
      first_q   <= '0;
      after_q   <= '0;
      run_q     <= RUN_BITS'(1);
      skip_q    <= '0;
    end else if (start_i) begin
      busy_q  <= 1'b1;
      addr_q  <= x_addr_i[ADDR_BITS-1:0];
      left_q  <= cols_up[COUNT_BITS-1:LANE_BITS];
      word_q  <= '0;
      some_q  <= 1'b0;
      kept_q  <= '0;
      first_q <= '0;
      run_q   <= RUN_BITS'(1);
      skip_q  <= cols_i[COUNT_BITS-1:0];
    end else begin
      if (finish) busy_q <= 1'b0;
      read_q <= read || (read_q && !load);
      if (read) begin
        addr_q <= addr_q + ADDR_BITS'(1);
        left_q <= left_q - LEFT_BITS'(1);
      end
      if (load) begin
        mask_q    <= mask;
        word_q    <= word_q + WORD_BITS'(1);
        present_q <= word_q;
      end else if (found) begin
        mask_q <= rest;
      end
      if (found) begin
        some_q  <= 1'b1;
        kept_q  <= column;
        after_q <= column + COLUMN_BITS'(1);
        if (some_q) skip_q <= skip_q - COUNT_BITS'(1);
        if (some_q && follows) begin
          run_q <= run_q + RUN_BITS'(1);
        end else begin
          run_q   <= RUN_BITS'(1);
          first_q <= column;
        end
      end
    end
  end
