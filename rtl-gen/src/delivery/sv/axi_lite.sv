
  // ---- AXI4-Lite slave ----

  // A valid that was not taken stays, with all it brought.
  chip_b_held: assert property (s_axil_bvalid && !s_axil_bready |=> s_axil_bvalid && $stable(s_axil_bresp))
    else $error("the chip took back or changed a response to a write of a register");
  chip_r_held: assert property (s_axil_rvalid && !s_axil_rready
                                |=> s_axil_rvalid && $stable({s_axil_rdata, s_axil_rresp}))
    else $error("the chip took back or changed a register that is read");
  system_aw_held: assert property (s_axil_awvalid && !s_axil_awready |=> s_axil_awvalid && $stable(s_axil_awaddr))
    else $error("the system took back or changed the address of a register to write");
  system_w_held: assert property (s_axil_wvalid && !s_axil_wready
                                  |=> s_axil_wvalid && $stable({s_axil_wdata, s_axil_wstrb}))
    else $error("the system took back or changed a value to write");
  system_ar_held: assert property (s_axil_arvalid && !s_axil_arready |=> s_axil_arvalid && $stable(s_axil_araddr))
    else $error("the system took back or changed the address of a register to read");

  // Requests that have no response yet. A write has two halves, which come in any order.
  reg [31:0] lite_aw_q, lite_w_q, lite_ar_q;
  reg [31:0] lite_b_waits_q, lite_r_waits_q;  // cycles for which a response has been due; in a reset of the chip alone accesses wait

  always @(posedge clk_i or negedge bus_rst_ni) begin
    if (!bus_rst_ni) begin
      lite_aw_q <= 0;
      lite_w_q <= 0;
      lite_ar_q <= 0;
      lite_b_waits_q <= 0;
      lite_r_waits_q <= 0;
    end else begin
      lite_aw_q <= lite_aw_q + {31'd0, s_axil_awvalid && s_axil_awready} - {31'd0, s_axil_bvalid && s_axil_bready};
      lite_w_q  <= lite_w_q + {31'd0, s_axil_wvalid && s_axil_wready} - {31'd0, s_axil_bvalid && s_axil_bready};
      lite_ar_q <= lite_ar_q + {31'd0, s_axil_arvalid && s_axil_arready} - {31'd0, s_axil_rvalid && s_axil_rready};
      lite_b_waits_q <= rst_ni && lite_aw_q != 0 && lite_w_q != 0 && !s_axil_bvalid ? lite_b_waits_q + 1 : 0;
      lite_r_waits_q <= rst_ni && lite_ar_q != 0 && !s_axil_rvalid ? lite_r_waits_q + 1 : 0;
    end
  end

  // One response a request: none without a request, and none that never comes.
  chip_b_asked: assert property (s_axil_bvalid |-> lite_aw_q != 0 && lite_w_q != 0)
    else $error("the chip answers a write of a register that nobody asked for");
  chip_r_asked: assert property (s_axil_rvalid |-> lite_ar_q != 0)
    else $error("the chip answers a read of a register that nobody asked for");
  chip_b_comes: assert property (lite_b_waits_q < LITE_CYCLES)
    else $error("the chip has not answered a write of a register for %0d cycles", LITE_CYCLES);
  chip_r_comes: assert property (lite_r_waits_q < LITE_CYCLES)
    else $error("the chip has not answered a read of a register for %0d cycles", LITE_CYCLES);

  // The chip answers OKAY or SLVERR: there is no exclusive access, and no address is somebody else's.
  chip_bresp: assert property (s_axil_bvalid |-> !s_axil_bresp[0])
    else $error("the chip answers the write of a register with %0d", s_axil_bresp);
  chip_rresp: assert property (s_axil_rvalid |-> !s_axil_rresp[0])
    else $error("the chip answers the read of a register with %0d", s_axil_rresp);

  // Nothing is offered in reset.
  chip_lite_reset: assert property (disable iff (1'b0) !on_q |-> !s_axil_bvalid && !s_axil_rvalid)
    else $error("the chip offers a response on AXI4-Lite in reset");
