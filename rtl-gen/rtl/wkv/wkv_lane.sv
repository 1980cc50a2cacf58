  localparam int PRODUCT_BITS = STATE_BITS + anser_pkg::OPERAND_BITS;
  localparam int VK_BITS      = 2 * anser_pkg::OPERAND_BITS;
  localparam int ADDED_BITS   = PRODUCT_BITS + 1;  // one more than the longer term
  localparam int SUM_BITS     = ADDED_BITS + 1;
  localparam int KEPT_BITS    = STATE_BITS + 1;

  // Stages 1 and 2: the products, that of v and k a stage later. S waits for its own.
  wire [PRODUCT_BITS-1:0] sd, sab;
  wire [VK_BITS-1:0]      vk;
  reg  [STATE_BITS-1:0]   s1_q, s2_q, s3_q, s4_q;

  // Stages 3 and 4: each product is rounded by itself; that of v and k, a stage behind, is rounded by the next sum.
  wire [STATE_BITS-1:0]   sd_floor;
  wire [PRODUCT_BITS-1:0] sab_floor;
  wire [VK_BITS-1:0]      vk_floor;
  wire                    sd_up, sab_up, vk_up;
  reg  [STATE_BITS-1:0]   sd_q;
  reg  [PRODUCT_BITS-1:0] sab_q;

  // Stages 5 and 6: the exact sum. Stage 7: the one saturation.
  reg  [KEPT_BITS-1:0]    kept_q;   // S - round(S*d)
  reg  [ADDED_BITS-1:0]   added_q;  // round(sa*b) + round(v*k)
  reg  [SUM_BITS-1:0]     sum_q;
  wire [STATE_BITS-1:0]   saturated;
  wire                    clipped;
  reg  [STATE_BITS-1:0]   s_q;
  reg                     clipped_q;

  wire [ADDED_BITS-1:0]   vk_wide   = {{(ADDED_BITS-VK_BITS){vk_floor[VK_BITS-1]}}, vk_floor};
  wire [SUM_BITS-1:0]     kept_wide = {{(SUM_BITS-KEPT_BITS){kept_q[KEPT_BITS-1]}}, kept_q};

  always_ff @(posedge clk_i) begin
    if (en_i[0]) s1_q <= s_i;
    if (en_i[1]) s2_q <= s1_q;
    if (en_i[2]) s3_q <= s2_q;
    if (en_i[3]) begin
      s4_q  <= s3_q;
      sd_q  <= sd_floor + STATE_BITS'(sd_up);
      sab_q <= sab_floor + PRODUCT_BITS'(sab_up);
    end
    if (en_i[4]) begin
      kept_q  <= {s4_q[STATE_BITS-1], s4_q} - {sd_q[STATE_BITS-1], sd_q};
      added_q <= {sab_q[PRODUCT_BITS-1], sab_q} + vk_wide + ADDED_BITS'(vk_up);
    end
    if (en_i[5]) sum_q <= kept_wide + {added_q[ADDED_BITS-1], added_q};
    if (en_i[6]) begin
      s_q       <= saturated;
      clipped_q <= clipped;
    end
  end

  assign s_o       = s_q;
  assign clipped_o = clipped_q;
