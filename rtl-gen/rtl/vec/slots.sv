
  // -- Several sessions: the scalars of an instruction for one slice stay away from the others.
  localparam int ONLY_BITS = anser_pkg::VEC_ONLY_BITS;

  reg [ONLY_BITS-1:0] red_only_q;  // a slice's number plus 1; 0 is all of them

  always_ff @(posedge clk_i) begin
    if (begin_red) red_only_q <= instr_i[anser_pkg::VEC_ONLY_LSB +: ONLY_BITS];
  end

  wire scalar_here = (red_only_q == '0) || (red_only_q == {1'b0, slot_i} + ONLY_BITS'(1));
