  localparam int BITS = $clog2((CYCLES > OTHER_CYCLES) ? CYCLES : OTHER_CYCLES);

  reg [BITS-1:0] left_q;

  assign ok_o = (left_q <= BITS'(1));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) left_q <= '0;
    else if (event_i) left_q <= BITS'(CYCLES - 1);
    else if (other_i) left_q <= BITS'(OTHER_CYCLES - 1);
    else if (left_q != '0) left_q <= left_q - BITS'(1);
  end
