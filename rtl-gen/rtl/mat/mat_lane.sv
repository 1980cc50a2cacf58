  localparam int X_BITS       = anser_pkg::OPERAND_BITS;
  localparam int X_SUM_BITS   = X_BITS + 1;     // two operands added
  localparam int HALF_BITS    = X_BITS + 3;     // two bits of both nibbles times their operands
  localparam int PAIR_BITS    = X_BITS + 5;     // both nibbles times their operands
  localparam int PRODUCT_BITS = PAIR_BITS + 7;  // that times an unsigned byte: 2 x -8 x -32768 x 255 at worst

  reg signed [8:0]              w_q, by_q;
  reg signed [PAIR_BITS-1:0]    x_q;
  reg signed [PRODUCT_BITS-1:0] product_q;
  reg        [ACC_BITS-1:0]     sum_q, hold_q;

  // The two nibbles give q0 x0 + q1 x1, a bit of both at a time: 0, x0, x1 or both. This takes adders instead of multipliers, because
  // multipliers are few on an FPGA and far apart.
  wire signed [X_BITS:0] x0    = {x_i[X_BITS-1], x_i[X_BITS-1:0]};
  wire signed [X_BITS:0] x1    = {x_i[2*X_BITS-1], x_i[2*X_BITS-1:X_BITS]};
  wire signed [X_BITS:0] bit_0 = w_q[0] ? (w_q[4] ? x_sum_i : x0) : w_q[4] ? x1 : X_SUM_BITS'(0);
  wire signed [X_BITS:0] bit_1 = w_q[1] ? (w_q[5] ? x_sum_i : x0) : w_q[5] ? x1 : X_SUM_BITS'(0);
  wire signed [X_BITS:0] bit_2 = w_q[2] ? (w_q[6] ? x_sum_i : x0) : w_q[6] ? x1 : X_SUM_BITS'(0);
  wire signed [X_BITS:0] bit_3 = w_q[3] ? (w_q[7] ? x_sum_i : x0) : w_q[7] ? x1 : X_SUM_BITS'(0);

  wire signed [HALF_BITS-1:0]    low     = {{2{bit_0[X_BITS]}}, bit_0} + {bit_1[X_BITS], bit_1, 1'b0};
  wire signed [HALF_BITS-1:0]    high    = {{2{bit_2[X_BITS]}}, bit_2} - {bit_3[X_BITS], bit_3, 1'b0};  // bit 3 is the sign
  wire signed [PAIR_BITS-1:0]    pair    = {{2{low[HALF_BITS-1]}}, low} + {high, 2'b0};
  wire signed [PRODUCT_BITS-1:0] x_wide  = PRODUCT_BITS'(x_q);
  wire signed [PRODUCT_BITS-1:0] by_wide = PRODUCT_BITS'(by_q);
  wire        [ACC_BITS-1:0]     so_far  = from_zero_i ? '0 : from_ram_i ? ACC_BITS'($signed(acc_i)) : sum_q;
  wire        [ACC_BITS-1:0]     sum     = so_far + ACC_BITS'(product_q);

  assign w_o    = w_q[7:0];
  assign sum_o  = sum[COLUMN_ACC_BITS-1:0];
  assign hold_o = hold_q;

  always_ff @(posedge clk_i) begin
    w_q <= {w_i[7] && !unsigned_i, w_i};
    if (en_b_i) begin
      x_q  <= w4_i ? pair : PAIR_BITS'(x0);
      by_q <= w4_i ? {1'b0, gs_i} : w_q;
    end
    if (en_m_i) product_q <= x_wide * by_wide;
    if (en_c_i) sum_q <= sum;
    if (load_i) hold_q <= sum;
  end
