
  localparam int VEC_BITS     = anser_pkg::VEC_BITS;
  localparam int OPERAND_BITS = anser_pkg::OPERAND_BITS;

  for (genvar l = 0; l < LANES; l++) begin : gen_lane
    wire [OPERAND_BITS-1:0] param = half[l*OPERAND_BITS +: OPERAND_BITS];
    assign data_o[l*VEC_BITS +: VEC_BITS] = wide_i ? p_data_i[l*anser_pkg::MEMORY_ELEMENT_BITS +: VEC_BITS]
                                                   : {{(VEC_BITS-OPERAND_BITS){param[OPERAND_BITS-1]}}, param};
  end
