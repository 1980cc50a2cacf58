//! A chip that cannot be hung and does not lie: stopped and reset at any cycle, errors on any beat, accesses that must be refused.

mod common;
#[allow(dead_code)] // the bench has more than this test needs
mod slot_bench;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::config::Config;
use rtl_gen::isa::FORMATS;
use rtl_gen::registers::{bit, reg};
use sim_harness::chip::{Chip, ChipError};
use sim_harness::session::{SessionError, Stop};
use slot_bench::{Bench, LOGITS};

const NANO: &str = include_str!("../../configs/nano.toml");
/// How many times each kind of chip is stopped; 1,000 and more take minutes.
fn rounds(few: usize) -> usize {
    std::env::var("ANSER_STOPS").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

/// Chips with a short clear: one session and several, the state on the chip and in memory.
fn configs() -> Vec<Config> {
    let texts = [
        NANO.to_string(),
        NANO.replace("[limits]", "sessions = 2\n[limits]"),
        common::streamed(NANO),
        common::streamed_slots(NANO, 2),
    ];
    let short = |text: String| {
        let mut config = Config::parse(&text, "bench").unwrap();
        config.limits.state_elements = 4096;
        config
    };
    texts.into_iter().map(short).collect()
}

fn pass(chip: &mut Chip, slot: usize, token: u32, place: &str) -> u64 {
    let slots = chip.config().sessions;
    let tokens: Vec<_> = (0..slots).map(|s| (s == slot).then_some(token)).collect();
    let run = chip.pass(&tokens, LOGITS).unwrap_or_else(|e| panic!("{place}: {e}"));
    if let Some(first) = run.result.outcome.first {
        panic!("{place}: {first}");
    }
    run.result.counters.cycles
}

/// After a stop at any cycle the chip is idle, says what is lost, and works on; the other sessions are as they were.
fn stopped(config: Config, stall: f64, seed: u64, n: usize) {
    let slots = config.sessions;
    let bench = Bench::new(config, 32, 1);
    let mut chip = bench.chip(stall, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let length = pass(&mut chip, 0, 1, "the first token");
    for slot in 1..slots {
        pass(&mut chip, slot, 2, "the first token");
    }
    for round in 0..n {
        let stop = match rng.gen_bool(0.5) {
            true => Stop::Abort,
            false => Stop::Reset { cycles: rng.gen_range(1..40) },
        };
        let after = rng.gen_range(0..length + length / 8);
        let place = format!("{slots} slots, seed {seed}, stall {stall}, round {round}: {stop:?} after {after}");
        chip.stopped_token(rng.gen_range(0..100), after, stop).unwrap_or_else(|e| panic!("{place}: {e}"));
        let status = chip.session().register(reg::STATUS).unwrap();
        let invalid = chip.session().register(reg::INVALID).unwrap();
        match stop {
            // an abort that comes when the token is done ends nothing
            Stop::Abort if status & bit::STATUS::DONE != 0 => assert_eq!((status & !2, invalid), (0, 0), "{place}"),
            Stop::Abort => assert_eq!((status, invalid & 1), (bit::STATUS::ABORTED, 1), "{place}"),
            Stop::Reset { .. } => assert_eq!((status, invalid), (0, (1 << slots) - 1), "{place}"),
        }
        chip.session().clear_errors().unwrap();
        chip.clear_slots(&[0]).unwrap();
        if slots > 1 && (stop == Stop::Abort || chip.program().state.is_some()) {
            // the other session goes on where it was
            pass(&mut chip, 1, rng.gen_range(0..100), &place);
        } else if slots > 1 {
            chip.clear_slots(&[1]).unwrap();
        }
        for _ in 0..2 {
            pass(&mut chip, 0, rng.gen_range(0..100), &place);
        }
    }
}

#[test]
fn a_chip_that_is_stopped_at_any_cycle_works_on() {
    for (i, config) in configs().into_iter().enumerate() {
        stopped(config.clone(), 0.0, 2 * i as u64, rounds(12));
        stopped(config, 0.35, 2 * i as u64 + 1, rounds(12));
    }
}

fn ended(run: Result<impl std::fmt::Debug, ChipError>) -> u32 {
    match run {
        Err(ChipError::Session(SessionError::Ended { status, .. })) => status,
        other => panic!("expected a token that the chip ended, got {other:?}"),
    }
}

/// An error on any beat that is read, or in the response to any write, ends the token and is said.
#[test]
fn an_error_of_the_bus_ends_the_token() {
    for (i, config) in configs().into_iter().enumerate() {
        let slots = config.sessions;
        let bench = Bench::new(config, 32, 1);
        let mut chip = bench.chip(0.2 * (i % 2) as f64, 4); // no column is skipped: every token reads as many beats
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let tokens = |t: u32| (0..slots).map(|s| (s == 0).then_some(t)).collect::<Vec<_>>();
        let before = chip.memory_stats();
        pass(&mut chip, 0, 5, "before");
        let stats = chip.memory_stats();
        let (beats, bursts) = (stats.beats - before.beats, stats.write_bursts - before.write_bursts);
        for round in 0..rounds(12) {
            let said = chip.session().register(reg::TOKEN_OUT).unwrap();
            let stats = chip.memory_stats();
            let place = if bursts > 0 && round % 2 == 1 {
                let at = rng.gen_range(0..bursts);
                chip.session().fail_write(stats.write_bursts + at);
                format!("configuration {i}, write burst {at} of {bursts}")
            } else {
                // the first beats and the last ones, and between them
                let at = [0, beats - 1, rng.gen_range(0..beats)][round % 3];
                chip.session().fail_read(stats.beats + at);
                format!("configuration {i}, beat {at} of {beats}")
            };
            assert_eq!(ended(chip.pass(&tokens(rng.gen_range(0..100)), LOGITS)), bit::STATUS::READ_ERROR, "{place}");
            chip.session().fail_read(u64::MAX);
            chip.session().fail_write(u64::MAX);
            assert_eq!(chip.session().register(reg::INVALID).unwrap() & 1, 1, "{place}");
            assert_eq!(chip.session().register(reg::TOKEN_OUT).unwrap(), said, "{place}: an answer");
            chip.session().clear_errors().unwrap();
            chip.clear_slots(&[0]).unwrap();
            pass(&mut chip, 0, rng.gen_range(0..100), &place);
        }
    }
}

/// A program that never ends is ended by the watchdog, and without one by ABORT.
#[test]
fn a_program_without_an_end_is_ended() {
    for config in configs() {
        let slots = config.sessions;
        let bench = Bench::new(config, 32, 1);
        let mut chip = bench.chip(0.0, 4);
        let length = pass(&mut chip, 0, 3, "a good program");
        let good = chip.program().clone();
        let tokens: Vec<_> = (0..slots).map(|s| (s == 0).then_some(9)).collect();
        for unit in 0..4 {
            let mut code = good.code.clone();
            let (at, _) = FORMATS[unit].field("last");
            let last = code[unit].last_mut().expect("an instruction");
            last[at / 32] &= !(1 << (at % 32));
            chip.session().load_programs(&code, good.tokens).unwrap();
            chip.session().set_watchdog(length as u32 + 500).unwrap();
            let status = ended(chip.pass(&tokens, LOGITS));
            assert_eq!(status & bit::STATUS::TIMEOUT, bit::STATUS::TIMEOUT, "unit {unit}");
            chip.session().clear_errors().unwrap();
            chip.session().set_watchdog(0).unwrap();
            chip.clear_slots(&[0]).unwrap();
            chip.stopped_token(4, length + 2000, Stop::Abort).unwrap();
            assert_eq!(chip.session().register(reg::STATUS).unwrap(), bit::STATUS::ABORTED, "unit {unit}");
            chip.session().clear_errors().unwrap();
            chip.session().load_programs(&good.code, good.tokens).unwrap();
            chip.clear_slots(&[0]).unwrap();
            pass(&mut chip, 0, 3, "the good program again");
        }
    }
}

/// What the chip cannot answer it refuses, and an abort between two tokens changes nothing.
#[test]
fn what_cannot_be_answered_is_refused() {
    let bench = Bench::new(configs().swap_remove(0), 32, 1);
    let mut chip = bench.chip(0.1, 2);
    for token in [7, 8] {
        pass(&mut chip, 0, token, "a conversation");
    }
    assert!(chip.session().start_is_refused(100).unwrap(), "the vocabulary has 100 tokens");
    assert_eq!(chip.session().register(reg::STATUS).unwrap(), bit::STATUS::TOKEN_ERROR);
    chip.session().clear_errors().unwrap();
    chip.session().abort().unwrap();
    assert_eq!(chip.session().register(reg::STATUS).unwrap(), 0);
    for token in [9, 10] {
        pass(&mut chip, 0, token, "the same conversation");
    }
}
