
  // -- Accumulator: the end of a segment clears it.
  reg  [ACC_BITS-1:0] acc_q;
  wire [ACC_BITS-1:0] acc_next = acc_q + {{(ACC_BITS-TREE_BITS){tree_data[TREE_BITS-1]}}, tree_data};
  wire                push     = tree_valid && tree_end;
  wire                unused_ready;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) acc_q <= '0;
    else if (tree_valid) acc_q <= tree_end ? '0 : acc_next;
  end
