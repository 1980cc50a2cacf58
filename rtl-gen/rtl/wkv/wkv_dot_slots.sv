
  // Rows of several sessions are under way: each brings its shift through the stages, to the accumulator.
  reg [(END+1)*anser_pkg::SHIFT_BITS-1:0] shift_q;

  always_ff @(posedge clk_i) begin
    shift_q <= {shift_q[END*anser_pkg::SHIFT_BITS-1:0], shift_i};
  end

  assign shift = shift_q[END*anser_pkg::SHIFT_BITS +: anser_pkg::SHIFT_BITS];
