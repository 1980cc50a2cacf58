  // Whether this slice carries out the element's write.
  reg  element_en_q;
  wire element_on = element_en_q;
  wire word_on    = vw_en_i;

  always_ff @(posedge clk_i) begin
    if ((d_valid_i || y_valid_i)) element_en_q <= d_valid_i ? d_en_i : y_en_i;
  end
