//! The whole system without vendor cells: what is simulated, and what the board's own top wraps.

use super::axi_read::axi_read;
use super::control::host_control;
use super::frame::{frame_rx, reply_tx};
use super::lite::lite_master;
use super::sdram::sdram;
use super::uart::{uart_rx, uart_tx};
use crate::board::Board;
use rtl_gen::blocks::core::top;
use rtl_gen::blocks::prelude::*;
use rtl_gen::blocks::prim::fifo;
use rtl_gen::hdl::assembly::{declare_outputs, driver, place, Connection, Table, Units};

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
    ports! { m; clk_i, rst_ni "any time", rst_no "released with clk_i" }
    m.body(rtl!("reset_sync"));
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
    ports! { m; uart_rx_i, uart_tx_o, led_o[8] }
    for p in ["cs_no", "ras_no", "cas_no", "we_no"] {
        m.output(format!("sdram_{p}"), 1, "");
    }
    ports! { m; sdram_ba_o[2], sdram_addr_o[shape.row_bits], sdram_dq_oe_o, sdram_dq_o[16], sdram_dq_i[16] }

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
    sizes! { m; ADDR_BITS = config.axi_addr_bits }
    m.body("  // Output PORT_o of instance u_NAME is the wire NAME_PORT.");
    declare_outputs(&mut m, &units, parent);
    m.body(rtl!("system"));
    instance! { m, "u_reset", reset_sync(); rst_no: rst_sync_n }
    let tables = [inputs()];
    place(&mut m, &units, parent, |unit, port| driver(&tables, unit, port));
    // the board itself picks the most likely token, so the stream of logits is left
    instance! { m, "u_anser", top(config);
        rst_ni: rst_sync_n, bus_rst_ni: rst_sync_n, irq_o: unused_irq, s_axil_awaddr: lite_axil_awaddr, s_axil_awvalid: lite_axil_awvalid, s_axil_awready: awready,
        s_axil_wdata: lite_axil_wdata, s_axil_wstrb: "4'hf", s_axil_wvalid: lite_axil_wvalid, s_axil_wready: wready,
        s_axil_bresp: bresp, s_axil_bvalid: bvalid, s_axil_bready: lite_axil_bready,
        s_axil_araddr: lite_axil_araddr, s_axil_arvalid: lite_axil_arvalid, s_axil_arready: arready,
        s_axil_rdata: rdata, s_axil_rresp: rresp, s_axil_rvalid: rvalid, s_axil_rready: lite_axil_rready,
        m_axi_araddr: chip_araddr, m_axi_arlen: chip_arlen, m_axi_arsize: unused_arsize, m_axi_arburst: unused_arburst,
        m_axi_arvalid: chip_arvalid, m_axi_arready: axi_arready, m_axi_rdata: axi_rdata, m_axi_rresp: axi_rresp,
        m_axi_rlast: axi_rlast, m_axi_rvalid: axi_rvalid, m_axi_rready: chip_rready,
        m_axis_logits_tvalid: unused_tvalid, m_axis_logits_tready: "1'b1", m_axis_logits_tdata: unused_tdata,
        m_axis_logits_tlast: unused_tlast,
    }
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
fn inputs() -> Table {
    table! {
        bytes { in_valid_i: rx_valid, in_data_i: rx_data, out_ready_i: frame_byte_ready }
        frame {
            byte_valid_i: bytes_out_valid, byte_i: bytes_out_data, take_i: control_frame_take, index_i: control_index,
        }
        control {
            frame_valid_i: frame_valid, frame_status_i: frame_status, frame_cmd_i: frame_cmd, frame_arg_i: frame_arg,
            word_i: frame_word, more_i: bytes_out_valid, reply_ready_i: reply_ready, lite_done_i: lite_done, lite_error_i: lite_error,
            lite_rdata_i: lite_rdata, mem_ready_i: sdram_req_ready,
        }
        reply {
            valid_i: control_reply_valid, cmd_i: control_reply_cmd, status_i: control_reply_status,
            data_i: control_reply_data, byte_ready_i: tx_ready,
        }
        tx { valid_i: reply_byte_valid, data_i: reply_byte }
        lite {
            start_i: control_lite_start, we_i: control_lite_we, addr_i: control_lite_addr, wdata_i: control_lite_wdata,
            axil_awready_i: awready, axil_wready_i: wready, axil_bvalid_i: bvalid, axil_arready_i: arready,
            axil_bresp_i: bresp, axil_rdata_i: rdata, axil_rresp_i: rresp, axil_rvalid_i: rvalid,
        }
        axi {
            araddr_i: chip_araddr, arlen_i: chip_arlen, arvalid_i: chip_arvalid, rready_i: chip_rready,
            mem_ready_i: "sdram_req_ready && !control_mem_valid", mem_rvalid_i: sdram_rvalid, mem_rdata_i: sdram_rdata,
        }
        sdram {
            req_valid_i: "control_mem_valid || axi_mem_valid", req_we_i: control_mem_valid,
            req_beat_i: "control_mem_valid ? control_mem_beat : axi_mem_beat", req_data_i: control_mem_data,
        }
    }
}
