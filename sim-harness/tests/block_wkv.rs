//! The recurrence unit against docs/hardware.md, wkv, restated in i64/i128 below: every state word, sa and y, the
//! saturation count, the cycle count. Seeds are in every message.

#[path = "wkv_bench/mod.rs"]
mod wkv_bench;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wkv_bench::{Bench, Instruction, Values};

/// One model: layers of one shape, several tokens, state carried over, now and then cleared.
fn tokens(bench: &mut Bench, seed: u64, heads: usize, head_size: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let words = heads * head_size * head_size / bench.vl;
    let layers = rng.gen_range(1..=3).min(bench.state_words() / words);
    let gap = rng.gen_range(0..=(bench.state_words() - layers * words).min(100));
    bench.clear();
    for token in 0..3 {
        for layer in 0..layers {
            let values = [Values::Tame, Values::Wild, Values::Extreme][rng.gen_range(0..3)];
            bench.load_operands(&mut rng, heads * head_size, values);
            let instruction =
                Instruction::random(&mut rng, bench.sw, values, heads, head_size, bench.vl, gap + layer * words);
            let ready = [1.0, 1.0, 0.5, 0.05][rng.gen_range(0..4)];
            let cleared = rng.gen_bool(0.1);
            bench.run(&mut rng, &instruction, ready, cleared, &format!("seed {seed} token {token} layer {layer}"));
        }
        if rng.gen_bool(0.2) {
            bench.clear();
        }
    }
}

fn check(bus_bits: usize, state_bits: usize, seed: u64) {
    let mut bench = Bench::new(bus_bits, state_bits);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let sizes = [16, 32, 64, 128];
    for round in 0..24 {
        // the released head sizes first, then any that a row of words can hold
        let head_size = if round < 16 { sizes[round % 4] } else { rng.gen_range(1..=255 / bench.vl) * bench.vl };
        let most = (bench.n_embd() / head_size).min(bench.state_words() * bench.vl / (head_size * head_size)).min(16);
        // as many heads as fit, too: with short rows and a refused y, only then every queue gets full
        let heads = if rng.gen_bool(0.3) { most } else { rng.gen_range(1..=most.min(4)) };
        tokens(&mut bench, rng.gen(), heads, head_size);
    }
    let seen = bench.seen();
    assert!(
        seen.sa_clips > 0 && seen.s_clips > 0 && seen.y_clips > 0,
        "seed {seed}: saturations not exercised: {seen:?}"
    );
    assert!(seen.exact > 0, "seed {seed}: no instruction without saturation: {seen:?}");
}

#[test]
fn four_lanes_16_bits() {
    check(128, 16, 1);
}

#[test]
fn four_lanes_24_bits() {
    check(128, 24, 2);
}

#[test]
fn eight_lanes_19_bits() {
    check(256, 19, 3);
}

#[test]
fn sixteen_lanes_24_bits() {
    check(512, 24, 4);
}

#[test]
fn sixteen_lanes_32_bits() {
    check(512, 32, 5);
}

/// One state word a cycle: the cycles of an instruction are its words and a constant, exactly.
#[test]
fn one_word_a_cycle() {
    for bus_bits in [128, 512] {
        let mut bench = Bench::new(bus_bits, 24);
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        bench.clear();
        for head_size in [16, 32, 64, 128] {
            let heads = 2.min(bench.n_embd() / head_size);
            bench.load_operands(&mut rng, heads * head_size, Values::Tame);
            let instruction = Instruction::random(&mut rng, 24, Values::Tame, heads, head_size, bench.vl, 0);
            let cycles = bench.run(&mut rng, &instruction, 1.0, false, "seed 6");
            let row = head_size / bench.vl;
            let words = heads * head_size * row;
            eprintln!("{} lanes, {heads} heads of {head_size}: {cycles} cycles for {words} words", bench.vl);
            assert_eq!(
                cycles,
                words + rtl_gen::blocks::wkv::overhead_cycles(bench.vl, row),
                "{} lanes, head_size {head_size}",
                bench.vl
            );
            assert!(cycles <= words + row + 40);
        }
    }
}
