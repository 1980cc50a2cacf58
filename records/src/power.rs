//! Power: of any mapped netlist ([`NetlistPower`]), and of the chip's own netlist while it runs tokens ([`PowerRecord`]).

use crate::asic::MemoryModel;
use crate::shared::{Corner, Watts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Power of any mapped netlist from measured activity, as `anser report power --netlist` writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetlistPower {
    pub design: String,
    pub watts: Totals,
    /// Share of the nets whose activity was measured, 0 to 1.
    pub annotated: f64,
    pub groups: Groups,
    pub levels: Levels,
    /// Operating conditions of the first library.
    pub corner: Corner,
    /// Operating conditions of all libraries.
    pub libraries: Vec<Corner>,
    pub clocks: Vec<ClockPower>,
    /// Seconds of simulated time.
    pub simulated_s: f64,
    pub n_nets: usize,
    pub n_instances: usize,
    /// Share of the nets with extracted wires, 0 to 1; the other nets count as pins only.
    pub extracted: f64,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
}

/// Watts of each group of cells; `total` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    pub sequential: f64,
    pub combinational: f64,
    pub clock: f64,
    #[serde(rename = "macro")]
    pub macros: f64,
    pub pad: f64,
    pub total: f64,
}

/// Watts of each group of cells, split by cause.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Groups {
    pub sequential: Watts,
    pub combinational: Watts,
    pub clock: Watts,
    #[serde(rename = "macro")]
    pub macros: Watts,
    pub pad: Watts,
    pub total: Watts,
}

/// How many nets have an activity of each level.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Levels {
    /// Nets with an assumed activity of 0.1 transitions a clock period.
    #[serde(rename = "L1")]
    pub assumed: usize,
    /// Nets whose activity was carried through cells from nets that are known.
    #[serde(rename = "L2")]
    pub propagated: usize,
    /// Nets whose transitions were counted in the simulation.
    #[serde(rename = "L3")]
    pub measured: usize,
}

/// One clock of a netlist.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClockPower {
    pub name: String,
    /// The period of the constraints.
    pub period_ns: Option<f64>,
    /// The period that the transitions counted in the simulation show.
    pub measured_period_ns: Option<f64>,
    pub is_propagated: bool,
}

/// Power of the chip's mapped netlist while it ran whole tokens, and what a token costs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PowerRecord {
    /// [`crate::asic::SCHEMA_VERSION`].
    pub schema_version: u32,
    pub config: String,
    pub model: String,
    pub n_params: u64,
    pub libraries: Vec<String>,
    pub corner: Corner,
    pub clock_mhz: f64,
    /// What activity and wires are, in words that begin with L1, L2 or L3.
    pub level: String,
    /// Share of the nets whose toggles were counted, 0 to 1.
    pub annotated: f64,
    pub n_nets: usize,
    pub n_instances: usize,
    pub watts: ChipTotals,
    pub groups: ChipGroups,
    /// Watts by RTL instance, outermost first; each includes what is inside it.
    pub blocks: Vec<BlockPower>,
    pub memories: Vec<MemoryPower>,
    pub memory_model: MemoryModel,
    /// Tokens whose toggles were counted.
    pub tokens: usize,
    /// Tokens that ran before and were not counted: the state of an empty chip is all zeros, and zeros toggle little.
    #[serde(default)]
    pub warm_up: usize,
    /// Where the tokens come from.
    #[serde(default)]
    pub sample: String,
    pub cycles_per_token: f64,
    pub seconds_per_token: f64,
    /// Energy of the chip alone, without external memory.
    pub j_per_token: f64,
    pub pj_per_parameter: f64,
    pub external: External,
    /// The netlist against the RTL, in the simulator that counted.
    pub replay: ReplayRecord,
    /// The comparison in Verilator, if it was asked for.
    pub replay_verilator: Option<ReplayRecord>,
    /// Values of the RTL's run that were compared with the golden model on the way.
    pub values_compared_with_golden: u64,
    pub tools: BTreeMap<String, String>,
    pub notes: Vec<String>,
    pub command: String,
    pub date: String,
    pub git_revision: Option<String>,
}

/// Watts of each group of the chip's cells; the chip has no pads.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ChipTotals {
    pub sequential: f64,
    pub combinational: f64,
    pub clock: f64,
    #[serde(rename = "macro")]
    pub macros: f64,
    pub total: f64,
}

impl From<Totals> for ChipTotals {
    fn from(t: Totals) -> ChipTotals {
        let Totals { sequential, combinational, clock, macros, pad: _, total } = t;
        ChipTotals { sequential, combinational, clock, macros, total }
    }
}

/// Watts of each group of the chip's cells, split by cause.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ChipGroups {
    pub sequential: Watts,
    pub combinational: Watts,
    pub clock: Watts,
    #[serde(rename = "macro")]
    pub macros: Watts,
    pub total: Watts,
}

impl From<Groups> for ChipGroups {
    fn from(g: Groups) -> ChipGroups {
        let Groups { sequential, combinational, clock, macros, pad: _, total } = g;
        ChipGroups { sequential, combinational, clock, macros, total }
    }
}

/// Watts of one RTL instance and everything inside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BlockPower {
    pub path: String,
    pub depth: usize,
    pub logic_w: f64,
    pub memory_w: f64,
    pub total_w: f64,
}

/// Watts of one memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemoryPower {
    pub path: String,
    pub module: String,
    pub watts: f64,
    pub leakage_w: f64,
    pub j_per_token: f64,
}

/// Energy of the memory that the weights come from. It is not simulated: the range is from literature.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct External {
    pub bytes_per_token: u64,
    pub pj_per_bit: f64,
    pub pj_per_bit_low: f64,
    pub pj_per_bit_high: f64,
    pub j_per_token: f64,
    pub j_per_token_low: f64,
    pub j_per_token_high: f64,
    pub source: String,
}

/// A run of the netlist that is compared with the RTL's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReplayRecord {
    /// Tokens counted.
    pub tokens: usize,
    /// Tokens run before them.
    #[serde(default)]
    pub warm_up: usize,
    /// Cycles of the tokens counted.
    pub cycles: u64,
    pub values_compared: u64,
    pub mismatches: u64,
    /// The first few mismatches in words.
    pub first: Vec<String>,
    /// Wall-clock seconds of the simulation, without building it.
    pub seconds: f64,
}
