  localparam int OPERAND_BITS = anser_pkg::OPERAND_BITS;

  reg                  we_q;
  reg  [ADDR_BITS-1:0] waddr_q;
  reg  [LANES-1:0]     mask, mask_q;

  always_comb begin
    mask = '0;
    for (int s = 0; s < SLOTS; s++) begin
      for (int l = 0; l < LANES; l++) begin
        if (active[s] && |wdata_i[(s*LANES + l)*OPERAND_BITS +: OPERAND_BITS]) mask[l] = 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) we_q <= 1'b0;
    else we_q <= we_i;
  end

  always_ff @(posedge clk_i) begin
    if (we_i) begin
      waddr_q <= waddr_i;
      mask_q  <= mask;
    end
  end
