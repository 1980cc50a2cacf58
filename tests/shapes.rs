//! One elaborated chip serves every model: random shapes, the RTL against the golden model, two configurations.

#[path = "../golden-model/tests/common/deepened.rs"]
mod deepened;

use golden_model::arithmetic::tensor::WeightBits;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Shape};
use golden_model::image::layout::{stream, StreamLayout};
use golden_model::network::model::QModel;
use golden_model::network::session::{FloatSession, Session};
use golden_model::quantise::calibrate::{calibrate, random_tokens};
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::{quantise, random};
use proptest::prelude::*;
use records::mismatch::Mismatch;
use rtl_gen::blocks::core::core;
use rtl_gen::config::{Config, StateAt};
use rtl_gen::hdl::{print, Printed};
use rtl_gen::program::model::view;
use sim_harness::chip::{Chip, ChipOptions};
use sim_harness::session::TokenOptions;
use std::path::Path;

fn config(name: &str) -> Config {
    Config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("configs/{name}.toml")))
        .expect("a configuration of the repository")
}

/// A quantised model of `shape` with random weights; every other seed has 4-bit matrices.
fn random_model(shape: &Shape, seed: u64) -> QModel {
    let bits = if seed.is_multiple_of(2) { WeightBits::W4 } else { WeightBits::W8 };
    random::random_model(shape, &QuantOptions { bits, ..QuantOptions::default() }, seed).expect("a model of that shape")
}

/// Runs `n_tokens` of a random model, every third seed without the columns that meet a zero, on `printed` (an `anser_core` of `config`): cycles a token and the first mismatch.
fn run(
    config: &Config,
    printed: &Printed,
    shape: &Shape,
    seed: u64,
    stalls: (f64, u64),
    n_tokens: usize,
) -> (Vec<u64>, Option<Mismatch>) {
    run_model(config, printed, random_model(shape, seed), seed.is_multiple_of(3), (shape, stalls, n_tokens))
}

fn run_model(
    config: &Config,
    printed: &Printed,
    golden: QModel,
    skip_columns: bool,
    (shape, stalls, n_tokens): (&Shape, (f64, u64), usize),
) -> (Vec<u64>, Option<Mismatch>) {
    let image = stream(&golden);
    let mut model = view(&golden, &StreamLayout::of(&golden));
    model.skip_columns = skip_columns;
    let options = ChipOptions { stall: stalls.0, seed: stalls.1, ..ChipOptions::default() };
    let mut chip = Chip::with_core(config, printed, golden, &model, &image, &options).expect("a chip");
    for token in random_tokens(shape.vocab_size, n_tokens) {
        let run = chip.step(token, TokenOptions { logits: true, timeline: false }).expect("a token");
        if run.result.outcome.first.is_some() {
            return (chip.totals.cycles, run.result.outcome.first);
        }
    }
    assert!(chip.totals.outcome.values_checked > 0);
    (chip.totals.cycles, None)
}

/// The one boundary: a random model says the same on the chip as in the golden model, value by value.
fn check(config: &Config, shape: &Shape, seed: u64, stalls: (f64, u64), n_tokens: usize) -> Vec<u64> {
    let printed = print(&core(config)).expect("distinct modules");
    let (cycles, first) = run(config, &printed, shape, seed, stalls, n_tokens);
    if let Some(first) = first {
        panic!("{shape:?} seed {seed} stalls {stalls:?} on {}: {first}", config.name);
    }
    cycles
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
                n_layer: n_layer.min(65536 / (n_embd * head_size)), // what nano has of state
                n_embd,
                n_head,
                head_size,
                vocab_size,
                dim_ffn: dim_ffn.min(4 * n_embd),
                rank_w: ranks.0,
                rank_a: ranks.1,
                rank_v: if n_layer > 1 { ranks.2 } else { 0 },
                rank_g: ranks.3,
                deep_embed: false,
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
        deep_embed: false,
    }
}

/// A configuration with the state of its sessions in memory instead of on the chip.
fn streamed(name: &str) -> Config {
    let mut config = config(name);
    config.state = StateAt::Memory;
    config.limits.state_fifo_beats = 64;
    config
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 8, ..ProptestConfig::default() })]

    #[test]
    fn every_shape_runs_on_nano(shape in shapes(), seed in 0u64..1000, stalled: bool) {
        check(&config("nano"), &shape, seed, (if stalled { 0.2 } else { 0.0 }, seed), 3);
    }

    #[test]
    fn every_shape_runs_on_wide(shape in shapes(), seed in 0u64..1000, stalled: bool) {
        check(&config("wide"), &shape, seed, (if stalled { 0.2 } else { 0.0 }, seed), 3);
    }
}

#[test]
fn state_in_memory_changes_no_value() {
    for (name, seed) in [("nano", 1), ("wide", 1), ("nano", 2), ("wide", 4)] {
        let config = streamed(name);
        let cycles = check(&config, &small(), seed, (0.0, 0), 4);
        assert!(cycles[1..].iter().all(|c| *c == cycles[1]), "{name} seed {seed}: {cycles:?}");
        for seed in [3, 4] {
            check(&config, &small(), seed, (0.3, seed), 3);
        }
    }
}

/// The chip of `config` on a model of [`small`] whose tokens are compared with the golden model as always.
fn chip<'a>(config: &Config, printed: &Printed, image: &'a [u8], stall: (f64, u64)) -> Chip<'a> {
    let golden = random_model(&small(), 5);
    let model = view(&golden, &StreamLayout::of(&golden));
    let options = ChipOptions { stall: stall.0, seed: stall.1, ..ChipOptions::default() };
    Chip::with_core(config, printed, golden, &model, image, &options).expect("a chip")
}

fn say(chip: &mut Chip, token: u32) -> Vec<i32> {
    let run = chip.step(token, TokenOptions { logits: true, timeline: false }).expect("a token");
    assert!(run.result.outcome.first.is_none(), "{}", run.result.outcome.first.expect("a mismatch"));
    run.result.logits
}

/// Sessions that take turns at random, one of them started anew in between, each say to the bit what they say alone on a chip.
#[test]
fn sessions_in_memory_are_strangers_to_each_other() {
    for name in ["nano", "wide"] {
        let config = streamed(name);
        let printed = print(&core(&config)).expect("distinct modules");
        let image = stream(&random_model(&small(), 5));
        let texts: Vec<Vec<u32>> =
            (0..4).map(|n| random_tokens(100, 30).into_iter().skip(5 * n).take(5).collect()).collect();
        let alone: Vec<Vec<Vec<i32>>> = texts
            .iter()
            .map(|text| {
                let mut one = chip(&config, &printed, &image, (0.0, 0));
                text.iter().map(|t| say(&mut one, *t)).collect()
            })
            .collect();
        for seed in 0..3 {
            let mut shared = chip(&config, &printed, &image, (if seed == 2 { 0.2 } else { 0.0 }, seed));
            for _ in 1..texts.len() {
                shared.add_session().expect("state in memory");
            }
            let mut said = vec![0; texts.len()];
            let mut turn = seed + 7;
            while said.iter().zip(&texts).any(|(n, text)| *n < text.len()) {
                turn = (turn * 1_103_515_245 + 12_345) % (1 << 31);
                let s = (turn / 65_536) as usize % texts.len();
                shared.select(s).expect("a session");
                if turn / 1024 % 13 == 0 {
                    shared.clear().expect("cleared");
                    said[s] = 0;
                }
                if said[s] < texts[s].len() {
                    let logits = say(&mut shared, texts[s][said[s]]);
                    assert_eq!(logits, alone[s][said[s]], "{name} seed {seed}: session {s}, token {}", said[s]);
                    said[s] += 1;
                }
            }
            // another session costs nothing: only the bursts' ends, at other places of a page, make a few cycles
            let cycles = &shared.totals.cycles;
            if seed < 2 {
                let (least, most) = (cycles.iter().min().expect("tokens"), cycles.iter().max().expect("tokens"));
                assert!(most - least <= least / 100, "{name}: {least} to {most} cycles a token");
            }
        }
    }
    let on_chip = config("nano");
    let printed = print(&core(&on_chip)).expect("distinct modules");
    let image = stream(&random_model(&small(), 5));
    let mut one = chip(&on_chip, &printed, &image, (0.0, 0));
    let refused = one.add_session().expect_err("the state is on the chip").to_string();
    assert!(refused.contains("nano") && refused.contains("memory"), "{refused}");
}

/// What only a state in memory has can break, and is found.
#[test]
fn a_broken_way_to_memory_is_found() {
    let config = streamed("nano");
    let good = print(&core(&config)).expect("distinct modules");
    for (file, from, to, place) in [
        (
            "anser_token_control.sv",
            "zero_q <= zero_q | cleared_slots",
            "zero_q <= zero_q & cleared_slots",
            "att.x_prev",
        ),
        ("anser_state_writer.sv", "at_end   = ((beat", "at_end   = 1'b0 && ((beat", "Hang"),
        ("anser_wkv_stream.sv", "if (read_q[1]) word_2_q", "if (re_i) word_2_q", "wkv_sa"),
    ] {
        let mut broken = good.clone();
        let text = broken.files.get_mut(file).unwrap_or_else(|| panic!("no {file}"));
        assert!(text.contains(from), "{file} has changed: choose another line to break");
        *text = text.replace(from, to);
        let found = std::panic::catch_unwind(|| run(&config, &broken, &small(), 3, (0.0, 0), 2).1);
        let found = match found {
            Ok(first) => first.map(|m| m.to_string()),
            Err(panic) => panic.downcast_ref::<String>().cloned(),
        };
        let found = found.unwrap_or_else(|| panic!("{file}: `{to}` went unnoticed"));
        assert!(found.contains(place), "{file}: expected {place}, got {found}");
    }
}

#[test]
fn cycles_do_not_depend_on_token_or_position() {
    for (name, seed) in [("nano", 1), ("wide", 1), ("nano", 2), ("wide", 2)] {
        let cycles = check(&config(name), &small(), seed, (0.0, 0), 40);
        assert!(cycles[1..].iter().all(|c| *c == cycles[1]), "{name} seed {seed}: {cycles:?}");
    }
}

#[test]
fn stalls_change_cycles_and_nothing_else() {
    let calm = check(&config("nano"), &small(), 2, (0.0, 0), 3);
    let stalled: Vec<_> = (0..4).map(|seed| check(&config("nano"), &small(), 2, (0.3, seed), 3)).collect();
    assert!(stalled.iter().all(|s| s[0] > calm[0]), "stalls were not felt: {stalled:?} against {calm:?}");
    assert!(stalled.iter().any(|s| *s != stalled[0]), "all seeds stall alike: {stalled:?}");
}

/// Columns that meet a zero are not read: every value is the same under 20 patterns of stalls, in fewer cycles.
#[test]
fn skipped_columns_change_cycles_and_nothing_else() {
    for name in ["nano", "wide"] {
        let config = config(name);
        let printed = print(&core(&config)).expect("distinct modules");
        // one network: only what it skips, and how it is held up, differ
        let run = |skip, stalls| run_model(&config, &printed, random_model(&small(), 3), skip, (&small(), stalls, 4));
        let (dense, sparse) = (run(false, (0.0, 0)), run(true, (0.0, 0)));
        for (cycles, first) in
            [&dense, &sparse].into_iter().chain(&(0..20).map(|s| run(true, (0.3, s))).collect::<Vec<_>>())
        {
            assert!(first.is_none() && cycles.len() == 4, "{name}: {first:?}");
        }
        // 144 columns of a single beat each are not worth the memory's latency on the wide bus
        let fewer = sparse.0.iter().sum::<u64>() < dense.0.iter().sum::<u64>();
        assert!(fewer || name == "wide", "{name}: {sparse:?} against {dense:?}");
    }
}

/// A comparison that cannot fail is worth nothing: one changed operator in one module must be found and named.
#[test]
fn a_broken_chip_is_found_and_the_place_named() {
    let config = config("nano");
    let good = print(&core(&config)).expect("distinct modules");
    for (file, from, to, tap) in [
        (
            "anser_vec_lane.sv",
            "(FACTOR_BITS'(c_is_i[C_IS_ONE]) << ONE_FRAC)",
            "((FACTOR_BITS'(c_is_i[C_IS_ONE]) << ONE_FRAC) | FACTOR_BITS'(c_is_i[C_IS_ONE]))",
            "att.t",
        ),
        ("anser_wkv_lane.sv", "s4_q} - {sd_q", "s4_q} + {sd_q", "att.y"),
        ("anser_mat_lane.sv", "{w_i[7] && !unsigned_i, w_i}", "{w_i[7] || unsigned_i, w_i}", "att.w1"),
        ("anser_mat_w4.sv", "(i == 0) ? 0 : PERIOD - i", "(i == 0) ? 1 : PERIOD - i", "att.k"),
    ] {
        let mut broken = good.clone();
        let text = broken.files.get_mut(file).unwrap_or_else(|| panic!("no {file}"));
        assert!(text.contains(from), "{file} has changed: choose another line to break");
        *text = text.replace(from, to);
        let seed = if file == "anser_mat_w4.sv" { 4 } else { 3 };
        let (_, first) = run(&config, &broken, &small(), seed, (0.0, 0), 3);
        let first = first.unwrap_or_else(|| panic!("{file}: `{to}` went unnoticed")).to_string();
        assert!(first.contains(tap), "{file}: expected the first mismatch in {tap}, got {first}");
    }
}

/// A network with DeepEmbed (RWKV-7a).
fn deep(shape: Shape) -> Shape {
    Shape { deep_embed: true, ..shape }
}

#[test]
fn deep_embed_runs_on_every_chip() {
    for config in [config("nano"), config("wide"), streamed("nano")] {
        // seeds 3 and 6 skip columns, 4 and 6 have matrices of 4 bits; the last two have fewer pieces of ffn.key than matrices, and odd ranks
        for (seed, shape) in [
            (3, small()),
            (4, small()),
            (6, Shape { dim_ffn: 47, ..small() }),
            (7, Shape { n_layer: 1, dim_ffn: 256, rank_v: 0, ..small() }),
        ] {
            let cycles = check(&config, &deep(shape.clone()), seed, (0.0, 0), 4);
            assert!(seed % 3 == 0 || cycles[1..].iter().all(|c| *c == cycles[1]), "{} {seed}: {cycles:?}", config.name);
            check(&config, &deep(shape), seed, (0.3, seed), 3);
        }
    }
}

/// The chip says what the golden model says on a network that knows its text, and reads the matrix of the token it works on.
#[test]
fn a_trained_network_with_deep_embed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep.safetensors");
    deepened::write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/shakespeare.safetensors"), 0.15, &path);
    let checkpoint = Checkpoint::open(&path).expect("a checkpoint");
    let weights = Weights::read(&checkpoint).expect("finite numbers");
    let ranges = calibrate(&weights, &random_tokens(256, 64), |_| {});
    let golden = quantise(&checkpoint, &ranges, &QuantOptions::default()).expect("a model").model;
    let config = config("nano");
    let printed = print(&core(&config)).expect("distinct modules");
    for skip in [false, true] {
        let image = stream(&golden);
        let mut model = view(&golden, &StreamLayout::of(&golden));
        model.skip_columns = skip;
        let mut chip = Chip::with_core(&config, &printed, golden.clone(), &model, &image, &ChipOptions::default())
            .expect("a chip");
        let mut float = FloatSession::new(&weights);
        let mut said = vec![];
        let mut prompt = b"ROMEO:\n".iter().map(|b| u32::from(*b)).collect::<std::collections::VecDeque<_>>();
        while said.len() < 12 {
            let token = prompt.pop_front().unwrap_or_else(|| *said.last().expect("a token was said"));
            let run = chip.step(token, TokenOptions { logits: true, timeline: false }).expect("a token");
            assert!(run.result.outcome.first.is_none(), "{}", run.result.outcome.first.expect("a mismatch"));
            let exact = float.step(token).expect("a token of the vocabulary");
            if prompt.is_empty() {
                let best = (0..exact.len()).max_by(|a, b| exact[*a].total_cmp(&exact[*b])).expect("logits") as u32;
                let first = (0..run.result.logits.len()).max_by_key(|i| (run.result.logits[*i], std::cmp::Reverse(*i)));
                assert_eq!(first, Some(best as usize), "token {}", said.len());
                said.push(best);
            }
        }
    }
    // another token's matrix: every address of one is wrong by a unit, or none depends on the token
    for (from, to) in [
        (
            "(kind == anser_pkg::DMA_KIND_EMBEDDING) || (kind == anser_pkg::DMA_KIND_TOKEN_WEIGHTS)",
            "(kind == anser_pkg::DMA_KIND_EMBEDDING) || ((kind == anser_pkg::DMA_KIND_TOKEN_WEIGHTS) && 1'b0)",
        ),
        ("base + UNIT_BITS'(addr)", "base + UNIT_BITS'(addr) + UNIT_BITS'(kind == anser_pkg::DMA_KIND_TOKEN_WEIGHTS)"),
    ] {
        let mut broken = printed.clone();
        let text = broken.files.get_mut("anser_dma.sv").expect("the stream reader");
        assert!(text.contains(from), "anser_dma.sv has changed: choose another line to break");
        *text = text.replace(from, to);
        let (_, first) = run_model(&config, &broken, golden.clone(), false, (&golden.shape, (0.0, 0), 2));
        let first = first.unwrap_or_else(|| panic!("`{to}` went unnoticed")).to_string();
        assert!(first.contains("ffn.ss"), "expected the first mismatch in ffn.ss, got {first}");
    }
}

#[test]
fn deep_embed_is_refused_for_several_sessions() {
    let golden = random_model(&deep(small()), 3);
    let model = view(&golden, &StreamLayout::of(&golden));
    let two = Config { sessions: 2, ..config("nano") };
    let error = rtl_gen::program::compile(&two, &model).expect_err("two matrices at once").to_string();
    assert!(error.contains("RWKV-7a") && error.contains("nano has sessions = 2, expected 1"), "{error}");
    // the network itself has room, the gate has not
    let mut tight = config("nano");
    tight.limits.vmem_elements = 2000;
    let words = |model: &QModel| rtl_gen::program::compile(&tight, &view(model, &StreamLayout::of(model))).map(|_| ());
    words(&random_model(&small(), 3)).expect("a network without DeepEmbed");
    let error = words(&golden).expect_err("no room for the gate").to_string();
    assert!(error.contains("vmem_elements"), "{error}");
}

#[test]
fn a_head_that_is_no_whole_word_is_refused() {
    let config = config("wide");
    let shape = Shape { n_embd: 48, head_size: 24, ..small() };
    let golden = random_model(&shape, 4);
    let model = view(&golden, &StreamLayout::of(&golden));
    let error = rtl_gen::program::compile(&config, &model).expect_err("24 is no multiple of 16").to_string();
    assert!(error.contains("head_size 24") && error.contains("multiple of 16"), "{error}");
}
