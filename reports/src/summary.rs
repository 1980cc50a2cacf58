//! The numbers that follow from a record: what `anser report latency --json` prints.

use crate::family::Family;
use crate::record::{LatencyRecord, OpSpan, Unit, SCHEMA_VERSION};
use crate::spans::{self, Gap, Piece};
use crate::ReportError;
use serde::Serialize;
use std::collections::BTreeMap;

/// One token in numbers. Shares are fractions of `cycles_per_token`, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LatencySummary {
    pub schema_version: u32,
    pub model: String,
    pub config: String,
    pub cycles_per_token: u64,
    /// Useful weight and parameter bytes over all bytes the bus could have carried: `weight_bytes_per_token /
    /// (cycles_per_token * bus_bytes)`.
    pub utilisation: f64,
    /// The same with the padding of the stream.
    pub stream_utilisation: f64,
    pub clock_mhz: f64,
    /// Texts that share each read of a weight; with more than one, `cycles_per_token` is a pass that makes a token of each.
    pub sessions: u32,
    /// `sessions * clock_mhz * 1e6 / cycles_per_token`: of all texts together.
    pub tokens_per_s: f64,
    /// Time of the pass.
    pub us_per_token: f64,
    /// Useful bytes a second at the clock, in 10^9 bytes.
    pub useful_gbytes_per_s: f64,
    /// Cycles if a full beat came in every cycle and nothing ever waited: `stream_bytes_per_token / bus_bytes`, rounded up.
    pub floor_cycles: u64,
    pub weight_bytes_per_token: u64,
    pub stream_bytes_per_token: u64,
    /// Not read, and in none of the figures above.
    pub skipped_columns: u64,
    pub skipped_bytes: u64,
    pub tokens_measured: u64,
    /// Fastest and slowest measured token.
    pub cycles_min: u64,
    pub cycles_max: u64,
    /// Cycles in which no matrix instruction runs; the sum over `ops` of `exposed_cycles`, plus `hand_over_cycles`.
    pub exposed_cycles: u64,
    /// Exposed cycles of gaps in which no vec or wkv op ended: the next instruction was only being handed over.
    pub hand_over_cycles: u64,
    pub units: Vec<UnitSummary>,
    /// Every cycle of the token charged once; `cycles` add up to `cycles_per_token`. Largest first.
    pub shares: Vec<Share>,
    /// Op names summed over layers, the most exposed first, then the busiest.
    pub ops: Vec<OpSummary>,
    /// In order; `mat_cycles + exposed_cycles` add up to `cycles_per_token`.
    pub layers: Vec<LayerSummary>,
    /// The chip's counters. One cycle can count in several of them.
    pub stalls: Vec<Stall>,
    /// Beats and the causes of cycles without one; they add up to `cycles_per_token`. Empty if the record does not say.
    pub port: Vec<Stall>,
    pub values_checked: Option<u64>,
    pub mismatches: Option<u64>,
}

/// One unit over the token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnitSummary {
    pub unit: Unit,
    pub n_ops: usize,
    /// Cycles in which at least one of its ops runs (union of spans).
    pub busy_cycles: u64,
    pub busy_share: f64,
}

/// Cycles of the token charged to one family.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    pub kind: ShareKind,
    /// Absent for [`ShareKind::NothingRan`].
    pub family: Option<&'static str>,
    pub cycles: u64,
    pub share: f64,
    #[serde(skip)]
    pub of: Option<Family>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareKind {
    /// A matrix op of this family ran.
    Mat,
    /// No matrix op ran; a vec or wkv op of this family did.
    Exposed,
    /// No matrix, vec or wkv op ran.
    NothingRan,
}

/// All ops of one unit and name, summed over layers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpSummary {
    pub unit: Unit,
    pub name: String,
    pub n_ops: usize,
    /// Cycles in which at least one of them runs (union of spans).
    pub busy_cycles: u64,
    /// Cycles in which no matrix instruction ran and the next one waited for this op: every gap of the matrix unit counts as
    /// a whole for the vec or wkv op that ends last in it ([`Gap::waits_for`]).
    pub exposed_cycles: u64,
    /// Cycles in which no matrix instruction ran while this op did: the same gaps, charged to the chain of ops in them
    /// instead of to its last one ([`spans::partition`]).
    pub ran_exposed_cycles: u64,
    pub weight_bytes: u64,
}

/// One layer, the head, or what belongs to none.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stall {
    pub cause: &'static str,
    pub cycles: u64,
    pub share: f64,
}

impl LatencySummary {
    pub fn to_json(&self) -> Result<String, ReportError> {
        serde_json::to_string_pretty(self).map_err(|source| ReportError::Print { what: "the summary", source })
    }
}

impl LatencyRecord {
    /// Derives the summary.
    ///
    /// # Errors
    /// A record that fails [`LatencyRecord::check`].
    pub fn summary(&self) -> Result<LatencySummary, ReportError> {
        self.check()?;
        let cycles = self.cycles_per_token;
        let share = |part: u64| part as f64 / cycles as f64;
        let bus_capacity = cycles as f64 * f64::from(self.bus_bytes);
        let seconds = cycles as f64 / (self.clock_mhz * 1e6);
        let gaps = spans::mat_gaps(self);
        let pieces = spans::partition(self, &gaps);
        let of_unit = |unit| self.ops.iter().filter(move |op| op.unit == unit);
        Ok(LatencySummary {
            schema_version: SCHEMA_VERSION,
            model: self.model.clone(),
            config: self.config.clone(),
            cycles_per_token: cycles,
            utilisation: self.weight_bytes_per_token as f64 / bus_capacity,
            stream_utilisation: self.stream_bytes_per_token as f64 / bus_capacity,
            clock_mhz: self.clock_mhz,
            sessions: self.sessions,
            tokens_per_s: f64::from(self.sessions) * self.clock_mhz * 1e6 / cycles as f64,
            us_per_token: seconds * 1e6,
            useful_gbytes_per_s: self.weight_bytes_per_token as f64 / seconds / 1e9,
            floor_cycles: self.stream_bytes_per_token.div_ceil(u64::from(self.bus_bytes)),
            weight_bytes_per_token: self.weight_bytes_per_token,
            stream_bytes_per_token: self.stream_bytes_per_token,
            skipped_columns: self.skipped_columns,
            skipped_bytes: self.skipped_bytes,
            tokens_measured: self.tokens_measured,
            cycles_min: self.cycles_all_tokens.iter().copied().min().unwrap_or(cycles),
            cycles_max: self.cycles_all_tokens.iter().copied().max().unwrap_or(cycles),
            exposed_cycles: gaps.iter().map(Gap::cycles).sum(),
            hand_over_cycles: gaps.iter().filter(|g| g.waits_for.is_none()).map(Gap::cycles).sum(),
            units: Unit::ALL
                .map(|unit| {
                    let busy_cycles = spans::busy(of_unit(unit));
                    UnitSummary { unit, n_ops: of_unit(unit).count(), busy_cycles, busy_share: share(busy_cycles) }
                })
                .into(),
            shares: shares(self, &pieces),
            ops: op_summaries(self, &gaps, &pieces),
            layers: layer_summaries(self, &gaps, &pieces),
            stalls: stalls(self),
            port: port(self),
            values_checked: self.values_checked,
            mismatches: self.mismatches,
        })
    }
}

fn shares(record: &LatencyRecord, pieces: &[Piece]) -> Vec<Share> {
    let mut cycles: BTreeMap<(ShareKind, Option<Family>), u64> = BTreeMap::new();
    for piece in pieces {
        let family = piece.op.map(|i| Family::of(&record.ops[i]));
        let kind = match (family, piece.exposed) {
            (None, _) => ShareKind::NothingRan,
            (_, true) => ShareKind::Exposed,
            (_, false) => ShareKind::Mat,
        };
        *cycles.entry((kind, family)).or_default() += piece.cycles();
    }
    let mut shares: Vec<Share> = cycles
        .into_iter()
        .map(|((kind, of), cycles)| Share {
            kind,
            family: of.map(Family::label),
            cycles,
            share: cycles as f64 / record.cycles_per_token as f64,
            of,
        })
        .collect();
    shares.sort_by_key(|s| std::cmp::Reverse(s.cycles)); // stable: equal ones stay in family order
    shares
}

fn op_summaries(record: &LatencyRecord, gaps: &[Gap], pieces: &[Piece]) -> Vec<OpSummary> {
    let mut groups: BTreeMap<(Unit, &str), Vec<&OpSpan>> = BTreeMap::new();
    for op in &record.ops {
        groups.entry((op.unit, &op.name)).or_default().push(op);
    }
    let key = |i: usize| (record.ops[i].unit, record.ops[i].name.as_str());
    let mut exposed: BTreeMap<(Unit, &str), u64> = BTreeMap::new();
    for gap in gaps {
        if let Some(i) = gap.waits_for {
            *exposed.entry(key(i)).or_default() += gap.cycles();
        }
    }
    let mut ran: BTreeMap<(Unit, &str), u64> = BTreeMap::new();
    for piece in pieces.iter().filter(|p| p.exposed) {
        if let Some(i) = piece.op {
            *ran.entry(key(i)).or_default() += piece.cycles();
        }
    }
    let mut ops: Vec<OpSummary> = groups
        .into_iter()
        .map(|(key, spans)| OpSummary {
            unit: key.0,
            name: key.1.to_string(),
            n_ops: spans.len(),
            busy_cycles: spans::busy(spans.iter().copied()),
            exposed_cycles: exposed.get(&key).copied().unwrap_or(0),
            ran_exposed_cycles: ran.get(&key).copied().unwrap_or(0),
            weight_bytes: spans.iter().map(|op| op.weight_bytes).sum(),
        })
        .collect();
    ops.sort_by_key(|op| std::cmp::Reverse((op.exposed_cycles, op.busy_cycles)));
    ops
}

fn layer_summaries(record: &LatencyRecord, gaps: &[Gap], pieces: &[Piece]) -> Vec<LayerSummary> {
    // None sorts first; what belongs to no layer is shown last
    let order = |layer: Option<u32>| layer.unwrap_or(u32::MAX);
    let mut mat: BTreeMap<u32, u64> = BTreeMap::new();
    let mut exposed: BTreeMap<u32, u64> = BTreeMap::new();
    let mut last_layer = None;
    for piece in pieces.iter().filter(|p| !p.exposed) {
        if let Some(i) = piece.op {
            last_layer = record.ops[i].layer;
            *mat.entry(order(last_layer)).or_default() += piece.cycles();
        }
    }
    for gap in gaps {
        let layer = gap.next_mat.map_or(last_layer, |i| record.ops[i].layer);
        *exposed.entry(order(layer)).or_default() += gap.cycles();
    }
    let mut layers: Vec<Option<u32>> = record.ops.iter().filter(|op| op.unit != Unit::Dma).map(|op| op.layer).collect();
    if exposed.contains_key(&u32::MAX) {
        layers.push(None); // a token without any matrix instruction
    }
    layers.sort_by_key(|l| order(*l));
    layers.dedup();
    layers
        .into_iter()
        .map(|layer| {
            let busy = |unit| spans::busy(record.ops.iter().filter(|op| op.unit == unit && op.layer == layer));
            LayerSummary {
                layer,
                name: record.layer_name(layer),
                mat_cycles: mat.get(&order(layer)).copied().unwrap_or(0),
                exposed_cycles: exposed.get(&order(layer)).copied().unwrap_or(0),
                vec_busy_cycles: busy(Unit::Vec),
                wkv_busy_cycles: busy(Unit::Wkv),
            }
        })
        .collect()
}

fn port(record: &LatencyRecord) -> Vec<Stall> {
    let all = record.port.map_or(vec![], |p| p.by_cause().to_vec());
    all.into_iter()
        .map(|(cause, cycles)| Stall { cause, cycles, share: cycles as f64 / record.cycles_per_token as f64 })
        .collect()
}

fn stalls(record: &LatencyRecord) -> Vec<Stall> {
    let c = &record.counters;
    [
        ("mat_waits_for_operand", c.mat_waits_for_operand),
        ("mat_waits_for_weights", c.mat_waits_for_weights),
        ("mat_waits_for_drain", c.mat_waits_for_drain),
        ("vec_busy", c.vec_busy),
        ("wkv_busy", c.wkv_busy),
        ("memory_idle", c.memory_idle),
        ("read_data_refused", c.read_data_refused),
    ]
    .map(|(cause, cycles)| Stall { cause, cycles, share: cycles as f64 / record.cycles_per_token as f64 })
    .into()
}
