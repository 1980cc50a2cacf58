  wire [0:0] active      = 1'b1;
  wire [0:0] write_token = write_token_in;
  wire [0:0] mine        = 1'b1;
  wire       at_token    = at_token_in;
  wire       slots_may   = 1'b1;
