  wire [REC_OP_BITS-1:0]     r_op        = record_i[REC_OP_LSB +: REC_OP_BITS];
  wire [REC_D_ADDR_BITS-1:0] r_d_addr    = record_i[REC_D_ADDR_LSB +: REC_D_ADDR_BITS];
  wire [REC_DEST_BITS-1:0]   r_dest      = record_i[REC_DEST_LSB +: REC_DEST_BITS];
  wire [REC_SLOT_BITS-1:0]   r_slot      = record_i[REC_SLOT_LSB +: REC_SLOT_BITS];
  wire [REC_EXP_BITS-1:0]    r_exp       = record_i[REC_EXP_LSB +: REC_EXP_BITS];
  wire                       r_amax      = record_i[REC_AMAX_LSB];
  wire                       r_amax_keep = record_i[REC_AMAX_KEEP_LSB];
