//! One register access of the chip at a time.

use rtl_gen::blocks::prelude::*;

/// AXI4-Lite master with a request and an answer.
pub fn lite_master() -> Arc<Module> {
    let mut m = Module::new(
        "lite_master",
        "AXI4-Lite master: one full-word access at a time.\n\
         start_i (only while busy_o is low) takes we_i, addr_i, wdata_i; done_o is high for one cycle when the answer is here,\n\
         rdata_o and error_o (the answer was SLVERR or DECERR) hold until the next access.\n\
         Latency: the request is on the bus one cycle after start_i, done_o comes one cycle after the answer.",
    );
    ports! { m;
        start_i, we_i, addr_i["anser_pkg::LITE_ADDR_BITS"] "bytes", wdata_i[32], busy_o, done_o, error_o, rdata_o[32],
        axil_awaddr_o["anser_pkg::LITE_ADDR_BITS"], axil_awvalid_o,
        axil_awready_i, axil_wdata_o[32], axil_wvalid_o, axil_wready_i, axil_bresp_i["anser_pkg::AXI_RESP_BITS"], axil_bvalid_i, axil_bready_o,
        axil_araddr_o["anser_pkg::LITE_ADDR_BITS"],
        axil_arvalid_o, axil_arready_i, axil_rdata_i[32], axil_rresp_i["anser_pkg::AXI_RESP_BITS"], axil_rvalid_i, axil_rready_o,
    }
    m.body(rtl!("lite_master"));
    m.done()
}
