
  // Several sessions: walks of rows say whose row it is and which.
  assign y_addr_o           = y_addr + y_row;
  assign trace_wkv_y_slot_o = y_slot_o;
