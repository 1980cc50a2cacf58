  localparam int X_BITS = anser_pkg::OPERAND_BITS;

  reg [2*X_BITS-1:0] x_q;
  reg [X_BITS:0]     x_sum_q;  // of the two operands, which every lane needs
  reg [ACC_BITS-1:0] even, odd, even_q, odd_q;

  always_ff @(posedge clk_i) begin
    x_q     <= x_i;
    x_sum_q <= {x_i[X_BITS-1], x_i[X_BITS-1:0]} + {x_i[2*X_BITS-1], x_i[2*X_BITS-1:X_BITS]};
  end

  always_comb begin
    case (pair_i)
      3'd0:    {odd, even} = {hold_1, hold_0};
      3'd1:    {odd, even} = {hold_3, hold_2};
      3'd2:    {odd, even} = {hold_5, hold_4};
      3'd3:    {odd, even} = {hold_7, hold_6};
      3'd4:    {odd, even} = {hold_9, hold_8};
      3'd5:    {odd, even} = {hold_11, hold_10};
      3'd6:    {odd, even} = {hold_13, hold_12};
      default: {odd, even} = {hold_15, hold_14};
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (row_en_i) begin
      even_q <= row_sel_i ? even : '0;
      odd_q  <= row_sel_i ? odd : '0;
    end
  end

  assign even_o = even_q;
  assign odd_o  = odd_q;
