
  // One session: rows follow each other.
  reg [ROW_BITS-1:0] sa_row_q, y_row_q, y_addr_q;

  assign sa_row   = sa_row_q;
  assign y_row    = y_row_q;
  assign y_addr_o = y_addr_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sa_row_q <= '0;
      y_row_q  <= '0;
      y_addr_q <= '0;
    end else begin
      if (go) sa_row_q <= '0;
      else if (sa_valid) sa_row_q <= sa_row_q + ROW_BITS'(1);
      if (go) begin
        y_row_q  <= '0;
        y_addr_q <= y_addr;
      end else if (hand_over) begin
        y_row_q  <= y_row_q + ROW_BITS'(1);
        y_addr_q <= y_addr_q + ROW_BITS'(1);
      end
    end
  end
