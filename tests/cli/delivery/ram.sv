// Writes and reads a memory at random, often the word that is being written, and prints what it gives after each cycle.
module ram_bench #(parameter int WIDTH = 8, parameter int DEPTH = 2);
  localparam int BITS = $clog2(DEPTH);
  reg clk_i, we_i, re_i;
  reg [BITS-1:0] waddr_i, raddr_i;
  reg [WIDTH-1:0] wdata_i;
  wire [WIDTH-1:0] rdata_o;
  reg [31:0] x;
  integer i;

  anser_ram_1w1r #(.WIDTH(WIDTH), .DEPTH(DEPTH)) u_ram (.*);

  initial begin
    clk_i = 0;
    x = 32'd2463534242;
    // every word has a value first
    for (i = 0; i < DEPTH + 400; i = i + 1) begin
      x = x ^ (x << 13);
      x = x ^ (x >> 17);
      x = x ^ (x << 5);
      we_i = i < DEPTH || x[0];
      waddr_i = i < DEPTH ? i[BITS-1:0] : {{BITS{1'b0}}} | x[2 +: 3];
      raddr_i = x[1] ? waddr_i : {{BITS{1'b0}}} | x[5 +: 3];
      wdata_i = {WIDTH{1'b0}} | {x, ~x};
      re_i = i >= DEPTH && x[8];
      #1 clk_i = 1;
      #1 clk_i = 0;
      if (i > DEPTH + 20) $display("%0dx%0d cycle %0d: %h", WIDTH, DEPTH, i, rdata_o);
    end
  end
endmodule
