//! The simulated memory: an AXI4 slave over a byte image, without copying it, and over regions that can be written.
//!
//! Each cycle [`AxiMemory::drive`] says what the slave puts on its outputs and [`AxiMemory::sample`] learns what the
//! master did with them, both before the clock edge. Reads are answered in order, one ID. A design that writes has
//! [`AxiMemory::drive_write`] and [`AxiMemory::sample_write`] between the two ([`crate::axi_write`]).
//! Timing of the ideal memory: the first beat of a burst comes at the earliest `latency_cycles` after its address was accepted;
//! `bytes_per_cycle` may be a fraction of the bus; every `refresh_interval_cycles` no new beat starts for `refresh_cycles`.
//! If there is a device ([`MemoryTiming::ddr4`]), it says when each beat comes ([`crate::dram`]); its refreshes are counted from the first request after a
//! pause that is long enough for one, so that equal sequences of requests after such a pause take equal times.
//! Timing and random stalls change when data comes, never what comes.

use crate::axi::Burst;
pub use crate::axi::{MemoryTiming, ReadAddress};
use crate::axi_write::{WriteBeat, WriteFault, WriteOutputs, Writes};
use crate::chance::Chance;
use crate::contents::Contents;
use crate::device::Device;
use crate::dram::DramStats;
use std::collections::VecDeque;

/// What the master must keep to; a violation is a bug of the RTL and ends the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    #[error("AXI read at {addr:#x}: arburst is {got}, expected 1 (INCR)")]
    NotIncr { addr: u64, got: u8 },
    #[error("AXI read at {addr:#x}: arsize is {got}, expected {expected} (full-width beats)")]
    Size { addr: u64, got: u8, expected: u8 },
    #[error("AXI read at {addr:#x}: {beats} beats, at most {max} allowed")]
    TooLong { addr: u64, beats: u64, max: u64 },
    #[error("AXI read at {addr:#x}: not aligned to beats of {beat_bytes} bytes")]
    Unaligned { addr: u64, beat_bytes: u64 },
    #[error("AXI read at {addr:#x}: {bytes} bytes cross a 4 KiB boundary")]
    Crosses4K { addr: u64, bytes: u64 },
    #[error("AXI read at {addr:#x}: {bytes} bytes, but the image is {base:#x} to {end:#x} and no state lies there")]
    OutOfRange { addr: u64, bytes: u64, base: u64, end: u64 },
    #[error("AXI read address changed or was withdrawn while waiting for arready: {was:#x}, then {now:#x?}")]
    Unstable { was: u64, now: Option<u64> },
    #[error(transparent)]
    Write(#[from] WriteFault),
}

/// Bytes of the widest beat.
pub const MAX_BEAT_BYTES: usize = 64;

/// One beat on the data channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    bytes: [u8; MAX_BEAT_BYTES],
    n: usize,
    pub last: bool,
    /// rresp: 0 is OKAY, 2 SLVERR.
    pub resp: u8,
}

impl Beat {
    pub fn data(&self) -> &[u8] {
        &self.bytes[..self.n]
    }
}

/// What was transferred so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryStats {
    pub bursts: u64,
    pub beats: u64,
    /// Cycles a beat was offered and not taken.
    pub refused_cycles: u64,
    /// Hash of address, length and cycle of every burst: equal for designs that read the same in the same cycles.
    pub address_digest: u64,
    pub write_bursts: u64,
    pub write_beats: u64,
}

/// Credit is counted in 2^-16 bytes.
const CREDIT_FRAC_BITS: u32 = 16;

/// The slave.
pub struct AxiMemory<'a> {
    contents: Contents<'a>,
    timing: MemoryTiming,
    queue: VecDeque<Burst>,
    cycle: u64,
    next_refresh: u64,
    refresh_end: u64,
    credit: u64,
    credit_a_cycle: u64,
    arready: bool,
    offered: bool,
    waiting: Option<ReadAddress>,
    ar_stall: Chance,
    r_stall: Chance,
    stats: MemoryStats,
    device: Option<Device>,
    writes: Writes,
    /// Ideal memory: the last beat was read, so a waiting write goes first.
    read_last: bool,
    failing_beat: Option<u64>,
}

impl<'a> AxiMemory<'a> {
    /// `image` appears at byte address `base`.
    pub fn new(image: &'a [u8], base: u64, timing: MemoryTiming) -> Self {
        let (stall, seed) = (timing.stall, timing.seed);
        AxiMemory {
            contents: Contents::new(image, base),
            writes: Writes::new(&timing),
            read_last: false,
            failing_beat: None,
            queue: VecDeque::with_capacity(timing.max_outstanding),
            cycle: 0,
            next_refresh: if timing.refresh_cycles == 0 { u64::MAX } else { u64::from(timing.refresh_interval_cycles) },
            refresh_end: 0,
            credit: 0,
            credit_a_cycle: ((timing.bytes_per_cycle * f64::from(1 << CREDIT_FRAC_BITS)) as u64).max(1),
            arready: false,
            offered: false,
            waiting: None,
            ar_stall: Chance::new(seed, 1, stall),
            r_stall: Chance::new(seed, 2, stall),
            stats: MemoryStats::default(),
            device: timing.ddr4.as_ref().map(|(d, mhz)| Device::new(d, *mhz, timing.beat_bytes)),
            timing,
        }
    }

    /// Adds `bytes` zeros that can be read and written, at byte address `base`, a multiple of 64. Of regions that overlap the first one counts.
    pub fn add_region(&mut self, base: u64, bytes: usize) {
        self.contents.add(base, bytes);
    }

    /// What lies in the region that begins at `base`.
    pub fn region(&self, base: u64) -> Option<&[u8]> {
        self.contents.region(base)
    }

    /// The same, to be changed by the host.
    pub fn region_mut(&mut self, base: u64) -> Option<&mut Vec<u8>> {
        self.contents.region_mut(base)
    }

    pub fn stats(&self) -> MemoryStats {
        MemoryStats { write_bursts: self.writes.bursts, write_beats: self.writes.beats, ..self.stats }
    }

    /// What the device did, if there is one.
    pub fn dram_stats(&self) -> Option<DramStats> {
        self.device.as_ref().map(|d| d.dram.stats())
    }

    /// Beat number `beat`, counted from 0, is answered with SLVERR.
    pub fn fail_read(&mut self, beat: u64) {
        self.failing_beat = Some(beat);
    }

    /// The response to write burst number `burst`, counted from 0, is SLVERR.
    pub fn fail_write(&mut self, burst: u64) {
        self.writes.failing = Some(burst);
    }

    /// Bursts accepted and not finished.
    pub fn outstanding(&self) -> usize {
        self.queue.len()
    }

    fn beat_cost(&self) -> u64 {
        (self.timing.beat_bytes as u64) << CREDIT_FRAC_BITS
    }

    /// The slave's outputs of this cycle: arready, and the beat while rvalid is high.
    #[inline]
    pub fn drive(&mut self) -> (bool, Option<Beat>) {
        // A credit of one beat and one cycle lets fractions carry over, and no idle time be saved up.
        let cost = self.beat_cost();
        self.credit = (self.credit + self.credit_a_cycle).min(cost + self.credit_a_cycle);
        if self.cycle >= self.next_refresh {
            self.refresh_end = self.cycle + u64::from(self.timing.refresh_cycles);
            self.next_refresh += u64::from(self.timing.refresh_interval_cycles.max(1));
        }
        self.arready = self.queue.len() < self.timing.max_outstanding && !self.ar_stall.flip();
        if let Some(device) = &mut self.device {
            device.ask(&mut self.queue, self.cycle);
        }
        let Some(burst) = self.queue.front() else { return (self.arready, None) };
        if !self.offered {
            let can = match &self.device {
                Some(device) => device.ready.front().is_some_and(|ready| *ready <= self.cycle),
                None => {
                    let yields = self.read_last && self.writes.waiting();
                    burst.ready_cycle <= self.cycle && self.credit >= cost && self.cycle >= self.refresh_end && !yields
                }
            };
            if !can || self.r_stall.flip() {
                return (self.arready, None);
            }
            self.credit = self.credit.saturating_sub(cost);
            self.read_last = true;
            self.offered = true; // from here on it stays until taken
        }
        (self.arready, Some(self.beat()))
    }

    fn beat(&self) -> Beat {
        let (burst, n) = (&self.queue[0], self.timing.beat_bytes);
        let mut bytes = [0; MAX_BEAT_BYTES];
        bytes[..n].copy_from_slice(self.contents.read(burst.at, n));
        let resp = if self.failing_beat == Some(self.stats.beats) { 2 } else { 0 };
        Beat { bytes, n, last: burst.beats == 1, resp }
    }

    /// The outputs of the write channels in this cycle.
    pub fn drive_write(&mut self) -> WriteOutputs {
        let room = match &self.device {
            Some(device) => device.write_room(),
            None => self.credit >= self.beat_cost() && self.cycle >= self.refresh_end,
        };
        self.writes.drive(self.cycle, room)
    }

    /// What the master does on the write channels in the cycle just driven: address and data while they are valid, and bready. Fails if
    /// one of them breaks the protocol.
    pub fn sample_write(
        &mut self,
        address: Option<ReadAddress>,
        data: Option<WriteBeat>,
        bready: bool,
    ) -> Result<(), MemoryError> {
        let latency = match &self.device {
            Some(device) => device.response_cycles(),
            None => u64::from(self.timing.latency_cycles).max(1),
        };
        self.writes.address(address, &self.contents, &self.timing)?;
        if let Some(addr) = self.writes.data(data, self.cycle + latency)? {
            match &mut self.device {
                Some(device) => device.write(addr, self.queue.is_empty(), self.cycle),
                None => {
                    self.credit = self.credit.saturating_sub(self.beat_cost());
                    self.read_last = false;
                }
            }
        }
        self.writes.response(bready, &mut self.contents);
        Ok(())
    }

    /// What the master does in the cycle just driven: its read address while arvalid is high, and rready.
    /// Ends the cycle. Fails if an address breaks the protocol.
    #[inline]
    pub fn sample(&mut self, address: Option<ReadAddress>, rready: bool) -> Result<(), MemoryError> {
        if self.offered {
            if rready {
                self.take_beat();
            } else {
                self.stats.refused_cycles += 1;
            }
        }
        if address.is_some() || self.waiting.is_some() {
            self.address(address)?;
        }
        self.cycle += 1;
        Ok(())
    }

    fn take_beat(&mut self) {
        self.offered = false;
        self.stats.beats += 1;
        if let Some(device) = &mut self.device {
            device.ready.pop_front();
        }
        let burst = &mut self.queue[0];
        burst.at += self.timing.beat_bytes as u64;
        burst.beats -= 1;
        if burst.beats == 0 {
            self.queue.pop_front();
            if let Some(device) = self.device.as_mut() {
                device.idle_from(self.cycle + 1);
            }
        }
    }

    fn address(&mut self, address: Option<ReadAddress>) -> Result<(), MemoryError> {
        if let Some(was) = self.waiting {
            if address != Some(was) {
                return Err(MemoryError::Unstable { was: was.addr, now: address.map(|a| a.addr) });
            }
        }
        self.waiting = address.filter(|_| !self.arready);
        if let (Some(a), true) = (address, self.arready) {
            let at = self.check(a)?;
            self.stats.bursts += 1;
            for word in [a.addr, u64::from(a.len), self.cycle] {
                // FNV-1a on whole words
                self.stats.address_digest = (self.stats.address_digest ^ word).wrapping_mul(0x0000_0100_0000_01B3);
            }
            let beats = usize::from(a.len) + 1;
            if let Some(device) = self.device.as_mut().filter(|_| self.queue.is_empty()) {
                device.wake(self.cycle);
            }
            let (wait, to_ask) = match self.device {
                Some(_) => (1, beats),
                None => (u64::from(self.timing.latency_cycles).max(1), 0),
            };
            self.queue.push_back(Burst { at, beats, ready_cycle: self.cycle + wait, to_ask });
        }
        Ok(())
    }

    /// The address of a legal burst.
    fn check(&self, a: ReadAddress) -> Result<u64, MemoryError> {
        let addr = a.addr;
        let beat_bytes = self.timing.beat_bytes as u64;
        let expected = beat_bytes.trailing_zeros() as u8;
        let (beats, max) = (u64::from(a.len) + 1, self.timing.max_burst_beats as u64);
        let bytes = beats * beat_bytes;
        if a.burst != 1 {
            return Err(MemoryError::NotIncr { addr, got: a.burst });
        }
        if a.size != expected {
            return Err(MemoryError::Size { addr, got: a.size, expected });
        }
        if beats > max {
            return Err(MemoryError::TooLong { addr, beats, max });
        }
        if !addr.is_multiple_of(beat_bytes) {
            return Err(MemoryError::Unaligned { addr, beat_bytes });
        }
        if addr % 4096 + bytes > 4096 {
            return Err(MemoryError::Crosses4K { addr, bytes });
        }
        if !self.contents.holds(addr, bytes) {
            let (base, end) = self.contents.image_range();
            return Err(MemoryError::OutOfRange { addr, bytes, base, end });
        }
        Ok(addr)
    }
}

#[cfg(test)]
#[path = "axi_memory_tests.rs"]
mod tests;
