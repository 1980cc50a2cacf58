  localparam [2:0] HUNT = 3'd0, CMD = 3'd1, ARG = 3'd2, DATA = 3'd3, CRC = 3'd4, HELD = 3'd5;

  localparam int IDLE_BITS = $clog2(TIMEOUT_CYCLES + 1);

  reg [2:0]           state_q;
  reg [5:0]           count_q;  // bytes of this part so far
  reg [1:0]           status_q;
  reg [IDLE_BITS-1:0] idle_q;   // cycles since the last byte
  reg [15:0]          crc_q;
  reg [7:0]           cmd_q;
  reg [31:0]          arg_q;
  reg [23:0]          word_q;   // first three bytes of a data word
  reg [7:0]           crc_low_q;
  reg [31:0]          buffer [0:15];

  wire        take  = byte_valid_i && byte_ready_o;
  wire        begun = (state_q != HUNT) && (state_q != HELD);
  wire        late  = begun && (idle_q == IDLE_BITS'(TIMEOUT_CYCLES));
  wire [15:0] crc_next;

  assign byte_ready_o = (state_q != HELD);
  assign valid_o      = (state_q == HELD);
  assign status_o     = status_q;
  assign cmd_o        = cmd_q;
  assign arg_o        = arg_q;
  assign word_o       = buffer[index_i];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q  <= HUNT;
      count_q  <= '0;
      status_q <= '0;
      idle_q   <= '0;
    end else begin
      idle_q <= (take || !begun) ? '0 : idle_q + IDLE_BITS'(1);
      if (take) begin
        count_q <= count_q + 6'd1;
        case (state_q)
          HUNT: if (byte_i == SYNC) state_q <= CMD;
          CMD: begin
            state_q <= ARG;
            count_q <= '0;
          end
          ARG: if (count_q == 6'd3) begin
            state_q <= cmd_q[3] ? DATA : CRC;
            count_q <= '0;
          end
          DATA: if (count_q == 6'd63) begin
            state_q <= CRC;
            count_q <= '0;
          end
          default: if (count_q == 6'd1) begin
            state_q  <= HELD;
            status_q <= ({byte_i, crc_low_q} == crc_q) ? WHOLE : CHECKSUM;
          end
        endcase
      end else if (late) begin
        state_q  <= HELD;
        status_q <= CUT_SHORT;
      end else if (take_i && valid_o) begin
        state_q <= HUNT;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      if (state_q == HUNT) crc_q <= 16'hffff;
      else if (state_q != CRC) crc_q <= crc_next;
      if (state_q == CMD) cmd_q <= byte_i;
      if (state_q == ARG) arg_q <= {byte_i, arg_q[31:8]};
      if (state_q == DATA) word_q <= {byte_i, word_q[23:8]};
      if (state_q == DATA && count_q[1:0] == 2'd3) buffer[count_q[5:2]] <= {byte_i, word_q};
      if (state_q == CRC) crc_low_q <= byte_i;
    end
  end
