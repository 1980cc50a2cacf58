  reg [WORD_BITS-1:0] rdata_q;

  always_ff @(posedge clk_i) begin
    if (re_i) rdata_q <= word;
  end

  assign rdata_o = rdata_q;
