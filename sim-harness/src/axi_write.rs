//! The write channels of the simulated memory: addresses, data, responses, and what the master must keep to.
//!
//! Data are taken only for an address that was accepted, as AXI lets a slave do. They are in memory when their response is offered and not
//! before, so that a master which reads too early reads the old bytes.

use crate::axi::{MemoryTiming, ReadAddress};
use crate::chance::Chance;
use crate::contents::Contents;
use std::collections::VecDeque;

/// A write that breaks the protocol, or goes where nothing can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteFault {
    #[error(
        "AXI write at {addr:#x}: awburst {burst}, awsize {size}; expected 1 (INCR) and {expected} (full-width beats)"
    )]
    Kind { addr: u64, burst: u8, size: u8, expected: u8 },
    #[error("AXI write at {addr:#x}: {beats} beats, at most {max} allowed")]
    TooLong { addr: u64, beats: u64, max: u64 },
    #[error("AXI write at {addr:#x}: {bytes} bytes are not aligned to beats or cross a 4 KiB boundary")]
    Place { addr: u64, bytes: u64 },
    #[error("AXI write at {addr:#x}: {bytes} bytes, but no state lies there")]
    OutOfRange { addr: u64, bytes: u64 },
    #[error("AXI write address or data changed or was withdrawn while waiting (data at {addr:#x})")]
    Unstable { addr: u64 },
    #[error("AXI write at {addr:#x}: wstrb is {strobes:#x}, expected all ones")]
    Strobes { addr: u64, strobes: u64 },
    #[error("AXI write at {addr:#x}: wlast is {got} with {left} beats to come")]
    Last { addr: u64, got: bool, left: usize },
}

/// One beat as the master drives it while wvalid is high.
#[derive(Debug, Clone, Copy)]
pub struct WriteBeat<'b> {
    pub data: &'b [u8],
    pub strobes: u64,
    pub last: bool,
}

/// What the slave drives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteOutputs {
    pub awready: bool,
    pub wready: bool,
    pub bvalid: bool,
    /// 0 is OKAY, 2 SLVERR.
    pub bresp: u8,
}

struct Burst {
    addr: u64,
    /// Beats to come.
    left: usize,
    data: Vec<u8>,
    /// All data are here: the cycle of the response.
    answer: u64,
}

/// The state of the write channels.
pub(crate) struct Writes {
    max_outstanding: usize,
    beat_bytes: usize,
    /// Bursts whose response was not taken, in order.
    open: VecDeque<Burst>,
    out: WriteOutputs,
    address_waits: Option<ReadAddress>,
    /// The beat that was refused, to see that it stays.
    data_waits: Option<(Vec<u8>, bool)>,
    stalls: [Chance; 3],
    pub bursts: u64,
    pub beats: u64,
    /// Responses taken, and the number of the one that is SLVERR.
    answered: u64,
    pub failing: Option<u64>,
}

impl Writes {
    pub fn new(timing: &MemoryTiming) -> Self {
        Writes {
            max_outstanding: timing.max_outstanding,
            beat_bytes: timing.beat_bytes,
            open: VecDeque::new(),
            out: WriteOutputs::default(),
            address_waits: None,
            data_waits: None,
            stalls: [6, 7, 8].map(|stream| Chance::new(timing.seed, stream, timing.stall)),
            bursts: 0,
            beats: 0,
            answered: 0,
            failing: None,
        }
    }

    /// A beat was refused in the cycle before.
    pub fn waiting(&self) -> bool {
        self.data_waits.is_some()
    }

    /// Outputs of `cycle`; `room`: memory could take a beat.
    pub fn drive(&mut self, cycle: u64, room: bool) -> WriteOutputs {
        let wants_data = self.open.iter().any(|b| b.left > 0);
        let [aw, w, b] = &mut self.stalls;
        self.out = WriteOutputs {
            awready: self.open.len() < self.max_outstanding && !aw.flip(),
            wready: wants_data && room && !w.flip(),
            // once offered it stays
            bvalid: self.out.bvalid || self.open.front().is_some_and(|f| f.left == 0 && f.answer <= cycle && !b.flip()),
            bresp: if self.failing == Some(self.answered) { 2 } else { 0 },
        };
        self.out
    }

    /// The address channel.
    pub fn address(
        &mut self,
        address: Option<ReadAddress>,
        contents: &Contents,
        timing: &MemoryTiming,
    ) -> Result<(), WriteFault> {
        if let Some(was) = self.address_waits {
            if address != Some(was) {
                return Err(WriteFault::Unstable { addr: was.addr });
            }
        }
        self.address_waits = address.filter(|_| !self.out.awready);
        let Some(a) = address.filter(|_| self.out.awready) else { return Ok(()) };
        let (addr, beats, beat_bytes) = (a.addr, u64::from(a.len) + 1, self.beat_bytes as u64);
        let (bytes, max, expected) =
            (beats * beat_bytes, timing.max_burst_beats as u64, beat_bytes.trailing_zeros() as u8);
        if a.burst != 1 || a.size != expected {
            return Err(WriteFault::Kind { addr, burst: a.burst, size: a.size, expected });
        }
        if beats > max {
            return Err(WriteFault::TooLong { addr, beats, max });
        }
        if !addr.is_multiple_of(beat_bytes) || addr % 4096 + bytes > 4096 {
            return Err(WriteFault::Place { addr, bytes });
        }
        if !contents.writable(addr, bytes) {
            return Err(WriteFault::OutOfRange { addr, bytes });
        }
        self.bursts += 1;
        self.open.push_back(Burst { addr, left: beats as usize, data: Vec::with_capacity(bytes as usize), answer: 0 });
        Ok(())
    }

    /// Samples the data channel and returns the address of a beat that was taken. `answer` is the earliest cycle for the response if it is the last one.
    pub fn data(&mut self, beat: Option<WriteBeat>, answer: u64) -> Result<Option<u64>, WriteFault> {
        if let Some((data, last)) = &self.data_waits {
            if beat.is_none_or(|b| b.data != data || b.last != *last) {
                return Err(WriteFault::Unstable { addr: self.open.back().map_or(0, |b| b.addr) });
            }
        }
        let Some(b) = beat else { return Ok(None) };
        if !self.out.wready {
            if self.data_waits.is_none() {
                self.data_waits = Some((b.data.to_vec(), b.last));
            }
            return Ok(None);
        }
        self.data_waits = None;
        // wready was driven for a burst that was there before this cycle's address
        let Some(burst) = self.open.iter_mut().find(|b| b.left > 0) else { return Ok(None) };
        let addr = burst.addr + burst.data.len() as u64;
        if b.strobes != u64::MAX >> (64 - self.beat_bytes) {
            return Err(WriteFault::Strobes { addr, strobes: b.strobes });
        }
        burst.left -= 1;
        if b.last != (burst.left == 0) {
            return Err(WriteFault::Last { addr, got: b.last, left: burst.left });
        }
        burst.data.extend_from_slice(b.data);
        burst.answer = answer;
        self.beats += 1;
        Ok(Some(addr))
    }

    /// The response channel: with the response the data are in memory.
    pub fn response(&mut self, bready: bool, contents: &mut Contents) {
        if !self.out.bvalid {
            return;
        }
        if let Some(burst) = self.open.front() {
            contents.write(burst.addr, &burst.data);
        }
        if bready {
            self.out.bvalid = false;
            self.answered += 1;
            self.open.pop_front();
        }
    }
}

#[cfg(test)]
#[path = "axi_write_tests.rs"]
mod tests;
