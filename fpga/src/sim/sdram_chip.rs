//! A 16-bit SDRAM chip that checks what it is told: every time a controller must keep, and who drives the bus.

use crate::board::{SdramShape, SdramTiming};
use std::collections::VecDeque;

/// Words of a burst; the mode register must say so.
const BURST: u64 = 8;

/// The chip's pins in one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pins {
    /// cs, ras, cas, we as they are on the pins: low is active.
    pub cs: bool,
    pub ras: bool,
    pub cas: bool,
    pub we: bool,
    pub bank: u8,
    pub addr: u16,
    /// The controller drives the data bus, with this.
    pub dq: Option<u16>,
}

impl Pins {
    /// Nothing asked, nothing driven.
    pub const IDLE: Pins = Pins { cs: false, ras: true, cas: true, we: true, bank: 0, addr: 0, dq: None };
}

/// A rule of the data sheet that was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SDRAM, clock {clock}: {rule}: {detail}")]
pub struct Violation {
    pub clock: u64,
    pub rule: &'static str,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bank {
    row: Option<u16>,
    activated: Option<u64>,
    precharged: Option<u64>,
    /// First clock in which PRECHARGE is allowed after the last burst.
    burst_done: u64,
    burst_rule: &'static str,
}

/// What the chip did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub activates: u64,
    pub reads: u64,
    pub writes: u64,
    pub refreshes: u64,
    /// Longest time between two refreshes, clocks.
    pub refresh_gap: u64,
}

/// The chip. Its clock has a period; times are checked in picoseconds.
#[derive(Debug, Clone)]
pub struct SdramChip {
    shape: SdramShape,
    timing: SdramTiming,
    period_ps: u64,
    data: Vec<u8>,
    banks: [Bank; 4],
    clock: u64,
    last_activate: Option<u64>,
    last_refresh: Option<u64>,
    /// First clock in which any command is allowed, and why.
    busy_until: (u64, &'static str),
    last_column: Option<u64>,
    mode_set: bool,
    all_precharged: bool,
    /// (clock, word) the chip will drive.
    reading: VecDeque<(u64, u16)>,
    /// Byte address of the next word, words left to be written.
    writing: Option<(usize, u64)>,
    pub counts: Counts,
}

impl SdramChip {
    /// A chip at `clock_khz` whose memory begins with `content`.
    pub fn new(shape: SdramShape, timing: SdramTiming, clock_khz: u32, content: &[u8]) -> Self {
        let mut data = vec![0; shape.bytes() as usize];
        let n = content.len().min(data.len());
        data[..n].copy_from_slice(&content[..n]);
        SdramChip {
            shape,
            timing,
            period_ps: 1_000_000_000 / u64::from(clock_khz),
            data,
            banks: [Bank::default(); 4],
            clock: 0,
            last_activate: None,
            last_refresh: None,
            busy_until: (0, ""),
            last_column: None,
            mode_set: false,
            all_precharged: false,
            reading: VecDeque::new(),
            writing: None,
            counts: Counts::default(),
        }
    }

    /// What the memory holds: word `w` of 16 bits at byte 2·w; address order row, bank, column.
    pub fn memory(&self) -> &[u8] {
        &self.data
    }

    /// One clock: takes the pins, gives the word the chip drives in this clock. `None` is a bus nobody of the chip's side
    /// drives.
    pub fn clock(&mut self, pins: &Pins) -> Result<Option<u16>, Violation> {
        let command = (pins.cs, pins.ras, pins.cas, pins.we);
        match command {
            (true, ..) | (false, true, true, true) => {}
            (false, false, true, true) => self.activate(pins)?,
            (false, true, false, true) => self.column(pins, false)?,
            (false, true, false, false) => self.column(pins, true)?,
            (false, false, true, false) => self.precharge(pins)?,
            (false, false, false, true) => self.refresh()?,
            (false, false, false, false) => self.load_mode(pins)?,
            (false, true, true, false) => return self.broken("command", "BURST TERMINATE is not used".into()),
        }
        self.limits()?;
        self.write_word(pins)?;
        let word = match self.reading.front() {
            Some((clock, word)) if *clock == self.clock => Some(*word),
            _ => None,
        };
        if word.is_some() {
            self.reading.pop_front();
            if pins.dq.is_some() {
                return self.broken("data bus", "the controller drives while read data come".into());
            }
        }
        self.clock += 1;
        Ok(word)
    }

    fn broken<T>(&self, rule: &'static str, detail: String) -> Result<T, Violation> {
        Err(Violation { clock: self.clock, rule, detail })
    }

    /// `rule`: at least `ps` since clock `since`.
    fn after(&self, rule: &'static str, since: Option<u64>, ps: u64) -> Result<(), Violation> {
        let Some(since) = since else { return Ok(()) };
        let passed = (self.clock - since) * self.period_ps;
        match passed < ps {
            true => self.broken(rule, format!("{passed} ps after the command it counts from, expected {ps} or more")),
            false => Ok(()),
        }
    }

    fn ready(&self, what: &str) -> Result<(), Violation> {
        let (until, why) = self.busy_until;
        match self.clock < until {
            true => self.broken(why, format!("{what} {} clocks too early", until - self.clock)),
            false if self.clock * self.period_ps < self.timing.t_power_up_ps => {
                self.broken("power-up", format!("{what} before {} ps have passed", self.timing.t_power_up_ps))
            }
            false => Ok(()),
        }
    }

    fn activate(&mut self, pins: &Pins) -> Result<(), Violation> {
        self.ready("ACTIVE")?;
        if !self.mode_set {
            return self.broken("power-up", "ACTIVE before the mode register is set".into());
        }
        let bank = self.banks[usize::from(pins.bank)];
        if let Some(row) = bank.row {
            return self.broken("ACTIVE", format!("bank {} has row {row} open", pins.bank));
        }
        self.after("tRC", bank.activated, self.timing.t_rc_ps)?;
        self.after("tRP", bank.precharged, self.timing.t_rp_ps)?;
        self.after("tRRD", self.last_activate, self.timing.t_rrd_ps)?;
        if usize::from(pins.addr) >> self.shape.row_bits != 0 {
            return self.broken("ACTIVE", format!("row {:#x} is out of range", pins.addr));
        }
        let bank = &mut self.banks[usize::from(pins.bank)];
        (bank.row, bank.activated) = (Some(pins.addr), Some(self.clock));
        self.last_activate = Some(self.clock);
        self.counts.activates += 1;
        Ok(())
    }

    fn column(&mut self, pins: &Pins, write: bool) -> Result<(), Violation> {
        let what = if write { "WRITE" } else { "READ" };
        self.ready(what)?;
        let bank = self.banks[usize::from(pins.bank)];
        let Some(row) = bank.row else { return self.broken(what, format!("bank {} has no open row", pins.bank)) };
        self.after("tRCD", bank.activated, self.timing.t_rcd_ps)?;
        if let Some(last) = self.last_column {
            if self.clock - last < BURST {
                return self.broken(what, format!("{} clocks after a burst of {BURST} began", self.clock - last));
            }
        }
        if pins.addr & 1 << 10 != 0 {
            return self.broken(what, "with auto precharge, which this model does not know".into());
        }
        let column = usize::from(pins.addr) & ((1 << self.shape.column_bits) - 1);
        if !column.is_multiple_of(BURST as usize) {
            return self.broken(what, format!("column {column} is not the start of a burst"));
        }
        let word =
            ((usize::from(row) << self.shape.bank_bits | usize::from(pins.bank)) << self.shape.column_bits) | column;
        self.last_column = Some(self.clock);
        let bank = &mut self.banks[usize::from(pins.bank)];
        if write {
            bank.burst_done = self.clock + BURST - 1 + self.timing.t_wr_ps.div_ceil(self.period_ps);
            bank.burst_rule = "tWR";
            self.writing = Some((2 * word, BURST));
            self.counts.writes += 1;
            if let Some((last, _)) = self.reading.back() {
                if self.clock <= last + 1 {
                    return self.broken("data bus", "written data follow read data without an idle clock".into());
                }
            }
        } else {
            // the last words of a burst may still leave while the row closes
            bank.burst_done = self.clock + BURST;
            bank.burst_rule = "read burst";
            self.counts.reads += 1;
            for i in 0..BURST as usize {
                let at = 2 * (word + i);
                let value = u16::from_le_bytes([self.data[at], self.data[at + 1]]);
                self.reading.push_back((self.clock + self.timing.cas_latency_cycles + i as u64, value));
            }
        }
        Ok(())
    }

    fn write_word(&mut self, pins: &Pins) -> Result<(), Violation> {
        let Some((at, left)) = self.writing else { return Ok(()) };
        let Some(word) = pins.dq else { return self.broken("data bus", "nobody drives a written word".into()) };
        self.data[at..at + 2].copy_from_slice(&word.to_le_bytes());
        self.writing = (left > 1).then_some((at + 2, left - 1));
        Ok(())
    }

    fn precharge(&mut self, pins: &Pins) -> Result<(), Violation> {
        self.ready("PRECHARGE")?;
        let all = pins.addr & 1 << 10 != 0;
        for i in 0..4u8 {
            let bank = self.banks[usize::from(i)];
            if !(all || i == pins.bank) || (bank.row.is_none() && self.mode_set) {
                continue;
            }
            self.after("tRAS", bank.activated.filter(|_| bank.row.is_some()), self.timing.t_ras_ps)?;
            if self.clock < bank.burst_done {
                return self.broken(
                    bank.burst_rule,
                    format!("bank {i} is closed {} clocks too early", bank.burst_done - self.clock),
                );
            }
            let bank = &mut self.banks[usize::from(i)];
            (bank.row, bank.precharged) = (None, Some(self.clock));
        }
        self.all_precharged |= all;
        Ok(())
    }

    fn refresh(&mut self) -> Result<(), Violation> {
        self.ready("REFRESH")?;
        if !self.all_precharged {
            return self.broken("power-up", "REFRESH before PRECHARGE of all banks".into());
        }
        for (i, bank) in self.banks.iter().enumerate() {
            if bank.row.is_some() {
                return self.broken("REFRESH", format!("bank {i} is open"));
            }
            self.after("tRP", bank.precharged, self.timing.t_rp_ps)?;
            self.after("tRC", bank.activated, self.timing.t_rc_ps)?;
        }
        if let Some(last) = self.last_refresh.filter(|_| self.mode_set) {
            self.counts.refresh_gap = self.counts.refresh_gap.max(self.clock - last);
        }
        self.last_refresh = Some(self.clock);
        self.counts.refreshes += 1;
        self.busy_until = (self.clock + self.timing.t_rfc_ps.div_ceil(self.period_ps), "tRFC");
        Ok(())
    }

    fn load_mode(&mut self, pins: &Pins) -> Result<(), Violation> {
        self.ready("LOAD MODE")?;
        if self.counts.refreshes < 8 {
            return self.broken("power-up", format!("LOAD MODE after {} of 8 refreshes", self.counts.refreshes));
        }
        let expected = (self.timing.cas_latency_cycles << 4 | 3) as u16;
        if pins.addr != expected {
            return self.broken(
                "mode",
                format!("{:#05x}, expected {expected:#05x}: bursts of 8, this CAS latency", pins.addr),
            );
        }
        self.busy_until = (self.clock + self.timing.t_mrd_cycles, "tMRD");
        self.mode_set = true;
        Ok(())
    }

    /// What must not last longer than it may.
    fn limits(&self) -> Result<(), Violation> {
        let Some(last) = self.last_refresh.filter(|_| self.mode_set) else { return Ok(()) };
        let interval = self.timing.t_ref_ps / self.timing.refreshes;
        let passed = (self.clock - last) * self.period_ps;
        if passed > interval {
            return self.broken("refresh", format!("{passed} ps since the last one, expected {interval} at most"));
        }
        for (i, bank) in self.banks.iter().enumerate() {
            if let (Some(_), Some(at)) = (bank.row, bank.activated) {
                if (self.clock - at) * self.period_ps > self.timing.t_ras_max_ps {
                    return self.broken("tRAS max", format!("bank {i} is open too long"));
                }
            }
        }
        Ok(())
    }
}
