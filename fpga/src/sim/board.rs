//! A simulated board: one clock for the system, its memory chip and the far end of its serial line.

use super::sdram_chip::{Pins, SdramChip, Violation};
use super::uart::Uart;
use crate::board::Board;
use crate::link::{Line, LineError};
use crate::rtl::sdram::PAD_CYCLES;
use crate::rtl::system::{system, SystemOptions};
use crate::FpgaError;
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use sim_harness::dut::{BuildOptions, Dut, DutError, Port};
use std::collections::VecDeque;
use std::time::Duration;

/// What stops a simulated board.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    #[error(transparent)]
    Sdram(#[from] Violation),
    #[error(transparent)]
    Dut(#[from] DutError),
}

/// Words that stand on the bus while nobody drives it: no reader should take them for data.
const FLOATING: u16 = 0x5EED;

/// The simulated board; a [`Line`] that a host can talk over.
pub struct SimBoard {
    dut: Dut,
    rx: Port,
    tx: Port,
    commands: [Port; 4],
    bank: Port,
    addr: Port,
    dq_oe: Port,
    dq_out: Port,
    dq_in: Port,
    pub chip: SdramChip,
    pub uart: Uart,
    /// Registers of the pads, towards the chip and back.
    out: VecDeque<Pins>,
    back: VecDeque<u16>,
    line: bool,
    cycle: u64,
    clock_khz: u32,
}

impl SimBoard {
    /// Builds the system of `config` for `board` (or takes its simulator from the cache) and switches it on, with
    /// `memory` in the SDRAM from byte 0 on.
    pub fn new(
        config: &Config,
        board: &Board,
        options: &SystemOptions,
        memory: &[u8],
        build: &BuildOptions,
    ) -> Result<Self, FpgaError> {
        if memory.len() as u64 > board.sdram.bytes() {
            return Err(FpgaError::ImageSize { image: memory.len(), memory: board.sdram.bytes() });
        }
        let printed = print(&*system(config, board, options)?).map_err(FpgaError::Rtl)?;
        let mut dut = Dut::build(&printed, build)?;
        let port = |name: &str| dut.port(name);
        let (rx, tx) = (port("uart_rx_i")?, port("uart_tx_o")?);
        let commands = [port("sdram_cs_no")?, port("sdram_ras_no")?, port("sdram_cas_no")?, port("sdram_we_no")?];
        let (bank, addr) = (port("sdram_ba_o")?, port("sdram_addr_o")?);
        let (dq_oe, dq_out, dq_in) = (port("sdram_dq_oe_o")?, port("sdram_dq_o")?, port("sdram_dq_i")?);
        dut.set(rx, 1);
        let reset = dut.port("rst_ni")?;
        for _ in 0..3 {
            dut.clock_low()?;
            dut.clock_high()?;
        }
        dut.set(reset, 1);
        Ok(SimBoard {
            dut,
            rx,
            tx,
            commands,
            bank,
            addr,
            dq_oe,
            dq_out,
            dq_in,
            chip: SdramChip::new(board.sdram, board.sdram_timing, options.clock_khz, memory),
            uart: Uart::new(options.clocks_per_bit as f64),
            out: VecDeque::from(vec![Pins::IDLE; PAD_CYCLES as usize]),
            back: VecDeque::from(vec![FLOATING; PAD_CYCLES as usize - 1]),
            line: true,
            cycle: 0,
            clock_khz: options.clock_khz,
        })
    }

    /// Clock cycles since power-up.
    pub fn cycles(&self) -> u64 {
        self.cycle
    }

    /// Cycles in `time`.
    pub fn cycles_in(&self, time: Duration) -> u64 {
        (time.as_nanos() * u128::from(self.clock_khz) / 1_000_000) as u64
    }

    /// One clock cycle of everything.
    pub fn step(&mut self) -> Result<(), BoardError> {
        let to_board = self.uart.clock(self.line);
        self.dut.set(self.rx, u64::from(to_board));
        self.dut.clock_low()?;
        self.line = self.dut.get(self.tx) == 1;
        let level = |p: Port| self.dut.get(p) == 1;
        let [cs, ras, cas, we] = self.commands.map(level);
        let dq = level(self.dq_oe).then(|| self.dut.get(self.dq_out) as u16);
        let (bank, addr) = (self.dut.get(self.bank) as u8, self.dut.get(self.addr) as u16);
        self.out.push_back(Pins { cs, ras, cas, we, bank, addr, dq });
        let pins = self.out.pop_front().unwrap_or(Pins::IDLE);
        let word = self.chip.clock(&pins)?.or(pins.dq).unwrap_or(FLOATING);
        self.dut.clock_high()?;
        // what the pad register took in this cycle is seen in the next
        self.back.push_back(word);
        let seen = self.back.pop_front().unwrap_or(FLOATING);
        self.dut.set(self.dq_in, u64::from(seen));
        self.cycle += 1;
        Ok(())
    }
}

impl Line for SimBoard {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LineError> {
        self.uart.send(bytes);
        Ok(())
    }

    fn receive(&mut self, limit: Duration) -> Result<Option<u8>, LineError> {
        let mut end = None;
        loop {
            if let Some(byte) = self.uart.received.pop_front() {
                return Ok(Some(byte));
            }
            // the limit counts from when everything is sent
            if end.is_none() && self.uart.sent() {
                end = Some(self.cycle + self.cycles_in(limit));
            }
            if end.is_some_and(|end| self.cycle >= end) {
                return Ok(None);
            }
            self.step().map_err(|e| LineError(e.to_string()))?;
        }
    }
}
