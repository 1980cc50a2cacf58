//! A DDR4 memory behind a controller: when each burst of eight comes, given banks, rows, refresh and turnaround.
//!
//! The controller answers column accesses in the order they were asked for and opens the rows of accesses that wait as early as the
//! rules allow, which is what in-order controllers with a look-ahead queue do. Rows stay open until another row of the bank is
//! wanted or a refresh closes them all. Every interval is one of JESD79-4's, named as there and set in `[memory.ddr4]`.
//! The command bus is not modelled: a sequential stream uses a small part of it.
//!
//! Times are picoseconds, so that memory and chip may have any two clocks.

use rtl_gen::config::Ddr4;

/// The intervals of [`Ddr4`] in picoseconds.
#[derive(Clone, Debug)]
struct Intervals {
    /// Time on the data bus of one burst of eight.
    burst: u64,
    cl: u64,
    cwl: u64,
    rcd: u64,
    rp: u64,
    ras: u64,
    rrd_s: u64,
    rrd_l: u64,
    faw: u64,
    ccd_l: u64,
    rtp: u64,
    wr: u64,
    wtr_s: u64,
    wtr_l: u64,
    /// Gap on the data bus between the last read and the first written data.
    turn: u64,
    rfc: u64,
    refi: u64,
}

#[derive(Clone, Debug, Default)]
struct Bank {
    row: Option<u64>,
    /// Earliest ACT.
    act_ready: u64,
    /// Earliest PRE of the open row.
    pre_ready: u64,
    /// Earliest column access of the open row.
    column_ready: u64,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DramStats {
    pub reads: u64,
    pub writes: u64,
    /// Accesses whose row was open.
    pub row_hits: u64,
    pub refreshes: u64,
    /// Changes between reading and writing.
    pub turnarounds: u64,
}

/// The memory.
#[derive(Clone, Debug)]
pub struct Dram {
    t: Intervals,
    banks: Vec<Bank>,
    bank_groups: u64,
    banks_per_group: u64,
    burst_bytes: u64,
    bursts_per_row: u64,
    next_refresh: u64,
    /// The last column access: when, bank group, writing.
    last: Option<(u64, u64, bool)>,
    /// Times of the last four ACTs, oldest first.
    acts: [Option<u64>; 4],
    last_act_group: u64,
    stats: DramStats,
}

impl Dram {
    pub fn new(d: &Ddr4) -> Self {
        let ps = |ns: f64| (ns * 1000.0).round() as u64;
        let clock_ns = 2000.0 / f64::from(d.mega_transfers);
        let burst_bytes = u64::from(d.data_bits);
        Dram {
            t: Intervals {
                burst: ps(4.0 * clock_ns),
                cl: ps(d.cl_ns),
                cwl: ps(d.cwl_ns),
                rcd: ps(d.trcd_ns),
                rp: ps(d.trp_ns),
                ras: ps(d.tras_ns),
                rrd_s: ps(d.trrd_s_ns),
                rrd_l: ps(d.trrd_l_ns),
                faw: ps(d.tfaw_ns),
                ccd_l: ps(d.tccd_l_ns),
                rtp: ps(d.trtp_ns),
                wr: ps(d.twr_ns),
                wtr_s: ps(d.twtr_s_ns),
                wtr_l: ps(d.twtr_l_ns),
                turn: ps(2.0 * clock_ns),
                rfc: ps(d.trfc_ns),
                refi: ps(d.trefi_ns),
            },
            banks: vec![Bank::default(); (d.bank_groups * d.banks_per_group) as usize],
            bank_groups: u64::from(d.bank_groups),
            banks_per_group: u64::from(d.banks_per_group),
            burst_bytes,
            bursts_per_row: u64::from(d.row_bytes) / burst_bytes,
            next_refresh: ps(d.trefi_ns),
            last: None,
            acts: [None; 4],
            last_act_group: 0,
            stats: DramStats::default(),
        }
    }

    /// Bytes of one access: eight transfers.
    pub fn burst_bytes(&self) -> u64 {
        self.burst_bytes
    }

    pub fn stats(&self) -> DramStats {
        self.stats
    }

    /// Bank group, bank and row of a byte address: bursts alternate between bank groups, a stretch of open rows in all
    /// groups is followed by the next bank's, so that a sequential stream finds the row it comes to next in a bank of its own.
    fn place(&self, addr: u64) -> (u64, u64, u64) {
        let burst = addr / self.burst_bytes;
        let group = burst % self.bank_groups;
        let stretch = burst / self.bank_groups / self.bursts_per_row;
        (group, stretch % self.banks_per_group, stretch / self.banks_per_group)
    }

    /// One access of [`Dram::burst_bytes`] at `addr`, known to the controller since `arrival`, whose column command may not come before
    /// `earliest` (its buffer was full until then). Gives the time at which the last byte has crossed the data bus. Calls are in order.
    pub fn access(&mut self, addr: u64, write: bool, arrival: u64, earliest: u64) -> u64 {
        let (group, bank, row) = self.place(addr);
        let index = (group * self.banks_per_group + bank) as usize;
        let (column, act) = loop {
            let plan = self.plan(index, group, row, write, arrival, earliest);
            if plan.0 < self.next_refresh {
                break plan;
            }
            self.refresh();
        };
        let t = &self.t;
        let end = column + if write { t.cwl } else { t.cl } + t.burst;
        let bank = &mut self.banks[index];
        match act {
            None => self.stats.row_hits += 1,
            Some(act) => {
                bank.row = Some(row);
                bank.column_ready = act + t.rcd;
                bank.pre_ready = act + t.ras;
                bank.act_ready = act + t.ras + t.rp;
                self.acts.rotate_left(1);
                self.acts[3] = Some(act);
                self.last_act_group = group;
            }
        }
        bank.pre_ready = bank.pre_ready.max(if write { end + t.wr } else { column + t.rtp });
        self.stats.turnarounds += u64::from(self.last.is_some_and(|l| l.2 != write));
        *(if write { &mut self.stats.writes } else { &mut self.stats.reads }) += 1;
        self.last = Some((column, group, write));
        end
    }

    /// When the column command would come, and the ACT before it if the row is not open.
    fn plan(&self, index: usize, group: u64, row: u64, write: bool, arrival: u64, earliest: u64) -> (u64, Option<u64>) {
        let (t, bank) = (&self.t, &self.banks[index]);
        let act = (bank.row != Some(row)).then(|| {
            let closed = if bank.row.is_some() { bank.pre_ready.max(arrival) + t.rp } else { 0 };
            let rrd = if group == self.last_act_group { t.rrd_l } else { t.rrd_s };
            let after = self.acts[3].map_or(0, |last| last + rrd);
            let window = self.acts[0].map_or(0, |oldest| oldest + t.faw);
            closed.max(bank.act_ready).max(arrival).max(after).max(window)
        });
        let row_ready = act.map_or(bank.column_ready, |act| act + t.rcd);
        let bus = self.last.map_or(0, |(column, last_group, was_write)| match (was_write, write) {
            (true, false) => column + t.cwl + t.burst + if group == last_group { t.wtr_l } else { t.wtr_s },
            (false, true) => column + (t.cl + t.burst + t.turn).saturating_sub(t.cwl),
            _ => column + if group == last_group { t.ccd_l.max(t.burst) } else { t.burst },
        });
        (row_ready.max(bus).max(arrival).max(earliest), act)
    }

    /// Starts anew at time 0, all rows closed and the next refresh a whole interval away: what a controller reaches that uses a
    /// pause for the refreshes that would come next (JESD79-4 lets up to eight come early).
    pub fn restart(&mut self) {
        self.banks.fill(Bank::default());
        self.next_refresh = self.t.refi;
        self.last = None;
        self.acts = [None; 4];
    }

    /// All rows are closed as soon as the rules allow, and nothing is opened for tRFC.
    fn refresh(&mut self) {
        let t = &self.t;
        let open = self.banks.iter().filter(|b| b.row.is_some()).map(|b| b.pre_ready + t.rp).max();
        let start = self.next_refresh.max(open.unwrap_or(0));
        for bank in &mut self.banks {
            bank.row = None;
            bank.act_ready = bank.act_ready.max(start + t.rfc);
        }
        self.next_refresh += t.refi;
        self.stats.refreshes += 1;
    }
}

#[cfg(test)]
#[path = "dram_tests.rs"]
mod tests;
