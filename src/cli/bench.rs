//! `bench`: tokens a second of a backend; for the chip, simulated cycles a second with the comparison on.

use super::args::{Backend, Bench};
use super::engine::Engine;
use super::model::Model;
use super::print::{bar, Out};
use super::{chip, Error, CHECK_FAILED};
use golden_model::fast::Runner;
use golden_model::network::session::Session;
use golden_model::quantise::calibrate::random_tokens;
use indicatif::ProgressBar;
use records::run::{BenchRecord, ChipBench, GoldenBench};
use sim_harness::chip::Chip;
use sim_harness::session::TokenOptions;
use std::process::ExitCode;
use std::time::Instant;

const RUNS: usize = 3;

/// Returns the processor time of all threads of this program, which only Linux says.
fn cpu_seconds() -> Option<f64> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?;
    let ns = threads.filter_map(|thread| {
        let stat = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<f64>().ok()
    });
    Some(ns.sum::<f64>() / 1e9)
}

/// Middle one of some numbers, which are sorted; `None` of none.
fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

/// Seconds of `work`, and of the processor while it went on.
fn timed<E>(work: impl FnOnce() -> Result<(), E>) -> Result<(f64, Option<f64>), E> {
    let (cpu, start) = (cpu_seconds(), Instant::now());
    work()?;
    let wall = start.elapsed().as_secs_f64();
    Ok((wall, cpu_seconds().zip(cpu).map(|(after, before)| after - before)))
}

/// Tokens a second of `n` conversations at once, `tokens` of the text for each.
fn sessions(runner: &mut Runner, n: usize, tokens: &[u32], bar: &ProgressBar) -> Result<f64, Error> {
    let mut speeds = vec![];
    for _ in 0..=RUNS {
        let mut sessions = vec![runner.session(); n];
        let (wall, _) = timed(|| {
            // each conversation begins at another place of the text
            (0..tokens.len()).try_for_each(|i| {
                let now: Vec<u32> = (0..n).map(|s| tokens[(i + s) % tokens.len()]).collect();
                bar.inc(n as u64);
                runner.batch(&mut sessions, &now, |_, _| {})
            })
        })?;
        speeds.push((n * tokens.len()) as f64 / wall);
    }
    Ok(median(&mut speeds[1..]).unwrap_or_default()) // the first one makes room
}

/// A token of the text in every slot of the chip, each a different one.
fn pass(chip: &mut Chip<'static>, token: u32) -> Result<(), Error> {
    let vocab_size = chip.golden().shape.vocab_size as u32;
    let tokens: Vec<_> = (0..chip.config.sessions as u32).map(|slot| Some((token + slot) % vocab_size)).collect();
    chip.pass(&tokens, TokenOptions { logits: true, timeline: false })?;
    Ok(())
}

/// What only the golden backend knows, after `steps` single steps; its weights a second are not known yet.
fn golden_part(engine: &mut Engine, steps: usize) -> Option<GoldenBench> {
    let Engine::Golden { runner, .. } = engine else { return None };
    let weight_bytes_per_token = runner.weight_bytes() as f64 - runner.skipped_bytes() as f64 / steps as f64;
    let reads = (0..=RUNS).map(|_| {
        let start = Instant::now();
        runner.read_weights() as f64 / start.elapsed().as_secs_f64()
    });
    let mut reads: Vec<f64> = reads.skip(1).collect(); // the first one may touch pages
    Some(GoldenBench {
        threads: runner.threads(),
        instruction_set: runner.isa().name().into(),
        weight_bytes_per_token,
        weight_bytes_per_s: 0.0,
        read_bytes_per_s: median(&mut reads).unwrap_or_default(),
        cpu_ms_per_token: None,
        sessions: None,
        sessions_tokens_per_s: None,
    })
}

pub fn bench(a: &Bench, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    let mut chip_args = a.chip.clone();
    let at_once = match a.backend {
        // the golden backend needs no other engine for several
        Backend::Golden => chip_args.sessions.take().map_or(0, |n| n as usize),
        _ => 0,
    };
    let mut engine = Engine::new(a.backend, &model, &a.numbers, &chip_args, 0)?;
    let n = a.tokens.unwrap_or(if a.backend == Backend::Rtl { 8 } else { 256 }) as usize;
    if let (Engine::Golden { runner, .. }, Some(threads)) = (&mut engine, a.threads) {
        **runner = Runner::new(runner.weights().clone(), threads as usize);
    }
    let prefill_tokens = a.prefill.unwrap_or(if a.backend == Backend::Rtl { 0 } else { 256 }) as usize;
    let tokens = random_tokens(model.shape().vocab_size, n);
    let prompt = random_tokens(model.shape().vocab_size, prefill_tokens);
    let slots = engine.chip().map_or(1, |chip| chip.config.sessions);
    let bar = bar((RUNS * (n + prefill_tokens) + (RUNS + 1) * at_once * n) as u64, "tokens");
    engine.step(tokens[0])?; // touches every page once before the clock runs
    let (mut speeds, mut cpu) = (vec![], vec![]);
    for _ in 0..RUNS {
        engine.reset()?;
        let (wall, busy) = timed(|| {
            tokens.iter().try_for_each(|token| {
                bar.inc(1);
                match &mut engine {
                    // logits stay where they are, as integers
                    Engine::Golden { runner, session } => runner.step(session, *token).map(drop).map_err(Error::from),
                    Engine::Rtl(chip) => pass(chip, *token),
                    other => other.step(*token).map(drop).map_err(Error::from),
                }
            })
        })?;
        speeds.push((n * slots) as f64 / wall);
        cpu.extend(busy.map(|s| s * 1e3 / n as f64));
    }
    let mut golden = golden_part(&mut engine, 1 + RUNS * n);
    let mut prefill_speeds = vec![];
    let decoded = engine.chip().map_or(0, |chip| chip.totals.cycles.len());
    for _ in 0..if prompt.is_empty() { 0 } else { RUNS } {
        engine.reset()?;
        let (wall, _) = timed(|| engine.prefill(&prompt).map(drop))?;
        prefill_speeds.push(prefill_tokens as f64 / wall);
        bar.inc(prefill_tokens as u64);
    }
    let tokens_per_s = median(&mut speeds).unwrap_or_default();
    if let (Some(golden), Engine::Golden { runner, .. }) = (&mut golden, &mut engine) {
        golden.weight_bytes_per_s = golden.weight_bytes_per_token * tokens_per_s;
        golden.cpu_ms_per_token = median(&mut cpu);
        if at_once > 0 {
            golden.sessions = Some(at_once);
            golden.sessions_tokens_per_s = Some(sessions(runner, at_once, &tokens, &bar)?);
        }
    }
    bar.finish_and_clear();
    let mut failed = false;
    let rtl = engine.chip().map(|chip| {
        failed = chip::report_mismatch(chip, &a.chip, 0);
        let (passes, prompts) = chip.totals.cycles.split_at(decoded);
        let cycles_per_pass = passes.last().copied().unwrap_or(0);
        let hz = f64::from(chip.config.clock_mhz) * 1e6;
        let prefill_cycles = (!prompt.is_empty()).then(|| prompts.iter().sum::<u64>() / RUNS as u64);
        ChipBench {
            config: chip.config.name.clone(),
            sessions: slots,
            cycles_per_pass,
            cycles_per_token: cycles_per_pass / slots as u64,
            tokens_per_s_at_clock: slots as f64 * hz / cycles_per_pass as f64,
            prefill_cycles,
            prefill_tokens_per_s_at_clock: prefill_cycles.map(|c| prefill_tokens as f64 * hz / c as f64),
            simulated_cycles_per_s: tokens_per_s / slots as f64 * cycles_per_pass as f64,
            mismatches: chip.totals.outcome.mismatches,
        }
    });
    let done = BenchRecord {
        backend: a.backend.name().into(),
        tokens: n,
        runs: RUNS,
        tokens_per_s,
        tokens_per_s_min: speeds[0],
        tokens_per_s_max: speeds[RUNS - 1],
        prefill_tokens,
        prefill_tokens_per_s: median(&mut prefill_speeds),
        golden,
        rtl,
    };
    out.result(&done, || {
        let rtl = done.rtl.as_ref().map_or(String::new(), |r| {
            let of = match r.sessions {
                1 => "token".to_string(),
                n => format!("pass of {n} sessions ({:.0} tokens/s in all at the clock)", r.tokens_per_s_at_clock),
            };
            let prompt = r.prefill_cycles.map_or(String::new(), |c| format!(", {c} for the prompt"));
            format!(
                "; {} cycles a {of}{prompt}, {:.0} simulated cycles/s, {} mismatches",
                r.cycles_per_pass, r.simulated_cycles_per_s, r.mismatches
            )
        });
        let prefill = done
            .prefill_tokens_per_s
            .map_or(String::new(), |speed| format!("; a prompt of {prefill_tokens} tokens at {speed:.1} tokens/s"));
        let golden = done.golden.as_ref().map_or(String::new(), |g| {
            let sessions = g.sessions.zip(g.sessions_tokens_per_s);
            let sessions = sessions
                .map_or(String::new(), |(n, speed)| format!("; {n} conversations at once {speed:.1} tokens/s in all"));
            format!(
                "{sessions}; {} threads, {}: weights at {:.1} GB/s, reading alone {:.1} GB/s",
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
