//! The numbers that follow from a latency record: what `anser report latency --json` prints.

use crate::latency::Unit;
use serde::{Deserialize, Serialize};

/// One token in numbers. Shares are fractions of `cycles_per_token`, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    pub schema_version: u32,
    pub model: String,
    pub config: String,
    pub cycles_per_token: u64,
    /// Useful bytes of weights and parameters over all bytes the bus could have carried: `weight_bytes_per_token /
    /// (cycles_per_token * bus_bytes)`.
    pub utilisation: f64,
    /// The share of beats that carry the stream, its padding counted as useful.
    pub stream_utilisation: f64,
    pub clock_mhz: f64,
    /// Texts that share each read of a weight; with more than one, `cycles_per_token` is a pass that makes a token of each.
    pub sessions: u32,
    /// Speed of all texts together: `sessions * clock_mhz * 1e6 / cycles_per_token`.
    pub tokens_per_s: f64,
    /// Time of the pass.
    pub us_per_token: f64,
    /// Useful bytes a second at the clock, in 10^9 bytes.
    pub useful_gbytes_per_s: f64,
    /// Cycles if a full beat came in every cycle and nothing ever waited: `stream_bytes_per_token / bus_bytes`, rounded up.
    pub floor_cycles: u64,
    pub weight_bytes_per_token: u64,
    pub stream_bytes_per_token: u64,
    /// Columns that were not read; no other figure counts them.
    pub skipped_columns: u64,
    /// Bytes of those columns.
    pub skipped_bytes: u64,
    pub tokens_measured: u64,
    /// Cycles of the fastest measured token.
    pub cycles_min: u64,
    /// Cycles of the slowest measured token.
    pub cycles_max: u64,
    /// Cycles in which no matrix instruction runs; the sum over `ops` of `exposed_cycles`, plus `hand_over_cycles`.
    pub exposed_cycles: u64,
    /// Exposed cycles of gaps in which no operation of `vec` or `wkv` ended: the next instruction was only being handed over.
    pub hand_over_cycles: u64,
    pub units: Vec<UnitSummary>,
    /// Every cycle of the token charged once; `cycles` add up to `cycles_per_token`. The largest comes first.
    pub shares: Vec<Share>,
    /// Operations by name, summed over layers: the most exposed first, then the busiest.
    pub ops: Vec<OpSummary>,
    /// Layers in order; `mat_cycles + exposed_cycles` add up to `cycles_per_token`.
    pub layers: Vec<LayerSummary>,
    /// The chip's stall counters. One cycle can count in several of them.
    pub stalls: Vec<Stall>,
    /// Beats and the causes of cycles without one; they add up to `cycles_per_token`. Empty if the record has none.
    pub port: Vec<Stall>,
    pub values_checked: Option<u64>,
    pub mismatches: Option<u64>,
}

/// One unit over the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitSummary {
    pub unit: Unit,
    pub n_ops: usize,
    /// Cycles in which at least one of its operations runs (union of spans).
    pub busy_cycles: u64,
    pub busy_share: f64,
}

/// Cycles of the token charged to one family of operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    pub kind: ShareKind,
    /// The family's name for people; absent for [`ShareKind::NothingRan`].
    pub family: Option<String>,
    pub cycles: u64,
    pub share: f64,
}

/// What the matrix unit did in the cycles of a [`Share`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareKind {
    /// A matrix operation of this family ran.
    Mat,
    /// No matrix operation ran; one of `vec` or `wkv` of this family did.
    Exposed,
    /// No operation of `mat`, `vec` or `wkv` ran.
    NothingRan,
}

/// All operations of one unit and name, summed over layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpSummary {
    pub unit: Unit,
    pub name: String,
    pub n_ops: usize,
    /// Cycles in which at least one of them runs (union of spans).
    pub busy_cycles: u64,
    /// Cycles in which no matrix instruction ran and the next one waited for this operation: every gap of the matrix unit
    /// counts as a whole for the operation of `vec` or `wkv` that ends last in it.
    pub exposed_cycles: u64,
    /// Cycles in which no matrix instruction ran while this operation did: the same gaps, charged to the chain of operations
    /// in them instead of to the last one.
    pub ran_exposed_cycles: u64,
    pub weight_bytes: u64,
}

/// One layer, the head, or what belongs to none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerSummary {
    pub layer: Option<u32>,
    pub name: String,
    /// Cycles charged to its matrix instructions.
    pub mat_cycles: u64,
    /// Gaps of the matrix unit that end with one of its matrix instructions; the last gap of the token belongs to the
    /// layer of the last matrix instruction.
    pub exposed_cycles: u64,
    pub vec_busy_cycles: u64,
    pub wkv_busy_cycles: u64,
}

/// One counter of the chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stall {
    pub cause: String,
    pub cycles: u64,
    pub share: f64,
}
