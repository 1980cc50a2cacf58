//! The stream reader: dma instructions to AXI4 read bursts to the weight and parameter fifos.

mod column_map;
pub mod columns;
mod state_order;
pub mod state_writer;

use crate::blocks::prelude::*;
use crate::blocks::prim::fifo;
use crate::isa::DMA;
pub use crate::widths::TOKEN_BITS;

/// Beats of the longest burst: the largest power of two that `max_burst_beats` and a 4 KiB page allow.
///
/// Bursts end at multiples of it, so that one small subtraction keeps both limits.
pub fn burst_beats(config: &Config) -> usize {
    let limit = config.max_burst_beats.min(4096 / config.beat_bytes());
    1 << limit.ilog2()
}

/// Bits of an address that counts units of 64 B.
fn unit_bits(config: &Config) -> usize {
    config.axi_addr_bits - UNIT_BYTES.ilog2() as usize
}

/// Declares the sizes that the two AXI4 masters share: address of a unit, bytes of a unit and of a beat as powers of two, longest burst,
/// bursts in flight.
fn axi_sizes(m: &mut Module, config: &Config) {
    sizes! { m;
        UNIT_BITS = unit_bits(config), UNIT_BYTES_LOG = UNIT_BYTES.ilog2() as usize,
        BEAT_BYTES_LOG = config.beat_bytes().ilog2() as usize, BURST_BEATS = burst_beats(config),
        MAX_IN_FLIGHT = config.max_outstanding,
    }
}

/// The unit `dma` of `docs/hardware.md`.
pub fn dma(config: &Config) -> Arc<Module> {
    let (slots, in_memory) = (config.sessions, config.streams_state());
    let pieces = in_memory && slots > 1; // an instruction about state has a piece for every head and slot
    let mut m = Module::new("dma", header(config));
    ports(&mut m, config);
    axi_sizes(&mut m, config);
    if slots > 1 {
        sizes! { m; SLOT_BITS = index_bits(slots) }
    }
    if in_memory {
        sizes! { m; BUS_BITS = config.bus_bits }
    }
    m.body(rtl!("dma/dma")).multipliers(3);
    m.body(if in_memory { rtl!("dma/dma_memory") } else { rtl!("dma/dma_chip") });
    m.body(match slots {
        1 => "  assign token = token_i;",
        _ => rtl!("dma/dma_slots"),
    });
    if pieces {
        m.body(rtl!("dma/dma_memory_slots"));
        instance! { m, "u_state_order", state_order::state_order(slots);
            load_i: a_load, walk_i: is_state, slot_i: state_only, heads_i: state_heads, step_i: b_load,
            slot_o: state_slot, head_o: piece_head, last_o: piece_last, slots_i,
        }
    } else {
        m.body(rtl!("dma/dma_one_piece"));
        m.body(if in_memory { rtl!("dma/dma_memory_one") } else { "" });
    }
    let (tag_bits, tag_in, tag_out) = match in_memory {
        true if pieces => (5, "{c_zero_q, c_to_q, tag}", "{zero, tag_session, tag_state, tag_param, tag_final}"),
        true => (4, "{c_to_q, tag}", "{tag_session, tag_state, tag_param, tag_final}"),
        false => (2, "tag", "{tag_param, tag_final}"),
    };
    instance! { m, "u_tags", fifo(tag_bits, config.max_outstanding.next_power_of_two().max(2));
        in_valid_i: issue, in_ready_o: unused_tag_ready, in_data_i: &tag_in, out_valid_o: tag_valid,
        out_ready_i: burst_end, out_data_o: &tag_out,
    }
    m.done()
}

/// Contract and latency.
fn header(config: &Config) -> String {
    let burst = burst_beats(config);
    let state = match config.streams_state() {
        true if config.sessions > 1 => {
            "STATE and SESSION count from state_base_i of a slot of slots_i. SESSION reads that of its own slot, into the parameter fifo;\n\
             STATE reads cols heads of len units, each for all slots before the next, and sends them to wkv. A slot whose zero_i is set\n\
             brings zeros.\n"
        }
        true => {
            "STATE and SESSION count from state_base_i; STATE goes to wkv, SESSION to the parameter fifo. With zero_i both bring zeros.\n"
        }
        false => "",
    };
    format!(
        "Stream reader: turns dma instructions into AXI4 read bursts and routes the beats to the weight or parameter fifo.\n\
         It reads len units of 64 B from image_base_i + addr (EMBEDDING and TOKEN_WEIGHTS: + token_i of its slot * len), all in units of 64 B. COLUMNS asks\n\
         for the runs of columns of an operand (scan_*) and reads each run_* of them; a column has len units, below 512.\n\
         Bursts are INCR, of full width, at most {burst} beats long, and never cross a multiple of {burst} beats (so never 4 KiB); at most\n\
         {} are in flight, with one ID. A burst is asked for every other cycle at most; that of the next instruction follows.\n\
         Latency: accepted instruction to arvalid 5 cycles; beats pass to the fifos in the cycle in which they arrive.\n\
         {state}\
         done_o pulses once for each instruction, in order, with its last beat. An instruction of length 0 reads nothing and is done when\n\
         everything before it is. error_o: an accepted beat carried SLVERR or DECERR.\n\
         rst_ni is the bus's reset. While stop_i is high nothing more is asked for, instructions are forgotten, and beats that still come\n\
         are taken and passed to nobody; idle_o says that none is to come.",
        config.max_outstanding,
    )
}

fn ports(m: &mut Module, config: &Config) {
    let (n, units) = (config.sessions, unit_bits(config));
    ports! { m;
        stop_i "forget what is not asked for yet", instr_valid_i, instr_ready_o, instr_i[DMA.bits], image_base_i[units] "64 B units",
        token_i[TOKEN_BITS * n] "slot 0 lowest", scan_o "find the columns of",
        scan_x_addr_o[WORD_ADDR_BITS] "this operand", scan_cols_o[DMA.field("cols").1] "and its length", run_valid_i,
        run_ready_o, run_first_i[COLUMN_BITS] "first column", run_len_i[RUN_BITS] "columns",
        run_last_i "no run follows", w_valid_o "weight fifo", w_ready_i, w_data_o[config.bus_bits],
        p_valid_o "parameter fifo", p_ready_i, p_data_o[config.bus_bits],
    }
    if config.streams_state() {
        m.input("state_base_i", n * units, if n > 1 { "64 B units, slot 0 lowest" } else { "64 B units" });
        ports! { m; zero_i[n] "all state is read as 0; constant in a token" }
        if n > 1 {
            ports! { m; slots_i[n] "slots whose state is read; constant in a token" }
        }
        ports! { m; s_valid_o "state, to wkv", s_ready_i, s_data_o[config.bus_bits] }
    }
    ports! { m;
        done_o, error_o, beat_o "a beat is accepted", idle_o "no burst is outstanding",
        refused_o "a beat is offered and its fifo is full",
    }
    let refused =
        if config.streams_state() { "that is the parameter fifo, or wkv's" } else { "that is the parameter fifo" };
    m.output("refused_param_o", 1, refused);
    ports! { m;
        m_axi_araddr_o[config.axi_addr_bits] "bytes", m_axi_arlen_o["anser_pkg::AXI_LEN_BITS"] "beats - 1",
        m_axi_arsize_o["anser_pkg::AXI_SIZE_BITS"], m_axi_arburst_o["anser_pkg::AXI_BURST_BITS"], m_axi_arvalid_o,
        m_axi_arready_i, m_axi_rdata_i[config.bus_bits], m_axi_rresp_i["anser_pkg::AXI_RESP_BITS"], m_axi_rlast_i,
        m_axi_rvalid_i, m_axi_rready_o,
    }
}
