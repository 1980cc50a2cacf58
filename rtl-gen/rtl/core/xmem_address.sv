  // The operand memory may be smaller than an instruction can address.
  wire [XMEM_BITS-1:0] x_raddr = mat_xr_addr[XMEM_BITS-1:0];
  wire [XMEM_BITS-1:0] x_waddr = vec_xw_addr[XMEM_BITS-1:0];
  wire unused_x_addr = &{1'b0, mat_xr_addr, vec_xw_addr};
