  // -- Several sessions: whether the instruction counts in this slice.
  wire [REC_ONLY_BITS-1:0]  r_only   = record_i[REC_ONLY_LSB +: REC_ONLY_BITS];  // a slice's number plus 1; 0 is all of them
  wire [REC_ROUTE_BITS-1:0] r_route  = record_i[REC_ROUTE_LSB +: REC_ROUTE_BITS];
  wire                      this_one = (r_only == '0) || (r_only == {1'b0, slot_i} + REC_ONLY_BITS'(1));
  wire                      here     = this_one
                                       && !(r_route == anser_pkg::ROUTE_LATER && (!prefill_i || home_i))
                                       && !(r_route == anser_pkg::ROUTE_HOME && prefill_i && !home_i);

  assign vw_en_o   = here;
  assign vw_ring_o = prefill_i && (r_route == anser_pkg::ROUTE_RING);
