//! One elaborated chip serves every model: random shapes, the RTL against the golden model, two configurations.

use golden_model::calibrate::{calibrate, random_tokens};
use golden_model::checkpoint::{Checkpoint, Dtype, Shape};
use golden_model::formats::QuantOptions;
use golden_model::layout::{stream, StreamLayout};
use golden_model::quantise::quantise;
use golden_model::random::write_random;
use golden_model::weights::Weights;
use proptest::prelude::*;
use rtl_gen::config::Config;
use rtl_gen::program::model::view;
use sim_harness::chip::{Chip, ChipOptions};
use sim_harness::session::TokenOptions;
use std::path::Path;

fn config(name: &str) -> Config {
    Config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("configs/{name}.toml")))
        .expect("a configuration of the repository")
}

/// The one boundary: a model of `shape` with random weights says the same on the chip as in the golden model, value by value.
fn check(config: &Config, shape: &Shape, seed: u64, stall: f64, n_tokens: usize) -> Vec<u64> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("random.safetensors");
    write_random(&path, shape, Dtype::F32, seed).expect("a random checkpoint");
    let checkpoint = Checkpoint::open(&path).expect("a valid checkpoint");
    let ranges =
        calibrate(&Weights::read(&checkpoint).expect("finite weights"), &random_tokens(shape.vocab_size, 32), |_| ());
    let golden = quantise(&checkpoint, &ranges, &QuantOptions::default()).expect("formats for these weights").model;
    let image = stream(&golden);
    let model = view(&golden, &StreamLayout::of(&golden));
    let options = ChipOptions { stall, seed, trace: None };
    let mut chip = Chip::new(config, golden, &model, &image, &options).expect("a chip");
    for token in random_tokens(shape.vocab_size, n_tokens) {
        let run = chip.step(token, TokenOptions { logits: true, timeline: false }).expect("a token");
        if let Some(first) = &run.result.outcome.first {
            panic!("{shape:?} seed {seed} stall {stall} on {}: {first}", config.name);
        }
    }
    assert!(chip.totals.outcome.values_checked > 0 && chip.totals.outcome.mismatches == 0);
    chip.totals.cycles.clone()
}

/// 1 to 6 layers, head_size 16/32/64, D from 32 to 256, ranks from 8, vocabulary 12 to 1,000.
fn shapes() -> impl Strategy<Value = Shape> {
    let heads = prop_oneof![Just(16usize), Just(32), Just(64)];
    let ranks = (8usize..40, 8usize..40, 8usize..24, 8usize..70);
    (1usize..=6, heads, 1usize..=16, ranks, 12usize..=1000, 32usize..=512).prop_map(
        |(n_layer, head_size, n, ranks, vocab_size, dim_ffn)| {
            let n_head = n.clamp(32usize.div_ceil(head_size), 256 / head_size);
            let n_embd = n_head * head_size;
            Shape {
                n_layer,
                n_embd,
                n_head,
                head_size,
                vocab_size,
                dim_ffn: dim_ffn.min(4 * n_embd),
                rank_w: ranks.0,
                rank_a: ranks.1,
                rank_v: if n_layer > 1 { ranks.2 } else { 0 },
                rank_g: ranks.3,
            }
        },
    )
}

fn small() -> Shape {
    Shape {
        n_layer: 2,
        n_embd: 64,
        n_head: 2,
        head_size: 32,
        vocab_size: 100,
        dim_ffn: 144,
        rank_w: 8,
        rank_a: 10,
        rank_v: 12,
        rank_g: 17,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 8, ..ProptestConfig::default() })]

    #[test]
    fn every_shape_runs_on_nano(shape in shapes(), seed in 0u64..1000, stalled: bool) {
        check(&config("nano"), &shape, seed, if stalled { 0.2 } else { 0.0 }, 3);
    }

    #[test]
    fn every_shape_runs_on_wide(shape in shapes(), seed in 0u64..1000, stalled: bool) {
        check(&config("wide"), &shape, seed, if stalled { 0.2 } else { 0.0 }, 3);
    }
}

#[test]
fn cycles_do_not_depend_on_token_or_position() {
    for name in ["nano", "wide"] {
        let cycles = check(&config(name), &small(), 1, 0.0, 40);
        assert!(cycles[1..].iter().all(|c| *c == cycles[1]), "{name}: {cycles:?}");
    }
}

#[test]
fn stalls_change_cycles_and_nothing_else() {
    let calm = check(&config("nano"), &small(), 2, 0.0, 3);
    for seed in 0..4 {
        let stalled = check(&config("nano"), &small(), 2, 0.3, 3);
        assert!(stalled[0] > calm[0], "seed {seed}: stalls were not felt");
    }
}
