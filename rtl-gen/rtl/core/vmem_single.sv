  wire element_on = 1'b1;
  wire word_on    = 1'b1;
