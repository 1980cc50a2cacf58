  localparam int WORD_BITS    = LANES * STATE_BITS;
  localparam int OPERAND_BITS = LANES * anser_pkg::OPERAND_BITS;
  localparam int BUFFER_BITS  = $clog2(BUFFER_WORDS);
  localparam int QUEUE_BITS   = $clog2(QUEUE_ROWS);

  // What depends on the number of sessions and on where their state lies is driven below.
  wire                             allowed;    // the state can be asked for the next word
  wire [STATE_ADDR_BITS-1:0]       next_addr;  // of the word after the one that is read
  wire [anser_pkg::SHIFT_BITS-1:0] shift_sa;   // of the word in the operand registers

  wire                       active, first, last;
  reg  [BUFFER_BITS:0]       words_q;  // words read and not yet taken, BUFFER_WORDS at most
  reg  [QUEUE_BITS:0]        rows_q;   // rows read to their end and not yet taken, QUEUE_ROWS at most
  wire                       room     = !words_q[BUFFER_BITS] && (!last || !rows_q[QUEUE_BITS]);
  wire                       read     = active && allowed && room;
  wire                       read_row = read && last;

  reg  [STATE_ADDR_BITS-1:0] s_addr_q;
  wire [ADDR_BITS-1:0]       kk_addr;
  reg  [ADDR_BITS-1:0]       kk_addr_1_q, kk_addr_q;  // kk is read two cycles later, because its memory is faster
  reg  [OPERANDS:1]          valid_q, first_q, last_q;  // bit n: stage n, the last one that of the operand registers
  reg  [WORD_BITS-1:0]       s_q;
  reg  [OPERAND_BITS-1:0]    kk_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      words_q  <= '0;
      rows_q   <= '0;
      s_addr_q <= '0;
      valid_q  <= '0;
      first_q  <= '0;
      last_q   <= '0;
    end else begin
      if (read != take_i) words_q <= read ? words_q + 1'b1 : words_q - 1'b1;
      if (read_row != take_last_i) rows_q <= read_row ? rows_q + 1'b1 : rows_q - 1'b1;
      if (go_i) s_addr_q <= s_addr_i;
      else if (read) s_addr_q <= next_addr;
      valid_q <= {valid_q[OPERANDS-1:1], read};
      first_q <= {first_q[OPERANDS-1:1], first};
      last_q  <= {last_q[OPERANDS-1:1], last};
    end
  end

  always_ff @(posedge clk_i) begin
    if (read) kk_addr_1_q <= kk_addr;
    if (valid_q[1]) kk_addr_q <= kk_addr_1_q;
    if (valid_q[OPERANDS-1]) begin
      s_q  <= s_i;
      kk_q <= kk_i;
    end
  end

  assign read_o    = read;
  assign s_addr_o  = s_addr_q;
  assign kk_read_o = valid_q[OPERANDS-2];
  assign kk_addr_o = kk_addr_q;
  assign idle_o    = !active && (words_q == '0);

  // The words of rows under way wait beside the sa of complete rows. Both have room, which was reserved when the word was read.
  wire sum_valid = valid_q[OPERANDS];
  wire sum_first = first_q[OPERANDS];
  wire sum_last  = last_q[OPERANDS];
  wire word_valid, sa_known, unused_word_ready, unused_sa_ready;

  assign valid_o = word_valid && sa_known;
