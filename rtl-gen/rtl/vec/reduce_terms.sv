  localparam int VEC_BITS = anser_pkg::VEC_BITS;

  wire                          terms_valid = product_i ? t_valid_i : o_valid_i;
  wire                          terms_end   = product_i ? t_end_i : o_end_i;
  wire                          terms_last  = product_i ? t_last_i : o_last_i;
  wire [LANES*PRODUCT_BITS-1:0] terms_data;

  for (genvar l = 0; l < LANES; l++) begin : gen_term
    wire [VEC_BITS-1:0] o = o_i[l*VEC_BITS +: VEC_BITS];
    assign terms_data[l*PRODUCT_BITS +: PRODUCT_BITS] = product_i ? t_i[l*PRODUCT_BITS +: PRODUCT_BITS]
                                                                  : {{(PRODUCT_BITS-VEC_BITS){o[VEC_BITS-1]}}, o};
  end
