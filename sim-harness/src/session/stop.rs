//! Ends tokens before their time, and the chip alone: what a host or a system may do at any cycle.

use super::{Session, SessionError};
use crate::axi_lite::LiteError;
use crate::pass::{all_slots, Awaited};
use rtl_gen::registers::{bit, reg};

/// What ends a token before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A write of ABORT.
    Abort,
    /// A reset of the chip alone, so many cycles long; the bus and its memory go on. Programs and all registers are lost.
    Reset { cycles: u64 },
}

impl Session<'_> {
    /// Begins `token` in slot 0 with the logits on, and stops it `after` cycles after the write of START began. When this returns, the chip
    /// is idle; nothing was compared.
    ///
    /// # Errors
    /// A chip that does not become idle, or that breaks the protocol of a bus.
    pub fn stopped_token(&mut self, token: u32, after: u64, stop: Stop) -> Result<(), SessionError> {
        self.set_slots(1, None)?;
        let token_in = if self.lockstep.len() == 1 { reg::TOKEN_IN } else { reg::TOKENS_IN };
        self.write(token_in, token)?;
        self.lite.write(reg::CTRL, bit::CTRL::START | bit::CTRL::LOGITS);
        for _ in 0..after {
            self.step(Awaited::NOTHING)?;
        }
        match stop {
            Stop::Abort => {
                self.end_access()?;
                self.write(reg::CTRL, bit::CTRL::ABORT)?;
            }
            Stop::Reset { cycles } => {
                let reset = self.dut.port("rst_ni")?;
                self.dut.set(reset, 0);
                for _ in 0..cycles {
                    self.step(Awaited::NOTHING)?;
                }
                self.dut.set(reset, 1);
                self.end_access()?;
                (self.active, self.prefill) = (all_slots(self.lockstep.len()), None);
            }
        }
        self.wait_until_idle("the end of a token that was stopped", 0)?;
        self.invalid = self.read(reg::INVALID)? as u8;
        if let Stop::Reset { .. } = stop {
            self.write_image_base()?;
        }
        Ok(())
    }

    /// Waits for the answer to the access under way, which may be that it is refused.
    fn end_access(&mut self) -> Result<(), SessionError> {
        let end = self.cycle.saturating_add(self.options.patience());
        while !self.lite.idle() {
            match self.step(Awaited::NOTHING) {
                Ok(_) => {}
                Err(SessionError::Register { source: LiteError::Response { resp: 2, .. }, .. }) => {
                    // the cycle was cut short by the answer
                    self.dut.clock_high()?;
                    self.cycle += 1;
                }
                Err(e) => return Err(e),
            }
            if self.cycle > end {
                return Err(self.hang("a register access", Awaited::NOTHING));
            }
        }
        Ok(())
    }

    /// The read data channel answers beat number `beat` of the session, counted from 0, with SLVERR.
    pub fn fail_read(&mut self, beat: u64) {
        self.memory.fail_read(beat);
    }

    /// The write channel answers burst number `burst` of the session, counted from 0, with SLVERR.
    pub fn fail_write(&mut self, burst: u64) {
        self.memory.fail_write(burst);
    }

    /// The most cycles a token may take; 0 for no limit.
    pub fn set_watchdog(&mut self, cycles: u32) -> Result<(), SessionError> {
        self.write(reg::WATCHDOG, cycles)
    }

    /// Clears the error bits of STATUS.
    pub fn clear_errors(&mut self) -> Result<(), SessionError> {
        self.write(reg::STATUS, bit::ERRORS)
    }

    /// Writes ABORT and waits until the chip is idle.
    pub fn abort(&mut self) -> Result<(), SessionError> {
        self.write(reg::CTRL, bit::CTRL::ABORT)?;
        self.wait_until_idle("an abort", 0)
    }

    /// Writes `token` and START, and says whether the start was refused. One that was not is left running.
    pub fn start_is_refused(&mut self, token: u32) -> Result<bool, SessionError> {
        self.write(reg::TOKEN_IN, token)?;
        let before = self.read(reg::REFUSED)?;
        self.lite.write(reg::CTRL, bit::CTRL::START);
        self.end_access()?;
        Ok(self.read(reg::REFUSED)? != before)
    }

    /// The value of a register.
    pub fn register(&mut self, addr: u32) -> Result<u32, SessionError> {
        self.read(addr)
    }

    /// The level of the interrupt.
    pub fn interrupt(&self) -> bool {
        self.dut.port("irq_o").is_ok_and(|port| self.dut.get(port) == 1)
    }
}
