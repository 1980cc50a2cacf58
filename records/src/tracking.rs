//! The state-tracking record: how often floats and integers know the running product of group elements, by length.

use serde::{Deserialize, Serialize};

/// A difference of accuracy that counts: a tenth of a percentage point.
pub const TOLERANCE: f64 = 0.001;

/// What a run of `anser report tracking` leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackingRecord {
    pub schema_version: u32,
    pub model: String,
    pub n_params: u64,
    pub group: String,
    /// Elements of the group: classes of the task.
    pub order: u64,
    /// Tokens of an element.
    pub ticks: u64,
    /// Elements of a training sequence, if the checkpoint says.
    pub trained_length: Option<u64>,
    pub lengths: Vec<u64>,
    pub sequences: u64,
    pub seed: u64,
    /// The results of float, then of the integer models, wide states first.
    pub results: Vec<Tracked>,
    pub parts: Vec<Parting>,
    pub command: String,
    pub date: String,
    pub git_revision: Option<String>,
}

/// One network's answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tracked {
    /// `float`, `w8` or `w4`.
    pub weights: String,
    /// Bits of an element of the state; none for float.
    pub state_bits: Option<u32>,
    /// Share of right answers after the length before and up to each length, 0 to 1.
    pub accuracy: Vec<f64>,
    /// Share of sequences that are right after exactly each length.
    pub at_the_end: Vec<f64>,
    /// Share of sequences that are right at every element up to each length.
    pub throughout: Vec<f64>,
}

/// Where the integers of one weight format leave the floats, by more than [`TOLERANCE`] at some length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parting {
    pub weights: String,
    /// The narrowest state that stays with float, all wider ones included.
    pub stays_at_bits: Option<u32>,
    /// The widest state that does not.
    pub parts_at_bits: Option<u32>,
}

impl TrackingRecord {
    pub const SCHEMA_VERSION: u32 = 1;

    /// Finds where each weight format parts from float.
    pub fn partings(results: &[Tracked]) -> Vec<Parting> {
        let Some(float) = results.iter().find(|r| r.state_bits.is_none()) else { return vec![] };
        let mut formats: Vec<&str> =
            results.iter().filter(|r| r.state_bits.is_some()).map(|r| &r.weights[..]).collect();
        formats.dedup();
        let of = |weights: &str| {
            let mut widths: Vec<(u32, bool)> = results
                .iter()
                .filter(|r| r.weights == weights)
                .filter_map(|r| Some((r.state_bits?, largest_gap(float, r) <= TOLERANCE)))
                .collect();
            widths.sort_unstable();
            let parts_at_bits = widths.iter().rev().find(|w| !w.1).map(|w| w.0);
            let stays = widths.iter().find(|w| parts_at_bits.is_none_or(|p| w.0 > p)).map(|w| w.0);
            Parting { weights: weights.into(), stays_at_bits: stays, parts_at_bits }
        };
        formats.into_iter().map(of).collect()
    }
}

/// How far below float the integers are at the length where it is worst, 0 to 1.
pub fn largest_gap(float: &Tracked, integer: &Tracked) -> f64 {
    let gaps = float.accuracy.iter().zip(&integer.accuracy).map(|(f, i)| (f - i).abs());
    gaps.fold(0.0, f64::max)
}
