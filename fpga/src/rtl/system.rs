//! The whole system without vendor cells: what is simulated, and what the board's own top wraps.

use super::axi_read::axi_read;
use super::control::host_control;
use super::frame::{frame_rx, reply_tx};
use super::lite::lite_master;
use super::sdram::sdram;
use super::uart::{uart_rx, uart_tx};
use crate::board::Board;
use rtl_gen::blocks::core::top;
use rtl_gen::blocks::prim::fifo;
use rtl_gen::config::Config;
use rtl_gen::hdl::assembly::{declare_outputs, place, row, Connection, Row, Units};
use rtl_gen::hdl::Module;
use std::sync::Arc;

/// What a system is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemOptions {
    pub clock_khz: u32,
    pub clocks_per_bit: usize,
    /// Cycles without a byte that end a frame that has begun.
    pub frame_timeout_cycles: usize,
}

impl SystemOptions {
    /// The options of `board` at `clock_khz`: its own baud rate; a frame ends after 25 ms of silence.
    pub fn of(board: &Board, clock_khz: u32) -> Self {
        let clocks = u64::from(clock_khz) * 1000;
        SystemOptions {
            clock_khz,
            clocks_per_bit: ((clocks + u64::from(board.baud) / 2) / u64::from(board.baud)) as usize,
            frame_timeout_cycles: (clocks / 40) as usize,
        }
    }
}

/// A reset that begins at once and ends with the clock.
fn reset_sync() -> Arc<Module> {
    let mut m = Module::combinational(
        "reset_sync",
        "Reset synchroniser: rst_no falls with rst_ni, whatever the clock does, and rises with the third clock after rst_ni did.",
    );
    m.input("clk_i", 1, "").input("rst_ni", 1, "any time").output("rst_no", 1, "released with clk_i");
    m.body(include_str!("../../rtl/reset_sync.sv"));
    m.done()
}

/// `anser_system`: chip, memory controller and host link behind one clock and one asynchronous reset.
///
/// # Errors
/// A configuration whose bus is not the 128 bits this memory system has, or that writes to memory.
pub fn system(config: &Config, board: &Board, options: &SystemOptions) -> Result<Arc<Module>, crate::FpgaError> {
    if config.bus_bits != 128 {
        return Err(crate::FpgaError::BusBits { config: config.name.clone(), bus_bits: config.bus_bits });
    }
    if config.streams_state() {
        return Err(crate::FpgaError::StateInMemory { config: config.name.clone() });
    }
    let shape = &board.sdram;
    let beat_bits = shape.row_bits + shape.bank_bits + shape.column_bits - 3;
    let mut m = Module::new(
        "system",
        format!(
            "The accelerator as a system for a board: host link on a serial line, weights in a 16-bit SDRAM, one clock of\n\
             {} kHz for all of it. rst_ni may change at any time; it is released here with the clock.\n\
             The contract of the serial line is docs/fpga.md. led_o: 7 alive, 3 last frame bad, 2 memory read, 1 byte received,\n\
             0 a command is executed.",
            options.clock_khz
        ),
    );
    m.input("uart_rx_i", 1, "").output("uart_tx_o", 1, "").output("led_o", 8, "");
    for p in ["cs_no", "ras_no", "cas_no", "we_no"] {
        m.output(format!("sdram_{p}"), 1, "");
    }
    m.output("sdram_ba_o", 2, "").output("sdram_addr_o", shape.row_bits, "");
    m.output("sdram_dq_oe_o", 1, "").output("sdram_dq_o", 16, "").input("sdram_dq_i", 16, "");

    let units: Units = vec![
        ("rx", uart_rx(options.clocks_per_bit)),
        ("bytes", fifo(8, 16)),
        ("frame", frame_rx(options.frame_timeout_cycles)),
        ("control", host_control(beat_bits - 2)),
        ("reply", reply_tx()),
        ("tx", uart_tx(options.clocks_per_bit)),
        ("lite", lite_master()),
        ("axi", axi_read(config.axi_addr_bits, beat_bits)),
        ("sdram", sdram(shape, &board.sdram_timing.cycles(options.clock_khz))),
    ];
    m.sizes(&[("ADDR_BITS", config.axi_addr_bits)]);
    m.body("  // Output PORT_o of instance u_NAME is the wire NAME_PORT.");
    declare_outputs(&mut m, &units, parent);
    m.body(include_str!("../../rtl/system.sv"));
    m.instance("u_reset", &reset_sync(), &[("rst_no", "rst_sync_n")]);
    place(&mut m, &units, parent, |unit, port| row(&[INPUTS], unit, port));
    m.instance("u_anser", &top(config), CHIP);
    Ok(m.done())
}

/// What a unit's port is wired straight to: pins of the system, and the reset that is released with the clock.
fn parent(unit: &str, port: &str) -> Connection {
    const PADS: [&str; 9] = ["cs_no", "ras_no", "cas_no", "we_no", "ba_o", "addr_o", "dq_oe_o", "dq_o", "dq_i"];
    match (unit, port) {
        (_, "rst_ni") => Connection::Parent("rst_sync_n".into()),
        ("rx", "rx_i") | ("tx", "tx_o") => Connection::Parent(format!("uart_{port}")),
        ("sdram", p) if PADS.contains(&p) => Connection::Parent(format!("sdram_{p}")),
        _ => Connection::Usual,
    }
}

/// Instance, input, and what drives it.
const INPUTS: &[Row] = &[
    ("bytes", "in_valid_i", "rx_valid"),
    ("bytes", "in_data_i", "rx_data"),
    ("bytes", "out_ready_i", "frame_byte_ready"),
    ("frame", "byte_valid_i", "bytes_out_valid"),
    ("frame", "byte_i", "bytes_out_data"),
    ("frame", "take_i", "control_frame_take"),
    ("frame", "index_i", "control_index"),
    ("control", "frame_valid_i", "frame_valid"),
    ("control", "frame_status_i", "frame_status"),
    ("control", "frame_cmd_i", "frame_cmd"),
    ("control", "frame_arg_i", "frame_arg"),
    ("control", "word_i", "frame_word"),
    ("control", "more_i", "bytes_out_valid"),
    ("control", "reply_ready_i", "reply_ready"),
    ("control", "lite_done_i", "lite_done"),
    ("control", "lite_rdata_i", "lite_rdata"),
    ("control", "mem_ready_i", "sdram_req_ready"),
    ("reply", "valid_i", "control_reply_valid"),
    ("reply", "cmd_i", "control_reply_cmd"),
    ("reply", "status_i", "control_reply_status"),
    ("reply", "data_i", "control_reply_data"),
    ("reply", "byte_ready_i", "tx_ready"),
    ("tx", "valid_i", "reply_byte_valid"),
    ("tx", "data_i", "reply_byte"),
    ("lite", "start_i", "control_lite_start"),
    ("lite", "we_i", "control_lite_we"),
    ("lite", "addr_i", "control_lite_addr"),
    ("lite", "wdata_i", "control_lite_wdata"),
    ("lite", "axil_awready_i", "awready"),
    ("lite", "axil_wready_i", "wready"),
    ("lite", "axil_bvalid_i", "bvalid"),
    ("lite", "axil_arready_i", "arready"),
    ("lite", "axil_rdata_i", "rdata"),
    ("lite", "axil_rvalid_i", "rvalid"),
    ("axi", "araddr_i", "chip_araddr"),
    ("axi", "arlen_i", "chip_arlen"),
    ("axi", "arvalid_i", "chip_arvalid"),
    ("axi", "rready_i", "chip_rready"),
    ("axi", "mem_ready_i", "sdram_req_ready && !control_mem_valid"),
    ("axi", "mem_rvalid_i", "sdram_rvalid"),
    ("axi", "mem_rdata_i", "sdram_rdata"),
    ("sdram", "req_valid_i", "control_mem_valid || axi_mem_valid"),
    ("sdram", "req_we_i", "control_mem_valid"),
    ("sdram", "req_beat_i", "control_mem_valid ? control_mem_beat : axi_mem_beat"),
    ("sdram", "req_data_i", "control_mem_data"),
];

/// The chip's ports.
const CHIP: &[(&str, &str)] = &[
    ("rst_ni", "rst_sync_n"),
    ("s_axil_awaddr", "lite_axil_awaddr"),
    ("s_axil_awvalid", "lite_axil_awvalid"),
    ("s_axil_awready", "awready"),
    ("s_axil_wdata", "lite_axil_wdata"),
    ("s_axil_wstrb", "4'hf"),
    ("s_axil_wvalid", "lite_axil_wvalid"),
    ("s_axil_wready", "wready"),
    ("s_axil_bresp", "unused_bresp"),
    ("s_axil_bvalid", "bvalid"),
    ("s_axil_bready", "lite_axil_bready"),
    ("s_axil_araddr", "lite_axil_araddr"),
    ("s_axil_arvalid", "lite_axil_arvalid"),
    ("s_axil_arready", "arready"),
    ("s_axil_rdata", "rdata"),
    ("s_axil_rresp", "unused_rresp"),
    ("s_axil_rvalid", "rvalid"),
    ("s_axil_rready", "lite_axil_rready"),
    ("m_axi_araddr", "chip_araddr"),
    ("m_axi_arlen", "chip_arlen"),
    ("m_axi_arsize", "unused_arsize"),
    ("m_axi_arburst", "unused_arburst"),
    ("m_axi_arvalid", "chip_arvalid"),
    ("m_axi_arready", "axi_arready"),
    ("m_axi_rdata", "axi_rdata"),
    ("m_axi_rresp", "axi_rresp"),
    ("m_axi_rlast", "axi_rlast"),
    ("m_axi_rvalid", "axi_rvalid"),
    ("m_axi_rready", "chip_rready"),
    // the board says the most likely token itself
    ("m_axis_logits_tvalid", "unused_tvalid"),
    ("m_axis_logits_tready", "1'b1"),
    ("m_axis_logits_tdata", "unused_tdata"),
    ("m_axis_logits_tlast", "unused_tlast"),
];
