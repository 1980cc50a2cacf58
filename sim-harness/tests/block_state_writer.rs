//! The writer of the state alone, over the simulated memory, which checks the AXI rules: what lies there afterwards, how it was cut into
//! bursts, when the writer says that all is written, and error responses.

mod bursts;
mod common;
mod writer_bench;

use bursts::longest;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtl_gen::blocks::dma::state_writer::state_writer;
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use sim_harness::axi_memory::MemoryTiming;
use sim_harness::dut::{BuildOptions, Dut};
use writer_bench::{run, Piece, Run};

fn config(text: &str, state_bits: usize, max_burst: usize, outstanding: usize) -> Config {
    let mut config = Config::parse(&common::streamed(text), "bench").unwrap();
    (config.numbers.state_bits, config.max_burst_beats, config.max_outstanding) = (state_bits, max_burst, outstanding);
    config
}

fn piece(vector: bool, words: usize) -> Piece {
    Piece { vector, slots: vec![0; words] }
}

fn check(text: &str, state_bits: usize, max_burst: usize, outstanding: usize, seed: u64) {
    let config = config(text, state_bits, max_burst, outstanding);
    let printed = print(&state_writer(&config)).unwrap();
    let mut dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    dut.reset();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut errors = 0;
    for round in 0..40 {
        let stall = [0.0, 0.3, 0.8][rng.gen_range(0..3)];
        let timing = MemoryTiming::of(&config, stall, seed + round);
        let p_word = [1.0, 0.5, 0.05][rng.gen_range(0..3)];
        let p_error = if rng.gen_bool(0.3) { 0.2 } else { 0.0 };
        let base = 0x3_0000_0000 + 64 * rng.gen_range(0..200u64);
        let place = format!("{} bits, seed {seed} round {round} stall {stall} word {p_word}", config.bus_bits);
        let beats = 64 / config.beat_bytes();
        let pieces: Vec<Piece> = (0..rng.gen_range(1..8))
            .map(|i| piece(i % 2 == 0, beats * [1, 2, 5, 40, 150][rng.gen_range(0..5)]))
            .collect();
        let both = rng.gen_bool(0.2);
        let r = Run { place: place.clone(), bases: vec![base], written: 1, both, p_word, p_error, timing };
        let got = run(&mut dut, &config, &pieces, &r, &mut rng).unwrap_or_else(|e| panic!("{e}"));
        assert!(p_error > 0.0 || got.errors == 0, "{place}");
        errors += got.errors;
    }
    assert!(errors > 0, "no error response in 40 rounds");
}

#[test]
fn what_is_written_lies_in_memory_narrow() {
    let nano = include_str!("../../configs/nano.toml");
    check(nano, 24, 64, 8, 1);
    check(nano, 32, 256, 3, 2);
    check(nano, 16, 1, 1, 3);
}

#[test]
fn what_is_written_lies_in_memory_wide() {
    let wide = include_str!("../../configs/wide.toml");
    check(wide, 24, 64, 16, 4);
    check(wide, 29, 10, 2, 5);
}

/// A beat a cycle: a long piece takes its words, one burst that is collected first, and the way to memory and back.
#[test]
fn one_beat_a_cycle() {
    for text in [include_str!("../../configs/nano.toml"), include_str!("../../configs/wide.toml")] {
        let config = config(text, 24, 64, 16);
        let printed = print(&state_writer(&config)).unwrap();
        let mut dut = Dut::build(&printed, &BuildOptions::default()).unwrap_or_else(|e| panic!("{e}"));
        dut.reset();
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let timing = MemoryTiming::of(&config, 0.0, 1);
        let latency = u64::from(timing.latency_cycles);
        let place = "one beat a cycle".into();
        let r = Run { place, bases: vec![1 << 32], written: 1, both: false, p_word: 1.0, p_error: 0.0, timing };
        let words = 64 * 40;
        let got = run(&mut dut, &config, &[piece(true, words)], &r, &mut rng).unwrap_or_else(|e| panic!("{e}"));
        let most = words as u64 + longest(&config) + latency + 10;
        assert!(got.cycles <= most, "{} cycles for {words} words, expected at most {most}", got.cycles);
    }
}
