  wire at_state_data_read = (ar_at_q == anser_pkg::REG_STATE_DATA);

  assign r_may           = !(at_state_data_read && busy);
  assign state_at_we_o   = write_state_at;
  assign state_data_we_o = write_state_data;
  assign state_data_re_o = answer && at_state_data_read && r_good;
  assign state_data_o    = w_data_q;
