//! The way of the state back to memory: words of vec and wkv to AXI4 write bursts.

use super::{axi_sizes, burst_beats, unit_bits};
use crate::blocks::prelude::*;
use crate::blocks::prim::fifo;

/// Bursts that may wait for the address channel; with fewer, short ones would hold up the words behind them.
const CUTS: usize = 16;

/// Beats that can wait: two of the longest bursts, and at least 64.
fn depth(config: &Config) -> usize {
    2 * burst_beats(config).max(32)
}

/// The AXI4 write master of a configuration with the state in memory.
pub fn state_writer(config: &Config) -> Arc<Module> {
    let (vl, stored, slots) = (config.vlanes(), config.stored_bits(), config.sessions);
    let mut m = Module::new("state_writer", header(config));
    ports(&mut m, config);
    axi_sizes(&mut m, config);
    sizes! { m; LANES = vl, STORED_BITS = stored, SLOTS = slots, SLOT_BITS = index_bits(slots) }
    m.body(rtl!("dma/state_writer"));
    m.body(match slots {
        1 => rtl!("dma/state_writer_one"),
        _ => rtl!("dma/state_writer_slots"),
    });
    instance! { m, "u_data", fifo(vl * stored, depth(config));
        in_valid_i: accept, in_ready_o: data_room, in_data_i: word, out_valid_o: data_valid, out_ready_i: "w_beat || drop",
        out_data_o: data,
    }
    let beat_bits = config.axi_addr_bits - config.beat_bytes().ilog2() as usize;
    instance! { m, "u_cuts", fifo(beat_bits + m.constant("anser_pkg::AXI_LEN_BITS"), CUTS);
        in_valid_i: cut, in_ready_o: cut_room, in_data_i: "{first, len}", out_valid_o: burst_valid, out_ready_i: "load || drop",
        out_data_o: "{burst_beat, burst_len}",
    }
    m.done()
}

/// Contract and latency.
fn header(config: &Config) -> String {
    let (vl, burst, depth) = (config.vlanes(), burst_beats(config), depth(config));
    let several = match config.sessions {
        1 => "",
        _ => {
            "\nEach slot has an address of its own. A burst also ends before a word of another slot, which is refused for a cycle unless the\n\
             burst ended anyway. A session vector of a slot that is not in slots_i is taken and goes nowhere."
        }
    };
    format!(
        "Writes the state of a token to memory, in the order in which its words come: {vl} elements a beat, 32 bits each, sign-extended.\n\
         start_i sets the address to base_i, which counts units of {UNIT_BYTES} B; every beat follows the one before it.\n\
         r_* are words of the recurrence, v_* words of a session vector ({VEC_BITS} bits an element); r_* goes first. A word is taken\n\
         only if it will find room, and belongs to a burst from then on. A burst ends at a multiple of {burst} beats (so never\n\
         beyond 4 KiB), after a word with v_last_i, and after r_flush_i (a pulse that follows the last word). Only then is it asked\n\
         for, so its data never pause. Bursts are INCR, of full width, with all strobes set and one ID; at most {} have no response yet.\n\
         idle_o: every word taken is in memory (its response has come), and none is on offer. error_o: a response was SLVERR or\n\
         DECERR. rst_ni is the bus's reset. While stop_i is high no word may be on offer; bursts whose address was sent are completed, the\n\
         others are forgotten, and quiet_o says that nothing is left. Latency: end of a burst to awvalid 2 cycles, to wvalid 3; then one beat a cycle. {depth} beats can wait here.{several}",
        config.max_outstanding,
    )
}

fn ports(m: &mut Module, config: &Config) {
    let (vl, slots) = (config.vlanes(), config.sessions);
    ports! { m; stop_i "forget what the bus has not seen", start_i "pulse: a token starts" }
    m.input("base_i", slots * unit_bits(config), if slots > 1 { "64 B units, slot 0 lowest" } else { "64 B units" });
    if slots > 1 {
        ports! { m;
            slots_i[slots] "slots whose state is written", r_slot_i[index_bits(slots)] "whose word",
            v_slot_i[index_bits(slots)] "whose word",
        }
    }
    ports! { m;
        r_valid_i "recurrence", r_ready_o, r_data_i[vl * config.stored_bits()], r_flush_i "pulse",
        v_valid_i "session vector", v_ready_o, v_data_i[vl * VEC_BITS], v_last_i "its last word", idle_o, quiet_o, error_o,
        m_axi_awaddr_o[config.axi_addr_bits] "bytes", m_axi_awlen_o["anser_pkg::AXI_LEN_BITS"] "beats - 1",
        m_axi_awsize_o["anser_pkg::AXI_SIZE_BITS"], m_axi_awburst_o["anser_pkg::AXI_BURST_BITS"], m_axi_awvalid_o,
        m_axi_awready_i, m_axi_wdata_o[config.bus_bits], m_axi_wstrb_o[config.beat_bytes()] "all set", m_axi_wlast_o,
        m_axi_wvalid_o, m_axi_wready_i, m_axi_bresp_i["anser_pkg::AXI_RESP_BITS"], m_axi_bvalid_i, m_axi_bready_o,
    }
}
