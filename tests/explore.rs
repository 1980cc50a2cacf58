//! The analytical model against the RTL: cycles of a token, for shapes and configurations that lose their cycles in different places.

use explore::shape::outline;
use golden_model::checkpoint::random::write_random;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Dtype, Shape};
use golden_model::image::layout::{stream, StreamLayout};
use golden_model::quantise::calibrate::{calibrate, random_tokens};
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise;
use records::explore::Weights as Format;
use rtl_gen::config::{Config, StateAt};
use rtl_gen::program::model::view;
use sim_harness::chip::{Chip, ChipOptions};
use sim_harness::session::TokenOptions;
use std::path::Path;

/// Largest share of the RTL's cycles by which the model may be off.
const LIMIT: f64 = 0.03;

fn config(name: &str, ideal: bool) -> Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("configs/{name}.toml"));
    let mut config = Config::load(&path).expect("a configuration of the repository");
    if ideal {
        config.memory.ddr4 = None;
    }
    config
}

/// Cycles of a token on the simulated chip; of several sessions, of a pass with all at work.
fn simulated(config: &Config, shape: &Shape) -> u64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("random.safetensors");
    write_random(&path, shape, Dtype::F32, 7).expect("a random checkpoint");
    let checkpoint = Checkpoint::open(&path).expect("a valid checkpoint");
    let weights = Weights::read(&checkpoint).expect("finite weights");
    let ranges = calibrate(&weights, &random_tokens(shape.vocab_size, 16), |_| ());
    let golden = quantise(&checkpoint, &ranges, &QuantOptions::default()).expect("formats for these weights").model;
    let image = stream(&golden);
    let model = view(&golden, &StreamLayout::of(&golden));
    let mut chip = Chip::new(config, golden, &model, &image, &ChipOptions::default()).expect("a chip");
    for token in [3, 5] {
        let tokens: Vec<_> = (0..config.sessions as u32).map(|slot| Some(token + slot)).collect();
        let run = chip.pass(&tokens, TokenOptions::default()).expect("a token");
        assert_eq!(run.result.outcome.mismatches, 0);
    }
    chip.totals.cycles[1]
}

fn shape(
    n_layer: usize,
    n_embd: usize,
    head_size: usize,
    vocab_size: usize,
    dim_ffn: usize,
    ranks: [usize; 4],
) -> Shape {
    let [rank_w, rank_a, rank_v, rank_g] = ranks;
    let rank_v = if n_layer > 1 { rank_v } else { 0 };
    let n_head = n_embd / head_size;
    Shape { n_layer, n_embd, n_head, head_size, vocab_size, dim_ffn, rank_w, rank_a, rank_v, rank_g, deep_embed: false }
}

#[test]
fn the_analytical_model_is_within_its_limit_of_the_rtl() {
    let shapes = [
        shape(1, 64, 32, 100, 144, [8, 10, 12, 17]),
        shape(2, 128, 64, 256, 512, [32, 32, 16, 64]),
        shape(3, 256, 64, 500, 1024, [32, 32, 32, 64]),
        shape(2, 192, 32, 1000, 768, [24, 16, 16, 48]),
        shape(6, 64, 16, 64, 256, [16, 16, 16, 32]),
    ];
    let mut worst = 0f64;
    let mut table = String::new();
    for (name, ideal, state, sessions) in [
        ("nano", true, StateAt::Chip, 1),
        ("wide", true, StateAt::Chip, 1),
        ("edge", false, StateAt::Chip, 1),
        ("nano", true, StateAt::Memory, 1),
        ("wide", true, StateAt::Memory, 1),
        ("nano", true, StateAt::Chip, 4),
        ("nano", true, StateAt::Memory, 4),
        ("wide", true, StateAt::Memory, 2),
    ] {
        let mut config = config(name, ideal);
        (config.state, config.sessions) = (state, sessions);
        if sessions > 1 {
            config.limits.state_fifo_beats = 1024; // a head of 64 on 128 bits
        }
        for s in &shapes {
            let model = outline(s, Format::W8, config.numbers.state_bits as u32);
            let program = rtl_gen::program::compile(&config, &model).expect("a shape that fits");
            let told = explore::cycles::token(&config, &program).cycles_per_token;
            let counted = simulated(&config, s);
            let error = told as f64 / counted as f64 - 1.0;
            table += &format!(
                "{name:5} {state:?} {sessions} L{} D{:3} {counted:7} cycles, model {told:7}, {:+.2} %\n",
                s.n_layer,
                s.n_embd,
                100.0 * error
            );
            worst = worst.max(error.abs());
        }
    }
    eprintln!("{table}");
    assert!(worst <= LIMIT, "off by {:.2} %:\n{table}", 100.0 * worst);
}
