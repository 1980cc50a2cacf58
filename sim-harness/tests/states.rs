//! A state goes out of the chip and into another one, which goes on as if nothing had happened: through the chip's memory, and through its
//! registers where the chip keeps the state.

mod common;
#[allow(dead_code)] // the bench has more than this test needs
mod slot_bench;

use golden_model::network::integer_step::IntState;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::config::Config;
use slot_bench::{alone, Bench, LOGITS};

const NANO: &str = include_str!("../../configs/nano.toml");
/// Tokens of a text.
const TOKENS: usize = 12;

fn port() -> Config {
    Config { state_port: true, ..Config::parse(NANO, "bench").unwrap() }
}

fn memory(sessions: usize) -> Config {
    Config::parse(&common::streamed_slots(NANO, sessions), "bench").unwrap()
}

/// A text is cut at `cuts` random places; from each of them another chip goes on, under other stalls.
fn resumes(config: Config, cuts: usize) {
    let bench = Bench::new(config, 32, 1);
    let slots = bench.config.sessions;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let text: Vec<u32> = (0..TOKENS).map(|_| rng.gen_range(0..100)).collect();
    let expected = alone(&bench.golden, &text);
    // the state after each number of tokens, out of a chip in the middle of a text
    let mut chip = bench.chip(0.0, 2);
    let mut states = vec![chip.read_state(0).unwrap()];
    assert_eq!(states[0], IntState::new(&bench.golden), "before the first token");
    for token in &text {
        chip.step(*token, LOGITS).unwrap();
        states.push(chip.read_state(0).unwrap());
    }
    assert_eq!(chip.totals.outcome.mismatches, 0, "{:?}", chip.totals.outcome.first);
    let mut second = bench.chip(0.1, 3);
    for i in 0..cuts {
        let (cut, slot) = (rng.gen_range(0..TOKENS), i % slots);
        second.write_state(slot, &states[cut]).unwrap();
        assert_eq!(second.read_state(slot).unwrap(), states[cut], "cut {cut}: what was written is there");
        // as far as the text goes, but no further than three tokens
        for (token, want) in text.iter().zip(&expected).skip(cut).take(3) {
            let tokens: Vec<_> = (0..slots).map(|s| (s == slot).then_some(*token)).collect();
            let run = second.pass(&tokens, LOGITS).unwrap();
            assert_eq!(&run.result.logits[slot], want, "cut {cut}");
        }
        let end = (cut + 3).min(TOKENS);
        assert_eq!(second.read_state(slot).unwrap(), states[end], "cut {cut}: the state after {end} tokens");
    }
    assert_eq!(second.totals.outcome.mismatches, 0, "{:?}", second.totals.outcome.first);
}

#[test]
fn a_state_in_memory_is_resumed_in_any_slot() {
    resumes(memory(1), 10);
    resumes(memory(2), 10);
}

#[test]
fn a_state_on_the_chip_is_resumed_through_its_registers() {
    resumes(port(), 20);
}

/// The registers change nothing of a token.
#[test]
fn a_port_costs_no_cycle() {
    let cycles = |config| {
        let mut chip = Bench::new(config, 32, 1).chip(0.0, 2);
        chip.step(7, LOGITS).unwrap();
        chip.read_state(0).unwrap_or_else(|_| IntState::new(chip.golden()));
        chip.step(9, LOGITS).unwrap();
        assert_eq!(chip.totals.outcome.mismatches, 0, "{:?}", chip.totals.outcome.first);
        chip.totals.cycles.clone()
    };
    assert_eq!(cycles(port()), cycles(Config::parse(NANO, "bench").unwrap()));
}

/// A chip whose state was changed behind its back is found out, by what it computes and by what it gives back.
#[test]
fn a_wrong_element_is_found() {
    let bench = Bench::new(port(), 32, 1);
    let broken = [
        ("anser_state_port.sv", "assign s_data_o  = word_q;", "assign s_data_o  = ~word_q;"),
        ("anser_state_port.sv", "assign y_data_o  = value_q", "assign y_data_o  = ~value_q"),
    ];
    for (file, from, to) in broken {
        let mut chip = bench.broken(file, from, to);
        chip.step(7, LOGITS).unwrap();
        let state = chip.read_state(0).unwrap();
        chip.write_state(0, &state).unwrap();
        assert_ne!(chip.read_state(0).unwrap(), state, "{to}");
        assert!(chip.totals.outcome.mismatches > 0, "{to}");
    }
}

#[test]
fn a_state_that_stays_is_refused() {
    let bench = Bench::new(Config::parse(NANO, "bench").unwrap(), 32, 1);
    let error = bench.chip(0.0, 2).read_state(0).unwrap_err().to_string();
    assert!(error.contains("keeps the state on the chip") && error.contains("state_port"), "{error}");
    for text in [common::streamed_slots(NANO, 1), NANO.replace("[limits]", "sessions = 2\n[limits]")] {
        let error = Config::parse(&text.replace("[limits]", "state_port = true\n[limits]"), "bench").unwrap_err();
        assert!(error.to_string().contains("state_port"), "{error}");
    }
}
