//! The precision study: its figures against the evaluation's, its formats against the step's, and faults it must see.

mod common;

use common::{awkward_shape, random};
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::Checkpoint;
use golden_model::fast::from_model;
use golden_model::network::integer_step::IntState;
use golden_model::network::recipe::Rounding;
use golden_model::network::session::{FloatSession, GoldenSession, TokenError};
use golden_model::quantise::calibrate::{calibrate, calibrate_operands, random_tokens, Ranges};
use golden_model::quantise::options::QuantOptions;
use golden_model::study::drift::{drift, Golden, Run};
use golden_model::study::grid::{grid, Group, Quality};
use golden_model::study::taps::taps;
use golden_model::study::tensors::tensors;
use golden_model::study::{reference_limit, Reference, Source, StudyError};
use golden_model::text::eval::evaluate;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// A checkpoint with what a study needs of it.
struct Network {
    checkpoint: Checkpoint,
    weights: Weights,
    ranges: Ranges,
    tokens: Vec<u32>,
}

impl Network {
    fn open(path: &Path, tokens: Vec<u32>) -> Self {
        let checkpoint = Checkpoint::open(path).unwrap();
        let weights = Weights::read(&checkpoint).unwrap();
        let ranges = calibrate(&weights, &tokens[..tokens.len().min(256)], |_| {});
        Self { checkpoint, weights, ranges, tokens }
    }

    fn random(n: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("random.safetensors");
        random(&awkward_shape(), 21, 1.0, &path);
        Self::open(&path, random_tokens(awkward_shape().vocab_size, n))
    }

    fn trained(n: usize) -> Self {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        let text = std::fs::read(models.join("text/tinyshakespeare.txt")).unwrap();
        Self::open(&models.join("shakespeare.safetensors"), text[..n].iter().map(|b| u32::from(*b)).collect())
    }

    fn source(&self) -> Source<'_> {
        Source { checkpoint: &self.checkpoint, weights: &self.weights, ranges: &self.ranges, operands: None }
    }

    fn grid(&self, groups: &[Group]) -> Vec<Quality> {
        let reference = Reference::new(&self.weights, &self.tokens, &|_| {}).unwrap();
        grid(&self.source(), &reference, &self.tokens, groups, &|_| {}).unwrap()
    }
}

fn group(bits: WeightBits, state_bits: u32, operand_bits: &[u32]) -> Group {
    let options = QuantOptions { bits, state_bits, ..QuantOptions::default() };
    Group { options, operand_bits: operand_bits.to_vec() }
}

#[test]
fn quality_is_the_evaluations() {
    let network = Network::random(120);
    let options = QuantOptions { operand_bits: 11, ..QuantOptions::default() };
    let found = network.grid(&[Group { options: options.clone(), operand_bits: vec![16, 11] }]);
    let model = network.source().quantise(&options).unwrap().model;
    let mut float = FloatSession::new(&network.weights);
    let mut session = GoldenSession::new(&model);
    let want = evaluate(&mut session, Some(&mut float), &network.tokens, |_| Some(1), |_| {}).unwrap();
    let alone = evaluate(
        &mut FloatSession::new(&network.weights),
        None::<&mut FloatSession>,
        &network.tokens,
        |_| None,
        |_| {},
    );
    let got = &found[1];
    assert_eq!((found.len(), found[0].options.operand_bits, &got.options), (2, 16, &options));
    let against = want.against.unwrap();
    assert_eq!((got.n_tokens, got.top1_agreement), (want.n_tokens, against.top1_agreement));
    assert!((got.bits_per_token - want.bits_per_token).abs() < 1e-9 && (got.kl - against.kl).abs() < 1e-9);
    assert!((got.loss_bits_se - against.loss_bits_per_token_se.unwrap()).abs() < 1e-9);
    assert!((got.loss_bits - (want.bits_per_token - alone.unwrap().bits_per_token)).abs() < 1e-9);
    assert_eq!(got.saturations, session.saturations);
    assert!(found[0].kl < got.kl && got.kl_se > 0.0 && got.loss_bits_se > 0.0);
}

#[test]
fn wider_is_closer_to_float() {
    let network = Network::random(160);
    let all = network.grid(&[
        group(WeightBits::W4, 24, &[16]),
        group(WeightBits::W8, 24, &[8, 16]),
        group(WeightBits::W16, 32, &[8, 12, 16]),
        group(WeightBits::W16, 16, &[16]),
    ]);
    let [w4, w8_a8, w8, wide_a8, wide_a12, wide, narrow_state] = &all[..] else { panic!("{} networks", all.len()) };
    eprintln!("{:?}", all.iter().map(|q| q.kl).collect::<Vec<_>>());
    for (worse, better) in
        [(w4, w8), (w8_a8, w8), (w8, wide), (wide_a8, wide_a12), (wide_a12, wide), (narrow_state, wide)]
    {
        assert!(worse.kl > 1.5 * better.kl, "{worse:?} is not worse than {better:?}");
        assert!(worse.logit_error > better.logit_error);
    }
    assert!(wide.kl < 1e-6 && wide.top1_agreement > 0.99, "{wide:?}");
}

#[test]
fn every_tap_has_its_format_and_is_near_its_twin() {
    let network = Network::random(40);
    let source = network.source();
    let options = QuantOptions { bits: WeightBits::W16, state_bits: 32, ..QuantOptions::default() };
    let model = source.quantise(&options).unwrap().model;
    let done = AtomicU64::new(0);
    let found = taps(&source, &model, &network.tokens, &|n| {
        done.fetch_add(n, Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!((found.n_tokens, done.into_inner()), (40, 40));
    for (layer, names) in network.ranges.0.iter().enumerate() {
        for (name, max) in names {
            let tap = found.taps.iter().find(|t| t.layer == layer && t.name == *name);
            let tap = tap.unwrap_or_else(|| panic!("{name} of layer {layer} has no format"));
            assert!(tap.relative_error > 0.0 && tap.relative_error < 2e-3, "{tap:?}");
            assert_eq!(tap.values.max_abs(), *max, "{name} of layer {layer}");
            assert!(tap.values.max_abs() < tap.format.limit() && tap.at_rail == 0, "{tap:?}");
        }
    }
    assert_eq!(found.taps.len(), network.ranges.0.iter().map(|m| m.len()).sum::<usize>());
}

#[test]
fn saturations_are_seen() {
    let network = Network::random(40);
    let source = network.source();
    let options = QuantOptions { headroom: 0.02, state_bits: 16, ..QuantOptions::default() };
    let model = source.quantise(&options).unwrap().model;
    let found = taps(&source, &model, &network.tokens, &|_| {}).unwrap();
    let at_rail =
        |names: &[&str]| found.taps.iter().filter(|t| names.contains(&t.name)).map(|t| t.at_rail).sum::<u64>();
    eprintln!("{:?}, S {}", found.saturations, at_rail(&["S"]));
    assert!(found.saturations.wkv.0 > 0 && at_rail(&["S", "att.sa", "att.y"]) > 0);
    // a clipped result is at a rail; one there need not have been clipped
    assert!(at_rail(&["S", "att.sa", "att.y"]) >= found.saturations.wkv.0);
}

#[test]
fn tensors_fit_their_formats() {
    let network = Network::random(20);
    let source = network.source();
    for bits in [WeightBits::W4, WeightBits::W8, WeightBits::W16] {
        let quantised = source.quantise(&QuantOptions { bits, ..QuantOptions::default() }).unwrap();
        let found = tensors(&source, &quantised).unwrap();
        assert_eq!(found.len(), quantised.model.tensors().len());
        for t in &found {
            // scales are rounded to 12 bits, vectors to whole powers of two; a group of 4 bits may clip its largest
            assert!(t.limit * 1.001 >= t.values.max_abs(), "{t:?}");
            assert!(t.error.relative_rms < 0.2, "{t:?}");
        }
        let key = found.iter().find(|t| t.name == "blocks.1.att.key.weight").unwrap();
        let width = [(WeightBits::W4, 4), (WeightBits::W8, 8), (WeightBits::W16, 16)];
        assert!(width.contains(&(bits, key.bits)) && key.limit < key.values.max_abs() * 1.4, "{key:?}");
    }
}

#[test]
fn bins_add_up_to_the_grid() {
    let network = Network::random(700);
    let source = network.source();
    // so little headroom that results are clipped
    let options = QuantOptions { headroom: 0.05, ..QuantOptions::default() };
    let mut runs = vec![Golden::new(source.fast(&options).unwrap())];
    let (drifts, kept) = drift(&source, &mut runs, &network.tokens, 600, &|_| {}).unwrap();
    let reference = Reference::new(&network.weights, &network.tokens[..600], &|_| {}).unwrap();
    assert!((0..600).all(|i| kept.logits(i) == reference.logits(i)));
    let all = &network.grid(&[Group { options, operand_bits: vec![16] }])[0];
    let n = |b: &golden_model::study::drift::Bin| (b.to - b.from) as f64;
    let bins = &drifts[0].bins;
    assert_eq!(bins.iter().map(|b| b.to - b.from).sum::<usize>(), 699);
    let kl = bins.iter().map(|b| b.kl * n(b)).sum::<f64>() / 699.0;
    let top1 = bins.iter().map(|b| b.top1_agreement * n(b)).sum::<f64>() / 699.0;
    assert_eq!(
        bins.iter().map(|b| b.clipped).sum::<u64>(),
        all.saturations.wkv.0 + all.saturations.vec.0 + all.saturations.mat.0
    );
    assert!((kl - all.kl).abs() < 1e-12 && (top1 - all.top1_agreement).abs() < 1e-12, "{kl} {all:?}");
    let positions: Vec<usize> = drifts[0].states.iter().map(|s| s.position).collect();
    assert_eq!(positions, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
    assert!(drifts[0].states.iter().all(|s| s.by_layer.len() == 3 && s.relative_error.is_finite()));
    assert!(all.saturations.wkv.0 > 0, "nothing was clipped");
    assert_eq!((drifts[0].state_fit, drifts[0].logit_fit), (None, None));
}

/// The fast step whose state loses its low bits by truncation after every token instead of having fewer bits from the start.
struct Truncated(Golden, u32);

impl Run for Truncated {
    fn step(&mut self, token: u32) -> Result<&[i32], TokenError> {
        for layer in &mut self.0.state_mut().layers {
            layer.s.iter_mut().for_each(|s| *s = *s >> self.1 << self.1);
        }
        self.0.step(token)
    }

    fn state(&self) -> &IntState {
        self.0.state()
    }

    fn frac_logits(&self) -> i32 {
        self.0.frac_logits()
    }

    fn frac_state(&self) -> Vec<i32> {
        self.0.frac_state()
    }

    fn clipped(&self) -> u64 {
        self.0.clipped()
    }
}

#[test]
fn truncation_in_the_state_shows() {
    let network = Network::trained(512);
    let source = network.source();
    let of = |state_bits| {
        // weights so wide that the state's errors are the largest
        let options = QuantOptions { bits: WeightBits::W16, state_bits, ..QuantOptions::default() };
        Golden::new(source.fast(&options).unwrap())
    };
    // 16 bits by rounding, and 24 bits of which truncation leaves 16
    let mut runs = [Truncated(of(16), 0), Truncated(of(24), 8)];
    let (found, _) = drift(&source, &mut runs, &network.tokens, 0, &|_| {}).unwrap();
    let last = |i: usize| found[i].states.last().unwrap().relative_error;
    eprintln!("rounded {:e}, truncated {:e}", last(0), last(1));
    assert!(last(1) > 4.0 * last(0));
}

#[test]
fn what_cannot_be_studied_is_an_error() {
    let network = Network::random(20);
    let source = network.source();
    let reference = Reference::new(&network.weights, &network.tokens, &|_| {}).unwrap();
    let groups = [group(WeightBits::W8, 24, &[16])];
    let short = grid(&source, &reference, &[1], &groups, &|_| {});
    assert!(matches!(short, Err(StudyError::TooShort { found: 1, expected: 2 })));
    let unknown = grid(&source, &reference, &[1, 50], &groups, &|_| {}).unwrap_err().to_string();
    assert_eq!(unknown, "token 50, expected one below the vocabulary's 50");
    let none: &mut [Golden] = &mut [];
    let many =
        drift(&source, none, &vec![0; reference_limit(50) + 1], usize::MAX, &|_| {}).err().map(|e| e.to_string());
    assert!(many.as_ref().is_some_and(|m| m.contains("expected at most 1024 MiB")), "{many:?}");
    let options = QuantOptions { round: Rounding::Gptq, bits: WeightBits::W4, ..QuantOptions::default() };
    let without = source.quantise(&options).unwrap_err().to_string();
    assert!(without.contains("calibration"), "{without}");
    let (ranges, operands) = calibrate_operands(&network.weights, &network.tokens, false, |_| {}).unwrap();
    let with = Source { ranges: &ranges, operands: Some(&operands), ..source };
    assert!(from_model(&with.quantise(&options).unwrap().model).is_ok());
}
