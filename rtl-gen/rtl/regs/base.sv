  assign image_base_o = base_lo_q;
