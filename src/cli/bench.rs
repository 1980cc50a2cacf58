//! `bench`: tokens a second of a backend; for the chip, simulated cycles a second with the comparison on.

use super::args::{Backend, Bench};
use super::engine::Engine;
use super::model::Model;
use super::print::{bar, Out};
use super::{chip, Error, CHECK_FAILED};
use golden_model::calibrate::random_tokens;
use golden_model::fast::Runner;
use golden_model::session::Session;
use serde::Serialize;
use std::process::ExitCode;
use std::time::Instant;

const RUNS: usize = 3;

#[derive(Serialize)]
struct Benched {
    backend: &'static str,
    tokens: usize,
    runs: usize,
    /// Median of the runs.
    tokens_per_s: f64,
    tokens_per_s_min: f64,
    tokens_per_s_max: f64,
    /// Tokens of the prompt, and how fast it was read; median of the runs.
    prefill_tokens: usize,
    prefill_tokens_per_s: Option<f64>,
    #[serde(flatten)]
    golden: Option<GoldenPart>,
    #[serde(flatten)]
    rtl: Option<RtlPart>,
}

#[derive(Serialize)]
struct GoldenPart {
    threads: usize,
    instruction_set: &'static str,
    /// Bytes of weights a token read in the runs: all but the columns skipped because their operand was 0.
    weight_bytes_per_token: f64,
    /// Weights read a second at `tokens_per_s`, and by the same threads doing nothing else; median of the runs.
    weight_bytes_per_s: f64,
    read_bytes_per_s: f64,
}

#[derive(Serialize)]
struct RtlPart {
    config: String,
    cycles_per_token: u64,
    /// With the comparison on, the golden step included; median of the runs.
    simulated_cycles_per_s: f64,
    mismatches: u64,
}

/// What only the golden backend knows, after `steps` single steps; its weights a second are not known yet.
fn golden_part(engine: &mut Engine, steps: usize) -> Option<GoldenPart> {
    let Engine::Golden { runner, .. } = engine else { return None };
    let weight_bytes_per_token = runner.weight_bytes() as f64 - runner.skipped_bytes() as f64 / steps as f64;
    let mut reads: Vec<f64> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            runner.read_weights() as f64 / start.elapsed().as_secs_f64()
        })
        .skip(1) // the first one may touch pages
        .collect();
    reads.sort_by(f64::total_cmp);
    Some(GoldenPart {
        threads: runner.threads(),
        instruction_set: runner.isa().name(),
        weight_bytes_per_token,
        weight_bytes_per_s: 0.0,
        read_bytes_per_s: reads[RUNS / 2],
    })
}

pub fn bench(a: &Bench, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    let mut engine = Engine::new(a.backend, &model, &a.numbers, &a.chip, 0)?;
    let n = a.tokens.unwrap_or(if a.backend == Backend::Rtl { 8 } else { 256 }) as usize;
    if let (Engine::Golden { runner, .. }, Some(threads)) = (&mut engine, a.threads) {
        **runner = Runner::new(runner.weights().clone(), threads as usize);
    }
    let prefill_tokens = a.prefill.unwrap_or(if a.backend == Backend::Rtl { 0 } else { 256 }) as usize;
    let tokens = random_tokens(model.shape().vocab_size, n);
    let prompt = random_tokens(model.shape().vocab_size, prefill_tokens);
    let bar = bar((RUNS * (n + prefill_tokens)) as u64, "tokens");
    engine.step(tokens[0])?; // touches every page once before the clock runs
    let mut speeds = vec![];
    for _ in 0..RUNS {
        engine.reset()?;
        let start = Instant::now();
        for token in &tokens {
            engine.step(*token)?;
            bar.inc(1);
        }
        speeds.push(n as f64 / start.elapsed().as_secs_f64());
    }
    let mut golden = golden_part(&mut engine, 1 + RUNS * n);
    let mut prefill_speeds = vec![];
    for _ in 0..if prompt.is_empty() { 0 } else { RUNS } {
        engine.reset()?;
        let start = Instant::now();
        engine.prefill(&prompt)?;
        prefill_speeds.push(prefill_tokens as f64 / start.elapsed().as_secs_f64());
        bar.inc(prefill_tokens as u64);
    }
    bar.finish_and_clear();
    speeds.sort_by(f64::total_cmp);
    prefill_speeds.sort_by(f64::total_cmp);
    let median = speeds[RUNS / 2];
    if let Some(golden) = &mut golden {
        golden.weight_bytes_per_s = golden.weight_bytes_per_token * median;
    }
    let mut failed = false;
    let rtl = engine.chip().map(|chip| {
        failed = chip::report_mismatch(chip, &a.chip, 0);
        let cycles_per_token = chip.totals.cycles.last().copied().unwrap_or(0);
        RtlPart {
            config: chip.config.name.clone(),
            cycles_per_token,
            simulated_cycles_per_s: median * cycles_per_token as f64,
            mismatches: chip.totals.outcome.mismatches,
        }
    });
    let done = Benched {
        backend: a.backend.name(),
        tokens: n,
        runs: RUNS,
        tokens_per_s: median,
        tokens_per_s_min: speeds[0],
        tokens_per_s_max: speeds[RUNS - 1],
        prefill_tokens,
        prefill_tokens_per_s: prefill_speeds.get(RUNS / 2).copied(),
        golden,
        rtl,
    };
    out.result(&done, || {
        let rtl = done.rtl.as_ref().map_or(String::new(), |r| {
            format!(
                "; {} cycles a token, {:.0} simulated cycles/s, {} mismatches",
                r.cycles_per_token, r.simulated_cycles_per_s, r.mismatches
            )
        });
        let prefill = done
            .prefill_tokens_per_s
            .map_or(String::new(), |speed| format!("; a prompt of {prefill_tokens} tokens at {speed:.1} tokens/s"));
        let golden = done.golden.as_ref().map_or(String::new(), |g| {
            format!(
                "; {} threads, {}: weights at {:.1} GB/s, reading alone {:.1} GB/s",
                g.threads,
                g.instruction_set,
                g.weight_bytes_per_s / 1e9,
                g.read_bytes_per_s / 1e9
            )
        });
        format!(
            "{}: {:.1} tokens/s (median of {RUNS} runs of {n} tokens, {:.1} to {:.1}){prefill}{golden}{rtl}",
            done.backend, done.tokens_per_s, done.tokens_per_s_min, done.tokens_per_s_max
        )
    })?;
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}
