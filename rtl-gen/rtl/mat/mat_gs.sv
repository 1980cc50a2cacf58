  localparam int GROUP_BITS = 8 * anser_pkg::MAT_LANES;

  reg [GROUPS-1:0]            sel_q;
  reg [GROUP_BITS-1:0]        held_q, fresh;
  reg [GROUPS*GROUP_BITS-1:0] gs;
  reg                         seen;  // a group before this one holds scales

  wire [GROUP_BITS-1:0] last_group = w_i[(GROUPS-1)*GROUP_BITS +: GROUP_BITS];

  always_comb begin
    fresh = last_group;  // what is left: it takes no comparison
    for (int i = 1; i < GROUPS; i++) begin
      if (sel_q[GROUPS-1-i]) fresh = w_i[(GROUPS-1-i)*GROUP_BITS +: GROUP_BITS];
    end
    seen = 1'b0;
    for (int i = 0; i < GROUPS; i++) begin
      gs[i*GROUP_BITS +: GROUP_BITS] = seen ? fresh : held_q;
      seen = seen || sel_q[i];
    end
  end

  assign gs_o = gs;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) sel_q <= '0;
    else if (en_a_i) sel_q <= sel_i;
  end

  always_ff @(posedge clk_i) begin
    if (en_b_i && (|sel_q)) held_q <= fresh;
  end
