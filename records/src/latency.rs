//! The latency record: everything a run of the simulated chip leaves behind about time.
//!
//! Whoever runs the simulation fills one [`LatencyRecord`] and writes it as JSON. Units are in the field names; cycles are
//! rising edges of `clk_i`, counted from the cycle of the start pulse, which is cycle 0.

use crate::input;
use crate::shared::{Saturations, Shape};
use crate::RecordError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The only `schema_version` this crate writes and reads.
pub const SCHEMA_VERSION: u32 = 1;

/// Where the cycles of one token went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyRecord {
    /// [`SCHEMA_VERSION`]; a reader refuses any other.
    pub schema_version: u32,
    /// Name of the model, for people.
    pub model: String,
    /// Name of the configuration (`configs/<name>.toml`).
    pub config: String,
    /// Clock the cycles are converted with. An assumption of the configuration, not a result of timing analysis.
    pub clock_mhz: f64,
    pub shape: Shape,
    /// Bytes of one beat of the weight stream.
    pub bus_bytes: u32,
    /// Useful bytes of weights, scales and parameters one token reads; neither padding nor skipped columns.
    pub weight_bytes_per_token: u64,
    /// Bytes one token reads from memory, padding included, and those of a state in memory it writes; at least `weight_bytes_per_token`.
    pub stream_bytes_per_token: u64,
    /// Columns of `ffn.value` that met a zero and were not read, and their bytes in memory, padding included; in neither of the two
    /// above.
    #[serde(default)]
    pub skipped_columns: u64,
    #[serde(default)]
    pub skipped_bytes: u64,
    /// Cycles from start to done of the token `ops` and `counters` belong to.
    pub cycles_per_token: u64,
    /// Texts that share each read of a weight: tokens of one pass, and `cycles_per_token` is the pass.
    #[serde(default = "one")]
    pub sessions: u32,
    /// Tokens the run measured; with several sessions, passes.
    pub tokens_measured: u64,
    /// Cycles of each measured token, in order; `tokens_measured` entries.
    pub cycles_all_tokens: Vec<u64>,
    pub memory: MemoryModel,
    /// The chip's own counters for the token of `cycles_per_token`.
    pub counters: Counters,
    /// What the read port did in each cycle of that token; absent in records of chips without these counters.
    #[serde(default)]
    pub port: Option<PortCycles>,
    /// Clipped results in that token, by unit.
    pub saturations: Saturations,
    /// What each unit did when, in that token; any order.
    pub ops: Vec<OpSpan>,
    /// Values of this run that were compared with the golden model; absent if it compared none.
    #[serde(default)]
    pub values_checked: Option<u64>,
    /// Values that differed; absent if none were compared.
    #[serde(default)]
    pub mismatches: Option<u64>,
    /// The command line that made this record.
    pub command: String,
    /// When, as the program that made the record writes it (RFC 3339 by convention).
    pub date: String,
    /// Revision of the sources, if known.
    #[serde(default)]
    pub git_revision: Option<String>,
}

fn one() -> u32 {
    1
}

/// The simulated memory; it changes cycles, never values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryModel {
    /// What the simulated DRAM is and did; without it the memory was ideal, and the fields below describe it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dram: Option<DramModel>,
    /// Cycles from an accepted read address to its first beat.
    pub latency_cycles: u32,
    /// Bandwidth; the bus takes at most `bus_bytes` of it a cycle.
    pub bytes_per_cycle: f64,
    pub refresh_interval_cycles: u32,
    /// Cycles without data at each refresh; 0 for a memory without refresh.
    pub refresh_cycles: u32,
}

/// A simulated DRAM behind a controller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DramModel {
    /// The device.
    pub part: String,
    /// What its data bus could carry at most, in bytes a cycle of the chip.
    pub peak_bytes_per_cycle: f64,
    /// Share of the time that refreshes take, 0 to 1.
    pub refresh_share: f64,
    /// Share of the accesses of all measured tokens that found their row open, 0 to 1.
    pub row_hit_share: f64,
}

/// Declares a struct of cycle counts and the table of its fields: each name with what it counts, in the order of the chip's registers.
macro_rules! cycle_counts {
    ($(#[$meta:meta])* $name:ident, $table:ident { $($field:ident: $doc:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(#[doc = $doc] pub $field: u64,)*
        }

        /// The fields of the struct of the same name, each with what it counts.
        pub const $table: [(&str, &str); { [$(stringify!($field)),*].len() }] = [$((stringify!($field), $doc)),*];

        impl From<[u64; { [$(stringify!($field)),*].len() }]> for $name {
            fn from(counts: [u64; { [$(stringify!($field)),*].len() }]) -> Self {
                let [$($field),*] = counts;
                $name { $($field),* }
            }
        }

        impl $name {
            /// Each field with its name, in the order of the table.
            pub fn by_name(&self) -> [(&'static str, u64); { [$(stringify!($field)),*].len() }] {
                [$((stringify!($field), self.$field)),*]
            }
        }
    };
}

cycle_counts! {
    /// The chip's stall counters (`docs/hardware.md`, section 6), cycles of one token. They may overlap: one cycle can count in several.
    Counters, STALLS {
        mat_waits_for_operand: "mat is idle, and its next instruction waits for vec",
        mat_waits_for_weights: "mat waits for weights",
        mat_waits_for_drain: "mat waits for its drain",
        vec_busy: "vec is busy",
        wkv_busy: "wkv is busy",
        memory_idle: "no read request is outstanding",
        read_data_refused: "read data is refused, because a queue is full",
    }
}

cycle_counts! {
    /// Every cycle of a token by what the read port did (`docs/hardware.md`, section 6): a beat, or why there was none. They add up
    /// to `cycles_per_token`; co-simulation checks that in every token.
    PortCycles, PORT_CYCLES {
        beats: "a beat was received",
        lost_operand: "weights are refused, because mat waits for vec to write its operand",
        lost_drain: "weights are refused, because mat waits for its drain",
        lost_mat: "weights are refused, because mat changes instructions or takes less than a beat a cycle",
        lost_params: "parameters are refused, because vec has no use for them yet; with the state in memory also state, by wkv",
        lost_memory: "a beat was asked for, but memory offers none; with the state in memory also because it takes a written beat",
        lost_order: "no beat was asked for, because dma waits for vec",
        lost_start: "no beat was asked for yet, because addresses are made",
        lost_end: "no beat was asked for any more, because the last operations run",
    }
}

/// The four units that walk a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Dma,
    Mat,
    Vec,
    Wkv,
}

impl Unit {
    /// The units in the order of the host's program-select register, which is also the order of the lanes of a timeline.
    pub const ALL: [Unit; 4] = [Unit::Dma, Unit::Mat, Unit::Vec, Unit::Wkv];

    pub fn name(self) -> &'static str {
        match self {
            Unit::Dma => "dma",
            Unit::Mat => "mat",
            Unit::Vec => "vec",
            Unit::Wkv => "wkv",
        }
    }
}

/// One instruction of one unit, from the hand-over of the instruction to its last result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpSpan {
    pub unit: Unit,
    /// Index in the unit's program.
    pub index: u32,
    /// Layer it works for; `n_layer` for the head; absent if it serves no layer in particular.
    #[serde(default)]
    pub layer: Option<u32>,
    /// The tap it produces (`att.k`, `q.att.xk`) or what the pass is for (`max att.r`).
    pub name: String,
    /// First cycle, counted from the start pulse.
    pub start_cycle: u64,
    /// First cycle after it: the interval is half open, and ends at `cycles_per_token` at the latest.
    pub end_cycle: u64,
    /// Weight or parameter bytes it consumes, no padding; 0 if it consumes none.
    pub weight_bytes: u64,
}

impl LatencyRecord {
    /// Reads and checks a record.
    ///
    /// # Errors
    /// A file that cannot be read, is no JSON, has another `schema_version`, lacks a field or contradicts itself.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        let record: Self = input::read(path, SCHEMA_VERSION)?;
        record.check()?;
        Ok(record)
    }

    /// Parses and checks the text of a record; `origin` is only for messages.
    ///
    /// The version is looked at before anything else, so that a record of a later version is refused as such and not
    /// for the first field that changed.
    pub fn from_json(text: &str, origin: &str) -> Result<Self, RecordError> {
        let record: Self = input::parse(text, origin, SCHEMA_VERSION)?;
        record.check()?;
        Ok(record)
    }

    /// Checks that the fields agree with each other: what all arithmetic of this crate relies on.
    pub fn check(&self) -> Result<(), RecordError> {
        let fail = |field: &str, value: &dyn ToString, expected: &str| {
            Err(RecordError::Invalid {
                model: self.model.clone(),
                config: self.config.clone(),
                field: field.to_string(),
                value: value.to_string(),
                expected: expected.to_string(),
            })
        };
        if self.schema_version != SCHEMA_VERSION {
            return fail("schema_version", &self.schema_version, &SCHEMA_VERSION.to_string());
        }
        if !self.clock_mhz.is_finite() || self.clock_mhz <= 0.0 {
            return fail("clock_mhz", &self.clock_mhz, "a positive number");
        }
        if self.bus_bytes == 0 {
            return fail("bus_bytes", &self.bus_bytes, "at least 1");
        }
        if self.sessions == 0 {
            return fail("sessions", &self.sessions, "at least 1");
        }
        if self.cycles_per_token == 0 {
            return fail("cycles_per_token", &self.cycles_per_token, "at least 1");
        }
        if self.stream_bytes_per_token < self.weight_bytes_per_token {
            return fail("stream_bytes_per_token", &self.stream_bytes_per_token, "at least weight_bytes_per_token");
        }
        if self.cycles_all_tokens.len() as u64 != self.tokens_measured {
            return fail("tokens_measured", &self.tokens_measured, "the number of entries of cycles_all_tokens");
        }
        if !self.cycles_all_tokens.contains(&self.cycles_per_token) {
            return fail("cycles_per_token", &self.cycles_per_token, "one of cycles_all_tokens");
        }
        if let Some(port) = &self.port {
            let sum: u64 = port.by_name().iter().map(|(_, cycles)| cycles).sum();
            if sum != self.cycles_per_token {
                return fail(
                    "port",
                    &format!("a sum of {sum}"),
                    &format!("cycles_per_token, {}", self.cycles_per_token),
                );
            }
        }
        if self.memory.bytes_per_cycle.is_nan() || self.memory.bytes_per_cycle <= 0.0 {
            return fail("memory.bytes_per_cycle", &self.memory.bytes_per_cycle, "a positive number");
        }
        if self.mismatches.is_some() != self.values_checked.is_some() {
            return fail("mismatches", &format!("{:?}", self.mismatches), "present exactly if values_checked is");
        }
        for op in &self.ops {
            let what = || format!("ops: {} {} \"{}\"", op.unit.name(), op.index, op.name);
            if op.start_cycle > op.end_cycle || op.end_cycle > self.cycles_per_token {
                let expected = format!("start_cycle <= end_cycle <= {}", self.cycles_per_token);
                return fail(&what(), &format!("{}..{}", op.start_cycle, op.end_cycle), &expected);
            }
            if op.layer.is_some_and(|l| l > self.shape.n_layer) {
                let expected = format!("a layer from 0 to {} (the head) or none", self.shape.n_layer);
                return fail(&what(), &format!("{:?}", op.layer), &expected);
            }
        }
        Ok(())
    }

    /// Name of a layer for people: `layer 3`, `head`, `no layer`.
    pub fn layer_name(&self, layer: Option<u32>) -> String {
        match layer {
            Some(l) if l >= self.shape.n_layer => "head".to_string(),
            Some(l) => format!("layer {l}"),
            None => "no layer".to_string(),
        }
    }
}
