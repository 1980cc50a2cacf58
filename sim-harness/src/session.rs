//! The chip on its bench: `anser_core` with memory, host registers and the lock-step comparison.
//!
//! A [`Session`] loads programs, clears the state and runs tokens. One clock cycle is: the bench drives its side of every
//! handshake, the design settles, the bench looks at what is transferred and at the trace ports, the clock rises.
//! Random stalls hold every handshake of the chip's ports and, through `stall_i`, the ones inside it.

use crate::axi_lite::{AxiLite, LiteError};
use crate::axi_memory::{AxiMemory, MemoryError, MemoryStats, MemoryTiming};
use crate::chance::Chance;
pub use crate::core_ports::PortsError;
use crate::core_ports::{CorePorts, Event};
use crate::dram::DramStats;
use crate::dut::{Dut, DutError};
use crate::lockstep::{ExpectedToken, Lockstep, OpNames, Outcome};
use crate::pass::{all_slots, compare_end, slots_in, Awaited, Said};
pub use crate::pass::{Counters, Pass, PassResult, TokenOptions, TokenResult};
pub use crate::timeline::OpSpan;
use crate::timeline::Timeline;
use cycle::Access;
use rtl_gen::config::Config;
use rtl_gen::registers::{self, bit, reg, ID, LOST, STALLS};
use std::path::Path;
use std::sync::Arc;

mod cycle;
mod stop;
pub use stop::Stop;

/// How a session behaves; changes cycles, never values.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Probability of a stall, on every handshake and every cycle; 0 for none.
    pub stall: f64,
    pub seed: u64,
    /// Byte address the image is put at; a multiple of 64.
    pub image_base: u64,
    /// Cycles without any transfer, event or instruction, beyond those that stalls explain, after which the chip is said to hang.
    pub hang_cycles: u64,
}

impl SessionOptions {
    /// Cycles without progress after which the chip is said to hang. A handshake with stalls waits 1 / (1 - stall) cycles in the mean;
    /// it waits forty times as long once in e^40 handshakes.
    fn patience(&self) -> u64 {
        self.hang_cycles.saturating_add((40.0 * self.stall / (1.0 - self.stall)) as u64)
    }
}

impl Default for SessionOptions {
    fn default() -> Self {
        SessionOptions { stall: 0.0, seed: 0, image_base: 0x8000_0000, hang_cycles: 20_000 }
    }
}

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Ports(#[from] PortsError),
    #[error(transparent)]
    Dut(#[from] DutError),
    #[error("cycle {cycle}: {source}")]
    Memory { cycle: u64, source: MemoryError },
    #[error("cycle {cycle}: {source}")]
    Register { cycle: u64, source: LiteError },
    #[error("image base {0:#x} is not a multiple of 64")]
    ImageBase(u64),
    #[error("cycle {cycle}: a logit on offer was changed or withdrawn before it was taken")]
    Stream { cycle: u64 },
    #[error("cycle {cycle}: the chip ended {doing} with {}", registers::status_names(*.status))]
    Ended { doing: &'static str, status: u32, cycle: u64 },
    #[error("no state lies at {0:#x}")]
    NoState(u64),
    #[error("register ID reads {0:#010x}, expected {ID:#010x}")]
    NotOurs(u32),
    #[error("register CONFIG reads {found:#010x}, expected {expected:#010x}: RTL of another configuration")]
    OtherConfiguration { found: u32, expected: u32 },
    #[error("cycle {cycle}: a slice does not do what slice 0 does, so its control depends on data")]
    Apart { cycle: u64 },
    #[error("the chip hangs in {doing}: nothing moved for {idle} cycles (cycle {cycle})\n{state}")]
    Hang { doing: &'static str, idle: u64, cycle: u64, state: String },
}

/// A chip with its bench.
pub struct Session<'a> {
    dut: Dut,
    ports: CorePorts,
    memory: AxiMemory<'a>,
    lite: AxiLite,
    lite_was_busy: bool,
    /// One a slot.
    lockstep: Vec<Lockstep>,
    event: Event,
    /// What INVALID holds: slots whose session is not sound.
    invalid: u8,
    /// What ACTIVE and PREFILL hold.
    active: u8,
    prefill: Option<usize>,
    stalls: Chance,
    tready_stall: Chance,
    timeline: Timeline,
    /// One list a slot.
    logits: Vec<Vec<i32>>,
    logits_last: Option<usize>,
    /// The transfer of the logits stream that was refused in the last cycle.
    refused_logit: Option<(i32, bool)>,
    cycle: u64,
    progress: u64,
    clear_cycles: u64,
    tokens: u64,
    /// Addresses have a register for their high half.
    wide_addresses: bool,
    options: SessionOptions,
}

/// Cycles between two looks at STATUS while a token runs.
const POLL_CYCLES: u64 = 64;

impl<'a> Session<'a> {
    /// Puts `dut`, an `anser_core` of `config`, on the bench, resets it and writes where the image is.
    /// `image` holds the stream units from unit 0 on; `names` are for messages.
    pub fn new(
        dut: Dut,
        config: &Config,
        image: &'a [u8],
        names: Arc<OpNames>,
        options: SessionOptions,
    ) -> Result<Self, SessionError> {
        if !options.image_base.is_multiple_of(64) {
            return Err(SessionError::ImageBase(options.image_base));
        }
        let ports = CorePorts::new(&dut, config)?;
        let slots = config.sessions;
        let lockstep = match slots {
            1 => vec![Lockstep::new(names)],
            _ => (0..slots).map(|slot| Lockstep::of_slot(names.clone(), slot)).collect(),
        };
        let (stall, seed) = (options.stall, options.seed);
        let mut session = Session {
            ports,
            memory: AxiMemory::new(image, options.image_base, MemoryTiming::of(config, stall, seed)),
            lite: AxiLite::new(stall, seed),
            lite_was_busy: true,
            lockstep,
            event: Event::default(),
            invalid: all_slots(slots),
            active: all_slots(slots),
            prefill: None,
            stalls: Chance::new(seed, 4, stall),
            tready_stall: Chance::new(seed, 5, stall),
            timeline: Timeline::default(),
            logits: vec![vec![]; slots],
            logits_last: None,
            refused_logit: None,
            cycle: 0,
            progress: 0,
            clear_cycles: (config.vmem_words() + if config.streams_state() { 0 } else { config.state_words() }) as u64,
            tokens: 0,
            wide_addresses: config.axi_addr_bits > 32,
            dut,
            options,
        };
        session.dut.reset();
        let id = session.read(reg::ID)?;
        if id != ID {
            return Err(SessionError::NotOurs(id));
        }
        let (found, expected) = (session.read(reg::CONFIG)?, config.fingerprint());
        if found != expected {
            return Err(SessionError::OtherConfiguration { found, expected });
        }
        session.write_image_base()?;
        Ok(session)
    }

    fn write_image_base(&mut self) -> Result<(), SessionError> {
        self.write(reg::IMAGE_BASE_LO, self.options.image_base as u32)?;
        self.write_high(reg::IMAGE_BASE_HI, self.options.image_base)
    }

    /// Writes the high half of an address where the chip has a register for it.
    fn write_high(&mut self, register: u32, address: u64) -> Result<(), SessionError> {
        match self.wide_addresses {
            true => self.write(register, (address >> 32) as u32),
            false => Ok(()),
        }
    }

    /// Writes the size of the vocabulary and the four programs: encoded instructions in the order of `rtl_gen::isa::FORMATS`.
    pub fn load_programs(&mut self, programs: &[Vec<Vec<u32>>; 4], tokens: usize) -> Result<(), SessionError> {
        self.write(reg::TOKEN_LIMIT, tokens as u32)?;
        for (unit, program) in programs.iter().enumerate() {
            self.write(reg::PROG_SELECT, unit as u32)?;
            for word in program.iter().flatten() {
                self.write(reg::PROG_DATA, *word)?;
            }
        }
        Ok(())
    }

    /// Sets vector memory and recurrence state to 0: a new conversation, in every slot.
    pub fn clear(&mut self) -> Result<(), SessionError> {
        self.clear_slots(all_slots(self.lockstep.len()))
    }

    /// Clears the slots of a mask (bit s: slot s, not 0); the others keep their conversation.
    pub fn clear_slots(&mut self, mask: u8) -> Result<(), SessionError> {
        self.set_slots(mask, None)?;
        self.write(reg::CTRL, bit::CTRL::CLEAR)?;
        self.invalid &= !mask;
        self.wait_until_idle("clear", self.clear_cycles)
    }

    /// Waits until the chip is not busy, which it should be within `cycles` and the usual patience.
    fn wait_until_idle(&mut self, doing: &'static str, cycles: u64) -> Result<(), SessionError> {
        let end = (self.cycle + cycles).saturating_add(self.options.patience());
        while self.read(reg::STATUS)? & bit::STATUS::BUSY != 0 {
            if self.cycle > end {
                return Err(self.hang(doing, Awaited::NOTHING));
            }
        }
        Ok(())
    }

    /// Says that the sessions in the slots of `mask` are sound, because all of their state was put in place.
    pub fn trust_slots(&mut self, mask: u8) -> Result<(), SessionError> {
        if self.invalid & mask != 0 {
            self.write(reg::INVALID, mask.into())?;
            self.invalid &= !mask;
        }
        Ok(())
    }

    /// Adds room for the state of a session in memory: `bytes` at `base`, a multiple of 64. Filled with what no state is, because a chip
    /// must not need it to be anything before it is cleared.
    pub fn add_state(&mut self, base: u64, bytes: usize) {
        self.memory.add_region(base, bytes);
        if let Some(region) = self.memory.region_mut(base) {
            region.fill(0x5A);
        }
    }

    /// What lies in memory at `base`, which was given to [`Session::add_state`].
    pub fn state(&self, base: u64) -> Option<&[u8]> {
        self.memory.region(base)
    }

    /// Puts `bytes` into memory at `base`, which was given to [`Session::add_state`] with room for them.
    pub fn put_state(&mut self, base: u64, bytes: &[u8]) -> Result<(), SessionError> {
        let region = self.memory.region_mut(base).and_then(|r| r.get_mut(..bytes.len()));
        region.ok_or(SessionError::NoState(base))?.copy_from_slice(bytes);
        Ok(())
    }

    /// Makes the tokens of `slot` belong, from now on, to the session whose state lies at `base`.
    pub fn use_state(&mut self, slot: usize, base: u64) -> Result<(), SessionError> {
        if self.memory.region(base).is_none() {
            return Err(SessionError::NoState(base));
        }
        if self.lockstep.len() > 1 {
            self.write(reg::STATE_SLOT, slot as u32)?;
        }
        self.write(reg::STATE_BASE_LO, base as u32)?;
        self.write_high(reg::STATE_BASE_HI, base)
    }

    /// Runs one token (in slot 0 if there are several). With `expected`, every trace event, the saturation counts, the token that
    /// comes out and (if asked for) the logits are compared.
    pub fn token(
        &mut self,
        token: u32,
        expected: Option<&ExpectedToken>,
        options: TokenOptions,
    ) -> Result<TokenResult, SessionError> {
        let expected = expected.map(std::slice::from_ref);
        let pass = self.pass(&Pass { tokens: vec![Some(token)], prefill: None, head: true }, expected, options)?;
        Ok(TokenResult {
            token_out: pass.tokens_out[0],
            counters: pass.counters,
            outcome: pass.outcome,
            logits: pass.logits.into_iter().next().unwrap_or_default(),
            timeline: pass.timeline,
        })
    }

    /// Runs one pass over the weights for the tokens of all slots. `expected` has one entry a slot; those of slots at rest are not looked at.
    pub fn pass(
        &mut self,
        pass: &Pass,
        expected: Option<&[ExpectedToken]>,
        options: TokenOptions,
    ) -> Result<PassResult, SessionError> {
        let active = pass.active();
        let awaited = Awaited { slots: expected.unwrap_or(&[]), active };
        self.lockstep.iter_mut().for_each(|l| l.start(self.tokens));
        self.timeline.restart(options.timeline);
        self.logits.iter_mut().for_each(Vec::clear);
        self.logits_last = None;
        self.set_slots(active, pass.prefill)?;
        for (slot, token) in pass.tokens.iter().enumerate() {
            if let Some(token) = token {
                let at = if self.lockstep.len() == 1 { reg::TOKEN_IN } else { reg::TOKENS_IN + 4 * slot as u32 };
                self.write(at, *token)?;
            }
        }
        let mut start = bit::CTRL::START;
        if options.logits && pass.head {
            start |= bit::CTRL::LOGITS;
        }
        if !pass.head {
            start |= bit::CTRL::NO_HEAD;
        }
        self.access(Access::Write(reg::CTRL, start), awaited)?;
        self.progress = self.cycle;
        let options = TokenOptions { logits: options.logits && pass.head, ..options };
        self.wait_for_token(awaited, options)?;
        let mut tokens_out = vec![0; pass.tokens.len()];
        for slot in slots_in(active) {
            let at = if self.lockstep.len() == 1 { reg::TOKEN_OUT } else { reg::TOKENS_OUT + 4 * slot as u32 };
            tokens_out[slot] = self.access(Access::Read(at), awaited)?;
        }
        let counters = self.counters(awaited)?;
        let outcome = match expected {
            Some(_) => {
                let logits = options.logits.then_some((&self.logits[..], self.logits_last));
                let said = Said { tokens_out: &tokens_out, logits, head: pass.head };
                compare_end(&mut self.lockstep, awaited, &said, &counters, self.cycle)
            }
            None => Outcome::default(),
        };
        self.tokens += 1;
        let logits = self.logits.iter_mut().map(std::mem::take).collect();
        Ok(PassResult { tokens_out, counters, outcome, logits, timeline: self.timeline.take() })
    }

    /// Writes ACTIVE and PREFILL where they change; a chip with one session has neither.
    fn set_slots(&mut self, active: u8, prefill: Option<usize>) -> Result<(), SessionError> {
        if active != self.active {
            self.write(reg::ACTIVE, active.into())?;
            self.active = active;
        }
        if prefill != self.prefill {
            self.write(reg::PREFILL, prefill.map_or(0, |home| bit::PREFILL::ON | home as u32))?;
            self.prefill = prefill;
        }
        Ok(())
    }

    fn wait_for_token(&mut self, expected: Awaited, options: TokenOptions) -> Result<(), SessionError> {
        let mut next_poll = self.cycle + POLL_CYCLES;
        loop {
            if self.lite.idle() && self.cycle >= next_poll {
                self.lite.read(reg::STATUS);
            }
            if let Some(flags) = self.step(expected)? {
                if flags & bit::STATUS::DONE != 0 && !(options.logits && self.logits_last.is_none()) {
                    return Ok(());
                }
                if flags & (bit::STATUS::DONE | bit::STATUS::BUSY) == 0 {
                    return Err(self.ended("a token", flags));
                }
                next_poll = self.cycle + POLL_CYCLES;
            }
            if self.cycle - self.progress > self.options.patience() {
                return Err(self.hang("a token", expected));
            }
        }
    }

    /// What is known after a token that the chip ended with an error.
    fn ended(&mut self, doing: &'static str, status: u32) -> SessionError {
        match self.read(reg::INVALID) {
            Ok(invalid) => self.invalid = invalid as u8,
            Err(e) => return e,
        }
        SessionError::Ended { doing, status, cycle: self.cycle }
    }

    fn counters(&mut self, expected: Awaited) -> Result<Counters, SessionError> {
        let mut read = |at| self.access(Access::Read(at), expected).map(u64::from);
        let mut c = Counters {
            cycles: read(reg::CYCLES)?,
            sat_mat: read(reg::SAT_MAT)?,
            sat_vec: read(reg::SAT_VEC)?,
            sat_wkv: read(reg::SAT_WKV)?,
            weight_beats: read(reg::WEIGHT_BEATS)?,
            skipped_columns: read(reg::SKIPPED_COLUMNS)?,
            stalls: [0; STALLS.len()],
            lost: [0; LOST.len()],
        };
        for (i, stall) in c.stalls.iter_mut().enumerate() {
            *stall = read(registers::stall(i))?;
        }
        for (i, lost) in c.lost.iter_mut().enumerate() {
            *lost = read(reg::LOST + 4 * i as u32)?;
        }
        Ok(c)
    }

    /// Compares the state in memory at `base`, the session of `slot`, with `elements`, in order, and adds what it found to `outcome`, the
    /// last pass's.
    pub fn compare_state(
        &mut self,
        slot: usize,
        base: u64,
        elements: impl Iterator<Item = i32>,
        outcome: &mut Outcome,
    ) {
        let Some(bytes) = self.memory.region(base) else { return };
        let l = &mut self.lockstep[slot];
        let mut found = bytes.chunks_exact(4).map(|c| i32::from_le_bytes([c[0], c[1], c[2], c[3]]));
        l.start(self.tokens.saturating_sub(1));
        for (i, want) in elements.enumerate() {
            let got = found.next().map_or(i64::MIN, i64::from);
            l.scalar("state in memory", i, want.into(), got, self.cycle);
        }
        outcome.add(l.take());
    }

    /// Reads `n` elements of the state that the chip keeps, through its registers, from number `first` on: of S, or of vmem. The
    /// configuration has `state_port`.
    ///
    /// # Errors
    /// A register access that fails.
    pub fn read_kept(&mut self, of_s: bool, first: usize, n: usize) -> Result<Vec<i32>, SessionError> {
        self.select_kept(of_s, first)?;
        (0..n).map(|_| Ok(self.read(reg::STATE_DATA)? as i32)).collect()
    }

    /// Writes `elements` where [`Session::read_kept`] reads.
    ///
    /// # Errors
    /// A register access that fails.
    pub fn write_kept(&mut self, of_s: bool, first: usize, elements: &[i32]) -> Result<(), SessionError> {
        self.select_kept(of_s, first)?;
        elements.iter().try_for_each(|e| self.write(reg::STATE_DATA, *e as u32))
    }

    fn select_kept(&mut self, of_s: bool, first: usize) -> Result<(), SessionError> {
        self.write(reg::STATE_AT, first as u32 | if of_s { bit::STATE_AT::S } else { 0 })
    }

    /// Compares elements of the state of `slot` that were read from the chip with those expected, and adds what it found to `outcome`.
    pub fn compare_kept(&mut self, slot: usize, expected: &[i32], found: &[i32], outcome: &mut Outcome) {
        let l = &mut self.lockstep[slot];
        l.start(self.tokens.saturating_sub(1));
        for (i, (want, got)) in expected.iter().zip(found).enumerate() {
            l.scalar("state on the chip", i, (*want).into(), (*got).into(), self.cycle);
        }
        outcome.add(l.take());
    }

    /// Clock cycles since the session began, register accesses included.
    pub fn cycles(&self) -> u64 {
        self.cycle
    }

    /// What the memory delivered since the session began.
    pub fn memory_stats(&self) -> MemoryStats {
        self.memory.stats()
    }

    /// What the memory's device did, if it has one.
    pub fn dram_stats(&self) -> Option<DramStats> {
        self.memory.dram_stats()
    }

    /// Starts an FST waveform, in which cycle n of a mismatch stands at time 2n; the design must be built with `BuildOptions::trace`.
    pub fn trace_open(&mut self, path: &Path) -> Result<(), SessionError> {
        Ok(self.dut.trace_open(path, self.cycle)?)
    }

    /// Finishes the waveform; see [`Dut::trace_close`].
    pub fn trace_close(&mut self) -> Result<(), SessionError> {
        Ok(self.dut.trace_close()?)
    }
}
