  assign clipped_o = (x_i[IN_BITS-1:OUT_BITS-1] != {(IN_BITS-OUT_BITS+1){x_i[IN_BITS-1]}});
  assign y_o       = clipped_o ? {x_i[IN_BITS-1], {(OUT_BITS-1){!x_i[IN_BITS-1]}}} : x_i[OUT_BITS-1:0];
