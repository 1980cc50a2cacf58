  localparam int PRODUCT_BITS = STATE_BITS + anser_pkg::OPERAND_BITS;
  localparam int WORD_BITS    = PRODUCT_BITS + $clog2(LANES);  // sum of one word
  localparam int END          = 2 + $clog2(LANES);             // the stage whose register holds that sum

  // Bit n: the word is in the registers of stage n. Stages 1 and 2 are those of the products, then comes one for each level of the tree.
  reg [END:1] valid_q, first_q, last_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      first_q <= '0;
      last_q  <= '0;
    end else begin
      valid_q <= {valid_q[END-1:1], valid_i};
      first_q <= {first_q[END-1:1], first_i};
      last_q  <= {last_q[END-1:1], last_i};
    end
  end

  wire [1:0]                       mul_en = {valid_q[1], valid_i};
  wire [LANES*PRODUCT_BITS-1:0]    level_0;  // the products
  wire [WORD_BITS-1:0]             word_sum;
  wire [anser_pkg::SHIFT_BITS-1:0] shift;  // of the row in the accumulator

  // The row: exact sum, then rounded, then saturated. Rounding is symmetric, but saturation is not, so the sign is applied first, where
  // it costs nothing.
  wire [SUM_BITS-1:0] word = {{(SUM_BITS-WORD_BITS){word_sum[WORD_BITS-1]}}, word_sum};
  wire [SUM_BITS-1:0] floor;
  wire                up;
  wire [OUT_BITS-1:0] saturated;
  wire                clipped;
  reg  [SUM_BITS-1:0] acc_q, rounded_q;
  wire [SUM_BITS-1:0] base = first_q[END] ? '0 : acc_q;
  reg  [OUT_BITS-1:0] data_q;
  reg                 clipped_q;
  reg                 acc_valid_q, shifted_valid_q, rounded_valid_q, data_valid_q;

  always_ff @(posedge clk_i) begin
    if (valid_q[END]) acc_q <= (NEGATE != 0) ? base - word : base + word;
    if (shifted_valid_q) rounded_q <= floor + SUM_BITS'(up);
    if (rounded_valid_q) begin
      data_q    <= saturated;
      clipped_q <= clipped;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_valid_q     <= 1'b0;
      shifted_valid_q <= 1'b0;
      rounded_valid_q <= 1'b0;
      data_valid_q    <= 1'b0;
    end else begin
      acc_valid_q     <= valid_q[END] && last_q[END];
      shifted_valid_q <= acc_valid_q;
      rounded_valid_q <= shifted_valid_q;
      data_valid_q    <= rounded_valid_q;
    end
  end

  assign valid_o   = data_valid_q;
  assign data_o    = data_q;
  assign clipped_o = data_valid_q && clipped_q;
