  // AXI4-Lite: one write and one read at a time. The handshakes have the bus's reset, so that an access that was accepted is answered even
  // if the chip is reset meanwhile.
  localparam int AT_BITS = anser_pkg::LITE_ADDR_BITS - 2;

  reg                aw_valid_q, w_valid_q, b_valid_q, b_error_q, w_full_q, w_odd_q;
  reg  [AT_BITS-1:0] w_at_q;  // word address of the write
  reg  [31:0]        w_data_q;
  reg                ar_valid_q, r_valid_q, r_error_q, r_odd_q;
  reg  [AT_BITS-1:0] ar_at_q;  // word address of the read
  reg  [31:0]        rdata_d, rdata_q;

  // The registers below say whether the address is that of one that can be written or read, and whether it may be now.
  wire w_known, w_may, r_known, r_may;
  wire w_whole = w_full_q && !w_odd_q;
  wire w_good  = w_whole && w_known && w_may;
  wire r_good  = !r_odd_q && r_known && r_may;

  // While held is high, no access goes on.
  // A write acts once address and data are both here and the response before it is taken.
  wire act    = aw_valid_q && w_valid_q && !b_valid_q && !held;
  wire write  = act && w_good;
  wire answer = ar_valid_q && !r_valid_q && !held;

  assign s_axil_awready_o = !aw_valid_q;
  assign s_axil_wready_o  = !w_valid_q;
  assign s_axil_bvalid_o  = b_valid_q;
  assign s_axil_bresp_o   = {b_error_q, 1'b0};
  assign s_axil_arready_o = !ar_valid_q;
  assign s_axil_rvalid_o  = r_valid_q;
  assign s_axil_rdata_o   = rdata_q;
  assign s_axil_rresp_o   = {r_error_q, 1'b0};

  always_ff @(posedge clk_i or negedge bus_rst_ni) begin
    if (!bus_rst_ni) begin
      aw_valid_q <= 1'b0;
      w_valid_q  <= 1'b0;
      b_valid_q  <= 1'b0;
      ar_valid_q <= 1'b0;
      r_valid_q  <= 1'b0;
    end else begin
      if (act) aw_valid_q <= 1'b0;
      else if (s_axil_awvalid_i) aw_valid_q <= 1'b1;
      if (act) w_valid_q <= 1'b0;
      else if (s_axil_wvalid_i) w_valid_q <= 1'b1;
      if (act) b_valid_q <= 1'b1;
      else if (s_axil_bready_i) b_valid_q <= 1'b0;
      if (answer) ar_valid_q <= 1'b0;
      else if (s_axil_arvalid_i) ar_valid_q <= 1'b1;
      if (answer) r_valid_q <= 1'b1;
      else if (s_axil_rready_i) r_valid_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (s_axil_awvalid_i && s_axil_awready_o) begin
      w_at_q  <= s_axil_awaddr_i[AT_BITS+1:2];
      w_odd_q <= |s_axil_awaddr_i[1:0];
    end
    if (s_axil_wvalid_i && s_axil_wready_o) begin
      w_data_q <= s_axil_wdata_i;
      w_full_q <= &s_axil_wstrb_i;
    end
    if (act) b_error_q <= !w_good;
    if (s_axil_arvalid_i && s_axil_arready_o) begin
      ar_at_q <= s_axil_araddr_i[AT_BITS+1:2];
      r_odd_q <= |s_axil_araddr_i[1:0];
    end
    if (answer) begin
      rdata_q   <= r_good ? rdata_d : 32'b0;
      r_error_q <= !r_good;
    end
  end

  // Every register below decodes its own write: write_NAME is high in the cycle in which w_data_q is written to it.
