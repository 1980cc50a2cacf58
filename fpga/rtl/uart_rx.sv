  localparam int COUNT_BITS = $clog2(CLOCKS_PER_BIT);

  reg [2:0]            line_q;   // [1] is safe to use
  reg                  busy_q, valid_q;
  reg [3:0]            bit_q;    // 0 start, 1 to 8 data, 9 stop
  reg [COUNT_BITS-1:0] count_q;  // clocks until the next sample
  reg [7:0]            shift_q;

  wire line   = line_q[1];
  wire falls  = line_q[2] && !line;
  wire sample = busy_q && (count_q == '0);

  assign valid_o = valid_q;
  assign data_o  = shift_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      line_q  <= 3'b111;
      busy_q  <= 1'b0;
      valid_q <= 1'b0;
      bit_q   <= '0;
      count_q <= '0;
    end else begin
      line_q  <= {line_q[1:0], rx_i};
      valid_q <= sample && (bit_q == 4'd9) && line;
      if (!busy_q) begin
        busy_q  <= falls;
        bit_q   <= '0;
        count_q <= COUNT_BITS'(CLOCKS_PER_BIT / 2 - 1);  // the edge is seen one cycle later than the samples after it
      end else if (sample) begin
        count_q <= COUNT_BITS'(CLOCKS_PER_BIT - 1);
        bit_q   <= bit_q + 4'd1;
        if ((bit_q == 4'd9) || (bit_q == 4'd0 && line)) busy_q <= 1'b0;
      end else begin
        count_q <= count_q - COUNT_BITS'(1);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (sample && bit_q != 4'd9) shift_q <= {line, shift_q[7:1]};
  end
