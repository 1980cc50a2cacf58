
  assign turn_o    = last_word && last_row;
  assign head_o    = last_slot;
  assign slot_step = step_i && turn_o;
