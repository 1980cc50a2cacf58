// ULX3S: the system on its pins. The only file with cells of the vendor: clock generator, clock output, pad registers.
//
// The oscillator's 25 MHz become VCO = 25 MHz x OP_DIV, and the clock of the whole system VCO / OS_DIV. The numbers of a build
// stand in its package ulx3s_clock_pkg, which the generator prints (fpga/src/rtl/clock.rs).
// Every pin of the SDRAM except its clock has a register in the pad, so that delays do not depend on placement. The SDRAM's
// clock is a third output of the clock generator, MEMORY_LEAD VCO periods ahead of the system's: commands have been there for
// nearly a cycle when the chip looks at them, and stay MEMORY_LEAD VCO periods longer.
// Button FIRE1 is the reset. wifi_gpio0 is held high: low, it would let the ESP32 configure the FPGA anew.
module ulx3s_top #(
  parameter int OP_DIV      = ulx3s_clock_pkg::OP_DIV,
  parameter int OS_DIV      = ulx3s_clock_pkg::OS_DIV,
  parameter int MEMORY_LEAD = ulx3s_clock_pkg::MEMORY_LEAD,
  parameter     MHZ         = ulx3s_clock_pkg::MHZ
) (
  input  wire        clk_25mhz,
  input  wire        ftdi_txd,     // to the FPGA
  output wire        ftdi_rxd,     // from the FPGA
  input  wire        btn_fire1,
  output wire [7:0]  led,
  output wire        wifi_gpio0,
  output wire        sdram_clk,
  output wire        sdram_cke,
  output wire        sdram_csn,
  output wire        sdram_rasn,
  output wire        sdram_casn,
  output wire        sdram_wen,
  output wire [1:0]  sdram_ba,
  output wire [12:0] sdram_a,
  output wire [1:0]  sdram_dqm,
  inout  wire [15:0] sdram_d
);

  wire clk_ref, clk, clk_mem, locked;

  (* FREQUENCY_PIN_CLKI = "25", FREQUENCY_PIN_CLKOP = "25", FREQUENCY_PIN_CLKOS = MHZ, FREQUENCY_PIN_CLKOS2 = MHZ *)
  EHXPLLL #(
    .CLKI_DIV(1), .CLKFB_DIV(1), .FEEDBK_PATH("CLKOP"),
    .CLKOP_ENABLE("ENABLED"), .CLKOP_DIV(OP_DIV), .CLKOP_CPHASE(OP_DIV / 2), .CLKOP_FPHASE(0),
    .CLKOS_ENABLE("ENABLED"), .CLKOS_DIV(OS_DIV), .CLKOS_CPHASE(OS_DIV / 2 + MEMORY_LEAD), .CLKOS_FPHASE(0),
    .CLKOS2_ENABLE("ENABLED"), .CLKOS2_DIV(OS_DIV), .CLKOS2_CPHASE(OS_DIV / 2), .CLKOS2_FPHASE(0)
  ) u_pll (
    .CLKI(clk_25mhz), .CLKFB(clk_ref), .CLKOP(clk_ref), .CLKOS(clk), .CLKOS2(clk_mem), .LOCK(locked),
    .RST(1'b0), .STDBY(1'b0), .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0), .ENCLKOS(1'b0), .ENCLKOS2(1'b0), .ENCLKOS3(1'b0),
    .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b0), .PHASESTEP(1'b0), .PHASELOADREG(1'b0)
  );

  wire        cs_n, ras_n, cas_n, we_n, dq_oe;
  wire [1:0]  ba;
  wire [12:0] a;
  wire [15:0] dq_out, dq_in;

  anser_system u_system (
    .clk_i(clk), .rst_ni(locked && !btn_fire1),
    .uart_rx_i(ftdi_txd), .uart_tx_o(ftdi_rxd), .led_o(led),
    .sdram_cs_no(cs_n), .sdram_ras_no(ras_n), .sdram_cas_no(cas_n), .sdram_we_no(we_n),
    .sdram_ba_o(ba), .sdram_addr_o(a),
    .sdram_dq_oe_o(dq_oe), .sdram_dq_o(dq_out), .sdram_dq_i(dq_in)
  );

  assign wifi_gpio0 = 1'b1;
  assign sdram_cke  = 1'b1;
  assign sdram_dqm  = 2'b00;

  ODDRX1F u_clk_pad (.SCLK(clk_mem), .RST(1'b0), .D0(1'b1), .D1(1'b0), .Q(sdram_clk));

  // commands: registers that power up high, so that nothing is asked of the chip
  wire [3:0] cmd     = {cs_n, ras_n, cas_n, we_n};
  wire [3:0] cmd_pad;
  assign {sdram_csn, sdram_rasn, sdram_casn, sdram_wen} = cmd_pad;

  genvar i;
  generate
    for (i = 0; i < 4; i = i + 1) begin : g_cmd
      OFS1P3BX u_pad (.PD(1'b0), .SP(1'b1), .SCLK(clk), .D(cmd[i]), .Q(cmd_pad[i]));
    end
    for (i = 0; i < 2; i = i + 1) begin : g_ba
      OFS1P3DX u_pad (.CD(1'b0), .SP(1'b1), .SCLK(clk), .D(ba[i]), .Q(sdram_ba[i]));
    end
    for (i = 0; i < 13; i = i + 1) begin : g_a
      OFS1P3DX u_pad (.CD(1'b0), .SP(1'b1), .SCLK(clk), .D(a[i]), .Q(sdram_a[i]));
    end
    for (i = 0; i < 16; i = i + 1) begin : g_d
      wire from_pad, to_pad, off;
      BB       u_pin (.B(sdram_d[i]), .I(to_pad), .T(off), .O(from_pad));
      OFS1P3DX u_out (.CD(1'b0), .SP(1'b1), .SCLK(clk), .D(dq_out[i]), .Q(to_pad));
      OFS1P3BX u_off (.PD(1'b0), .SP(1'b1), .SCLK(clk), .D(!dq_oe), .Q(off));
      IFS1P3DX u_in  (.CD(1'b0), .SP(1'b1), .SCLK(clk), .D(from_pad), .Q(dq_in[i]));
    end
  endgenerate

endmodule
