  reg  [3:0]  left_q;   // bytes still to be sent
  reg  [55:0] shift_q;  // sync and content, next byte lowest
  reg  [15:0] crc_q;
  wire [15:0] crc_next;

  wire sync  = (left_q == 4'd9);
  wire check = (left_q <= 4'd2);
  wire taken = byte_valid_o && byte_ready_i;

  assign ready_o      = (left_q == 4'd0);
  assign byte_valid_o = !ready_o;
  assign byte_o       = check ? crc_q[7:0] : shift_q[7:0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) left_q <= '0;
    else if (ready_o) left_q <= valid_i ? 4'd9 : 4'd0;
    else if (taken) left_q <= left_q - 4'd1;
  end

  always_ff @(posedge clk_i) begin
    if (ready_o) begin
      shift_q <= {data_i, 5'b0, status_i, cmd_i, REPLY_SYNC};
      crc_q   <= 16'hffff;
    end else if (taken) begin
      shift_q <= {8'b0, shift_q[55:8]};
      if (check) crc_q <= {8'b0, crc_q[15:8]};
      else if (!sync) crc_q <= crc_next;
    end
  end
