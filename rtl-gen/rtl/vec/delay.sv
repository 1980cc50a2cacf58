  // Part k of the vector is the register of stage k + 1.
  reg  [STAGES*WIDTH-1:0]     stage_q;
  wire [(STAGES+1)*WIDTH-1:0] stage = {stage_q, d_i};

  for (genvar k = 0; k < STAGES; k++) begin : gen_stage
    always_ff @(posedge clk_i) begin
      if (en_i[k]) stage_q[k*WIDTH +: WIDTH] <= stage[k*WIDTH +: WIDTH];
    end
  end

  assign q_o = stage[STAGES*WIDTH +: WIDTH];
