  localparam int SCALE_BITS  = anser_pkg::SCALE_BITS;
  localparam int SCALE_SHIFT = $clog2(SCALE_BITS);
  localparam int ADDR_BITS   = $clog2(DEPTH);
  localparam int POS_BITS    = $clog2(BEAT_SCALES);

  reg [ADDR_BITS-1:0]  waddr_q, raddr_q;
  reg [POS_BITS-1:0]   pos_q, index_q;  // in the beat: the scale to ask for next, the one that was asked for
  reg                  read_q;
  reg [SCALE_BITS-1:0] scale_q;

  wire [BEAT_SCALES*SCALE_BITS-1:0] word;

  wire                 word_end   = row_last_i || pos_q == POS_BITS'(BEAT_SCALES - 1);
  wire                 word_start = row_i && pos_q == '0;
  // The beat before the next to read. A unit is 1, 2 or 4 beats, so the beat's place in it is the low bits of the address.
  wire [ADDR_BITS-1:0] last_beat  = row_last_i ? (raddr_q | ADDR_BITS'(UNIT_BEATS - 1)) : raddr_q;

  assign scale_o = scale_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      waddr_q <= '0;
      raddr_q <= '0;
      pos_q   <= '0;
      index_q <= '0;
      read_q  <= 1'b0;
    end else begin
      if (push_i) waddr_q <= (waddr_q == ADDR_BITS'(DEPTH - 1)) ? '0 : waddr_q + ADDR_BITS'(1);
      if (row_i) begin
        index_q <= pos_q;
        pos_q   <= word_end ? '0 : pos_q + POS_BITS'(1);
        if (word_end) raddr_q <= (last_beat == ADDR_BITS'(DEPTH - 1)) ? '0 : last_beat + ADDR_BITS'(1);
      end
      read_q <= row_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (read_q) scale_q <= word[{index_q, SCALE_SHIFT'(0)} +: SCALE_BITS];
  end
