  localparam [3:0] IDLE = 4'd0, REPLY = 4'd1, WORDS = 4'd2, MEM = 4'd3, READ = 4'd4, FEED = 4'd5, SPEAK = 4'd6,
                   SAY = 4'd7, PUT = 4'd8, START = 4'd9, POLL = 4'd10, GET = 4'd11, BAD = 4'd12, HI = 4'd13;

  localparam int TOKEN_BITS = anser_pkg::TOKEN_BITS;
  localparam int SAID_BITS  = 32 - TOKEN_BITS;  // what is left of a reply's data beside a token

  reg [3:0]            state_q;
  reg                  asked_q;        // the register access of this state is under way
  reg [7:0]            last_q;         // command byte executed last, if known_q
  reg                  known_q;
  reg [2:0]            status_q;
  reg [31:0]           data_q;
  reg [15:0]           left_q;         // words, bytes or tokens to go
  reg [5:0]            at_q;           // word or byte of the buffer
  reg [SAID_BITS-1:0]  said_q;         // tokens of this SPEAK
  reg [TOKEN_BITS-1:0] tok_q;
  reg [31:0]           next_q;         // goes into the chip, which refuses what is no token
  reg                  have_q, owed_q, clear_q, speaking_q, words_q, error_q;
  reg [127:0]          beat_q;
  reg                  beat_full_q;

  reg  seen_q;   // the frame on offer has been looked at
  reg  fresh_q;  // and is not the last one again
  wire begins = (state_q == IDLE) && seen_q;

  // FEED takes bytes; FEED_TOKENS, WRITE_WORDS and WRITE_MEMORY take words.
  wire       by_byte  = (state_q == FEED) && !words_q;
  wire [7:0] byte_now = (at_q[1:0] == 2'd0) ? word_i[7:0] : (at_q[1:0] == 2'd1) ? word_i[15:8]
                      : (at_q[1:0] == 2'd2) ? word_i[23:16] : word_i[31:24];
  assign index_o = by_byte ? at_q[5:2] : at_q[3:0];

  // Register accesses: each state that needs one asks once and goes on with its answer.
  wire access = (state_q == WORDS && left_q != '0) || (state_q == READ) || (state_q == PUT)
              || (state_q == START) || (state_q == POLL) || (state_q == GET);

  wire refused = access && lite_done_i && lite_error_i;

  wire [31:0] start = (32'(clear_q) << anser_pkg::CTRL_CLEAR_LSB) | (32'd1 << anser_pkg::CTRL_START_LSB);

  assign lite_start_o = access && !asked_q;
  assign lite_we_o    = (state_q == WORDS) || (state_q == PUT) || (state_q == START);
  assign lite_addr_o  = (state_q == PUT) ? {anser_pkg::REG_TOKEN_IN, 2'b0} : (state_q == START) ? {anser_pkg::REG_CTRL, 2'b0}
                      : (state_q == POLL) ? {anser_pkg::REG_STATUS, 2'b0}
                      : (state_q == GET) ? {anser_pkg::REG_TOKEN_OUT, 2'b0} : frame_arg_i[anser_pkg::LITE_ADDR_BITS-1:0];
  assign lite_wdata_o = (state_q == PUT) ? next_q : (state_q == START) ? start : word_i;

  assign reply_valid_o  = (state_q == REPLY) || (state_q == SAY) || (state_q == BAD);
  assign reply_cmd_o    = frame_cmd_i;
  assign reply_status_o = (state_q == SAY) ? REPLY_TOKEN : (state_q == BAD) ? {1'b0, frame_status_i} : status_q;
  assign reply_data_o   = (state_q == SAY) ? {said_q, tok_q} : (state_q == BAD) ? 32'b0 : data_q;
  assign frame_take_o   = ((state_q == REPLY) || (state_q == BAD)) && reply_ready_i;

  assign mem_valid_o = beat_full_q;
  assign mem_data_o  = beat_q;
  assign busy_o      = (state_q != IDLE);
  assign error_o     = error_q;

  // The beat after the one on offer is at word at_q, so the one on offer ends just before it.
  wire [1:0] beat = at_q[3:2] - 2'd1;
  assign mem_beat_o = {frame_arg_i[UNIT_BITS-1:0], beat};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q     <= IDLE;
      asked_q     <= 1'b0;
      seen_q      <= 1'b0;
      fresh_q     <= 1'b0;
      known_q     <= 1'b0;
      last_q      <= '0;
      status_q    <= '0;
      data_q      <= '0;
      left_q      <= '0;
      at_q        <= '0;
      said_q      <= '0;
      tok_q       <= '0;
      next_q      <= '0;
      have_q      <= 1'b0;
      owed_q      <= 1'b0;
      clear_q     <= 1'b0;
      speaking_q  <= 1'b0;
      words_q     <= 1'b0;
      error_q     <= 1'b0;
      beat_full_q <= 1'b0;
    end else begin
      asked_q <= access && !lite_done_i;
      seen_q  <= (state_q == IDLE) && frame_valid_i && !seen_q;
      fresh_q <= (frame_cmd_i != last_q) || !known_q || (frame_cmd_i[3:0] == DO_HELLO);
      case (state_q)
        IDLE: if (begins) begin
          at_q   <= '0;
          said_q <= '0;
          if (frame_status_i != 2'd0) begin
            error_q <= 1'b1;
            state_q <= BAD;  // status_q and data_q stay: the last reply may be asked for again
          end else if (!fresh_q) begin
            state_q <= REPLY;
          end else begin
            last_q     <= frame_cmd_i;
            known_q    <= 1'b1;
            status_q   <= REPLY_DONE;
            data_q     <= '0;
            error_q    <= 1'b0;
            speaking_q <= 1'b0;
            case (frame_cmd_i[3:0])
              DO_HELLO: state_q <= HI;
              DO_READ: state_q <= READ;
              DO_WRITE_WORDS: begin
                left_q  <= {11'b0, frame_arg_i[20:16]};
                state_q <= WORDS;
              end
              DO_WRITE_MEMORY: begin
                left_q  <= 16'd16;
                state_q <= MEM;
              end
              DO_FEED, DO_FEED_TOKENS: begin
                words_q <= (frame_cmd_i[3:0] == DO_FEED_TOKENS);
                left_q  <= {9'b0, frame_arg_i[6:0]};
                clear_q <= frame_arg_i[8];
                if (frame_arg_i[8]) owed_q <= 1'b0;
                state_q <= FEED;
              end
              DO_SPEAK: begin
                left_q     <= frame_arg_i[15:0];
                speaking_q <= 1'b1;
                state_q    <= SPEAK;
                if (!have_q) begin
                  status_q <= REPLY_UNKNOWN;
                  error_q  <= 1'b1;
                  state_q  <= REPLY;
                end
              end
              default: begin
                status_q <= REPLY_UNKNOWN;
                error_q  <= 1'b1;
                state_q  <= REPLY;
              end
            endcase
          end
        end

        REPLY, BAD: if (reply_ready_i) state_q <= IDLE;

        HI: begin  // the host may begin when the memory can
          data_q <= HELLO_ID;
          if (mem_ready_i) state_q <= REPLY;
        end

        WORDS: if (left_q == '0 || refused) begin
          state_q <= REPLY;
        end else if (lite_done_i) begin
          left_q <= left_q - 16'd1;
          at_q   <= at_q + 6'd1;
        end

        MEM: if (beat_full_q) begin
          if (mem_ready_i) beat_full_q <= 1'b0;
        end else if (left_q == '0) begin
          state_q <= REPLY;
        end else begin
          left_q      <= left_q - 16'd1;
          at_q        <= at_q + 6'd1;
          beat_full_q <= (at_q[1:0] == 2'd3);
        end

        READ: if (refused) begin
          state_q <= REPLY;
        end else if (lite_done_i) begin
          data_q  <= lite_rdata_i;
          state_q <= REPLY;
        end

        FEED: begin
          data_q <= 32'(tok_q);
          if (owed_q) begin
            owed_q  <= 1'b0;
            next_q  <= 32'(tok_q);
            state_q <= PUT;
          end else if (left_q == '0) begin
            state_q <= REPLY;
          end else begin
            left_q  <= left_q - 16'd1;
            at_q    <= at_q + 6'd1;
            next_q  <= words_q ? word_i : 32'(byte_now);
            state_q <= PUT;
          end
        end

        SPEAK: begin
          data_q <= {said_q, tok_q};
          if ((left_q == '0) || more_i) begin
            state_q <= REPLY;
          end else if (owed_q) begin
            owed_q  <= 1'b0;
            next_q  <= 32'(tok_q);
            state_q <= PUT;
          end else begin
            state_q <= SAY;
          end
        end

        SAY: if (reply_ready_i) begin
          owed_q  <= 1'b1;
          left_q  <= left_q - 16'd1;
          said_q  <= said_q + SAID_BITS'(1);
          state_q <= SPEAK;
        end

        PUT: if (lite_done_i) state_q <= refused ? REPLY : START;

        START: if (lite_done_i) begin
          clear_q <= 1'b0;
          state_q <= refused ? REPLY : POLL;
        end

        POLL: if (refused) begin
          state_q <= REPLY;
        end else if (lite_done_i && !lite_rdata_i[anser_pkg::STATUS_BUSY_LSB]) begin
          state_q <= GET;
          if (!lite_rdata_i[anser_pkg::STATUS_DONE_LSB]) begin  // data_q says why
            status_q <= REPLY_ENDED;
            data_q   <= lite_rdata_i;
            error_q  <= 1'b1;
            have_q   <= 1'b0;
            state_q  <= REPLY;
          end
        end

        default: if (refused) begin  // GET
          state_q <= REPLY;
        end else if (lite_done_i) begin
          tok_q   <= lite_rdata_i[TOKEN_BITS-1:0];
          have_q  <= 1'b1;
          state_q <= speaking_q ? SPEAK : FEED;
        end
      endcase
      if (refused) begin
        status_q <= REPLY_REFUSED;
        error_q  <= 1'b1;
        have_q   <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == MEM && !beat_full_q) beat_q <= {word_i, beat_q[127:32]};
  end

  wire unused = &{1'b0, frame_arg_i[31:UNIT_BITS]};
