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
}

#[derive(Serialize)]
struct RtlPart {
    config: String,
    cycles_per_token: u64,
    /// With the comparison on, the golden step included; median of the runs.
    simulated_cycles_per_s: f64,
    mismatches: u64,
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
        golden: match &engine {
            Engine::Golden { runner, .. } => {
                Some(GoldenPart { threads: runner.threads(), instruction_set: runner.isa().name() })
            }
            _ => None,
        },
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
        format!(
            "{}: {:.1} tokens/s (median of {RUNS} runs of {n} tokens, {:.1} to {:.1}){prefill}{rtl}",
            done.backend, done.tokens_per_s, done.tokens_per_s_min, done.tokens_per_s_max
        )
    })?;
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}
