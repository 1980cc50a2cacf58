//! A sweep over configurations: what `anser explore` prints ([`Explored`]), and what its page is drawn from ([`ExploreRecord`]).

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A sweep over configurations for one model, as `anser explore --json` prints it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explored {
    pub model: String,
    pub n_layer: usize,
    pub n_embd: usize,
    pub head_size: usize,
    pub vocab_size: usize,
    pub dim_ffn: usize,
    pub n_params: u64,
    pub points: Vec<Point>,
    /// Combinations that cannot be built, each with its reason.
    pub left_out: Vec<String>,
    /// Wall-clock time of the sweep.
    pub milliseconds: f64,
}

/// One configuration with the model on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub config: String,
    pub bus_bits: usize,
    pub clock_mhz: u32,
    pub weights: Weights,
    pub state_bits: usize,
    /// Tokens of a pass over the weights; `cycles_per_token` are the cycles of the pass.
    pub sessions: usize,
    /// Name of the memory.
    pub memory: String,
    /// Byte lanes of the matrix unit.
    pub mac_lanes: usize,
    /// Lanes of the vector unit.
    pub vector_lanes: usize,
    #[serde(flatten)]
    pub cycles: Cycles,
    /// Speed of all sessions together.
    pub tokens_per_s: f64,
    /// Bytes read from memory, 10^9 a second.
    pub gbytes_per_s: f64,
    #[serde(flatten)]
    pub resources: Resources,
    /// No other point is at least as fast with at most as many multipliers and memory bits, and better in one of them.
    pub pareto: bool,
}

/// Number format of the large matrices; low-rank pairs have 16 bits, `ffn.value` has 8 and is stored by columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    W8,
    W4,
}

/// Where a token's cycles went, by calculation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cycles {
    pub cycles_per_token: u64,
    /// Cycles in which no matrix instruction took or could take beats because it waited for another unit.
    pub mat_waits_for_operand: u64,
    /// Cycles in which the lanes waited for beats.
    pub mat_waits_for_weights: u64,
    /// Cycles added because rows leave one a cycle.
    pub mat_waits_for_drain: u64,
    /// Beats of the stream.
    pub beats: u64,
    /// Useful bytes over cycles times bus bytes, 0 to 1.
    pub utilisation: f64,
}

/// What a configuration is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Bits in memories; ports and padding are not counted.
    pub memory_bits: u64,
    /// Memory bits by unit of the core (`state` is the recurrence's).
    pub memory_bits_by_unit: BTreeMap<String, u64>,
    /// Multiplications of the design, each written to fit one 27 × 18 multiplier of a DSP48E2 (a 19 × 19 and the drain's
    /// wider ones take two).
    pub multipliers: u64,
    pub multipliers_by_unit: BTreeMap<String, u64>,
}

/// The part of a sweep that its page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExploreRecord {
    pub model: String,
    pub command: String,
    pub points: Vec<DrawnPoint>,
    /// Why combinations were left out.
    pub left_out: Vec<String>,
}

impl ExploreRecord {
    /// What the page shows of `found`, which `command` made.
    pub fn of(found: &Explored, command: String) -> Self {
        Self {
            model: found.model.clone(),
            command,
            points: found.points.iter().map(DrawnPoint::from).collect(),
            left_out: found.left_out.clone(),
        }
    }
}

/// One configuration on the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawnPoint {
    pub name: String,
    /// Whether the weights have 4 bits; otherwise they have 8.
    pub w4: bool,
    pub tokens_per_s: f64,
    pub cycles_per_token: u64,
    /// Useful bytes over what the bus could carry, 0 to 1.
    pub utilisation: f64,
    pub gbytes_per_s: f64,
    pub multipliers: u64,
    pub memory_bits: u64,
    /// No other point is at least as good in speed, multipliers and memory, and better in one.
    pub pareto: bool,
}

impl From<&Point> for DrawnPoint {
    fn from(p: &Point) -> DrawnPoint {
        let sessions = if p.sessions == 1 { String::new() } else { format!(", {} sessions", p.sessions) };
        DrawnPoint {
            name: format!("{} bits, {} MHz, {:?}, {}{sessions}", p.bus_bits, p.clock_mhz, p.weights, p.memory),
            w4: p.weights == Weights::W4,
            tokens_per_s: p.tokens_per_s,
            cycles_per_token: p.cycles.cycles_per_token,
            utilisation: p.cycles.utilisation,
            gbytes_per_s: p.gbytes_per_s,
            multipliers: p.resources.multipliers,
            memory_bits: p.resources.memory_bits,
            pareto: p.pareto,
        }
    }
}
