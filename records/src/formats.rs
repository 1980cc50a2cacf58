//! What `anser quantize --report` shows: which format each matrix got, what it cost, and what else was tried.

use crate::model::Check;

/// One format of a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Format {
    /// Bits of a weight.
    pub bits: u32,
    /// Whether rounding was error-compensated.
    pub compensated: bool,
    /// Rank of its branch, 0 for none.
    pub branch: u64,
    /// Bytes in the stream, with scales, padding and branch.
    pub bytes: u64,
    /// Noise over signal at the matrix' output on the calibration text.
    pub output_error: f64,
}

/// One matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    pub tensor: String,
    pub picked: Format,
    /// Everything tried, the pick included; empty if nothing was.
    pub tried: Vec<Format>,
}

/// How the search ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    pub budget_bytes: u64,
    pub bytes: u64,
    /// Divergence from the exact network that the choice lets expect, nats a token.
    pub cost: f64,
    /// No choice within the budget has less than this.
    pub bound: f64,
}

/// What one `quantize` did.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatsRecord {
    pub model: String,
    pub command: String,
    pub date: String,
    pub image_bytes: u64,
    pub bytes_per_token: u64,
    pub matrices: Vec<Matrix>,
    pub search: Option<Search>,
    pub check: Option<Check>,
}
