  localparam int VEC_BITS = anser_pkg::VEC_BITS;

  wire                          terms_valid = product_i ? t_valid_i : o_valid_i;
  wire                          terms_end   = product_i ? t_end_i : o_end_i;
  wire                          terms_last  = product_i ? t_last_i : o_last_i;
  wire [LANES*PRODUCT_BITS-1:0] terms;

  for (genvar l = 0; l < LANES; l++) begin : gen_term
    wire [VEC_BITS-1:0] o = o_i[l*VEC_BITS +: VEC_BITS];
    assign terms[l*PRODUCT_BITS +: PRODUCT_BITS] = product_i ? t_i[l*PRODUCT_BITS +: PRODUCT_BITS]
                                                             : {{(PRODUCT_BITS-VEC_BITS){o[VEC_BITS-1]}}, o};
  end

  // What travels beside the tree: stage k of it is loaded if valid[k].
  reg  [STAGES-1:0]    valid_q;
  wire [STAGES:0]      valid      = {valid_q, terms_valid};
  wire                 tree_valid = valid[STAGES];
  wire                 tree_end, tree_last;
  wire [TREE_BITS-1:0] tree;

  // The end of a segment clears the accumulator.
  reg  [ACC_BITS-1:0] acc_q;
  wire [ACC_BITS-1:0] acc_next = acc_q + {{(ACC_BITS-TREE_BITS){tree[TREE_BITS-1]}}, tree};
  wire                push     = tree_valid && tree_end;
  wire                unused_ready;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      acc_q   <= '0;
    end else begin
      valid_q <= valid[STAGES-1:0];
      if (tree_valid) acc_q <= tree_end ? '0 : acc_next;
    end
  end
