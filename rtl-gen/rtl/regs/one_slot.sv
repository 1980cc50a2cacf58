  wire [0:0] active      = 1'b1;
  wire [0:0] write_token = write_token_in;
