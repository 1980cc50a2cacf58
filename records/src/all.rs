//! `all.json`: which figures a page holds, how fresh each is, and the few numbers to see first.

use crate::{input, RecordError};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The only `schema_version` of these records.
pub const SCHEMA_VERSION: u32 = 1;

/// What a run of `anser report all` leaves behind, beside the record of each step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllRecord {
    /// [`SCHEMA_VERSION`]; a reader refuses any other.
    pub schema_version: u32,
    pub model: String,
    pub config: String,
    /// Every step's record is there and was made from the present inputs; steps left out by choice do not count.
    pub complete: bool,
    pub steps: Vec<Step>,
    pub headline: Headline,
    pub command: String,
    /// RFC 3339 by convention.
    pub date: String,
    #[serde(default)]
    pub git_revision: Option<String>,
}

/// One step: a record, and how it came to be on the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Name of the step on the command line: `latency`, `asic`.
    pub name: String,
    /// The step's name for people.
    pub title: String,
    pub state: State,
    /// The record, beside the page; absent if there is none.
    #[serde(default)]
    pub file: Option<String>,
    /// The step's own page, beside this one.
    #[serde(default)]
    pub page: Option<String>,
    /// The command that makes the same record by itself.
    pub command: String,
    /// When the record was made.
    #[serde(default)]
    pub made: Option<String>,
    /// Wall time it took then.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// Hash of everything the record was made from.
    #[serde(default)]
    pub inputs: Option<String>,
    /// Why the step is stale or missing.
    #[serde(default)]
    pub why: Option<String>,
}

/// How fresh the record of a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Made by this run.
    Made,
    /// Made earlier from the same inputs.
    Unchanged,
    /// Made earlier from other inputs, or from inputs that cannot be looked at now.
    Stale,
    /// No record.
    Missing,
    /// No record, because nobody asked for one.
    LeftOut,
}

impl State {
    pub fn words(self) -> &'static str {
        match self {
            State::Made => "made now",
            State::Unchanged => "inputs unchanged",
            State::Stale => "stale",
            State::Missing => "missing",
            State::LeftOut => "not asked for",
        }
    }

    /// Whether a page with such a step is not what it should be.
    pub fn is_bad(self) -> bool {
        matches!(self, State::Stale | State::Missing)
    }
}

/// The numbers to see first; a step that is missing leaves its own empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Headline {
    /// The clock of cycles to seconds: the configuration's.
    pub clock_mhz: Option<f64>,
    pub cycles_per_token: Option<u64>,
    pub tokens_per_s: Option<f64>,
    /// Useful bytes over what the bus could carry, 0 to 1.
    pub utilisation: Option<f64>,
    /// What static timing before placement allows in the cell library.
    pub fmax_mhz: Option<f64>,
    /// Tokens a second at the slower of the two clocks.
    pub tokens_per_s_at_fmax: Option<f64>,
    /// Bits of text more than floating point needs, percent.
    pub loss_percent: Option<f64>,
    /// Its standard error.
    pub loss_percent_se: Option<f64>,
    pub top1_agreement: Option<f64>,
    pub logic_mm2: Option<f64>,
    pub memory_mm2: Option<f64>,
    /// The chip alone, while it works.
    pub watts: Option<f64>,
    pub j_per_token: Option<f64>,
    pub pj_per_parameter: Option<f64>,
    /// External memory, not in the three above.
    pub external_j_per_token: Option<f64>,
    /// Values that differed in any comparison of any step.
    pub mismatches: Option<u64>,
}

impl AllRecord {
    /// Reads a record.
    ///
    /// # Errors
    /// Fails where [`crate::input::read`] does.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        input::read(path, SCHEMA_VERSION)
    }

    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|s| s.name == name)
    }
}
