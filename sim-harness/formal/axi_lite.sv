// Properties of the AXI4-Lite slave in anser_regs, for a proof without a bound on time (scripts/formal).
//
// Everything but the handshakes' reset is free: the master, the chip around the registers, and the reset of the chip alone, which may come
// at any cycle. The master keeps to the protocol as far as is assumed below.
module axi_lite_properties (
  input wire        clk_i,
  input wire        bus_rst_ni,
  input wire        rst_ni,
  input wire        held_i,       // accesses wait: the chip is in reset, or a state is fetched
  input wire [11:0] awaddr_i,
  input wire        awvalid_i,
  input wire        awready_i,
  input wire [31:0] wdata_i,
  input wire [3:0]  wstrb_i,
  input wire        wvalid_i,
  input wire        wready_i,
  input wire [1:0]  bresp_i,
  input wire        bvalid_i,
  input wire        bready_i,
  input wire [11:0] araddr_i,
  input wire        arvalid_i,
  input wire        arready_i,
  input wire [31:0] rdata_i,
  input wire [1:0]  rresp_i,
  input wire        rvalid_i,
  input wire        rready_i,
  input wire [25:0] image_base_i  // what IMAGE_BASE_LO holds
);
  localparam [11:0] AT_ID = 12'h000, AT_IMAGE_BASE_LO = 12'h018, AT_WATCHDOG = 12'h108;
  localparam [31:0] ID = 32'h414E5352;

  reg begun_q = 1'b0;  // a cycle has passed
  always @(posedge clk_i) begun_q <= 1'b1;

  // The reset of the bus comes once, at the beginning, and that of the chip with it.
  always @* assume (bus_rst_ni == begun_q && (begun_q || !rst_ni));

  // While the chip is in reset, accesses wait: anser_unit_reset sees to it.
  always @* if (!rst_ni) assume (held_i);

  // One cycle ago.
  reg        bvalid_q, bready_q, rvalid_q, rready_q;
  reg [1:0]  bresp_q, rresp_q;
  reg [31:0] rdata_q;
  reg        awvalid_q, awready_q, wvalid_q, wready_q, arvalid_q, arready_q;
  reg [11:0] awaddr_q, araddr_q;
  reg [31:0] wdata_q;
  reg [3:0]  wstrb_q;
  reg        live_q = 1'b0;  // the cycle before was one after the reset

  always @(posedge clk_i) begin
    live_q <= begun_q;
    {bvalid_q, bready_q, bresp_q} <= {bvalid_i, bready_i, bresp_i};
    {rvalid_q, rready_q, rresp_q, rdata_q} <= {rvalid_i, rready_i, rresp_i, rdata_i};
    {awvalid_q, awready_q, awaddr_q} <= {awvalid_i, awready_i, awaddr_i};
    {wvalid_q, wready_q, wdata_q, wstrb_q} <= {wvalid_i, wready_i, wdata_i, wstrb_i};
    {arvalid_q, arready_q, araddr_q} <= {arvalid_i, arready_i, araddr_i};
  end

  // The master holds what it offers until it is taken.
  always @* if (live_q) begin
    if (awvalid_q && !awready_q) assume (awvalid_i && awaddr_i == awaddr_q);
    if (wvalid_q && !wready_q) assume (wvalid_i && wdata_i == wdata_q && wstrb_i == wstrb_q);
    if (arvalid_q && !arready_q) assume (arvalid_i && araddr_i == araddr_q);
  end

  wire aw = awvalid_i && awready_i, w = wvalid_i && wready_i, ar = arvalid_i && arready_i;

  // A response appears in the first cycle that it is on offer.
  reg  b_shown_q = 1'b0, r_shown_q = 1'b0;
  wire b_new = bvalid_i && !b_shown_q;
  wire r_new = rvalid_i && !r_shown_q;

  // Requests that were accepted and have no response yet, the older one first.
  reg [1:0]  n_aw_q = 2'd0, n_w_q = 2'd0, n_ar_q = 2'd0;
  reg [11:0] aw0_q, aw1_q, ar0_q, ar1_q;
  reg [35:0] w0_q, w1_q;  // strobes and data

  always @(posedge clk_i) if (begun_q) begin
    b_shown_q <= bvalid_i && !bready_i;
    r_shown_q <= rvalid_i && !rready_i;
    n_aw_q <= n_aw_q + aw - b_new;
    n_w_q  <= n_w_q + w - b_new;
    n_ar_q <= n_ar_q + ar - r_new;
    if (b_new) begin
      aw0_q <= aw1_q;
      w0_q  <= w1_q;
    end
    if (r_new) ar0_q <= ar1_q;
    if (aw) begin
      if (n_aw_q - b_new == 0) aw0_q <= awaddr_i;
      else aw1_q <= awaddr_i;
    end
    if (w) begin
      if (n_w_q - b_new == 0) w0_q <= {wstrb_i, wdata_i};
      else w1_q <= {wstrb_i, wdata_i};
    end
    if (ar) begin
      if (n_ar_q - r_new == 0) ar0_q <= araddr_i;
      else ar1_q <= araddr_i;
    end
  end

  // How long a whole request has waited in cycles in which it need not.
  reg [2:0] b_wait_q = 3'd0, r_wait_q = 3'd0;
  wire      b_due = n_aw_q != 0 && n_w_q != 0 && !bvalid_i && !held_i;
  wire      r_due = n_ar_q != 0 && !rvalid_i && !held_i;

  always @(posedge clk_i) if (begun_q) begin
    b_wait_q <= b_due ? b_wait_q + 3'd1 : 3'd0;
    r_wait_q <= r_due ? r_wait_q + 3'd1 : 3'd0;
  end

  // What IMAGE_BASE_LO must hold: the data of the last write that was answered OKAY, and 0 after a reset of the chip.
  reg  [25:0] base_q = 26'd0;
  wire        w_base = b_new && bresp_i == 2'd0 && aw0_q == AT_IMAGE_BASE_LO;
  wire [25:0] base   = !rst_ni ? 26'd0 : w_base ? w0_q[31:6] : base_q;

  always @(posedge clk_i) if (begun_q) base_q <= base;

  always @* if (begun_q) begin
    // a response stays, unchanged, until it is taken
    if (live_q && bvalid_q && !bready_q) begin
      a_b_held: assert (bvalid_i);
      a_b_same: assert (bresp_i == bresp_q);
    end
    if (live_q && rvalid_q && !rready_q) begin
      a_r_held: assert (rvalid_i);
      a_r_same: assert (rdata_i == rdata_q && rresp_i == rresp_q);
    end
    // one response for a request, and none without
    if (b_new) a_b_asked: assert (n_aw_q != 0 && n_w_q != 0);
    if (r_new) a_r_asked: assert (n_ar_q != 0);
    a_aw_room: assert (n_aw_q <= 2 && !(n_aw_q == 2 && aw && !b_new));
    a_w_room: assert (n_w_q <= 2 && !(n_w_q == 2 && w && !b_new));
    a_ar_room: assert (n_ar_q <= 2 && !(n_ar_q == 2 && ar && !r_new));
    // and it comes
    a_b_soon: assert (b_wait_q < 3'd3);
    a_r_soon: assert (r_wait_q < 3'd3);
    // responses are OKAY or SLVERR
    if (bvalid_i) a_b_kind: assert (bresp_i == 2'd0 || bresp_i == 2'd2);
    if (rvalid_i) a_r_kind: assert (rresp_i == 2'd0 || rresp_i == 2'd2);
    // a write of a part of a word, and one to an address within a word, is refused; one that is always good is not
    if (b_new && w0_q[35:32] != 4'hF) a_b_partial: assert (bresp_i == 2'd2);
    if (b_new && aw0_q[1:0] != 2'd0) a_b_odd: assert (bresp_i == 2'd2);
    if (b_new && aw0_q == AT_ID) a_b_read_only: assert (bresp_i == 2'd2);
    if (b_new && w0_q[35:32] == 4'hF && aw0_q == AT_WATCHDOG) a_b_good: assert (bresp_i == 2'd0);
    // no write is lost, and none takes place that was refused or not asked for
    a_kept: assert (image_base_i == base);
    // a read gives the register it asks for
    if (r_new && ar0_q == AT_ID) a_r_right: assert (rresp_i == 2'd0 && rdata_i == ID);
    if (r_new && ar0_q[1:0] != 2'd0) a_r_odd: assert (rresp_i == 2'd2 && rdata_i == 32'd0);
  end
endmodule
