//! Dividers of the ECP5 clock generator EHXPLLL.
//!
//! The feedback output runs at the oscillator's frequency, so the phase comparator does too (ECP5 data sheet FPGA-DS-02012:
//! 10 to 400 MHz); the voltage-controlled oscillator runs at a multiple of it (400 to 800 MHz) and a second output divides that.

use crate::FpgaError;

/// Dividers for one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pll {
    /// Oscillator times this is the VCO; also the divider of the feedback output.
    pub op_div: u32,
    /// The system clock is VCO over this.
    pub os_div: u32,
    /// What comes out, rounded down to kHz.
    pub clock_khz: u32,
}

/// How far the memory chip's clock is ahead of the system's, aimed at: what a command is held for, and half of what read data
/// may be late.
const LEAD_NS: u32 = 3;

impl Pll {
    /// `LEAD_NS` in periods of the VCO, at least one.
    pub fn memory_lead(&self) -> u32 {
        let vco_mhz = self.clock_khz * self.os_div / 1000;
        ((vco_mhz * LEAD_NS + 500) / 1000).max(1)
    }
}

const VCO_KHZ: std::ops::RangeInclusive<u32> = 400_000..=800_000;
/// Clocks a system may ask for: below, the serial line has too few clocks a bit; above, the memory chip is too slow.
pub const CLOCK_KHZ: std::ops::RangeInclusive<u32> = 10_000..=100_000;

/// The fastest clock that is not faster than `clock_khz`.
///
/// # Errors
/// A clock outside [`CLOCK_KHZ`].
pub fn pll(oscillator_khz: u32, clock_khz: u32) -> Result<Pll, FpgaError> {
    if !CLOCK_KHZ.contains(&clock_khz) {
        let mhz = |khz: u32| f64::from(khz) / 1000.0;
        return Err(FpgaError::Clock {
            asked: mhz(clock_khz),
            low: mhz(*CLOCK_KHZ.start()),
            high: mhz(*CLOCK_KHZ.end()),
        });
    }
    let mut best = Pll { op_div: 0, os_div: 1, clock_khz: 0 };
    for op_div in 1..=128 {
        let vco = oscillator_khz * op_div;
        if !VCO_KHZ.contains(&vco) {
            continue;
        }
        let os_div = vco.div_ceil(clock_khz);
        if os_div <= 128 && vco / os_div > best.clock_khz {
            best = Pll { op_div, os_div, clock_khz: vco / os_div };
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_faster_than_asked_and_nearly_as_fast() {
        for khz in CLOCK_KHZ.step_by(250) {
            let p = pll(25_000, khz).unwrap();
            assert!(p.clock_khz <= khz && f64::from(p.clock_khz) > 0.9 * f64::from(khz), "{khz} gives {p:?}");
            assert!(VCO_KHZ.contains(&(25_000 * p.op_div)));
            let lead_ns = f64::from(p.memory_lead() * 1000) / f64::from(25 * p.op_div);
            assert!((2.0..=4.0).contains(&lead_ns), "{lead_ns} ns at {p:?}");
        }
        assert_eq!(pll(25_000, 80_000).unwrap(), Pll { op_div: 16, os_div: 5, clock_khz: 80_000 });
        assert!(pll(25_000, 200_000).unwrap_err().to_string().contains("10 to 100"));
    }
}
