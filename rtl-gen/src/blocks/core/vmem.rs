//! Vector memory: two copies for two read ports, one arbitrated write port.

use crate::blocks::prelude::*;
use crate::blocks::prim::ram_1w1r;
pub use crate::widths::{ELEMENT_ADDR_BITS, WORD_ADDR_BITS};

/// Cycles from an accepted word to the first read that sees it: one in the write register.
pub const WRITE_LATENCY: usize = 2;
/// Cycles from an accepted element to the first read that sees it. An element waits a cycle more than a word, so that a word need not
/// depend on it in the cycle in which it comes.
pub const ELEMENT_LATENCY: usize = WRITE_LATENCY + 1;

/// The unit `vmem` of `docs/hardware.md`: `vmem_words` words of VL elements of 27 bits.
pub fn vmem(config: &Config) -> Arc<Module> {
    let lanes = config.vlanes();
    let word_bits = lanes * VEC_BITS;
    let depth = config.vmem_words();
    let many = config.sessions > 1;
    let slots = match config.sessions {
        1 => "",
        _ => "A write is carried out only with its *_en_i, which changes no handshake: all slices accept the same writes.\n",
    };
    let mut m = Module::new(
        "vmem",
        format!(
            "Vector memory: {depth} words of {lanes} elements of {VEC_BITS} bits, in two copies so that two words can be read a cycle.\n\
             Read: v*_data_o holds the word one cycle after v*_en_i and keeps it while v*_en_i is low; a read of the word being\n\
             written in the same cycle returns the old content.\n\
             Write: one element a cycle, d (matrix unit) before y (recurrence); a word, vw (vector unit), in every cycle but the one\n\
             after that of an element: vw_ready_o is a register. What is accepted in a cycle is seen by reads from {WRITE_LATENCY} (a word) or\n\
             {ELEMENT_LATENCY} (an element) cycles later on: it is registered before it goes to the memories, which are many and far apart.\n\
             clear_i (one cycle, everything idle) writes 0 to all words, {} cycles of clear_busy_o from the next cycle on;\n\
             in the last of them writes are accepted again.\n\
{slots}             Element address e is lane e % {lanes} of word e / {lanes}; addresses past the end are the program's mistake.",
            depth + 1
        ),
    );
    for p in ["va", "vb"] {
        m.input(format!("{p}_en_i"), 1, "").input(format!("{p}_addr_i"), WORD_ADDR_BITS, "word");
        m.output(format!("{p}_data_o"), word_bits, "");
    }
    for p in ["d", "y"] {
        m.input(format!("{p}_valid_i"), 1, "").output(format!("{p}_ready_o"), 1, "");
        m.input(format!("{p}_addr_i"), ELEMENT_ADDR_BITS, "element").input(format!("{p}_data_i"), VEC_BITS, "");
    }
    ports! { m; vw_valid_i, vw_ready_o, vw_addr_i[WORD_ADDR_BITS] "word", vw_data_i[word_bits], clear_i, clear_busy_o }
    if many {
        ports! { m; d_en_i, y_en_i, vw_en_i "write what is accepted" }
    }
    sizes! { m; LANES = lanes, DEPTH = depth }
    m.body(match many {
        true => rtl!("core/vmem_slot"),
        false => rtl!("core/vmem_single"),
    });
    m.body(rtl!("core/vmem"));
    let ram = ram_1w1r(VEC_BITS, depth);
    for port in ["a", "b"] {
        for lane in 0..lanes {
            instance! { m, format!("u_{port}{lane}"), ram;
                we_i: format!("we_q[{lane}]"), waddr_i: waddr_q, wdata_i: part("wdata_q", lane, VEC_BITS),
                re_i: format!("v{port}_en_i"), raddr_i: format!("v{port}_addr_i[ADDR_BITS-1:0]"),
                rdata_o: part(&format!("v{port}_data_o"), lane, VEC_BITS),
            }
        }
    }
    m.done()
}
