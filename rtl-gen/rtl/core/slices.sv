
  // Whatever their numbers are, all slices do the same in the same cycle.
  wire [CONTROL_BITS-1:0] first_control = slices_control[CONTROL_BITS-1:0];
  logic apart;
  always_comb begin
    apart = 1'b0;
    for (int s = 1; s < SLOTS; s++) begin
      if (slices_control[s*CONTROL_BITS +: CONTROL_BITS] != first_control) apart = 1'b1;
    end
  end
  assign trace_apart_o = token_running && apart;

  // Saturations of sessions at rest do not count.
  logic [SAT_MAT_BITS-1:0] sat_mat;
  logic [SAT_VEC_BITS-1:0] sat_vec;
  always_comb begin
    sat_mat = '0;
    sat_vec = '0;
    for (int s = 0; s < SLOTS; s++) begin
      if (regs_active[s]) begin
        sat_mat = sat_mat + SAT_MAT_BITS'(slices_mat_sat[s]);
        sat_vec = sat_vec + SAT_VEC_BITS'(slices_vec_sat[s*6 +: 6]);
      end
    end
  end

  wire [SLOTS*32-1:0] logits_tdata;

  for (genvar s = 0; s < SLOTS; s++) begin : gen_logit
    wire [anser_pkg::VEC_BITS-1:0] logit = slices_mat_logit_data[s*anser_pkg::VEC_BITS +: anser_pkg::VEC_BITS];
    assign logits_tdata[s*32 +: 32] = {{(32-anser_pkg::VEC_BITS){logit[anser_pkg::VEC_BITS-1]}}, logit};
  end

  wire unused_exp_slot = &{1'b0, vec_exp_slot[3]};  // the slices read it
