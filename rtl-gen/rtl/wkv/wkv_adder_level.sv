  localparam int SUM_BITS = BITS + 1;

  for (genvar i = 0; i < NODES / 2; i++) begin : gen_pair
    wire signed [BITS-1:0]     a = $signed(x_i[(2*i)*BITS +: BITS]);
    wire signed [BITS-1:0]     b = $signed(x_i[(2*i+1)*BITS +: BITS]);
    reg         [SUM_BITS-1:0] sum_q;

    always_ff @(posedge clk_i) begin
      if (en_i) sum_q <= {a[BITS-1], a} + {b[BITS-1], b};
    end

    assign sum_o[i*SUM_BITS +: SUM_BITS] = sum_q;
  end
