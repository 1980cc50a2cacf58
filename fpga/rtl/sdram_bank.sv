  reg                open_q;
  reg [ROW_BITS-1:0] row_q;

  assign open_o   = open_q;
  assign row_o    = row_q;
  assign pre_ok_o = ras_ok && burst_ok;
  assign act_ok_o = rc_ok && rp_ok;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) open_q <= 1'b0;
    else if (act_i) open_q <= 1'b1;
    else if (pre_i) open_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (act_i) row_q <= row_i;
  end
