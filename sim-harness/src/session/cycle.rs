//! What happens in a clock cycle, and the register accesses made of cycles.

use super::{Session, SessionError};
use crate::axi_memory::MAX_BEAT_BYTES;
use crate::lockstep::{GROUPS, UNITS};
use crate::pass::{slots_in, Awaited};

/// One access to a register.
pub(super) enum Access {
    Write(u32, u32),
    Read(u32),
}

impl Session<'_> {
    pub(super) fn write(&mut self, addr: u32, data: u32) -> Result<(), SessionError> {
        self.access(Access::Write(addr, data), Awaited::NOTHING).map(|_| ())
    }

    pub(super) fn read(&mut self, addr: u32) -> Result<u32, SessionError> {
        self.access(Access::Read(addr), Awaited::NOTHING)
    }

    pub(super) fn access(&mut self, access: Access, expected: Awaited) -> Result<u32, SessionError> {
        match access {
            Access::Write(addr, data) => self.lite.write(addr, data),
            Access::Read(addr) => self.lite.read(addr),
        }
        let start = self.cycle;
        loop {
            if let Some(data) = self.step(expected)? {
                return Ok(data);
            }
            if self.cycle - start > self.options.patience() {
                return Err(self.hang("a register access", expected));
            }
        }
    }

    /// Runs one clock cycle and returns the data of a register access that ended in it.
    pub(super) fn step(&mut self, expected: Awaited) -> Result<Option<u32>, SessionError> {
        let (arready, beat) = self.memory.drive();
        self.ports.drive_axi(arready, beat);
        if self.ports.writes() {
            self.ports.drive_writes(self.memory.drive_write());
        }
        let lite_busy = !self.lite.idle();
        if lite_busy || self.lite_was_busy {
            self.ports.drive_lite(self.lite.drive());
        }
        self.lite_was_busy = lite_busy;
        if self.stalls.active() {
            self.ports.drive_stalls(self.stalls.flip8(), !self.tready_stall.flip());
        } else {
            self.ports.drive_stalls(0, true);
        }
        self.dut.clock_low()?;

        let (address, rready) = self.ports.sample_axi();
        let cycle = self.cycle;
        let mut moved = (beat.is_some() && rready) || address.is_some_and(|_| arready);
        if self.ports.writes() {
            moved |= self.sample_writes()?;
        }
        self.memory.sample(address, rready).map_err(|source| SessionError::Memory { cycle, source })?;
        let (starts, dones) = self.ports.starts_and_dones();
        let events = self.ports.events();
        if events != 0 {
            if !expected.slots.is_empty() {
                self.compare(events, expected);
            }
            if self.ports.apart() {
                return Err(SessionError::Apart { cycle });
            }
        }
        if starts | dones != 0 {
            self.timeline.record(starts, dones, cycle);
        }
        if self.stalls.active() {
            let (offered, refused) = self.ports.refused_logit();
            if self.refused_logit.is_some() && self.refused_logit != offered {
                return Err(SessionError::Stream { cycle });
            }
            self.refused_logit = offered.filter(|_| refused);
        }
        if let Some(last) = self.ports.logit() {
            if last {
                self.logits_last = Some(self.logits[0].len());
            }
            for (slot, logits) in self.logits.iter_mut().enumerate() {
                logits.push(self.ports.logit_of(slot));
            }
            self.progress = cycle;
        }
        if moved || (events | starts | dones) != 0 {
            self.progress = cycle;
        }
        let answer = match lite_busy {
            true => {
                self.lite.sample(self.ports.sample_lite()).map_err(|source| SessionError::Register { cycle, source })?
            }
            false => None,
        };
        self.dut.clock_high()?;
        self.cycle += 1;
        Ok(answer)
    }

    /// The write channels before the clock edge; whether a beat was taken or a response given.
    fn sample_writes(&mut self) -> Result<bool, SessionError> {
        let (cycle, before) = (self.cycle, self.memory.stats().write_beats);
        let mut buffer = [0; MAX_BEAT_BYTES];
        let (address, beat, bready) = self.ports.sample_writes(&mut buffer);
        let failed = |source| SessionError::Memory { cycle, source };
        self.memory.sample_write(address, beat, bready).map_err(failed)?;
        Ok(self.memory.stats().write_beats != before)
    }

    #[inline]
    fn compare(&mut self, mut events: u8, awaited: Awaited) {
        while events != 0 {
            let g = events.trailing_zeros() as usize;
            events &= events - 1;
            for slot in slots_in(self.ports.slots_of(g) & awaited.active) {
                let e = &mut self.event;
                self.ports.event(g, slot, e);
                let expected = &awaited.slots[slot];
                self.lockstep[slot].event(expected, GROUPS[g], e.op, e.index, e.values(), self.cycle);
            }
        }
    }

    #[cold]
    pub(super) fn hang(&self, doing: &'static str, expected: Awaited) -> SessionError {
        let mut state = vec![];
        for unit in UNITS {
            let (started, finished) = self.timeline.counts(unit);
            let doing = match started - finished.min(started) {
                0 => "idle".to_string(),
                n => format!("{n} under way, first op {finished}"),
            };
            state.push(format!("  {}: {started} instructions taken, {finished} finished, {doing}", unit.name()));
        }
        let stats = self.memory.stats();
        state.push(format!(
            "  memory: {} bursts accepted, {} open, {} beats delivered",
            stats.bursts,
            self.memory.outstanding(),
            stats.beats
        ));
        let (address, rready) = self.ports.sample_axi();
        state.push(format!("  read port: arvalid {}, rready {}", u8::from(address.is_some()), u8::from(rready)));
        for (slot, e) in expected.each() {
            let of = if self.lockstep.len() > 1 { format!(" in slot {slot}") } else { String::new() };
            state.extend(self.lockstep[slot].awaited(e).into_iter().map(|a| format!("  awaited{of}: {a}")));
        }
        SessionError::Hang { doing, idle: self.cycle - self.progress, cycle: self.cycle, state: state.join("\n") }
    }
}
