//! Boards: what is on them, how fast it may be used, where its pins are.

/// Times of an SDRAM chip in picoseconds, the slowest of the parts a board is fitted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdramTiming {
    /// ACTIVE to READ or WRITE.
    pub t_rcd_ps: u64,
    /// PRECHARGE to ACTIVE.
    pub t_rp_ps: u64,
    /// ACTIVE to ACTIVE of one bank.
    pub t_rc_ps: u64,
    /// ACTIVE to PRECHARGE, at least.
    pub t_ras_ps: u64,
    /// ACTIVE to PRECHARGE, at most.
    pub t_ras_max_ps: u64,
    /// ACTIVE to ACTIVE of another bank.
    pub t_rrd_ps: u64,
    /// Last written word to PRECHARGE.
    pub t_wr_ps: u64,
    /// REFRESH to the next command.
    pub t_rfc_ps: u64,
    /// Power-up to the first command.
    pub t_power_up_ps: u64,
    /// All rows within this time.
    pub t_ref_ps: u64,
    /// REFRESH commands that make all rows.
    pub refreshes: u64,
    /// LOAD MODE to the next command, clock cycles.
    pub t_mrd_cycles: u64,
    pub cas_latency_cycles: u64,
}

/// How the SDRAM is organised; 16 data bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdramShape {
    pub row_bits: usize,
    pub bank_bits: usize,
    pub column_bits: usize,
}

impl SdramShape {
    pub fn bytes(&self) -> u64 {
        2 << (self.row_bits + self.bank_bits + self.column_bits)
    }
}

/// A board this crate can build for.
#[derive(Debug, Clone, Copy)]
pub struct Board {
    pub name: &'static str,
    pub title: &'static str,
    /// Arguments of nextpnr that select the device.
    pub device: &'static [&'static str],
    pub device_name: &'static str,
    pub oscillator_khz: u32,
    /// Clock of a build that does not ask for another.
    pub clock_khz: u32,
    pub baud: u32,
    /// What openFPGALoader calls it.
    pub loader: &'static str,
    pub sdram: SdramShape,
    pub sdram_timing: SdramTiming,
    /// The module with the vendor's cells, which is the top of a build.
    pub vendor_top: &'static str,
    /// Its text.
    pub vendor_text: &'static str,
    /// The package from which it takes the clock of a build.
    pub clock_package: &'static str,
    /// Where the pins are, in the words of the vendor's tools.
    pub pins: &'static str,
}

/// Radiona ULX3S with an LFE5U-85F: 32 MB SDRAM of 16 bits, FT231X serial bridge, 25 MHz oscillator.
///
/// SDRAM times are the slowest of IS42S16160G-7, W9825G6KH-6, AS4C16M16SA-7 and MT48LC16M16A2-75 by their data sheets.
pub const ULX3S_85F: Board = Board {
    name: "ulx3s-85f",
    title: "Radiona ULX3S, Lattice LFE5U-85F",
    device: &["--85k", "--package", "CABGA381", "--speed", "6"],
    device_name: "LFE5U-85F-6BG381C",
    oscillator_khz: 25_000,
    clock_khz: 80_000,
    baud: 1_000_000,
    loader: "ulx3s",
    sdram: SdramShape { row_bits: 13, bank_bits: 2, column_bits: 9 },
    sdram_timing: SdramTiming {
        t_rcd_ps: 21_000,
        t_rp_ps: 21_000,
        t_rc_ps: 67_500,
        t_ras_ps: 45_000,
        t_ras_max_ps: 100_000_000,
        t_rrd_ps: 15_000,
        t_wr_ps: 15_000,
        t_rfc_ps: 67_500,
        t_power_up_ps: 200_000_000,
        t_ref_ps: 64_000_000_000,
        refreshes: 8192,
        t_mrd_cycles: 2,
        cas_latency_cycles: 3,
    },
    vendor_top: "ulx3s_top",
    vendor_text: include_str!("../rtl/ulx3s_top.sv"),
    clock_package: "ulx3s_clock_pkg",
    pins: include_str!("../rtl/ulx3s.lpf"),
};

/// Every board.
pub const BOARDS: [&Board; 1] = [&ULX3S_85F];

/// The board called `name`.
pub fn find(name: &str) -> Option<&'static Board> {
    BOARDS.into_iter().find(|b| b.name == name)
}

/// The times of an SDRAM in cycles of a clock: what the controller counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdramCycles {
    pub rcd: u64,
    pub rp: u64,
    pub rc: u64,
    pub ras: u64,
    pub rrd: u64,
    pub wr: u64,
    pub rfc: u64,
    pub mrd: u64,
    pub cas: u64,
    pub power_up: u64,
    /// Cycles between two refreshes, less what the longest burst may delay one by.
    pub refresh: u64,
}

/// A refresh waits for the burst under way and for PRECHARGE: fewer cycles than this.
const REFRESH_MARGIN: u64 = 32;

impl SdramTiming {
    /// Rounded up to whole cycles; the refresh interval rounded down.
    pub fn cycles(&self, clock_khz: u32) -> SdramCycles {
        let up = |ps: u64| (ps * u64::from(clock_khz)).div_ceil(1_000_000_000).max(1);
        let interval = self.t_ref_ps / self.refreshes * u64::from(clock_khz) / 1_000_000_000;
        SdramCycles {
            rcd: up(self.t_rcd_ps),
            rp: up(self.t_rp_ps),
            rc: up(self.t_rc_ps),
            ras: up(self.t_ras_ps),
            rrd: up(self.t_rrd_ps),
            wr: up(self.t_wr_ps),
            rfc: up(self.t_rfc_ps),
            mrd: self.t_mrd_cycles,
            cas: self.cas_latency_cycles,
            power_up: up(self.t_power_up_ps),
            refresh: interval.saturating_sub(REFRESH_MARGIN).max(REFRESH_MARGIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_never_too_few() {
        let t = ULX3S_85F.sdram_timing;
        for khz in (25_000..=100_000).step_by(500) {
            let c = t.cycles(khz);
            for (cycles, ps) in [(c.rcd, t.t_rcd_ps), (c.rc, t.t_rc_ps), (c.power_up, t.t_power_up_ps)] {
                assert!(cycles * 1_000_000_000 >= ps * u64::from(khz), "{khz} kHz: {cycles} cycles are under {ps} ps");
            }
            assert!((c.refresh + REFRESH_MARGIN) * 1_000_000_000 <= t.t_ref_ps / t.refreshes * u64::from(khz));
        }
        assert_eq!(ULX3S_85F.sdram.bytes(), 32 << 20);
    }
}
