  localparam int STOP_CYCLES = 4;  // the shortest stop: what the masters were doing shows by then

  // A reset that begins with an edge of the clock, so that nothing the bus sees changes between two edges.
  reg [1:0]              chip_q;      // chip_rst_ni, brought to this clock
  reg                    regs_rst_nq; // resets of the units, straight from registers
  reg                    units_rst_nq;
  reg                    stop_q;      // the masters take back what the bus has not seen, and receive what it still gives
  reg [STOP_CYCLES-2:0]  since_q;     // the stop is younger than this

  wire down = !chip_q[1];
  wire stop = down || abort_i || (stop_q && (!bus_quiet_i || (|since_q)));

  assign down_o       = down || !regs_rst_nq;
  assign stop_o       = stop_q;
  assign regs_rst_no  = regs_rst_nq;
  assign units_rst_no = units_rst_nq;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      chip_q       <= '0;
      regs_rst_nq  <= 1'b0;
      units_rst_nq <= 1'b0;
      stop_q       <= 1'b1;
      since_q      <= '0;
    end else begin
      chip_q       <= {chip_q[0], chip_rst_ni};
      regs_rst_nq  <= !down;
      units_rst_nq <= !stop;
      stop_q       <= stop;
      since_q      <= {since_q[STOP_CYCLES-3:0], stop && !stop_q};
    end
  end
