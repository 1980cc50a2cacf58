
  // An instruction that reads no columns is one piece.
  assign piece_base = '0;
  assign piece_head = '0;
  assign piece_last = 1'b1;
