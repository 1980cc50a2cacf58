  localparam int COUNT_BITS = $clog2(CLOCKS_PER_BIT);

  reg [3:0]            bits_q;   // bits still to be sent, the one on the line included
  reg [COUNT_BITS-1:0] count_q;  // clocks until the next bit
  reg [8:0]            shift_q;  // bit 0 is on the line

  assign ready_o = (bits_q == 4'd0);
  assign tx_o    = shift_q[0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      bits_q  <= '0;
      count_q <= '0;
      shift_q <= '1;
    end else if (ready_o) begin
      if (valid_i) begin
        bits_q  <= 4'd10;
        count_q <= COUNT_BITS'(CLOCKS_PER_BIT - 1);
        shift_q <= {data_i, 1'b0};
      end
    end else if (count_q == '0) begin
      bits_q  <= bits_q - 4'd1;
      count_q <= COUNT_BITS'(CLOCKS_PER_BIT - 1);
      shift_q <= {1'b1, shift_q[8:1]};
    end else begin
      count_q <= count_q - COUNT_BITS'(1);
    end
  end
