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
    m.body(include_str!("../../rtl/lite_master.sv"));
    m.done()
}
