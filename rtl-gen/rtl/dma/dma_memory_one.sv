
  // The addresses of the kinds of state count from the session's state.
  assign base = (is_state || is_session) ? state_base_i : image_base_i;
  assign zero = zero_i;
