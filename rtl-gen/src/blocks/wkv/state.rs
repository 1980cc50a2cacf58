//! The state memory and the machine that clears it.

use crate::blocks::prelude::*;
use crate::blocks::prim::ram_1w1r;

/// Words of one bank: a size that memory compilers offer and that block RAMs make without a multiplexer of their own.
const BANK_WORDS: usize = 4096;

/// Cycles from `re_i` to `rdata_o`: bank select, memory, bank register.
pub const READ_LATENCY: usize = 3;

/// `words` words of `bits` bits; one read, one write, and clearing.
pub fn wkv_state(bits: usize, words: usize) -> Arc<Module> {
    let addr = index_bits(words);
    let banks = words.div_ceil(BANK_WORDS);
    let mut m = Module::new(
        "wkv_state",
        format!(
            "State S of all layers: {words} words of {bits} bits in {banks} banks, one read and one write a cycle.\n\
             clear_i (pulse) writes 0 to every word, one a cycle; it waits for hold_i low. clear_busy_o is high from the next cycle until\n\
             the last word is 0; no other access may happen then. A clear_i while busy starts over.\n\
             Latency: rdata_o {READ_LATENCY} cycles after re_i, for one cycle. Accesses are registered in front of the banks, reads and writes\n\
             alike, so their order is that of the ports; each bank has a register behind it too, because large memories are slow and\n\
             far apart, and the bank is selected after that. The memory itself is not reset."
        ),
    );
    ports! { m;
        clear_i "pulse", hold_i "an instruction runs", clear_busy_o, we_i, waddr_i[addr], wdata_i[bits], re_i,
        raddr_i[addr], rdata_o[bits],
    }
    let sizes = [("WIDTH", bits), ("WORDS", words), ("ADDR_BITS", addr), ("BANKS", banks), ("BANK_WORDS", BANK_WORDS)];
    m.sizes(&sizes).body(rtl!("wkv/wkv_state"));
    for bank in 0..banks {
        let depth = BANK_WORDS.min(words - bank * BANK_WORDS);
        let inside = index_bits(depth) - 1;
        instance! { m, format!("u_bank_{bank}"), ram_1w1r(bits, depth);
            we_i: format!("write_q[{bank}]"), waddr_i: format!("waddr_q[{inside}:0]"), wdata_i: wdata_q,
            re_i: format!("read_q[{bank}]"), raddr_i: format!("raddr_q[{inside}:0]"),
            rdata_o: part("words", bank, bits),
        }
    }
    m.done()
}
