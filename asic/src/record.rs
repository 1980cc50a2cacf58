//! What a run of the flow leaves behind: plain data with the names that `docs/asic.md` explains. `reports` makes pages of it.

use crate::memory::Bits;
use crate::replay::ReplayRecord;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Raised when a field changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// Area and timing of one configuration in one library.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AsicRecord {
    pub schema_version: u32,
    pub config: String,
    pub top: String,
    /// File names of the libraries
    pub libraries: Vec<String>,
    pub corner: Corner,
    /// The clock that mapping aimed at and timing was asked about
    pub clock_mhz: f64,
    pub area: Area,
    /// By RTL instance, outermost first; areas include what is inside
    pub blocks: Vec<Block>,
    /// By RTL module
    pub modules: Vec<ModuleArea>,
    /// Library cells used, by name
    pub cells: BTreeMap<String, CellCount>,
    pub memories: Vec<Ram>,
    pub memory_model: MemoryModel,
    pub timing: Timing,
    pub tools: BTreeMap<String, String>,
    pub notes: Vec<String>,
    pub command: String,
    pub date: String,
    pub git_revision: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Corner {
    pub library: String,
    pub operating_conditions: Option<String>,
    pub process: f64,
    pub voltage_v: f64,
    pub temperature_c: f64,
}

impl Corner {
    pub fn of(c: &power::liberty::Corner) -> Corner {
        Corner {
            library: c.library.clone(),
            operating_conditions: c.operating_conditions.clone(),
            process: c.process,
            voltage_v: c.voltage_v,
            temperature_c: c.temperature_c,
        }
    }
}

/// Square micrometres of cells and macros; no wiring, no clock or reset tree, no utilisation factor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Area {
    pub total_um2: f64,
    pub logic_um2: f64,
    pub memory_um2: f64,
    /// Of the logic: flip-flops
    pub sequential_um2: f64,
    /// Logic over the area of the smallest two-input NAND
    pub gate_equivalents: f64,
    pub nand2_um2: f64,
    pub n_cells: usize,
    pub n_flip_flops: usize,
    pub memory_bits: usize,
}

/// One instance of the RTL hierarchy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    /// `core.mat.group_0`: instance names without `u_`; the top is `top`
    pub path: String,
    pub module: String,
    pub depth: usize,
    pub logic_um2: f64,
    pub memory_um2: f64,
    pub n_cells: usize,
}

/// One RTL module: its own cells, without those of the modules in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModuleArea {
    pub module: String,
    pub instances: usize,
    pub own_um2: f64,
    pub own_cells: usize,
    pub flip_flops: usize,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct CellCount {
    pub count: usize,
    pub um2: f64,
}

/// One kind of memory that was cut out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ram {
    pub module: String,
    pub bits: usize,
    pub words: usize,
    pub instances: usize,
    /// Of one instance
    pub area_um2: f64,
    pub leakage_w: f64,
    /// Joules of one read, of one write
    pub read_j: f64,
    pub write_j: f64,
    /// Name of the macro, or `bits`
    pub built_of: String,
    /// Macros in one instance
    pub macros: usize,
    /// Share of the bits of those macros that hold something
    pub capacity_used: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemoryModel {
    /// `macros` or `bits`
    pub kind: String,
    pub text: String,
    pub parameters: Option<Bits>,
}

/// Static timing, register to register, with an ideal clock and no wires.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timing {
    pub fmax_mhz: f64,
    /// Of the worst path, against `clock_mhz`
    pub slack_ns: f64,
    /// The worst paths with different ends, worst first
    pub paths: Vec<Path>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Path {
    pub slack_ns: f64,
    /// Least period this path would allow
    pub period_ns: f64,
    /// `core.mat.control.tiles_q_reg_3`
    pub start: String,
    pub start_module: String,
    pub end: String,
    pub end_module: String,
    pub setup_ns: f64,
    pub n_cells: usize,
    /// The stretches of the path by module, in order
    pub stages: Vec<Stage>,
}

/// Cells of one module in a row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stage {
    pub module: String,
    pub instance: String,
    pub n_cells: usize,
    pub delay_ns: f64,
    /// Of these, cells that only drive: buffers and inverters in pairs are not told apart
    pub buffers: usize,
}

/// Power of the mapped netlist while it ran whole tokens, and what a token costs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PowerRecord {
    pub schema_version: u32,
    pub config: String,
    pub model: String,
    pub n_params: u64,
    pub libraries: Vec<String>,
    pub corner: Corner,
    pub clock_mhz: f64,
    /// What activity and wires are, in words that begin with L1, L2 or L3
    pub level: String,
    /// Share of the nets whose toggles were counted, 0 … 1
    pub annotated: f64,
    pub n_nets: usize,
    pub n_instances: usize,
    pub watts: PowerTotals,
    pub groups: PowerGroups,
    /// By RTL instance, outermost first; watts include what is inside
    pub blocks: Vec<BlockPower>,
    pub memories: Vec<MemoryPower>,
    pub memory_model: MemoryModel,
    /// Tokens whose toggles were counted
    pub tokens: usize,
    /// Tokens run before, not counted: the state of an empty chip is all zeros, and zeros toggle little
    #[serde(default)]
    pub warm_up: usize,
    /// Where the tokens are from
    #[serde(default)]
    pub sample: String,
    pub cycles_per_token: f64,
    pub seconds_per_token: f64,
    /// The chip alone
    pub j_per_token: f64,
    pub pj_per_parameter: f64,
    pub external: External,
    /// The netlist against the RTL, in the simulator that counted
    pub replay: ReplayRecord,
    /// The same in Verilator, if it was asked for
    pub replay_verilator: Option<ReplayRecord>,
    /// Values of the RTL's run that were compared with the golden model on the way
    pub values_compared_with_golden: u64,
    pub tools: BTreeMap<String, String>,
    pub notes: Vec<String>,
    pub command: String,
    pub date: String,
    pub git_revision: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PowerTotals {
    pub sequential: f64,
    pub combinational: f64,
    pub clock: f64,
    #[serde(rename = "macro")]
    pub macros: f64,
    pub total: f64,
}

impl From<power::report::Totals> for PowerTotals {
    fn from(t: power::report::Totals) -> PowerTotals {
        PowerTotals {
            sequential: t.sequential,
            combinational: t.combinational,
            clock: t.clock,
            macros: t.macros,
            total: t.total,
        }
    }
}

/// Watts by cause, of each group of cells.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PowerGroups {
    pub sequential: Causes,
    pub combinational: Causes,
    pub clock: Causes,
    #[serde(rename = "macro")]
    pub macros: Causes,
    pub total: Causes,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Causes {
    pub internal: f64,
    pub switching: f64,
    pub leakage: f64,
    pub total: f64,
}

impl From<power::watts::Watts> for Causes {
    fn from(w: power::watts::Watts) -> Causes {
        Causes { internal: w.internal, switching: w.switching, leakage: w.leakage, total: w.total }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BlockPower {
    pub path: String,
    pub depth: usize,
    pub logic_w: f64,
    pub memory_w: f64,
    pub total_w: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemoryPower {
    pub path: String,
    pub module: String,
    pub watts: f64,
    pub leakage_w: f64,
    pub j_per_token: f64,
}

/// The memory the weights come from: not simulated, a range from literature.
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
