
  // The operands of each group. Both ways choose a pair of elements of the window; without 4-bit weights one half of it counts.
  localparam int PAIR_BITS  = 2 * X_BITS;
  localparam int PAIR_SHIFT = $clog2(PAIR_BITS);

  wire [GROUPS-1:0] gs = gs_i;

  for (genvar g = 0; g < GROUPS; g++) begin : gen_group
    wire [VL_BITS-1:0]    index = index_i | (use_columns_i ? VL_BITS'(0) : VL_BITS'(g));
    wire [PLACE_BITS-1:0] place = use_w4_i ? pair_i[g*VL_BITS +: PLACE_BITS] : PLACE_BITS'({1'b1, index[VL_BITS-1:1]});
    wire [PAIR_BITS-1:0]  pair  = window[{place, PAIR_SHIFT'(0)} +: PAIR_BITS];
    wire [X_BITS-1:0]     one   = index[0] ? pair[PAIR_BITS-1:X_BITS] : pair[X_BITS-1:0];

    assign x_o[g*PAIR_BITS +: PAIR_BITS] = !use_w4_i ? PAIR_BITS'(one) : gs[g] ? '0 : pair;
  end
