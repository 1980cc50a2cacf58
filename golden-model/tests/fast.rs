//! The fast step against the specification: logits, every layer's state and the counts of clipped results, token by token.

mod common;

use common::{awkward_shape, deep_shakespeare, deep_shape, random, random_pair, shakespeare};
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::arithmetic::vector_ops::SaturationCounts;
use golden_model::checkpoint::Shape;
use golden_model::fast::isa::Isa;
use golden_model::fast::{from_image, from_model, Runner};
use golden_model::image;
use golden_model::image::Image;
use golden_model::network::integer_step::{step, IntState, NoTaps};
use golden_model::network::model::QModel;
use golden_model::quantise::options::QuantOptions;
use std::sync::Arc;

/// The specification's logits after each token, its state and counts after all.
fn specified(model: &QModel, tokens: &[u32]) -> (Vec<Vec<i32>>, IntState, SaturationCounts) {
    let (mut state, mut sat) = (IntState::new(model), SaturationCounts::default());
    let logits = tokens.iter().map(|t| step(model, *t as usize, &mut state, &mut sat, &mut NoTaps)).collect();
    (logits, state, sat)
}

/// Token by token, with every instruction set and several thread counts.
fn check(what: &str, model: &QModel, tokens: &[u32]) -> SaturationCounts {
    let weights = Arc::new(from_model(model).unwrap());
    let (want, state, sat) = specified(model, tokens);
    for isa in Isa::all() {
        for threads in [1, 3] {
            let mut runner = Runner::with_isa(weights.clone(), threads, isa);
            let mut session = runner.session();
            for (i, (token, want)) in tokens.iter().zip(&want).enumerate() {
                let logits = runner.step(&mut session, *token).unwrap();
                assert!(logits == want, "{what}, {}, {threads} threads: logits of token {i}", isa.name());
            }
            for (l, (got, want)) in session.state.layers.iter().zip(&state.layers).enumerate() {
                assert!(got == want, "{what}, {}, {threads} threads: state of layer {l}", isa.name());
            }
            assert_eq!(session.saturations, sat, "{what}, {}", isa.name());
        }
    }
    sat
}

/// A shape large enough for work to be shared among threads, with several heads.
fn wide_shape() -> Shape {
    Shape { n_layer: 2, n_embd: 320, n_head: 5, head_size: 64, dim_ffn: 1100, vocab_size: 300, ..awkward_shape() }
}

#[test]
fn trained_network() {
    for bits in [WeightBits::W4, WeightBits::W8, WeightBits::W16] {
        let (pair, text) = shakespeare(&QuantOptions { bits, ..QuantOptions::default() });
        check("trained", &pair.model, &text[..24]);
    }
}

#[test]
fn random_networks() {
    for (seed, shape) in [(1, awkward_shape()), (2, wide_shape())] {
        for bits in [WeightBits::W4, WeightBits::W8, WeightBits::W16] {
            let options = QuantOptions { bits, state_bits: 20 + seed as u32 * 4, ..QuantOptions::default() };
            let (pair, tokens) = random_pair(&shape, seed, 1.0, 12, &options);
            check("random", &pair.model, &tokens);
        }
    }
}

/// Every row of a block has a matrix of its own: one token at a time, a prompt at once, sessions side by side, narrow operands.
#[test]
fn deep_embed() {
    let (pair, text) = deep_shakespeare(&QuantOptions::default());
    check("trained", &pair.model, &text[..24]);
    for (seed, shape) in [(1, deep_shape()), (2, Shape { deep_embed: true, ..wide_shape() })] {
        for bits in [WeightBits::W4, WeightBits::W8] {
            let options = QuantOptions { bits, operand_bits: 18 - 2 * seed as u32, ..QuantOptions::default() };
            let (pair, tokens) = random_pair(&shape, seed, 1.0, 35, &options);
            check("random", &pair.model, &tokens[..12]);
            let (want, state, _) = specified(&pair.model, &tokens);
            let mut runner = Runner::new(Arc::new(from_model(&pair.model).unwrap()), 2);
            let mut session = runner.session();
            assert!(runner.prefill(&mut session, &tokens).unwrap() == want[34] && session.state == state);
            let mut sessions = vec![runner.session(); 3];
            let mut got = vec![vec![]; 3];
            runner.batch(&mut sessions, &tokens[..3], |i, logits| got[i] = logits.to_vec()).unwrap();
            assert!((0..3).all(|i| got[i] == specified(&pair.model, &tokens[i..=i]).0[0]));
        }
    }
    for (seed, wild) in [(1, 4.0), (2, 20.0), (3, 1e3), (6, 0.0)] {
        let (pair, tokens) = random_pair(&deep_shape(), seed, wild, 12, &QuantOptions::default());
        check("wild", &pair.model, &tokens);
    }
}

/// `ffn.value` in nibbles by columns, alone and beside other matrices of 4 bits.
#[test]
fn nibbles_by_columns() {
    let options = |bits| QuantOptions { bits, value: Some(WeightBits::W4Columns), ..QuantOptions::default() };
    for bits in [WeightBits::W4, WeightBits::W8] {
        let (pair, text) = shakespeare(&options(bits));
        check("trained", &pair.model, &text[..24]);
        for (seed, shape) in [(1, awkward_shape()), (2, wide_shape())] {
            let (pair, tokens) = random_pair(&shape, seed, 1.0, 12, &options(bits));
            check("random", &pair.model, &tokens);
        }
    }
}

#[test]
fn narrow_operands() {
    for operand_bits in [8, 13] {
        let options = QuantOptions { operand_bits, ..QuantOptions::default() };
        let (pair, text) = shakespeare(&options);
        check("trained", &pair.model, &text[..12]);
        let (pair, tokens) = random_pair(&awkward_shape(), 9, 3.0, 12, &options);
        check("random", &pair.model, &tokens);
        let mut wide = pair.model.clone();
        wide.f.operand_bits = 16;
        let last = |model| specified(model, &tokens).0.pop();
        assert!(last(&pair.model) != last(&wide), "{operand_bits} bits change nothing");
    }
}

/// Networks that saturate everywhere, and one of zeros.
#[test]
fn wild_networks() {
    let mut clipped = 0;
    for (seed, wild) in [(1, 4.0), (2, 20.0), (3, 1e3), (4, 1e-3), (5, 1e-12), (6, 0.0)] {
        let (pair, _) = random_pair(&awkward_shape(), seed, wild, 4, &QuantOptions::default());
        let mut model = pair.model;
        // a residual stream and a state too narrow for this network: results are clipped
        for layer in &mut model.layers {
            layer.att.r_k.q.iter_mut().for_each(|q| *q = if *q < 0 { i16::MIN } else { i16::MAX });
            layer.att.w0.q.iter_mut().for_each(|q| *q = i16::MIN);
        }
        let tokens = golden_model::quantise::calibrate::random_tokens(model.shape.vocab_size, 40);
        let sat = check("wild", &model, &tokens);
        clipped += sat.vec.0 + sat.wkv.0 + sat.mat.0;
    }
    assert!(clipped > 0, "nothing was clipped: the counts were not tested");
}

#[test]
fn a_prompt_at_once_is_token_by_token() {
    let columns = Some(WeightBits::W4Columns);
    for (seed, shape, bits, value) in [
        (3, awkward_shape(), WeightBits::W8, None),
        (4, wide_shape(), WeightBits::W8, None),
        (8, awkward_shape(), WeightBits::W4, None),
        (3, awkward_shape(), WeightBits::W4, columns),
        (4, wide_shape(), WeightBits::W8, columns),
    ] {
        let options = QuantOptions { bits, value, ..QuantOptions::default() };
        let (pair, tokens) = random_pair(&shape, seed, 1.5, 70, &options);
        let weights = Arc::new(from_model(&pair.model).unwrap());
        for n in [1, 2, 5, 31, 32, 33, 70] {
            let (want, state, _) = specified(&pair.model, &tokens[..n]);
            for (isa, threads) in Isa::all().into_iter().zip([1, 2, 1]).chain([(Isa::best(), 2)]) {
                let mut runner = Runner::with_isa(weights.clone(), threads, isa);
                let mut session = runner.session();
                let logits = runner.prefill(&mut session, &tokens[..n]).unwrap();
                assert!(
                    logits == want[n - 1] && session.state == state,
                    "{n} tokens, {threads} threads, {}",
                    isa.name()
                );
            }
        }
    }
}

#[test]
fn sessions_are_independent() {
    let (pair, tokens) = random_pair(&wide_shape(), 5, 1.0, 40 * 3, &QuantOptions::default());
    let weights = Arc::new(from_model(&pair.model).unwrap());
    for (isa, n) in [1, 3, 40].into_iter().flat_map(|n| Isa::all().into_iter().map(move |isa| (isa, n))) {
        let mut runner = Runner::with_isa(weights.clone(), 2, isa);
        let mut sessions = vec![runner.session(); n];
        for round in 0..3 {
            let now: Vec<u32> = (0..n).map(|i| tokens[3 * i + round]).collect();
            let mut got = vec![vec![]; n];
            runner.batch(&mut sessions, &now, |i, logits| got[i] = logits.to_vec()).unwrap();
            for i in 0..n {
                let (want, state, sat) = specified(&pair.model, &tokens[3 * i..3 * i + round + 1]);
                assert!(got[i] == want[round], "{n} sessions, session {i}, token {round}");
                assert!(sessions[i].state == state && sessions[i].saturations == sat, "{n} sessions, session {i}");
            }
        }
    }
}

#[test]
fn an_image_runs_in_place() {
    let (pair, tokens) = random_pair(&awkward_shape(), 6, 1.0, 20, &QuantOptions::default());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.anser");
    image::write(&pair.model, &path).unwrap();
    let mut runner = Runner::new(Arc::new(from_image(Image::open(&path).unwrap()).unwrap()), 1);
    let mut session = runner.session();
    let (want, state, _) = specified(&pair.model, &tokens);
    assert!(runner.prefill(&mut session, &tokens).unwrap() == want[19] && session.state == state);
}

#[test]
fn tokens_outside_the_vocabulary_change_nothing() {
    let (pair, tokens) = random_pair(&awkward_shape(), 7, 1.0, 3, &QuantOptions::default());
    let mut runner = Runner::new(Arc::new(from_model(&pair.model).unwrap()), 1);
    let mut session = runner.session();
    runner.prefill(&mut session, &tokens).unwrap();
    let before = session.clone();
    let error = runner.prefill(&mut session, &[1, 50, 2]).unwrap_err();
    assert_eq!((error.token, error.vocab_size), (50, 50));
    assert!(runner.batch(std::slice::from_mut(&mut session), &[u32::MAX], |_, _| {}).is_err());
    assert!(runner.prefill(&mut session, &[]).unwrap().is_empty());
    assert!(session == before);
}

/// Shapes at random, of tiles that are not full, ranks below 8, one head or many.
#[test]
fn shapes_at_random() {
    use rand::{Rng, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..12 {
        let (n_head, head_size) = (rng.gen_range(1..4), rng.gen_range(1..40));
        let mut size = |max: usize| rng.gen_range(1..=max);
        let shape = Shape {
            n_layer: size(3),
            n_embd: n_head * head_size,
            n_head,
            head_size,
            vocab_size: size(200),
            dim_ffn: size(300),
            rank_w: size(40),
            rank_a: size(40),
            rank_v: size(40),
            rank_g: size(40),
            deep_embed: false,
        };
        let path = dir.path().join(format!("{seed}.safetensors"));
        random(&shape, seed, 2.0, &path);
        let tokens = golden_model::quantise::calibrate::random_tokens(shape.vocab_size, 8);
        let pair = common::load(&path, &tokens, &QuantOptions::default());
        check(&format!("{shape:?}"), &pair.model, &tokens);
    }
}
