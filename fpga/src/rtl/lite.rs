//! One register access of the chip at a time.

use rtl_gen::hdl::Module;
use std::sync::Arc;

/// AXI4-Lite master with a request and an answer.
pub fn lite_master() -> Arc<Module> {
    let mut m = Module::new(
        "lite_master",
        "AXI4-Lite master: one full-word access at a time.\n\
         start_i (only while busy_o is low) takes we_i, addr_i, wdata_i; done_o is high for one cycle when the answer is here,\n\
         rdata_o holds until the next access. Error responses are not looked at: the chip gives none to full words.\n\
         Latency: the request is on the bus one cycle after start_i, done_o comes one cycle after the answer.",
    );
    m.input("start_i", 1, "").input("we_i", 1, "").input("addr_i", 8, "bytes").input("wdata_i", 32, "");
    m.output("busy_o", 1, "").output("done_o", 1, "").output("rdata_o", 32, "");
    m.output("axil_awaddr_o", 8, "").output("axil_awvalid_o", 1, "").input("axil_awready_i", 1, "");
    m.output("axil_wdata_o", 32, "").output("axil_wvalid_o", 1, "").input("axil_wready_i", 1, "");
    m.input("axil_bvalid_i", 1, "").output("axil_bready_o", 1, "");
    m.output("axil_araddr_o", 8, "").output("axil_arvalid_o", 1, "").input("axil_arready_i", 1, "");
    m.input("axil_rdata_i", 32, "").input("axil_rvalid_i", 1, "").output("axil_rready_o", 1, "");
    m.text(
        r#"
  reg         aw_q, w_q, ar_q, busy_q, done_q;
  reg  [7:0]  addr_q;
  reg  [31:0] data_q;   // to be written, then what was read

  wire answer = busy_q && (axil_bvalid_i || axil_rvalid_i);

  assign busy_o         = busy_q;
  assign done_o         = done_q;
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
    end else begin
      done_q <= answer;
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
"#,
        &[],
    );
    m.done()
}
