
  reg [WIDTH-1:0] mem [0:DEPTH-1];
  reg [WIDTH-1:0] out_q;  // the oldest entry, so that nobody waits for the memory

  assign pop         = some_q && out_ready_i;
  assign out_valid_o = some_q;
  assign out_data_o  = out_q;

  always_ff @(posedge clk_i) begin
    if (push) mem[wptr_q] <= in_data_i;
  end

  always_ff @(posedge clk_i) begin
    if (!some_q || out_ready_i) out_q <= (!some_q || one_q) ? in_data_i : mem[rnext_q];
  end
