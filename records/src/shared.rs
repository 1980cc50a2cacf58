//! What several records hold: the sizes of a network, clipped results, the corner of a library, watts by cause.

use serde::{Deserialize, Serialize};

/// Sizes of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    pub n_layer: u32,
    pub n_embd: u32,
    pub n_head: u32,
    pub head_size: u32,
    pub vocab_size: u32,
    /// Rows of `ffn.key`.
    pub dim_ffn: u32,
    pub n_params: u64,
}

/// Results that were clipped at an end of their format, by unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saturations {
    pub mat: u64,
    pub vec: u64,
    pub wkv: u64,
}

/// Operating conditions of a cell library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Corner {
    pub library: String,
    pub operating_conditions: Option<String>,
    pub process: f64,
    pub voltage_v: f64,
    pub temperature_c: f64,
}

impl Corner {
    /// Whether both are of the same process, voltage and temperature, whatever they are called.
    pub fn is_same_as(&self, other: &Corner) -> bool {
        let key = |c: &Corner| [c.process, c.voltage_v, c.temperature_c];
        key(self) == key(other)
    }
}

impl std::fmt::Display for Corner {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Corner { library, process, voltage_v, temperature_c, .. } = self;
        write!(f, "{library} (process {process}, {voltage_v} V, {temperature_c} °C)")
    }
}

/// Watts by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watts {
    /// Power inside cells, from the `internal_power` tables: short circuits and inner nodes.
    pub internal: f64,
    /// Power that charges nets: ½ C V² a transition.
    pub switching: f64,
    pub leakage: f64,
    /// The sum of the three above.
    pub total: f64,
}

impl Watts {
    /// Adds `other`, cause by cause.
    pub fn add(&mut self, other: &Watts) {
        self.internal += other.internal;
        self.switching += other.switching;
        self.leakage += other.leakage;
        self.total += other.total;
    }
}

/// Where a record comes from: the last three fields of every record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The command line that made the record.
    pub command: String,
    /// Time in UTC, RFC 3339.
    pub date: String,
    /// Revision of the sources, if they are in a git checkout.
    pub git_revision: Option<String>,
}
