  localparam int COLS_BITS    = anser_pkg::MAT_COLS_BITS;
  localparam int TILES_BITS   = anser_pkg::MAT_TILES_BITS;
  localparam int ROWS_BITS    = anser_pkg::MAT_ROWS_BITS;
  localparam int SHIFT_BITS   = anser_pkg::MAT_LOAD_SHIFT_BITS;
  localparam int LOAD_BITS    = anser_pkg::MAT_LOAD_ROWS_BITS;
  localparam int VL_BITS      = $clog2(VL);
  localparam int ENTRY_BITS   = $clog2(ENTRIES);
  localparam int W4_COLS_LOG2 = $clog2(anser_pkg::W4_COLS);
  localparam int UNIT_LOG2    = $clog2(anser_pkg::SCALE_UNIT_ROWS);
  localparam int COLUMN_ROWS  = GROUPS * anser_pkg::MAT_LANES;  // rows that a beat of a column has

  // The instruction that waits.
  reg                  next_q, next_columns_q, next_w16_q, next_w4_q, next_skip_q;
  reg [SHIFT_BITS-1:0] next_shift_q;
  reg [COLS_BITS-1:0]  next_cols_q;
  reg [TILES_BITS-1:0] next_tiles_q;
  reg [ROWS_BITS-1:0]  next_rows_q;

  // The instruction that runs.
  reg                  run_q, columns_q, w16_q, w4_q, skip_q;
  reg [SHIFT_BITS-1:0] shift_q;
  reg                  scale_q;               // the next beat is scales
  reg [TILES_BITS-1:0] units_q;               // scale units left before weights come
  reg [COLS_BITS-1:0]  inner_q, inner_len_q;  // beats left in the tile; entries left in the column
  reg [COLS_BITS-1:0]  outer_q;               // tiles left; columns left
  reg [ROWS_BITS-1:0]  rows_q;                // rows not yet handed over
  reg [1:0]            tile_q;                // tile in its scale unit
  // What comparisons of the counters give is kept beside the counters: the last beat, the only one, the last tile or column.
  reg                  inner_last_q, inner_one_q, outer_last_q;
  reg                  closing_q;              // the beat ends a sum that is wanted; with skip that is not known so early
  reg                  wanted_q, last_rows_q;  // rows are left (none for padding tiles); no more than this tile has
  reg                  first_q;                // sums start with this beat
  reg [ENTRY_BITS-1:0] entry_q;
  reg [VL_BITS-1:0]    index_q;                // operand element in its word
  reg                  scale_push_q;

  wire                 inner_last = inner_last_q;
  wire                 outer_last = skip_q ? x_last_i && x_valid_i : outer_last_q;
  wire                 wanted     = wanted_q;
  wire [ROWS_BITS-1:0] tile_rows  = columns_q ? ROWS_BITS'(COLUMN_ROWS) : w16_q ? ROWS_BITS'(8) : ROWS_BITS'(16);
  wire [ROWS_BITS-1:0] next_rows  = next_columns_q ? ROWS_BITS'(COLUMN_ROWS) : next_w16_q ? ROWS_BITS'(8) : ROWS_BITS'(16);
  wire                 last_rows  = last_rows_q;
  wire                 complete   = skip_q ? x_last_i && wanted : closing_q;  // counts only for a beat that is taken

  wire next_inner_last = inner_last ? inner_one_q : (inner_q == COLS_BITS'(2));
  wire next_outer_last = inner_last ? (outer_q == COLS_BITS'(2)) : outer_last_q;
  wire unit_last;  // last beat of a scale unit
  wire drain_ok = scale_q || !complete || hold_ok_i;
  wire w4_needed, w4_pop;  // an operand word is still to be used; it goes with this beat

  assign w_ready_o = run_q && drain_ok && (scale_q || x_valid_i || (w4_q && !w4_needed));

  wire take       = w_valid_i && w_ready_o;
  wire take_scale = take && scale_q;
  wire take_mac   = take && !scale_q;
  wire take_w4    = take_mac && w4_q;
  wire tile_end   = take_mac && inner_last;
  wire ends       = tile_end && outer_last;
  wire start      = next_q && !run_q;  // not also when one ends: hundreds of registers would wait for the last beat
  wire start_w4   = start && next_w4_q;
  wire unit_done  = w16_q ? (tile_q == 2'd3) : tile_q[0];  // the last tile of this scale unit

  assign ready_o         = !next_q;
  assign scale_push_o    = scale_push_q;
  assign stall_weights_o = w_ready_o && !w_valid_i;
  assign stall_drain_o   = run_q && !drain_ok && (x_valid_i || !skip_q);

  // A word of the operand lasts VL columns, and never longer than a pass.
  wire word_end = columns_q ? (index_q == VL_BITS'(VL - 1)) : (index_q == VL_BITS'(VL - GROUPS));
  assign x_columns_o = columns_q;
  assign x_index_o   = skip_q ? x_lane_i : index_q;
  assign x_pop_o     = take_mac && (w4_q ? w4_pop : columns_q ? inner_last && (word_end || outer_last || skip_q)
                                                  : inner_last || word_end);
  assign x_w4_o      = w4_q;

  // Beats of a tile, or entries of a column. Four groups are a unit of 64 bytes, which has UNIT_BEATS beats.
  localparam int TILES_UP_BITS = TILES_BITS + 1;
  localparam int ROWS_UP_BITS  = ROWS_BITS + 1;
  localparam int BEATS_LOG2    = $clog2(UNIT_BEATS);

  wire [TILES_BITS:0]  tiles_up   = {1'b0, next_tiles_q} + TILES_UP_BITS'(3);
  wire [ROWS_BITS:0]   rows_up    = {1'b0, next_rows_q} + ROWS_UP_BITS'(anser_pkg::SCALE_UNIT_ROWS - 1);
  wire [COLS_BITS-1:0] w4_periods = next_cols_q >> W4_COLS_LOG2;
  wire [COLS_BITS-1:0] w4_groups  = w4_periods + (w4_periods << (W4_COLS_LOG2 - 1)) + COLS_BITS'(3);  // 17 for every 32 columns
  wire [COLS_BITS-4:0] w4_units   = w4_groups[COLS_BITS-2:2];  // columns of this format are fewer than 2^15 in every configuration
  wire [COLS_BITS-1:0] beats      = next_columns_q ? COLS_BITS'(tiles_up >> 2) << BEATS_LOG2
                                    : next_w4_q ? COLS_BITS'(w4_units) << BEATS_LOG2 : next_cols_q >> $clog2(GROUPS);

  wire unused_up = &{1'b0, rows_up[UNIT_LOG2-1:0], w4_groups};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      next_q         <= 1'b0;
      next_columns_q <= 1'b0;
      next_w16_q     <= 1'b0;
      next_w4_q      <= 1'b0;
      next_skip_q    <= 1'b0;
      next_shift_q   <= '0;
      next_cols_q    <= '0;
      next_tiles_q   <= '0;
      next_rows_q    <= '0;
    end else if (accept_i) begin
      next_q         <= 1'b1;
      next_columns_q <= columns_i;
      next_w16_q     <= w16_i;
      next_w4_q      <= w4_i;
      next_skip_q    <= skip_i;
      next_shift_q   <= shift_i;
      next_cols_q    <= cols_i;
      next_tiles_q   <= tiles_i;
      next_rows_q    <= rows_i;
    end else if (start) begin
      next_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q        <= 1'b0;
      columns_q    <= 1'b0;
      w16_q        <= 1'b0;
      w4_q         <= 1'b0;
      skip_q       <= 1'b0;
      shift_q      <= '0;
      scale_q      <= 1'b0;
      units_q      <= '0;
      inner_q      <= '0;
      inner_len_q  <= '0;
      outer_q      <= '0;
      rows_q       <= '0;
      inner_last_q <= 1'b0;
      inner_one_q  <= 1'b0;
      outer_last_q <= 1'b0;
      closing_q    <= 1'b0;
      wanted_q     <= 1'b0;
      last_rows_q  <= 1'b0;
      tile_q       <= '0;
      first_q      <= 1'b0;
      entry_q      <= '0;
      index_q      <= '0;
    end else if (start) begin
      run_q        <= 1'b1;
      columns_q    <= next_columns_q;
      w16_q        <= next_w16_q;
      w4_q         <= next_w4_q;
      skip_q       <= next_skip_q;
      shift_q      <= next_shift_q;
      scale_q      <= 1'b1;
      units_q      <= next_columns_q ? rows_up[ROWS_BITS:UNIT_LOG2] : TILES_BITS'(1);
      inner_q      <= beats;
      inner_len_q  <= beats;
      outer_q      <= next_columns_q ? next_cols_q : COLS_BITS'(next_tiles_q);
      rows_q       <= next_rows_q;
      inner_last_q <= (beats == COLS_BITS'(1));
      inner_one_q  <= (beats == COLS_BITS'(1));
      outer_last_q <= next_columns_q ? (next_cols_q == COLS_BITS'(1)) : (next_tiles_q == TILES_BITS'(1));
      closing_q    <= next_columns_q ? (next_cols_q == COLS_BITS'(1)) : (beats == COLS_BITS'(1));
      wanted_q     <= 1'b1;
      last_rows_q  <= (next_rows_q <= next_rows);
      tile_q       <= '0;
      first_q      <= 1'b1;
      entry_q      <= '0;
      index_q      <= '0;
    end else begin
      if (ends) run_q <= 1'b0;
      if (take_scale && unit_last) begin
        units_q <= units_q - TILES_BITS'(1);
        if (units_q == TILES_BITS'(1)) scale_q <= 1'b0;
      end
      if (take_mac) begin
        inner_q      <= inner_last ? inner_len_q : inner_q - COLS_BITS'(1);
        inner_last_q <= next_inner_last;
        outer_last_q <= next_outer_last;
        closing_q    <= (columns_q ? next_outer_last : next_inner_last) && (complete ? !last_rows : wanted);
        if (inner_last) outer_q <= outer_q - COLS_BITS'(1);
        if (complete) begin
          rows_q      <= rows_q - tile_rows;
          wanted_q    <= !last_rows;
          last_rows_q <= (rows_q <= tile_rows << 1);
        end
        first_q <= columns_q ? (first_q && !inner_last) : inner_last;
        if (columns_q) begin
          entry_q <= inner_last ? '0 : entry_q + ENTRY_BITS'(1);
          if (inner_last) index_q <= index_q + VL_BITS'(1);  // VL is a power of two: wraps at a word's end
        end else begin
          index_q <= inner_last ? '0 : index_q + VL_BITS'(GROUPS);
          if (inner_last) tile_q <= unit_done ? 2'd0 : tile_q + 2'd1;
          if (inner_last && unit_done) begin
            scale_q <= 1'b1;
            units_q <= TILES_BITS'(1);
          end
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) scale_push_q <= 1'b0;
    else scale_push_q <= take_scale && wanted;
  end
