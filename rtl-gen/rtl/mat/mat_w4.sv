  localparam int COLS_BITS  = anser_pkg::MAT_COLS_BITS;
  localparam int PERIOD     = 1 + anser_pkg::W4_COLS / 2;  // groups that hold W4_COLS columns: one of scales, then two columns each
  localparam int PLACE_BITS = $clog2(PERIOD);
  localparam int UP_BITS    = PLACE_BITS + 1;
  localparam int VL_BITS    = $clog2(VL);
  localparam int WORDS_BITS = COLS_BITS - VL_BITS;

  reg [PLACE_BITS-1:0] place_q;          // of group 0 in its period
  reg [VL_BITS-1:0]    offset_q;         // of its columns in the window, in pairs
  reg [WORDS_BITS-1:0] words_q, left_q;  // operand words of a pass; those that have not gone yet
  reg                  needed_q;         // left_q is not 0

  reg  [GROUPS-1:0]         gs;
  reg  [GROUPS*VL_BITS-1:0] pair;
  reg                       seen;  // a group before this one holds scales

  wire [PLACE_BITS:0]   place_up   = {1'b0, place_q} + UP_BITS'(GROUPS);
  wire                  wraps      = (place_up >= UP_BITS'(PERIOD));
  wire [PLACE_BITS-1:0] place_next = wraps ? place_up[PLACE_BITS-1:0] - PLACE_BITS'(PERIOD) : place_up[PLACE_BITS-1:0];
  wire [VL_BITS:0]      offset_up  = {1'b0, offset_q} + ((|gs) ? {1'b0, VL_BITS'(GROUPS - 1)} : {1'b0, VL_BITS'(GROUPS)});
  wire                  word_end   = (offset_up > {1'b0, VL_BITS'(VL - GROUPS)});
  wire                  last_word  = tile_last_i || word_end;
  wire [WORDS_BITS-1:0] words      = cols_i[COLS_BITS-1:VL_BITS];

  wire unused_cols = &{1'b0, cols_i[VL_BITS-1:0]};

  always_comb begin
    seen = 1'b0;
    for (int i = 0; i < GROUPS; i++) begin
      gs[i] = (place_q == PLACE_BITS'((i == 0) ? 0 : PERIOD - i));
      pair[i*VL_BITS +: VL_BITS] = offset_q + (seen ? VL_BITS'(i - 1) : VL_BITS'(i));
      seen = seen || gs[i];
    end
  end

  assign gs_o     = gs;
  assign pair_o   = pair;
  assign needed_o = needed_q;
  assign pop_o    = needed_q && last_word;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      place_q  <= '0;
      offset_q <= VL_BITS'(VL / 2);
      words_q  <= '0;
      left_q   <= '0;
      needed_q <= 1'b0;
    end else if (start_i) begin
      place_q  <= '0;
      offset_q <= VL_BITS'(VL / 2);
      words_q  <= words;
      left_q   <= words;
      needed_q <= (|words);
    end else if (step_i) begin
      place_q  <= tile_last_i ? '0 : place_next;
      offset_q <= tile_last_i ? VL_BITS'(VL / 2) : word_end ? offset_up[VL_BITS-1:0] - VL_BITS'(VL / 2) : offset_up[VL_BITS-1:0];
      left_q   <= tile_last_i ? words_q : pop_o ? left_q - WORDS_BITS'(1) : left_q;
      needed_q <= tile_last_i ? (|words_q) : needed_q && !(last_word && left_q == WORDS_BITS'(1));
    end
  end
