  localparam int SUMS     = TERMS / FAN;
  localparam int SUM_BITS = BITS + $clog2(FAN);

  for (genvar s = 0; s < SUMS; s++) begin : gen_sum
    reg [SUM_BITS-1:0] sum, sum_q;

    always_comb begin
      sum = '0;
      for (int f = 0; f < FAN; f++) begin
        sum = sum + {{(SUM_BITS-BITS){terms_i[(s*FAN+f)*BITS+BITS-1]}}, terms_i[(s*FAN+f)*BITS +: BITS]};
      end
    end

    always_ff @(posedge clk_i) begin
      if (en_i) sum_q <= sum;
    end

    assign sums_o[s*SUM_BITS +: SUM_BITS] = sum_q;
  end
