//! Records of FPGA work: a build for a board, the board in simulation, and what a larger part would need.

use crate::{input, RecordError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The only `schema_version` these records have.
pub const SCHEMA_VERSION: u32 = 1;

/// One kind of resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// The vendor's name.
    pub name: String,
    /// What it is, for people.
    pub what: String,
    /// Halves of a block count 0.5.
    pub used: f64,
    pub available: f64,
}

impl Resource {
    /// Used over available.
    pub fn share(&self) -> f64 {
        self.used / self.available.max(1.0)
    }
}

/// A part of the design and the cells it has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Instance path, or the module's name.
    pub name: String,
    pub luts: u64,
    pub ffs: u64,
    pub dsps: u64,
    pub brams: f64,
    #[serde(default)]
    pub urams: u64,
}

/// One step of the slowest path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PathStep {
    pub block: String,
    pub cell: String,
    /// clk-to-q, logic, routing, setup.
    pub kind: String,
    pub delay_ns: f64,
}

/// A placed and routed design.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FpgaBuildRecord {
    pub schema_version: u32,
    pub board: String,
    pub device: String,
    pub config: String,
    /// The clock the bitstream runs at.
    pub clock_mhz: f64,
    /// What place and route says the slowest path allows.
    pub fmax_mhz: f64,
    /// Whether the design is as fast as its clock: `fmax_mhz` ≥ `clock_mhz`.
    pub meets_clock: bool,
    /// Whether every resource suffices; place and route fails otherwise, so a record says true.
    pub fits: bool,
    pub utilisation: Vec<Resource>,
    /// Cells after synthesis by the names flattening leaves them, largest first.
    pub blocks: Vec<Block>,
    pub critical_path: Vec<PathStep>,
    pub bitstream: String,
    pub bitstream_bytes: u64,
    pub seed: u32,
    pub tools: BTreeMap<String, String>,
    /// Seconds a step took; 0 for one whose inputs had not changed.
    pub seconds: BTreeMap<String, f64>,
    pub command: String,
    pub date: String,
    #[serde(default)]
    pub git_revision: Option<String>,
}

/// What a larger part would need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FpgaEstimateRecord {
    pub schema_version: u32,
    pub part: String,
    pub part_title: String,
    /// Where the part's numbers are from.
    pub part_source: String,
    pub config: String,
    pub resources: Vec<Resource>,
    /// Whether every resource suffices.
    pub fits: bool,
    /// The fullest resource and its share: what is left is the room.
    pub fullest: String,
    pub fullest_share: f64,
    pub units: Vec<Block>,
    pub yosys: String,
    pub command: String,
    pub date: String,
    #[serde(default)]
    pub git_revision: Option<String>,
}

/// The board in simulation, with the model of its memory chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FpgaSimulationRecord {
    pub schema_version: u32,
    pub board: String,
    pub config: String,
    pub model: String,
    pub prompt: String,
    pub text: String,
    pub tokens: Vec<u32>,
    /// Whether the text is what the golden model says.
    pub golden_equal: bool,
    pub clock_mhz: f64,
    /// The chip's cycles of the last token, with the board's memory.
    pub cycles_per_token: u64,
    pub tokens_per_s: f64,
    /// Bytes the chip read in that token over its cycles.
    pub memory_bytes_per_cycle: f64,
    pub memory_mb_per_s: f64,
    /// Bytes a cycle the memory's data pins can give, and the chip's bus could take.
    pub memory_pins_bytes_per_cycle: f64,
    pub bus_bytes_per_cycle: f64,
    /// Largest distance of two refreshes, microseconds.
    pub refresh_gap_us: f64,
    pub sdram_reads: u64,
    pub sdram_activates: u64,
    pub simulated_cycles: u64,
    pub seconds: f64,
    /// The image too came over the serial line, not only programs and text.
    pub loaded_over_the_line: bool,
    pub command: String,
    pub date: String,
    #[serde(default)]
    pub git_revision: Option<String>,
}

impl FpgaEstimateRecord {
    /// Fills `fits`, `fullest` and `fullest_share` from the resources.
    pub fn judge(&mut self) {
        self.fits = self.resources.iter().all(|r| r.used <= r.available);
        if let Some(r) = self.resources.iter().max_by(|a, b| a.share().total_cmp(&b.share())) {
            (self.fullest, self.fullest_share) = (r.name.clone(), r.share());
        }
    }
}

/// Reads a record that was written as JSON; another schema version is refused.
///
/// # Errors
/// Fails where [`crate::input::read`] does.
pub fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, RecordError> {
    input::read(path, SCHEMA_VERSION)
}

/// What `anser fpga run --json` prints: text from a real board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FpgaRunRecord {
    pub board: String,
    pub config: String,
    pub model: String,
    pub prompt: String,
    pub text: String,
    pub tokens: Vec<u32>,
    /// The chip's cycles of the last token.
    pub cycles_per_token: u32,
    /// Tokens after the prompt over the wall-clock seconds they took.
    pub tokens_per_s: f64,
    /// Frames of the link that were sent again.
    pub frames_repeated: u64,
}
