//! Quantised tensors: 4-, 8- and 16-bit matrices with a scale for each row, 16-bit vectors with one exponent.
//!
//! A matrix element stands for `q · m · 2^-(frac + e)` with the row's scale (m, e), at 4 bits times the group's gs ([`crate::quantise::groups`],
//! [`crate::quantise::column_groups`]); a
//! vector element for `q · 2^-frac`.

use crate::quantise::column_groups::GROUP_ROWS;
use crate::quantise::groups::{groups, GroupScales, GROUP_COLS, LARGEST_GS, Q_MAX};
use serde::{Deserialize, Serialize};

/// Bits of a stored matrix weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightBits {
    /// In groups of 32 columns.
    W4,
    /// 4 bits in groups of 32 rows of one column: the form of `ffn.value`, whose columns can be skipped.
    #[serde(rename = "w4-columns")]
    W4Columns,
    W8,
    W16,
}

impl WeightBits {
    /// What a row's largest |weight| becomes in units of the row's scale: q, or q · gs at 4 bits.
    pub fn q_max(self) -> i32 {
        match self {
            WeightBits::W4 | WeightBits::W4Columns => Q_MAX * LARGEST_GS,
            WeightBits::W8 => 127,
            WeightBits::W16 => 32767,
        }
    }

    /// Rows of a tile of the weight stream.
    pub fn tile_rows(self) -> usize {
        match self {
            WeightBits::W4 | WeightBits::W4Columns | WeightBits::W8 => 16,
            WeightBits::W16 => 8,
        }
    }
}

/// Scale of one row: `m · 2^-e` in units of the matrix' `2^-frac`; m is 0 (a row of zeros) or 2048..=4095, e in 0..=15.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowScale {
    pub m: u16,
    pub e: u8,
}

/// The weights of a matrix, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QWeights {
    /// `gs` holds one byte a row and group of 32 columns, row-major
    W4 {
        q: Vec<i8>,
        gs: Vec<u8>,
    },
    /// `gs` holds one byte a column and group of 32 rows, column after column
    W4Columns {
        q: Vec<i8>,
        gs: Vec<u8>,
    },
    W8(Vec<i8>),
    W16(Vec<i16>),
}

/// A matrix `(rows, cols)` = `(out, in)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QMatrix {
    pub rows: usize,
    pub cols: usize,
    /// rows · cols, row-major
    pub q: QWeights,
    /// one a row
    pub scales: Vec<RowScale>,
    pub frac: i32,
}

/// A vector parameter: `q · 2^-frac`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QVector {
    pub q: Vec<i16>,
    pub frac: i32,
}

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

/// `x · 2^n` without overflow of the factor for the exponents formats have.
pub fn scale2(x: f64, n: i32) -> f64 {
    x * 2f64.powi(n)
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

    /// The number a weight of 1 stands for.
    pub fn value(self, frac: i32) -> f64 {
        scale2(f64::from(self.m), -(frac + i32::from(self.e)))
    }

    /// 16 bits as the stream carries them: m in 11:0, e in 15:12.
    pub fn pack(self) -> u16 {
        self.m | u16::from(self.e) << 12
    }

    /// Inverse of [`RowScale::pack`].
    pub fn unpack(bits: u16) -> Self {
        Self { m: bits & 0xfff, e: (bits >> 12) as u8 }
    }
}

impl QMatrix {
    /// Quantises `row(r)`, r in 0..rows, each of `cols` values: the row's scale is rounded first, its weights to the rounded scale.
    pub fn quantise<R: AsRef<[f32]>>(
        rows: usize,
        cols: usize,
        row: impl Fn(usize) -> R,
        bits: WeightBits,
        frac: i32,
    ) -> (Self, QuantError) {
        let all = || -> Vec<f32> { (0..rows).flat_map(|r| row(r).as_ref().to_vec()).collect() };
        match bits {
            WeightBits::W4 => return Self::quantise_groups(&all(), cols, frac, GroupScales::default(), None),
            WeightBits::W4Columns => return Self::quantise_columns(&all(), cols, frac, GroupScales::default(), None),
            WeightBits::W8 | WeightBits::W16 => {}
        }
        let mut scales = Vec::with_capacity(rows);
        let mut errors = ErrorSum::default();
        let mut w8 = Vec::new();
        let mut w16 = Vec::new();
        for r in 0..rows {
            let values = row(r);
            let values = values.as_ref();
            let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
            let scale = RowScale::nearest(max, bits, frac);
            let one = scale.value(frac);
            let q_max = f64::from(bits.q_max());
            for v in values {
                let v = f64::from(*v);
                let q = if one > 0.0 { (v / one).round_ties_even().clamp(-q_max, q_max) } else { 0.0 };
                errors.add(v, q * one);
                match bits {
                    WeightBits::W16 => w16.push(q as i16),
                    _ => w8.push(q as i8),
                }
            }
            scales.push(scale);
        }
        let q = match bits {
            WeightBits::W16 => QWeights::W16(w16),
            _ => QWeights::W8(w8),
        };
        (Self { rows, cols, q, scales, frac }, errors.finish())
    }

    pub fn bits(&self) -> WeightBits {
        match self.q {
            QWeights::W4 { .. } => WeightBits::W4,
            QWeights::W4Columns { .. } => WeightBits::W4Columns,
            QWeights::W8(_) => WeightBits::W8,
            QWeights::W16(_) => WeightBits::W16,
        }
    }

    /// Scales it should hold: one a row, at 4 bits also one a group.
    pub fn scales_of(rows: usize, cols: usize, bits: WeightBits) -> usize {
        rows + match bits {
            WeightBits::W4 => rows * groups(cols),
            WeightBits::W4Columns => groups(rows) * cols,
            WeightBits::W8 | WeightBits::W16 => 0,
        }
    }

    /// The number at (row, col).
    pub fn value(&self, row: usize, col: usize) -> f64 {
        let gs = match &self.q {
            QWeights::W4 { gs, .. } => f64::from(gs[row * groups(self.cols) + col / GROUP_COLS]),
            QWeights::W4Columns { gs, .. } => f64::from(gs[col * groups(self.rows) + row / GROUP_ROWS]),
            QWeights::W8(_) | QWeights::W16(_) => 1.0,
        };
        f64::from(self.at(row, col)) * gs * self.scales[row].value(self.frac)
    }

    /// The same matrix with a frac of at most `limit`; rows whose scale is then too small become zero.
    pub fn with_frac_at_most(mut self, limit: i32) -> Self {
        let less = self.frac - limit;
        if less > 0 {
            self.frac = limit;
            for s in &mut self.scales {
                let e = i32::from(s.e).saturating_add(less);
                *s = if e > 15 { RowScale::default() } else { RowScale { m: s.m, e: e as u8 } };
            }
        }
        self
    }

    /// q at (row, col).
    pub fn at(&self, row: usize, col: usize) -> i32 {
        let i = row * self.cols + col;
        match &self.q {
            QWeights::W4 { q, .. } | QWeights::W4Columns { q, .. } | QWeights::W8(q) => i32::from(q[i]),
            QWeights::W16(q) => i32::from(q[i]),
        }
    }
}

impl QVector {
    /// Quantises to 16 bits with the largest frac ≤ `max_frac` that holds every value.
    pub fn quantise(values: &[f32], max_frac: i32) -> (Self, QuantError) {
        let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
        let frac = frac_for(max, 16, max_frac);
        let mut errors = ErrorSum::default();
        let q = values.iter().map(|v| quantise16(f64::from(*v), frac, &mut errors)).collect();
        (Self { q, frac }, errors.finish())
    }

    /// Largest |value|.
    pub fn max(&self) -> f64 {
        scale2(self.q.iter().map(|q| f64::from(*q).abs()).fold(0.0, f64::max), -self.frac)
    }
}

/// `v · 2^frac` rounded and clipped to 16 bits.
pub fn quantise16(v: f64, frac: i32, errors: &mut ErrorSum) -> i16 {
    let q = scale2(v, frac).round_ties_even().clamp(-32768.0, 32767.0);
    errors.add(v, scale2(q, -frac));
    q as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_weight_is_within_half_a_step(values in prop::collection::vec(-1e3f32..1e3, 1..40), shrink in 0i32..60, wide: bool) {
            let bits = if wide { WeightBits::W16 } else { WeightBits::W8 };
            let values: Vec<f32> = values.iter().map(|v| v * 2f32.powi(-shrink)).collect();
            let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
            let (m, error) = QMatrix::quantise(1, values.len(), |_| &values, bits, matrix_frac(max, bits));
            let s = m.scales[0];
            prop_assert!((s.m == 0) == (max == 0.0) && (s.m == 0 || (2048..4096).contains(&s.m)) && s.e < 16);
            prop_assert_eq!(RowScale::unpack(s.pack()), s);
            // half a step, plus the clipped end when the scale was rounded down by up to 1/4096
            let step = s.value(m.frac);
            prop_assert!(error.max_abs <= step * 0.5001 + max / 4000.0);
        }

        #[test]
        fn vectors_use_their_16_bits(values in prop::collection::vec(-1e3f32..1e3, 1..40), shrink in 0i32..40, max_frac in 0i32..25) {
            let values: Vec<f32> = values.iter().map(|v| v * 2f32.powi(-shrink)).collect();
            let (v, error) = QVector::quantise(&values, max_frac);
            prop_assert!(error.max_abs <= scale2(0.5, -v.frac) * 1.000001);
            let top = v.q.iter().map(|q| i32::from(*q).abs()).max().unwrap();
            prop_assert!(v.frac == max_frac || top >= 16383, "frac {} top {top}", v.frac);
        }
    }

    #[test]
    fn a_row_far_below_the_largest_keeps_the_smallest_scale() {
        let rows = [vec![1.0f32, -1.0], vec![1e-9, 0.0], vec![0.0, 0.0]];
        let (m, _) = QMatrix::quantise(3, 2, |r| &rows[r], WeightBits::W8, matrix_frac(1.0, WeightBits::W8));
        assert_eq!((m.scales[0].e, m.scales[1], m.scales[2]), (0, RowScale { m: 2048, e: 15 }, RowScale::default()));
        assert_eq!((m.at(0, 0), m.at(0, 1), m.at(1, 0)), (127, -127, 0));
    }
}
