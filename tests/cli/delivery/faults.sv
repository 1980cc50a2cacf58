  // The body of a module that stands in place of the chip: a variable for each of its ports, declared in front of this text. The
  // assertions are bound to it. +fault=NAME breaks one rule; the part of NAME before a colon is the assertion that must notice.

  string fault;

  initial begin
    clk_i = 1'b0;
    forever #1 clk_i = !clk_i;
  end

  // Values change at falling edges; assertions see them at rising ones.
  task tick;
    @(negedge clk_i);
  endtask

  task quiet;
    begin
      irq_o = 0;
      s_axil_awaddr = 0; s_axil_awvalid = 0; s_axil_awready = 0;
      s_axil_wdata = 0; s_axil_wstrb = 4'hf; s_axil_wvalid = 0; s_axil_wready = 0;
      s_axil_bresp = 0; s_axil_bvalid = 0; s_axil_bready = 0;
      s_axil_araddr = 0; s_axil_arvalid = 0; s_axil_arready = 0;
      s_axil_rdata = 0; s_axil_rresp = 0; s_axil_rvalid = 0; s_axil_rready = 0;
      m_axi_araddr = 0; m_axi_arlen = 0; m_axi_arsize = BEAT_SIZE; m_axi_arburst = 1; m_axi_arvalid = 0; m_axi_arready = 0;
      m_axi_rdata = 0; m_axi_rresp = 0; m_axi_rlast = 0; m_axi_rvalid = 0; m_axi_rready = 0;
      m_axi_awaddr = 0; m_axi_awlen = 0; m_axi_awsize = BEAT_SIZE; m_axi_awburst = 1; m_axi_awvalid = 0; m_axi_awready = 0;
      m_axi_wdata = 0; m_axi_wstrb = '1; m_axi_wlast = 0; m_axi_wvalid = 0; m_axi_wready = 0;
      m_axi_bresp = 0; m_axi_bvalid = 0; m_axi_bready = 0;
      m_axis_logits_tvalid = 0; m_axis_logits_tready = 0; m_axis_logits_tdata = 0; m_axis_logits_tlast = 0;
    end
  endtask

  // A register is written or read, up to its response.
  task ask_write;
    begin
      s_axil_awvalid = 1; s_axil_awready = 1; tick; s_axil_awvalid = 0; s_axil_awready = 0;
      s_axil_wvalid = 1; tick; s_axil_wready = 1; tick; s_axil_wvalid = 0; s_axil_wready = 0;
    end
  endtask

  task ask_read;
    begin
      s_axil_arvalid = 1; tick; s_axil_arready = 1; tick; s_axil_arvalid = 0; s_axil_arready = 0;
    end
  endtask

  // A burst is asked for: reads, then writes.
  task burst(input [63:0] address, input [7:0] len);
    begin
      m_axi_araddr = address[$bits(m_axi_araddr)-1:0]; m_axi_arlen = len;
      m_axi_arvalid = 1; m_axi_arready = 1; tick; m_axi_arvalid = 0; m_axi_arready = 0;
    end
  endtask

  task write_burst(input [63:0] address, input [7:0] len);
    begin
      m_axi_awaddr = address[$bits(m_axi_awaddr)-1:0]; m_axi_awlen = len;
      m_axi_awvalid = 1; m_axi_awready = 1; tick; m_axi_awvalid = 0; m_axi_awready = 0;
    end
  endtask

  task beat(input last);
    begin
      m_axi_rvalid = 1; m_axi_rready = 1; m_axi_rlast = last; tick; m_axi_rvalid = 0; m_axi_rready = 0;
    end
  endtask

  task write_beat(input last);
    begin
      m_axi_wvalid = 1; m_axi_wready = 1; m_axi_wlast = last; tick; m_axi_wvalid = 0; m_axi_wready = 0;
    end
  endtask

  task in_reset;
    begin
      tick; bus_rst_ni = 0; tick; tick;
    end
  endtask

  // What every rule allows, with waits on each channel, twice at the limits.
  task traffic;
    integer i;
    begin
      ask_write; tick;
      s_axil_bvalid = 1; s_axil_bresp = 2; tick; tick; s_axil_bready = 1; tick; s_axil_bvalid = 0;
      ask_read; repeat (60) tick;
      // a reset of the chip alone, in which an access waits
      rst_ni = 0; repeat (70) tick; rst_ni = 1; repeat (60) tick;
      s_axil_rvalid = 1; tick; s_axil_rready = 1; tick; s_axil_rvalid = 0;
      // the most bursts at once, each of the longest kind, up to the end of 4 KiB
      for (i = 0; i < MAX_OUTSTANDING; i = i + 1) burst(64'd4096 - 64 * BEAT_BYTES, 63);
      for (i = 0; i < 64 * MAX_OUTSTANDING; i = i + 1) beat(i % 64 == 63);
      burst(0, 1); m_axi_rvalid = 1; m_axi_rlast = 0; tick; tick; beat(0); beat(1);
      // an address that waits while its data go
      m_axi_awlen = 1; m_axi_awvalid = 1; tick; write_beat(0); write_beat(1); m_axi_awready = 1; tick;
      m_axi_awvalid = 0; m_axi_awready = 0; tick; m_axi_bvalid = 1; tick; m_axi_bready = 1; tick;
      m_axi_bvalid = 0; m_axi_bready = 0;
      for (i = 0; i < MAX_OUTSTANDING; i = i + 1) write_burst(64'd4096 - 64 * BEAT_BYTES, 63);
      for (i = 0; i < 64 * MAX_OUTSTANDING; i = i + 1) write_beat(i % 64 == 63);
      m_axi_bvalid = 1; m_axi_bready = 1; repeat (MAX_OUTSTANDING) tick; m_axi_bvalid = 0; m_axi_bready = 0;
      m_axis_logits_tvalid = 1; tick; tick; m_axis_logits_tready = 1; tick; m_axis_logits_tdata = 1; tick;
      m_axis_logits_tvalid = 0; tick;
    end
  endtask

  initial begin : scenarios
    integer i;
    if ($value$plusargs("fault=%s", fault) == 0) fault = "none";
    rst_ni = 0;
    bus_rst_ni = 0;
    quiet;
    repeat (3) tick;
    rst_ni = 1;
    bus_rst_ni = 1;
    repeat (3) tick;
    traffic;
    quiet;
    tick;
    case (fault)
      "none": begin end
      "chip_b_held:back": begin ask_write; s_axil_bvalid = 1; tick; s_axil_bvalid = 0; end
      "chip_b_held:changed": begin ask_write; s_axil_bvalid = 1; tick; s_axil_bresp = 2; end
      "chip_r_held:back": begin ask_read; s_axil_rvalid = 1; tick; s_axil_rvalid = 0; end
      "chip_r_held:changed": begin ask_read; s_axil_rvalid = 1; tick; s_axil_rdata = 1; end
      "system_aw_held:back": begin s_axil_awvalid = 1; tick; s_axil_awvalid = 0; end
      "system_aw_held:changed": begin s_axil_awvalid = 1; tick; s_axil_awaddr = 4; end
      "system_w_held:back": begin s_axil_wvalid = 1; tick; s_axil_wvalid = 0; end
      "system_w_held:changed": begin s_axil_wvalid = 1; tick; s_axil_wstrb = 1; end
      "system_ar_held:back": begin s_axil_arvalid = 1; tick; s_axil_arvalid = 0; end
      "system_ar_held:changed": begin s_axil_arvalid = 1; tick; s_axil_araddr = 4; end
      "chip_b_asked:none": s_axil_bvalid = 1;
      "chip_b_asked:half": begin s_axil_awvalid = 1; s_axil_awready = 1; tick; s_axil_awvalid = 0; s_axil_bvalid = 1; end
      "chip_b_asked:twice": begin ask_write; s_axil_bvalid = 1; s_axil_bready = 1; tick; tick; end
      "chip_r_asked:none": s_axil_rvalid = 1;
      "chip_r_asked:twice": begin ask_read; s_axil_rvalid = 1; s_axil_rready = 1; tick; tick; end
      "chip_b_comes": begin ask_write; repeat (70) tick; end
      "chip_r_comes": begin ask_read; repeat (70) tick; end
      "chip_bresp": begin ask_write; s_axil_bvalid = 1; s_axil_bresp = 3; end
      "chip_rresp": begin ask_read; s_axil_rvalid = 1; s_axil_rresp = 1; end
      "chip_lite_reset:b": begin in_reset; s_axil_bvalid = 1; end
      "chip_lite_reset:r": begin in_reset; s_axil_rvalid = 1; end
      "chip_mar_held:back": begin m_axi_arvalid = 1; tick; m_axi_arvalid = 0; end
      "chip_mar_held:changed": begin m_axi_arvalid = 1; tick; m_axi_arlen = 3; end
      "system_mr_held:back": begin burst(0, 1); m_axi_rvalid = 1; tick; m_axi_rvalid = 0; end
      "system_mr_held:changed": begin burst(0, 1); m_axi_rvalid = 1; tick; m_axi_rdata = 1; end
      "chip_mar_incr": begin m_axi_arburst = 0; burst(0, 0); end
      "chip_mar_size": begin m_axi_arsize = BEAT_SIZE - 1; burst(0, 0); end
      "chip_mar_aligned": burst(1, 0);
      "chip_mar_length": burst(0, 64);
      "chip_mar_4k": burst(64'd4096 - BEAT_BYTES, 1);
      "chip_mar_outstanding": repeat (MAX_OUTSTANDING + 1) burst(0, 0);
      "system_mr_asked:none": m_axi_rvalid = 1;
      "system_mr_asked:twice": begin burst(0, 0); beat(1); beat(1); end
      "system_mr_last:early": begin burst(0, 1); beat(1); end
      "system_mr_last:late": begin burst(0, 1); beat(0); beat(0); end
      "chip_mar_reset": begin in_reset; m_axi_arvalid = 1; end
      "chip_maw_held:back": begin m_axi_awvalid = 1; tick; m_axi_awvalid = 0; end
      "chip_maw_held:changed": begin m_axi_awvalid = 1; tick; m_axi_awlen = 3; end
      "chip_mw_held:back": begin write_burst(0, 0); m_axi_wvalid = 1; m_axi_wlast = 1; tick; m_axi_wvalid = 0; end
      "chip_mw_held:changed": begin write_burst(0, 1); m_axi_wvalid = 1; tick; m_axi_wdata = 1; end
      "system_mb_held:back": begin write_burst(0, 0); write_beat(1); m_axi_bvalid = 1; tick; m_axi_bvalid = 0; end
      "system_mb_held:changed": begin write_burst(0, 0); write_beat(1); m_axi_bvalid = 1; tick; m_axi_bresp = 2; end
      "chip_maw_incr": begin m_axi_awburst = 2; write_burst(0, 0); end
      "chip_maw_size": begin m_axi_awsize = BEAT_SIZE - 1; write_burst(0, 0); end
      "chip_maw_aligned": write_burst(1, 0);
      "chip_maw_length": write_burst(0, 64);
      "chip_maw_4k": write_burst(64'd4096 - BEAT_BYTES, 1);
      "chip_mw_strobes": begin write_burst(0, 0); m_axi_wstrb = 1; write_beat(1); end
      "chip_maw_outstanding": repeat (MAX_OUTSTANDING + 1) write_burst(0, 0);
      "chip_mw_addressed": write_beat(1);
      "chip_mw_last:early": begin write_burst(0, 1); write_beat(1); tick; end
      "chip_mw_last:late": begin write_burst(0, 0); write_beat(0); write_beat(1); tick; end
      "system_mb_asked:none": m_axi_bvalid = 1;
      "system_mb_asked:early": begin write_burst(0, 1); write_beat(0); m_axi_bvalid = 1; end
      "chip_maw_reset:aw": begin in_reset; m_axi_awvalid = 1; end
      "chip_maw_reset:w": begin in_reset; m_axi_wvalid = 1; end
      "chip_t_held:back": begin m_axis_logits_tvalid = 1; tick; m_axis_logits_tvalid = 0; end
      "chip_t_held:changed": begin m_axis_logits_tvalid = 1; tick; m_axis_logits_tlast = 1; end
      "chip_t_reset": begin in_reset; m_axis_logits_tvalid = 1; end
      default: begin $display("no fault is called %s", fault); $finish; end
    endcase
    repeat (3) tick;
    $display("END: %s", fault);
    $finish;
  end
