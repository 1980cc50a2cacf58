  localparam int SUMS     = TERMS / FAN;
  localparam int SUM_BITS = BITS + $clog2(FAN);

  reg                     valid_q, end_q, last_q;
  reg [SUMS*SUM_BITS-1:0] sums_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= valid_i;
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      end_q  <= end_i;
      last_q <= last_i;
    end
  end

  for (genvar s = 0; s < SUMS; s++) begin : gen_sum
    reg [SUM_BITS-1:0] sum;

    always_comb begin
      sum = '0;
      for (int f = 0; f < FAN; f++) begin
        sum = sum + {{(SUM_BITS-BITS){terms_i[(s*FAN+f)*BITS+BITS-1]}}, terms_i[(s*FAN+f)*BITS +: BITS]};
      end
    end

    always_ff @(posedge clk_i) begin
      if (valid_i) sums_q[s*SUM_BITS +: SUM_BITS] <= sum;
    end
  end

  assign valid_o = valid_q;
  assign end_o   = end_q;
  assign last_o  = last_q;
  assign sums_o  = sums_q;
