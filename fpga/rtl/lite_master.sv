  reg        aw_q, w_q, ar_q, busy_q, done_q, error_q;
  reg [anser_pkg::LITE_ADDR_BITS-1:0] addr_q;
  reg [31:0] data_q;  // what is to be written, then what was read

  wire answer = busy_q && (axil_bvalid_i || axil_rvalid_i);

  assign busy_o         = busy_q;
  assign done_o         = done_q;
  assign error_o        = error_q;
  assign rdata_o        = data_q;
  assign axil_awaddr_o  = addr_q;
  assign axil_awvalid_o = aw_q;
  assign axil_wdata_o   = data_q;
  assign axil_wvalid_o  = w_q;
  assign axil_bready_o  = busy_q;
  assign axil_araddr_o  = addr_q;
  assign axil_arvalid_o = ar_q;
  assign axil_rready_o  = busy_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_q   <= 1'b0;
      w_q    <= 1'b0;
      ar_q   <= 1'b0;
      busy_q <= 1'b0;
      done_q <= 1'b0;
      error_q <= 1'b0;
    end else begin
      done_q <= answer;
      if (answer) error_q <= axil_bvalid_i ? axil_bresp_i[1] : axil_rresp_i[1];
      if (!busy_q) begin
        busy_q <= start_i;
        aw_q   <= start_i && we_i;
        w_q    <= start_i && we_i;
        ar_q   <= start_i && !we_i;
      end else begin
        if (answer) busy_q <= 1'b0;
        if (axil_awready_i) aw_q <= 1'b0;
        if (axil_wready_i) w_q <= 1'b0;
        if (axil_arready_i) ar_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!busy_q && start_i) begin
      addr_q <= addr_i;
      data_q <= wdata_i;
    end else if (busy_q && axil_rvalid_i) begin
      data_q <= axil_rdata_i;
    end
  end

  wire unused_resp = &{1'b0, axil_bresp_i[0], axil_rresp_i[0]};
