  wire                 rst_sync_n;
  wire                 awready, wready, bvalid, arready, rvalid;
  wire [31:0]          rdata;
  wire [ADDR_BITS-1:0] chip_araddr;
  wire [7:0]           chip_arlen;
  wire                 chip_arvalid, chip_rready;
  wire [1:0]           bresp, rresp, unused_arburst;
  wire [2:0]           unused_arsize;
  wire                 unused_tvalid, unused_tlast, unused_irq;
  wire [31:0]          unused_tdata;
  wire                 unused_glue = &{1'b0, lite_busy, bytes_in_ready};

  // Lights: blink with 2^25 clocks, or for as long as a person can see.
  reg  [25:0] alive_q;
  reg  [21:0] byte_q, read_q;
  assign led_o = {alive_q[25], 3'b0, control_error, read_q[21], byte_q[21], control_busy};

  always_ff @(posedge clk_i or negedge rst_sync_n) begin
    if (!rst_sync_n) begin
      alive_q <= '0;
      byte_q  <= '0;
      read_q  <= '0;
    end else begin
      alive_q <= alive_q + 26'd1;
      if (rx_valid) byte_q <= '1;
      else if (byte_q != '0) byte_q <= byte_q - 22'd1;
      if (sdram_rvalid) read_q <= '1;
      else if (read_q != '0) read_q <= read_q - 22'd1;
    end
  end
