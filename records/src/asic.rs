//! Area and timing of one configuration in one cell library; `docs/asic.md` explains each figure.

use crate::shared::Corner;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The `schema_version` of [`AsicRecord`] and of [`crate::power::PowerRecord`]; it rises when a field changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// Area and timing of one configuration in one library.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AsicRecord {
    pub schema_version: u32,
    pub config: String,
    /// Name of the top module.
    pub top: String,
    /// File names of the libraries.
    pub libraries: Vec<String>,
    pub corner: Corner,
    /// The clock that mapping aimed at and that timing was checked against.
    pub clock_mhz: f64,
    pub area: Area,
    /// Areas by RTL instance, outermost first; each includes what is inside it.
    pub blocks: Vec<Block>,
    /// Areas by RTL module.
    pub modules: Vec<ModuleArea>,
    /// Library cells used, by name.
    pub cells: BTreeMap<String, CellCount>,
    pub memories: Vec<Ram>,
    pub memory_model: MemoryModel,
    pub timing: Timing,
    /// Versions of the tools.
    pub tools: BTreeMap<String, String>,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
    pub command: String,
    pub date: String,
    pub git_revision: Option<String>,
}

/// Square micrometres of cells and macros; wiring, clock and reset trees and a utilisation factor are not included.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Area {
    pub total_um2: f64,
    pub logic_um2: f64,
    pub memory_um2: f64,
    /// The share of `logic_um2` that flip-flops take.
    pub sequential_um2: f64,
    /// `logic_um2` over the area of the smallest two-input NAND.
    pub gate_equivalents: f64,
    pub nand2_um2: f64,
    pub n_cells: usize,
    pub n_flip_flops: usize,
    pub memory_bits: usize,
}

/// One instance of the RTL hierarchy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    /// Instance names without `u_`, such as `core.mat.group_0`; the outermost one is `top`.
    pub path: String,
    pub module: String,
    pub depth: usize,
    pub logic_um2: f64,
    pub memory_um2: f64,
    pub n_cells: usize,
}

/// One RTL module: its own cells, without those of the modules inside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModuleArea {
    pub module: String,
    pub instances: usize,
    pub own_um2: f64,
    pub own_cells: usize,
    pub flip_flops: usize,
}

/// How often a library cell is used, and the area of all its instances.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct CellCount {
    pub count: usize,
    pub um2: f64,
}

/// One kind of memory that was cut out of the netlist.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ram {
    pub module: String,
    pub bits: usize,
    pub words: usize,
    pub instances: usize,
    /// Area of one instance.
    pub area_um2: f64,
    /// Leakage of one instance.
    pub leakage_w: f64,
    /// Joules of one read.
    pub read_j: f64,
    /// Joules of one write.
    pub write_j: f64,
    /// Name of the macro, or `bits`.
    pub built_of: String,
    /// Macros in one instance.
    pub macros: usize,
    /// Share of the bits of those macros that hold something, 0 to 1.
    pub capacity_used: f64,
}

/// What stands in for the memories.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MemoryModel {
    /// `macros` or `bits`.
    pub kind: String,
    /// The model in words.
    pub text: String,
    /// The assumptions of kind `bits`.
    pub parameters: Option<Bits>,
}

/// What a memory costs in a library without memory macros.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bits {
    pub um2_per_bit: f64,
    pub pj_per_bit: f64,
    pub nw_per_bit: f64,
    pub clk_to_q_ns: f64,
    pub setup_ns: f64,
}

/// Static timing from register to register, with an ideal clock and without wires.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timing {
    pub fmax_mhz: f64,
    /// Slack of the worst path against `clock_mhz`.
    pub slack_ns: f64,
    /// The worst paths with different ends, worst first.
    pub paths: Vec<Path>,
}

/// One path of static timing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Path {
    pub slack_ns: f64,
    /// The shortest period that this path allows.
    pub period_ns: f64,
    /// The register it starts from, such as `core.mat.control.tiles_q_reg_3`.
    pub start: String,
    pub start_module: String,
    pub end: String,
    pub end_module: String,
    pub setup_ns: f64,
    pub n_cells: usize,
    /// The stretches of the path by module, in order.
    pub stages: Vec<Stage>,
}

/// Cells of one module that follow each other on a path.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stage {
    pub module: String,
    pub instance: String,
    pub n_cells: usize,
    pub delay_ns: f64,
    /// Cells among them that only drive. Buffers and pairs of inverters are counted alike.
    pub buffers: usize,
}
