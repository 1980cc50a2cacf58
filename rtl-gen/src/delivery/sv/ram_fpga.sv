  // Up to this many words are memory of logic cells.
  localparam int SHALLOW = 64;

  reg [WIDTH-1:0] rdata_q;
  assign rdata_o = rdata_q;

  if (DEPTH <= SHALLOW) begin : gen_distributed
    (* ram_style = "distributed", syn_ramstyle = "select_ram" *) reg [WIDTH-1:0] mem [0:DEPTH-1];
    always_ff @(posedge clk_i) begin
      if (we_i) mem[waddr_i] <= wdata_i;
    end
    always_ff @(posedge clk_i) begin
      if (re_i) rdata_q <= mem[raddr_i];
    end
  end else begin : gen_block
    (* ram_style = "block", syn_ramstyle = "block_ram" *) reg [WIDTH-1:0] mem [0:DEPTH-1];
    always_ff @(posedge clk_i) begin
      if (we_i) mem[waddr_i] <= wdata_i;
    end
    always_ff @(posedge clk_i) begin
      if (re_i) rdata_q <= mem[raddr_i];
    end
  end
