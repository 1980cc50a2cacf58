  // The byte leaves the register through the taps 12 and 5 and through the 4 bits that come back within the byte.
  wire [7:0] in = crc_i[15:8] ^ byte_i;
  wire [7:0] x  = {in[7:4], in[3:0] ^ in[7:4]};
  assign crc_o  = {crc_i[7:0], 8'b0} ^ {x[3:0], 12'b0} ^ {3'b0, x, 5'b0} ^ {8'b0, x};
