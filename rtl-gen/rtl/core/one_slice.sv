
  // The names that several slices have of their own.
  localparam int LOGIT_SIGN = anser_pkg::VEC_BITS - 1;

  wire [31:0] logits_tdata = {{(32-anser_pkg::VEC_BITS){mat_logit_data[LOGIT_SIGN]}}, mat_logit_data};

  wire       sat_mat = mat_sat;
  wire [5:0] sat_vec = vec_sat;
