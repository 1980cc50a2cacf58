
  // The kinds of state are those with the highest bit set; their addresses count from the session's state.
  assign base = kind[KIND_BITS-1] ? state_base_i : image_base_i;
  assign zero = zero_i;
