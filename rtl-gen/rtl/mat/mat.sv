  localparam int SHIFT_BITS = anser_pkg::MAT_LOAD_SHIFT_BITS;

  // The fields of the instruction on offer.
  wire [anser_pkg::MAT_FMT_BITS-1:0]    fmt     = instr_i[anser_pkg::MAT_FMT_LSB +: anser_pkg::MAT_FMT_BITS];
  wire                                  dest    = instr_i[anser_pkg::MAT_DEST_LSB];
  wire [anser_pkg::MAT_XEXP_BITS-1:0]   xexp    = instr_i[anser_pkg::MAT_XEXP_LSB +: anser_pkg::MAT_XEXP_BITS];
  wire [anser_pkg::MAT_SHIFT_BITS-1:0]  f_shift = instr_i[anser_pkg::MAT_SHIFT_LSB +: anser_pkg::MAT_SHIFT_BITS];
  wire [anser_pkg::MAT_X_ADDR_BITS-1:0] x_addr  = instr_i[anser_pkg::MAT_X_ADDR_LSB +: anser_pkg::MAT_X_ADDR_BITS];
  wire [anser_pkg::MAT_D_ADDR_BITS-1:0] d_addr  = instr_i[anser_pkg::MAT_D_ADDR_LSB +: anser_pkg::MAT_D_ADDR_BITS];
  wire [anser_pkg::MAT_COLS_BITS-1:0]   cols    = instr_i[anser_pkg::MAT_COLS_LSB +: anser_pkg::MAT_COLS_BITS];
  wire [anser_pkg::MAT_TILES_BITS-1:0]  tiles   = instr_i[anser_pkg::MAT_TILES_LSB +: anser_pkg::MAT_TILES_BITS];
  wire [anser_pkg::MAT_ROWS_BITS-1:0]   rows    = instr_i[anser_pkg::MAT_ROWS_LSB +: anser_pkg::MAT_ROWS_BITS];

  wire columns = (fmt == anser_pkg::MAT_FMT_W8_COLUMNS);
  wire w16     = (fmt == anser_pkg::MAT_FMT_W16);
  wire w4      = (fmt == anser_pkg::MAT_FMT_W4);
  wire skip    = columns && instr_i[anser_pkg::MAT_SKIP_LSB];
  wire logits  = (dest == anser_pkg::MAT_DEST_LOGITS);

  wire [SHIFT_BITS-1:0] shift = SHIFT_BITS'(f_shift) - SHIFT_BITS'(xexp_i);  // signed

  wire unused_instr = &{1'b0, instr_i};  // wait_vec and last are the fetcher's

  wire control_ready, operands_ready, output_ready;
  wire accept = instr_valid_i && instr_ready_o;

  assign instr_ready_o = control_ready && operands_ready && output_ready;
  assign xexp_sel_o    = xexp;

  // Stage a: what the beat on offer is, and its operands.
  localparam int X_BITS     = 2 * anser_pkg::OPERAND_BITS;
  localparam int GROUP_BITS = 8 * anser_pkg::MAT_LANES;
  localparam int VL_BITS    = $clog2(VL);

  wire                         scale_push, x_valid, x_pop, x_columns, x_w4, x_last, en_a, lanes_w16;
  wire [VL_BITS-1:0]           x_lane, x_index;
  wire [GROUPS-1:0]            x_gs;
  wire [GROUPS*VL_BITS-1:0]    x_pair;
  wire [GROUPS*X_BITS-1:0]     x;

  // Stages b, m and c: the beat that was taken, and the lanes' memories.
  wire [GROUPS*GROUP_BITS-1:0] w_taken, gs;
  wire                         en_b, en_m, en_c, lanes_w4, from_zero, from_ram, ram_re, ram_we;
  wire [$clog2(ENTRIES)-1:0]   ram_raddr, ram_waddr;
  wire                         gs_start = en_a && x_w4;
  wire                         gs_end   = en_b && lanes_w4;

  // The hand-over of sums to the drain.
  wire                                     loading, load, load_columns, load_w16, load_last, hold_ok;
  wire [SHIFT_BITS-1:0]                    load_shift;
  wire [anser_pkg::MAT_LOAD_ROWS_BITS-1:0] load_rows;

  // Rows.
  wire                             row, row_last, out_valid, out_clipped, out_last, free;
  wire [anser_pkg::SCALE_BITS-1:0] scale;
  wire [GROUPS-1:0]                sel;
  wire [2:0]                       pair;
  wire [GROUPS*ACC_BITS-1:0]       even, odd;
  wire [anser_pkg::VEC_BITS-1:0]   out_data;
