//! Scales and fractions that hold a tensor, and how far the rounded tensor is from the original.

use crate::arithmetic::tensor::{scale2, RowScale, WeightBits};
use serde::{Deserialize, Serialize};

/// How far a quantised tensor is from the original.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QuantError {
    /// RMS of the error over RMS of the tensor; 0 for a tensor of zeros.
    pub relative_rms: f64,
    /// Largest absolute error.
    pub max_abs: f64,
}

/// Sums a tensor's errors value by value.
#[derive(Clone, Copy, Debug, Default)]
pub struct ErrorSum {
    error: f64,
    signal: f64,
    max_abs: f64,
}

impl ErrorSum {
    pub fn add(&mut self, exact: f64, got: f64) {
        let d = got - exact;
        self.error += d * d;
        self.signal += exact * exact;
        self.max_abs = self.max_abs.max(d.abs());
    }

    pub fn merge(&mut self, other: &Self) {
        self.error += other.error;
        self.signal += other.signal;
        self.max_abs = self.max_abs.max(other.max_abs);
    }

    pub fn finish(&self) -> QuantError {
        let relative_rms = if self.signal > 0.0 { (self.error / self.signal).sqrt() } else { 0.0 };
        QuantError { relative_rms, max_abs: self.max_abs }
    }
}

/// Largest f ≤ `max_frac` for which `max · 2^f` fits `bits` bits two's complement; `max_frac` for max = 0.
pub fn frac_for(max: f64, bits: u32, max_frac: i32) -> i32 {
    let limit = ((1u64 << (bits - 1)) - 1) as f64;
    if max <= 0.0 {
        return max_frac;
    }
    let mut f = (limit / max).log2().floor().clamp(-1000.0, 1000.0) as i32;
    while scale2(max, f).round_ties_even() > limit {
        f -= 1; // log2 may round up
    }
    f.min(max_frac)
}

/// Largest frac a matrix whose largest |weight| is `max` can have: its largest row gets e = 0.
pub fn matrix_frac(max: f64, bits: WeightBits) -> i32 {
    let scale = max / f64::from(bits.q_max());
    if scale > 0.0 {
        (11 - scale.log2().floor() as i32).min(60)
    } else {
        60
    }
}

/// `v · 2^frac` rounded and clipped to 16 bits.
pub fn quantise16(v: f64, frac: i32, errors: &mut ErrorSum) -> i16 {
    let q = scale2(v, frac).round_ties_even().clamp(-32768.0, 32767.0);
    errors.add(v, scale2(q, -frac));
    q as i16
}

impl RowScale {
    /// The nearest scale for a row whose largest |weight| is `max`; rows too small for e = 15 get the smallest scale.
    pub fn nearest(max: f64, bits: WeightBits, frac: i32) -> Self {
        if max == 0.0 {
            return Self::default();
        }
        let wanted = scale2(max / f64::from(bits.q_max()), frac);
        let mut e = (11 - wanted.log2().floor() as i32).clamp(0, 15);
        let mut m = scale2(wanted, e).round_ties_even();
        if m > 4095.0 && e > 0 {
            (e, m) = (e - 1, 2048.0);
        }
        Self { m: m.clamp(2048.0, 4095.0) as u16, e: e as u8 }
    }
}
