//! One register access of the chip at a time.

use rtl_gen::blocks::prelude::*;

/// AXI4-Lite master with a request and an answer.
pub fn lite_master() -> Arc<Module> {
    let mut m = Module::new(
        "lite_master",
        "AXI4-Lite master: one full-word access at a time.\n\
         start_i (only while busy_o is low) takes we_i, addr_i, wdata_i; done_o is high for one cycle when the answer is here,\n\
         rdata_o holds until the next access. Error responses are not looked at: the chip gives none to full words.\n\
         Latency: the request is on the bus one cycle after start_i, done_o comes one cycle after the answer.",
    );
    ports! { m;
        start_i, we_i, addr_i[8] "bytes", wdata_i[32], busy_o, done_o, rdata_o[32], axil_awaddr_o[8], axil_awvalid_o,
        axil_awready_i, axil_wdata_o[32], axil_wvalid_o, axil_wready_i, axil_bvalid_i, axil_bready_o, axil_araddr_o[8],
        axil_arvalid_o, axil_arready_i, axil_rdata_i[32], axil_rvalid_i, axil_rready_o,
    }
    m.body(rtl!("lite_master"));
    m.done()
}
