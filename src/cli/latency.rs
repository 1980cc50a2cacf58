//! `report latency`: one token on the chip, cycle by cycle.

use super::args::Latency;
use super::model::Model;
use super::print::{bar, check_folder, command_line, note, Out};
use super::{chip, Error, CHECK_FAILED};
use golden_model::quantise::calibrate::random_tokens;
use records::latency::{Counters, DramModel, LatencyRecord, MemoryModel, OpSpan, PortCycles, Unit, SCHEMA_VERSION};
use records::shared::{Saturations, Shape};
use rtl_gen::isa::MAT;
use sim_harness::chip::{Chip, PassRun};
use sim_harness::session::TokenOptions;
use std::process::ExitCode;

/// Tokens run; the last one is drawn, the others show that each costs the same.
const TOKENS: usize = 4;

pub fn latency(a: &Latency, out: &Out) -> Result<ExitCode, Error> {
    if let Some(folder) = &a.output {
        check_folder(folder)?;
    }
    let (record, failed) = measure(a, command_line().join(" "))?;
    let summary = reports::summary::summary(&record)?;
    if let Some(folder) = &a.output {
        let files = reports::output::write_latency_report(&record, folder)?;
        note(format_args!("report written to {}", files.page.display()));
    }
    out.result(&summary, || {
        format!(
            "{} on {}: {} cycles a token, weight stream utilisation {:.1} %, {:.1} tokens/s at {} MHz",
            record.model,
            record.config,
            summary.cycles_per_token,
            summary.utilisation * 100.0,
            summary.tokens_per_s,
            record.clock_mhz
        )
    })?;
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

/// Runs the tokens and writes nothing; tells whether a value differed from the golden model.
pub fn measure(a: &Latency, command: String) -> Result<(LatencyRecord, bool), Error> {
    let (model, name) = Model::open(&a.model)?;
    let mut chip = chip::build(&model, &a.numbers, &a.chip, 0)?;
    let mut last = None;
    let vocab_size = model.shape().vocab_size as u32;
    let bar = bar(TOKENS as u64, "tokens");
    for token in random_tokens(model.shape().vocab_size, TOKENS) {
        let tokens: Vec<_> = (0..chip.config.sessions as u32).map(|slot| Some((token + slot) % vocab_size)).collect();
        last = Some(chip.pass(&tokens, TokenOptions { logits: false, timeline: true })?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let last = last.ok_or("no token was run")?;
    let failed = chip::report_mismatch(&chip, &a.chip, 0);
    Ok((record(&chip, &model, &name, &last, command), failed))
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

fn record(chip: &Chip, model: &Model, name: &str, run: &PassRun, command: String) -> LatencyRecord {
    let last = &run.result;
    let skipped = skipped(chip, run);
    let not_read = |op: usize| skipped.by_op.iter().filter(|s| s.0 == op).map(|s| s.1).sum::<u64>();
    let useful_skipped: u64 = skipped.by_op.iter().map(|s| s.1).sum();
    let s = model.shape();
    let config = &chip.config;
    let c = &last.counters;
    let names = chip.names();
    let programs = [&[][..], &chip.program.mat, &chip.program.vec, &chip.program.wkv];
    // dma takes an instruction as soon as its addresses may go out; its data, which come in order, begin after those before it
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
        model: name.into(),
        config: config.name.clone(),
        clock_mhz: f64::from(config.clock_mhz),
        shape: Shape {
            n_layer: s.n_layer as u32,
            n_embd: s.n_embd as u32,
            n_head: s.n_head as u32,
            head_size: s.head_size as u32,
            vocab_size: s.vocab_size as u32,
            dim_ffn: s.dim_ffn as u32,
            n_params: s.n_params(),
        },
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
        counters: Counters {
            mat_waits_for_operand: c.stalls[0],
            mat_waits_for_weights: c.stalls[1],
            mat_waits_for_drain: c.stalls[2],
            vec_busy: c.stalls[3],
            wkv_busy: c.stalls[4],
            memory_idle: c.stalls[5],
            read_data_refused: c.stalls[6],
        },
        port: Some(PortCycles {
            beats: c.weight_beats,
            lost_operand: c.lost[0],
            lost_drain: c.lost[1],
            lost_mat: c.lost[2],
            lost_params: c.lost[3],
            lost_memory: c.lost[4],
            lost_order: c.lost[5],
            lost_start: c.lost[6],
            lost_end: c.lost[7],
        }),
        saturations: Saturations { mat: c.sat_mat, vec: c.sat_vec, wkv: c.sat_wkv },
        ops: spans.collect(),
        values_checked: Some(chip.totals.outcome.values_checked),
        mismatches: Some(chip.totals.outcome.mismatches),
        command,
        date: now(),
        git_revision: git_revision(),
    }
}

/// The current time in UTC, RFC 3339, to the second.
pub fn now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

/// Revision of the project's sources, if they are in a git checkout.
pub fn git_revision() -> Option<String> {
    let output = std::process::Command::new("git")
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "--short=12", "HEAD"])
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    let revision = String::from_utf8(output.stdout).ok()?.trim().to_string();
    (output.status.success() && !revision.is_empty()).then_some(revision)
}
