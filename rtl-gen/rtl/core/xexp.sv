  reg [anser_pkg::EXP_BITS-1:0] exp_q [0:15];

  always_ff @(posedge clk_i) begin
    if (we_i) exp_q[slot_i] <= exp_i;
  end

  assign exp_o = exp_q[sel_i];
