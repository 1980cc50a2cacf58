  // It comes from the one slice that its instruction is for.
  wire [REC_ONLY_BITS-1:0] store_slot = r_only - REC_ONLY_BITS'(1);

  assign sw_slot_o = store_slot[STORE_SLOT_BITS-1:0];

  wire unused_store_slot = &{1'b0, store_slot[REC_ONLY_BITS-1:STORE_SLOT_BITS]};
