  localparam int HALF_BITS = LANES * anser_pkg::OPERAND_BITS;
  localparam int BEAT_BITS = (BEATS > 1) ? $clog2(BEATS) : 1;

  reg                 half_q;  // the next word is the beat's second half
  reg [BEAT_BITS-1:0] beat_q;  // beat within the unit
  reg                 drop_q;  // the rest of the unit is padding

  wire [HALF_BITS-1:0] half         = half_q ? p_data_i[2*HALF_BITS-1:HALF_BITS] : p_data_i[HALF_BITS-1:0];
  wire                 beat_done    = half_q || last_i || whole_beat;
  wire                 at_last_beat = (beat_q == BEAT_BITS'(BEATS - 1));
  wire [BEAT_BITS-1:0] next_beat    = at_last_beat ? '0 : beat_q + BEAT_BITS'(1);

  assign valid_o   = p_valid_i && !drop_q;
  assign p_ready_o = drop_q || (take_i && beat_done);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      half_q <= 1'b0;
      beat_q <= '0;
      drop_q <= 1'b0;
    end else if (start_i) begin
      half_q <= 1'b0;
      beat_q <= '0;
      drop_q <= 1'b0;
    end else if (drop_q) begin
      if (p_valid_i) begin
        beat_q <= next_beat;
        drop_q <= !at_last_beat;
      end
    end else if (take_i) begin
      half_q <= !beat_done;
      if (beat_done) beat_q <= next_beat;
      drop_q <= last_i && !at_last_beat;
    end
  end
