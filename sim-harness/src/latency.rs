//! One token on the chip, cycle by cycle: runs a few tokens and makes the record of `anser report latency`.

use crate::chip::{Chip, ChipError, PassRun};
use crate::session::TokenOptions;
use golden_model::quantise::calibrate::random_tokens;
use records::latency::{DramModel, LatencyRecord, MemoryModel, OpSpan, PortCycles, Unit, SCHEMA_VERSION};
use records::shared::{Origin, Saturations};
use rtl_gen::isa::MAT;
use rtl_gen::registers::LOST;

/// Tokens that are run. The record shows the last one; the others show that each costs the same.
pub const TOKENS: usize = 4;

/// Runs [`TOKENS`] pseudo-random tokens in every slot of `chip` and makes the record of the last pass. `model` is the model's name,
/// `done` is called after each pass.
///
/// What differed from the golden model is in the record and in `chip.totals`.
///
/// # Errors
/// A chip that does not answer.
pub fn measure(chip: &mut Chip, model: &str, origin: Origin, done: impl Fn()) -> Result<LatencyRecord, ChipError> {
    let vocab_size = chip.golden().shape.vocab_size;
    let mut pass = |token: u32| {
        let slots = 0..chip.config.sessions as u32;
        let tokens: Vec<_> = slots.map(|slot| Some((token + slot) % vocab_size as u32)).collect();
        let run = chip.pass(&tokens, TokenOptions { logits: false, timeline: true });
        done();
        run
    };
    let tokens = random_tokens(vocab_size, TOKENS);
    let (last, others) = tokens.split_last().unwrap_or((&0, &[]));
    for token in others {
        pass(*token)?;
    }
    let run = pass(*last)?;
    Ok(record(chip, model, &run, origin))
}

/// What a token did not read: useful bytes by mat instruction, columns, and their bytes in the stream.
struct Skipped {
    by_op: Vec<(usize, u64)>,
    columns: u64,
    stream_bytes: u64,
}

fn skipped(chip: &Chip, run: &PassRun) -> Skipped {
    let mut all = Skipped { by_op: vec![], columns: 0, stream_bytes: 0 };
    for c in &run.columns {
        let field = |name| MAT.get(&chip.program.code[1][c.op], name);
        let columns = chip.program.mat[c.op].skips.as_ref().map_or(0, |tap| tap.len as u64) - c.read;
        all.by_op.push((c.op, columns * field("rows")));
        all.columns += columns;
        all.stream_bytes += c.skipped * field("tiles").next_multiple_of(4) * 16;
    }
    all
}

/// The record of `run`, the last pass of `chip`, on which the model called `model` lies.
fn record(chip: &Chip, model: &str, run: &PassRun, origin: Origin) -> LatencyRecord {
    let last = &run.result;
    let skipped = skipped(chip, run);
    let not_read = |op: usize| skipped.by_op.iter().filter(|s| s.0 == op).map(|s| s.1).sum::<u64>();
    let useful_skipped: u64 = skipped.by_op.iter().map(|s| s.1).sum();
    let config = &chip.config;
    let c = &last.counters;
    let names = chip.names();
    let programs = [&[][..], &chip.program.mat, &chip.program.vec, &chip.program.wkv];
    // dma takes an instruction as soon as its addresses may go out; the data come in order, so an instruction's own begin after those
    // of the one before it
    let mut dma_end = 0;
    let spans = last.timeline.iter().map(|span| {
        let unit = Unit::ALL[span.unit];
        let mut start = span.start;
        if unit == Unit::Dma {
            start = start.max(dma_end);
            dma_end = span.end;
        }
        let op = names.0[span.unit].get(span.op);
        OpSpan {
            unit,
            index: span.op as u32,
            layer: op.filter(|_| unit != Unit::Dma).map(|o| o.layer as u32),
            name: op.map_or_else(String::new, |o| o.name.clone()),
            start_cycle: start.min(c.cycles),
            end_cycle: (span.end + 1).min(c.cycles),
            weight_bytes: programs[span.unit].get(span.op).map_or(0, |i| i.weight_bytes as u64)
                - if unit == Unit::Mat { not_read(span.op) } else { 0 },
        }
    });
    let stream_units = chip.program.moved_units(config.sessions);
    LatencyRecord {
        schema_version: SCHEMA_VERSION,
        model: model.into(),
        config: config.name.clone(),
        clock_mhz: f64::from(config.clock_mhz),
        shape: (&chip.golden().shape).into(),
        bus_bytes: config.beat_bytes() as u32,
        weight_bytes_per_token: chip.program.useful_bytes as u64 - useful_skipped,
        stream_bytes_per_token: stream_units as u64 * 64 - skipped.stream_bytes,
        skipped_columns: skipped.columns,
        skipped_bytes: skipped.stream_bytes,
        cycles_per_token: c.cycles,
        sessions: config.sessions as u32,
        tokens_measured: chip.totals.cycles.len() as u64,
        cycles_all_tokens: chip.totals.cycles.clone(),
        memory: MemoryModel {
            dram: chip.dram_stats().zip(config.memory.ddr4.as_ref()).map(|(stats, d)| DramModel {
                part: d.part.clone(),
                peak_bytes_per_cycle: f64::from(d.data_bits) / 8.0 * f64::from(d.mega_transfers)
                    / f64::from(config.clock_mhz),
                refresh_share: d.trfc_ns / d.trefi_ns,
                row_hit_share: stats.row_hits as f64 / (stats.reads + stats.writes).max(1) as f64,
            }),
            latency_cycles: config.memory.latency_cycles,
            bytes_per_cycle: config.memory.bytes_per_cycle,
            refresh_interval_cycles: config.memory.refresh_interval_cycles,
            refresh_cycles: config.memory.refresh_cycles,
        },
        counters: c.stalls.into(),
        port: Some(port_cycles(c)),
        saturations: Saturations { mat: c.sat_mat, vec: c.sat_vec, wkv: c.sat_wkv },
        ops: spans.collect(),
        values_checked: Some(chip.totals.outcome.values_checked),
        mismatches: Some(chip.totals.outcome.mismatches),
        command: origin.command,
        date: origin.date,
        git_revision: origin.git_revision,
    }
}

/// Beats first, then the cycles without one, in the order of the chip's registers.
fn port_cycles(c: &crate::session::Counters) -> PortCycles {
    let mut all = [c.weight_beats; LOST.len() + 1];
    all[1..].copy_from_slice(&c.lost);
    all.into()
}
