
  // One session: the words lie one after the other.
  assign next_addr = s_addr_q + STATE_ADDR_BITS'(1);
  assign shift_sa  = shift_sa_i;
