
  // The beats of a scale unit.
  reg [BEATS_LOG2-1:0] beat_q;

  assign unit_last = (beat_q == BEATS_LOG2'(UNIT_BEATS - 1));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) beat_q <= '0;
    else if (take_scale) beat_q <= beat_q + BEATS_LOG2'(1);  // a power of two: wraps
  end
