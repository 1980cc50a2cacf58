//! The numbers that follow from a record: what `anser report latency --json` prints.

use crate::family::Family;
use crate::spans::{self, Gap, Piece};
use crate::ReportError;
use records::latency::{LatencyRecord, OpSpan, Unit, SCHEMA_VERSION};
use records::summary::{LatencySummary, LayerSummary, OpSummary, Share, ShareKind, Stall, UnitSummary};
use std::collections::BTreeMap;

/// Derives the summary of `record`.
///
/// # Errors
/// A record that fails [`LatencyRecord::check`].
pub fn summary(record: &LatencyRecord) -> Result<LatencySummary, ReportError> {
    record.check()?;
    let cycles = record.cycles_per_token;
    let share = |part: u64| part as f64 / cycles as f64;
    let bus_capacity = cycles as f64 * f64::from(record.bus_bytes);
    let seconds = cycles as f64 / (record.clock_mhz * 1e6);
    let gaps = spans::mat_gaps(record);
    let pieces = spans::partition(record, &gaps);
    let of_unit = |unit| record.ops.iter().filter(move |op| op.unit == unit);
    Ok(LatencySummary {
        schema_version: SCHEMA_VERSION,
        model: record.model.clone(),
        config: record.config.clone(),
        cycles_per_token: cycles,
        utilisation: record.weight_bytes_per_token as f64 / bus_capacity,
        stream_utilisation: record.stream_bytes_per_token as f64 / bus_capacity,
        clock_mhz: record.clock_mhz,
        sessions: record.sessions,
        tokens_per_s: f64::from(record.sessions) * record.clock_mhz * 1e6 / cycles as f64,
        us_per_token: seconds * 1e6,
        useful_gbytes_per_s: record.weight_bytes_per_token as f64 / seconds / 1e9,
        floor_cycles: record.stream_bytes_per_token.div_ceil(u64::from(record.bus_bytes)),
        weight_bytes_per_token: record.weight_bytes_per_token,
        stream_bytes_per_token: record.stream_bytes_per_token,
        skipped_columns: record.skipped_columns,
        skipped_bytes: record.skipped_bytes,
        tokens_measured: record.tokens_measured,
        cycles_min: record.cycles_all_tokens.iter().copied().min().unwrap_or(cycles),
        cycles_max: record.cycles_all_tokens.iter().copied().max().unwrap_or(cycles),
        exposed_cycles: gaps.iter().map(Gap::cycles).sum(),
        hand_over_cycles: gaps.iter().filter(|g| g.waits_for.is_none()).map(Gap::cycles).sum(),
        units: Unit::ALL
            .map(|unit| {
                let busy_cycles = spans::busy(of_unit(unit));
                UnitSummary { unit, n_ops: of_unit(unit).count(), busy_cycles, busy_share: share(busy_cycles) }
            })
            .into(),
        shares: shares(record, &pieces),
        ops: op_summaries(record, &gaps, &pieces),
        layers: layer_summaries(record, &gaps, &pieces),
        stalls: stalls(record),
        port: port(record),
        values_checked: record.values_checked,
        mismatches: record.mismatches,
    })
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
            family: of.map(|f| f.label().to_string()),
            cycles,
            share: cycles as f64 / record.cycles_per_token as f64,
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
    let all = record.port.map_or(vec![], |p| p.by_name().to_vec());
    all.into_iter()
        .map(|(cause, cycles)| Stall {
            cause: cause.to_string(),
            cycles,
            share: cycles as f64 / record.cycles_per_token as f64,
        })
        .collect()
}

fn stalls(record: &LatencyRecord) -> Vec<Stall> {
    record
        .counters
        .by_name()
        .map(|(cause, cycles)| Stall {
            cause: cause.to_string(),
            cycles,
            share: cycles as f64 / record.cycles_per_token as f64,
        })
        .into()
}
