  // -- State in memory: a session vector goes there instead of to vmem.
  wire store = record_i[REC_STORE_LSB];
  wire ready = store ? sw_ready_i : vw_ready_i;

  assign sw_valid_o = valid_i && to_vmem_i && store;
  assign sw_last_o  = last_i;
