//! The writer of the state for several sessions (`docs/hardware.md` §7 and §8): every word at the next address of its slot, bursts that
//! end before a word of another one, and nothing written for a slot at rest, or for any but home in a prompt side by side.

mod bursts;
mod common;
mod writer_bench;

use bursts::{state_bases, AtWork};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::dma::state_writer::state_writer;
use rtl_gen::config::Config;
use rtl_gen::hdl::{print, Printed};
use sim_harness::axi_memory::MemoryTiming;
use sim_harness::dut::{BuildOptions, Dut};
use writer_bench::{run, Piece, Run};

const NANO: &str = include_str!("../../configs/nano.toml");
const WIDE: &str = include_str!("../../configs/wide.toml");

/// Room for the state of a slot, in units of 64 B.
const STATE_UNITS: u64 = 4096;

fn config(text: &str, sessions: usize) -> Config {
    Config::parse(&common::streamed_slots(text, sessions), "bench").unwrap_or_else(|e| panic!("{e}"))
}

/// A session vector of `slot`.
fn vector(slot: usize, words: usize) -> Piece {
    Piece { vector: true, slots: vec![slot; words] }
}

/// What the program writes in a layer: a session vector of every slot, at work or not, and heads of S of each slot at work in turn.
fn layer(rng: &mut ChaCha8Rng, config: &Config, at_work: AtWork) -> Vec<Piece> {
    let beats = 64 / config.beat_bytes();
    let (words, head) = (beats * rng.gen_range(1..20), beats * rng.gen_range(1..20));
    let mut slots = vec![];
    for _ in 0..rng.gen_range(1..4) {
        at_work.slots().into_iter().for_each(|s| slots.extend(vec![s; head]));
    }
    let vectors = |words| (0..config.sessions).map(move |s| vector(s, words));
    vectors(words).chain([Piece { vector: false, slots }]).chain(vectors(words)).collect()
}

/// Pieces in any order and of any length, slots that take turns anywhere. A slot that is not written has only session vectors.
fn anything(rng: &mut ChaCha8Rng, config: &Config, at_work: AtWork) -> Vec<Piece> {
    let slots = at_work.slots();
    let any = |rng: &mut ChaCha8Rng| slots[rng.gen_range(0..slots.len())];
    let piece = |rng: &mut ChaCha8Rng| {
        let words = [1, 3, 20, 100][rng.gen_range(0..4)];
        if rng.gen() {
            return vector(rng.gen_range(0..config.sessions), words);
        }
        let change = [0.02, 0.2, 1.0][rng.gen_range(0..3)];
        let mut slot = any(rng);
        let mut next = |rng: &mut ChaCha8Rng| {
            slot = if rng.gen_bool(change) { any(rng) } else { slot };
            slot
        };
        Piece { vector: false, slots: (0..words).map(|_| next(rng)).collect() }
    };
    (0..rng.gen_range(1..12)).map(|_| piece(rng)).collect()
}

/// Random tokens, one after the other on the same writer: the most bursts without response, or the first thing that is wrong.
fn tokens(config: &Config, printed: &Printed, n: u64) -> Result<usize, String> {
    let mut dut = Dut::build(printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    dut.reset();
    let (mut most, mut errors) = (0, 0);
    for seed in 0..n {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let at_work = AtWork::random(&mut rng, config.sessions);
        let stall = [0.0, 0.3, 0.8][rng.gen_range(0..3)];
        let p_word = [1.0, 0.5, 0.05][rng.gen_range(0..3)];
        let p_error = if rng.gen_bool(0.3) { 0.2 } else { 0.0 };
        let pieces = match rng.gen() {
            true => anything(&mut rng, config, at_work),
            false => layer(&mut rng, config, at_work),
        };
        let mut timing = MemoryTiming::of(config, stall, seed);
        timing.latency_cycles = rng.gen_range(1..80);
        let place = format!(
            "{} sessions, {} bits, seed {seed}, {at_work:?}, stall {stall}, word {p_word}",
            config.sessions, config.bus_bits
        );
        let bases = state_bases(&mut rng, config.sessions, at_work, STATE_UNITS).iter().map(|b| b << 6).collect();
        let r = Run { place, bases, written: at_work.mask(), both: false, p_word, p_error, timing };
        let out = run(&mut dut, config, &pieces, &r, &mut rng)?;
        assert!(p_error > 0.0 || out.errors == 0, "{}", r.place);
        (most, errors) = (most.max(out.most_open), errors + out.errors);
    }
    assert!(errors > 0, "no error response in {n} tokens");
    Ok(most)
}

fn check(config: &Config) -> usize {
    tokens(config, &print(&state_writer(config)).unwrap(), 100).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_word_lies_with_its_slot_narrow() {
    for sessions in [2, 4, 8] {
        check(&config(NANO, sessions));
    }
}

#[test]
fn every_word_lies_with_its_slot_wide() {
    for sessions in [2, 4, 8] {
        check(&config(WIDE, sessions));
    }
}

/// Bursts of at most 4 beats, or of one; states of other widths.
#[test]
fn odd_limits_are_kept() {
    let mut narrow = config(NANO, 4);
    (narrow.numbers.state_bits, narrow.max_burst_beats, narrow.max_outstanding) = (32, 5, 3);
    assert_eq!(check(&narrow), 3, "bursts open at most");
    let mut wide = config(WIDE, 2);
    (wide.numbers.state_bits, wide.max_burst_beats, wide.max_outstanding, wide.axi_addr_bits) = (16, 1, 1, 64);
    assert_eq!(check(&wide), 1, "bursts open at most");
}

/// A turn to another slot costs a cycle, and nothing else does.
#[test]
fn a_turn_costs_a_cycle() {
    for (text, sessions) in [(NANO, 4), (WIDE, 8)] {
        let config = config(text, sessions);
        let mut dut = Dut::build(&print(&state_writer(&config)).unwrap(), &BuildOptions::default()).unwrap();
        dut.reset();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let at_work = AtWork::Decode((1 << sessions) - 1);
        let (head, turns) = (20, 10 * sessions);
        let slots: Vec<_> = (0..turns * head).map(|word| word / head % sessions).collect();
        let words = slots.len() as u64;
        let timing = MemoryTiming::of(&config, 0.0, 1);
        let latency = u64::from(timing.latency_cycles);
        let place = format!("{sessions} sessions, {} bits", config.bus_bits);
        let bases = state_bases(&mut rng, sessions, at_work, STATE_UNITS).iter().map(|b| b << 6).collect();
        let r = Run { place, bases, written: at_work.mask(), both: false, p_word: 1.0, p_error: 0.0, timing };
        let pieces = [Piece { vector: false, slots }];
        let got = run(&mut dut, &config, &pieces, &r, &mut rng).unwrap_or_else(|e| panic!("{e}"));
        let most = words + turns as u64 + head as u64 + latency + 10;
        assert!(got.cycles <= most, "{}: {} cycles for {words} words, expected at most {most}", r.place, got.cycles);
    }
}

/// What only several slots have can break, and is found.
#[test]
fn a_word_of_the_wrong_slot_is_found() {
    let config = config(NANO, 4);
    for (from, to, says) in [
        // a burst goes on with the words of another slot
        ("run_slot_q != slot && ", "run_slot_q != slot && 1'b0 && ", "burst"),
        // it ends when none of its slot is on offer
        ("&& (r_valid_i || v_valid_i))", ")", "burst"),
        // a slot at rest is written
        ("slots_i[v_slot_i];", "1'b1 | slots_i[v_slot_i];", "burst"),
        // the first word of a burst does not say whose it is
        ("if (accept) run_slot_q", "if (accept && begun) run_slot_q", "burst"),
    ] {
        let mut printed = print(&state_writer(&config)).unwrap();
        let text = printed.files.get_mut("anser_state_writer.sv").unwrap();
        assert!(text.contains(from), "{from}: the writer has changed, choose another line to break");
        *text = text.replace(from, to);
        let found = tokens(&config, &printed, 40).err();
        assert!(found.as_ref().is_some_and(|f| f.contains(says)), "{to}: {found:?}");
    }
}
