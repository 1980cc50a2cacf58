//! AXI4 read port of the memory: bursts to beats.

use rtl_gen::blocks::prelude::*;
use rtl_gen::blocks::prim::fifo;

/// Beats asked for and not yet taken by the chip, at most.
const DEPTH: usize = 32;

/// AXI4 slave of `addr_bits` and 128 data bits over a memory of 2^`beat_bits` beats.
pub fn axi_read(addr_bits: usize, beat_bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        "axi_read",
        format!(
            "AXI4 read slave, 128 bits, INCR bursts of full beats: each becomes single beats of the memory, which answers in\n\
             order and is never held back: a beat is asked for only when the queue of {DEPTH} has room for it.\n\
             A burst outside the memory is answered SLVERR, with data of some other place.\n\
             Latency: a beat is asked for two cycles after its burst is taken, offered three cycles after the memory gave it. Bursts\n\
             follow each other without a gap: one waits while another is under way. arready_o is a register."
        ),
    );
    m.param("ADDR_BITS", addr_bits, 32, "of a byte's address, more than BEAT_BITS + 4");
    m.param("BEAT_BITS", beat_bits, 20, "of a beat's address in the memory");
    ports! { m;
        araddr_i["ADDR_BITS"] "bytes", arlen_i[8] "beats - 1", arvalid_i, arready_o, rdata_o[128], rresp_o[2], rlast_o,
        rvalid_o, rready_i, mem_valid_o, mem_ready_i, mem_beat_o["BEAT_BITS"], mem_rvalid_i, mem_rdata_i[128],
    }
    m.sizes(&[("DEPTH", DEPTH)]).body(rtl!("axi_read"));
    instance! { m, "u_tags", fifo(2, DEPTH);
        in_valid_i: ask, in_ready_o: "unused_ready[0]", in_data_i: "{outside_q, last}", out_valid_o: unused_tag,
        out_ready_i: mem_rvalid_i, out_data_o: tag,
    }
    instance! { m, "u_data", fifo(130, DEPTH);
        in_valid_i: mem_rvalid_i, in_ready_o: "unused_ready[1]", in_data_i: "{tag, mem_rdata_i}",
        out_valid_o: data_valid, out_ready_i: data_ready, out_data_o: data,
    }
    instance! { m, "u_front", fifo(130, 2);
        in_valid_i: data_valid, in_ready_o: data_ready, in_data_i: data, out_valid_o: rvalid_o, out_ready_i: rready_i,
        out_data_o: "{rresp_o[1], rlast_o, rdata_o}",
    }
    m.done()
}
