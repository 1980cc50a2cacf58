//! Quantised tensors: 4-, 8- and 16-bit matrices with a scale for each row, 16-bit vectors with one exponent.
//!
//! A matrix element stands for `q · m · 2^-(frac + e)` with the row's scale (m, e), at 4 bits times the group's gs ([`crate::quantise::groups`],
//! [`crate::quantise::column_groups`]); a
//! vector element for `q · 2^-frac`.

use serde::{Deserialize, Serialize};

/// Columns that share one gs.
pub const GROUP_COLS: usize = 32;
/// The scale gs of the group that holds a row's largest weight, before the search: what is left up to 255 is for groups that
/// error-compensated rounding makes larger.
pub const LARGEST_GS: i32 = 224;
/// Largest q; −8 exists, and is used where the search finds it useful.
pub const Q_MAX: i32 = 7;

/// Returns how many groups of 32 `n` weights make.
pub fn groups(n: usize) -> usize {
    n.div_ceil(GROUP_COLS)
}

/// Rows that share one gs of a column.
pub const GROUP_ROWS: usize = 32;

/// Bits of a stored matrix weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightBits {
    /// 4 bits in groups of 32 columns of one row.
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

/// Computes `x · 2^n` without overflow of the factor for the exponents formats have.
pub fn scale2(x: f64, n: i32) -> f64 {
    x * 2f64.powi(n)
}

impl RowScale {
    /// Returns the number that a stored weight of 1 stands for.
    pub fn value(self, frac: i32) -> f64 {
        scale2(f64::from(self.m), -(frac + i32::from(self.e)))
    }

    /// Packs the scale into 16 bits as the stream carries it: m in 11:0, e in 15:12.
    pub fn pack(self) -> u16 {
        self.m | u16::from(self.e) << 12
    }

    /// Unpacks what [`RowScale::pack`] packed.
    pub fn unpack(bits: u16) -> Self {
        Self { m: bits & 0xfff, e: (bits >> 12) as u8 }
    }
}

impl QMatrix {
    pub fn bits(&self) -> WeightBits {
        match self.q {
            QWeights::W4 { .. } => WeightBits::W4,
            QWeights::W4Columns { .. } => WeightBits::W4Columns,
            QWeights::W8(_) => WeightBits::W8,
            QWeights::W16(_) => WeightBits::W16,
        }
    }

    /// Returns how many scales a matrix of this size holds: one a row and, with 4 bits, one a group.
    pub fn scales_of(rows: usize, cols: usize, bits: WeightBits) -> usize {
        rows + match bits {
            WeightBits::W4 => rows * groups(cols),
            WeightBits::W4Columns => groups(rows) * cols,
            WeightBits::W8 | WeightBits::W16 => 0,
        }
    }

    /// Returns the number that the weight at (row, col) stands for.
    pub fn value(&self, row: usize, col: usize) -> f64 {
        let gs = match &self.q {
            QWeights::W4 { gs, .. } => f64::from(gs[row * groups(self.cols) + col / GROUP_COLS]),
            QWeights::W4Columns { gs, .. } => f64::from(gs[col * groups(self.rows) + row / GROUP_ROWS]),
            QWeights::W8(_) | QWeights::W16(_) => 1.0,
        };
        f64::from(self.at(row, col)) * gs * self.scales[row].value(self.frac)
    }

    /// Returns the same matrix with a frac of at most `limit`; rows whose scale is then too small become zero.
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

    /// Returns the stored integer q at (row, col).
    pub fn at(&self, row: usize, col: usize) -> i32 {
        let i = row * self.cols + col;
        match &self.q {
            QWeights::W4 { q, .. } | QWeights::W4Columns { q, .. } | QWeights::W8(q) => i32::from(q[i]),
            QWeights::W16(q) => i32::from(q[i]),
        }
    }
}

impl QVector {
    /// Returns the largest |value|.
    pub fn max(&self) -> f64 {
        scale2(self.q.iter().map(|q| f64::from(*q).abs()).fold(0.0, f64::max), -self.frac)
    }
}
