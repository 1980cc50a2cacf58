  // -- Several sessions: which slices the instruction is for.
  assign record_o[REC_ONLY_LSB +: REC_ONLY_BITS]   = instr_i[anser_pkg::VEC_ONLY_LSB +: anser_pkg::VEC_ONLY_BITS];
  assign record_o[REC_ROUTE_LSB +: REC_ROUTE_BITS] = instr_i[anser_pkg::VEC_ROUTE_LSB +: anser_pkg::VEC_ROUTE_BITS];
