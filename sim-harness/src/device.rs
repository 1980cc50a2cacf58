//! The controller in front of the DDR4 device: which access goes to it when ([`crate::dram`] says how long that takes).
//!
//! Reads go in order, as far ahead as the read buffer has room. Written beats wait in the write buffer until half of it is full, or the
//! device has nothing to read; then all that wait go together, because the bus loses time each time it turns around.

use crate::axi::Burst;
use crate::dram::Dram;
use rtl_gen::config::Ddr4;
use std::collections::VecDeque;

pub(crate) struct Device {
    pub dram: Dram,
    clock_mhz: u64,
    controller_ps: u64,
    beat_bytes: u64,
    buffer_beats: usize,
    /// Cycles from which the beats asked for and not taken can be offered.
    pub ready: VecDeque<u64>,
    /// Bytes up to which the burst being asked for is covered, and when they come.
    covered: (u64, u64),
    /// Cycle that is the device's time 0.
    epoch: u64,
    /// A pause of so many cycles is used to refresh.
    pause_cycles: u64,
    /// The cycle after the last transfer.
    idle_since: u64,
    write_beats: usize,
    /// Addresses of beats in the write buffer that were not sent to the device yet, and cycles in which the others are written.
    waiting: VecDeque<u64>,
    written: VecDeque<u64>,
    /// When the device has done what it was asked.
    free_ps: u64,
}

impl Device {
    pub fn new(d: &Ddr4, clock_mhz: u32, beat_bytes: usize) -> Self {
        Device {
            dram: Dram::new(d),
            clock_mhz: u64::from(clock_mhz.max(1)),
            controller_ps: (d.controller_ns * 1000.0).round() as u64,
            beat_bytes: beat_bytes as u64,
            buffer_beats: (d.read_buffer_bytes as usize / beat_bytes).max(2),
            ready: VecDeque::new(),
            covered: (0, 0),
            epoch: 0,
            pause_cycles: ((d.trfc_ns + d.trp_ns) * f64::from(clock_mhz) / 1000.0).ceil() as u64,
            idle_since: 0,
            write_beats: (d.write_buffer_bytes as usize / beat_bytes).max(2),
            waiting: VecDeque::new(),
            written: VecDeque::new(),
            free_ps: 0,
        }
    }

    /// A request comes while nothing else is under way.
    pub fn wake(&mut self, cycle: u64) {
        let writes = !self.waiting.is_empty() || self.written.back().is_some_and(|end| *end > cycle);
        if !writes && cycle.saturating_sub(self.idle_since) >= self.pause_cycles {
            self.dram.restart();
            self.covered = (0, 0);
            self.free_ps = 0;
            self.epoch = cycle;
        }
    }

    pub fn idle_from(&mut self, cycle: u64) {
        self.idle_since = self.idle_since.max(cycle);
    }

    /// Cycles from the last beat of a write to its response: the way through the controller, which keeps the data.
    pub fn response_cycles(&self) -> u64 {
        (self.controller_ps * self.clock_mhz).div_ceil(1_000_000).max(1)
    }

    /// Picoseconds at which a cycle of the chip begins.
    fn time(&self, cycle: u64) -> u64 {
        (cycle - self.epoch) * 1_000_000 / self.clock_mhz
    }

    /// The first cycle that begins at `time` or later.
    fn cycle(&self, time: u64) -> u64 {
        self.epoch + (time * self.clock_mhz).div_ceil(1_000_000)
    }

    /// Asks for beats in order while there is room for them, and writes.
    #[inline]
    pub fn ask(&mut self, queue: &mut VecDeque<Burst>, cycle: u64) {
        while self.written.front().is_some_and(|end| *end <= cycle) {
            self.written.pop_front();
        }
        if 2 * self.waiting.len() >= self.write_beats {
            self.write_all(cycle);
        }
        self.read(queue, cycle);
        if !self.waiting.is_empty() && self.free_ps <= self.time(cycle) {
            self.write_all(cycle);
        }
    }

    fn read(&mut self, queue: &mut VecDeque<Burst>, cycle: u64) {
        while self.ready.len() < self.buffer_beats {
            let Some(burst) = queue.iter_mut().find(|b| b.to_ask > 0) else { return };
            let addr = burst.at + (burst.beats - burst.to_ask) as u64 * self.beat_bytes;
            burst.to_ask -= 1;
            let (arrival, now) = (self.time(burst.ready_cycle), self.time(cycle));
            let bytes = self.dram.burst_bytes();
            let (mut end, mut time) = self.covered;
            // a narrow bus takes several beats of one access, a wide one needs several accesses a beat
            if !(addr < end && end <= addr + bytes) {
                end = addr / bytes * bytes;
            }
            while end < addr + self.beat_bytes {
                time = self.dram.access(end, false, arrival, now);
                end += bytes;
            }
            self.covered = (end, time);
            self.free_ps = self.free_ps.max(time);
            let ready = self.cycle(time + self.controller_ps);
            self.ready.push_back(ready);
        }
    }

    pub fn write_room(&self) -> bool {
        self.waiting.len() + self.written.len() < self.write_beats
    }

    /// A beat at `addr` comes into the write buffer; `no_reads` are under way.
    pub fn write(&mut self, addr: u64, no_reads: bool, cycle: u64) {
        if no_reads {
            self.wake(cycle);
        }
        self.waiting.push_back(addr);
    }

    fn write_all(&mut self, cycle: u64) {
        let (now, bytes) = (self.time(cycle), self.dram.burst_bytes());
        let mut covered = None; // a narrow bus fills one access with several beats
        while let Some(addr) = self.waiting.pop_front() {
            let mut time = self.free_ps;
            let mut access = addr / bytes * bytes;
            while access < addr + self.beat_bytes {
                if covered != Some(access) {
                    time = self.dram.access(access, true, now, now);
                    covered = Some(access);
                }
                access += bytes;
            }
            self.free_ps = self.free_ps.max(time);
            let end = self.cycle(time);
            self.written.push_back(end);
            self.idle_from(end);
        }
    }
}
