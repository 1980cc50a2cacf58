//! The integer step against its floating-point twin: every tap, on a trained network, random ones and wild ones.

mod common;

use common::{awkward_shape, deep_shakespeare, deep_shape, random_pair, shakespeare, Pair};
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::arithmetic::vector_ops::SaturationCounts;
use golden_model::network::float_step::{self, FloatState};
use golden_model::network::integer_step::{step, IntState, NoTaps};
use golden_model::network::session::{FloatSession, GoldenSession, Session};
use golden_model::quantise::options::QuantOptions;
use std::collections::BTreeMap;

/// Fraction bits of a tap; `None` for operands and scalars, which have no float twin of the same form.
fn frac(pair: &Pair, layer: usize, name: &str) -> Option<i32> {
    let net = &pair.model.f;
    if layer == pair.model.layers.len() {
        return match name {
            "ln_out.n" => Some(20),
            "ln_out.g" | "ln_out.h" => Some(net.f_ho),
            "logits" => Some(net.f_logits),
            _ => None,
        };
    }
    let f = &pair.model.layers[layer].f;
    Some(match name {
        "x.emb" => net.f_x,
        "att.out" | "att.x" => f.residual(net)[1],
        "ffn.out" | "ffn.x" => f.residual(net)[2],
        "ln1.n" | "ln2.n" | "att.yn.n" => 20,
        "ln1.g" | "ln1.h" | "att.xr" | "att.xw" | "att.xk" | "att.xv" | "att.xa" | "att.xg" | "att.prev" => f.f_h1,
        "ln2.g" | "ln2.h" | "ffn.xk" | "ffn.prev" => f.f_h2,
        "att.w1" | "att.tw" | "att.w2" | "att.d" | "att.a2" | "att.a" | "att.v2" | "att.gate" | "att.g1" | "att.sg" => {
            16
        }
        "att.kk" | "att.b" | "att.t" => 16,
        "att.k" => f.f_k,
        "att.a1" => f.f_a1,
        "att.v1" => f.f_v1,
        "att.v0" | "att.dv" | "att.vg" | "att.v" => net.f_v,
        "att.r" => f.f_r,
        "att.g" => f.f_g,
        "att.k0" => f.f_k0,
        "att.km" => f.f_km,
        "S" | "att.sa" => f.f_s,
        "att.y" => f.f_y,
        "att.yn.g" | "att.yn.h" | "att.yb" => f.f_yb,
        "att.rk" => f.f_rk,
        "att.bonus" => f.f_bs,
        "att.yg" => f.f_yg,
        "ffn.k" => f.f_fk,
        "ffn.r2" => f.f_r2,
        "ffn.s1" => f.deep_embed.as_ref()?.f_s1,
        "ffn.ss" => f.deep_embed.as_ref()?.f_ss,
        "ffn.s2" | "ffn.gate" => f.deep_embed.as_ref()?.f_gate,
        "ffn.r2g" => f.deep_embed.as_ref()?.f_r2g,
        _ => return None,
    })
}

/// Largest error of each tap relative to the tap's RMS over all tokens, and the saturations.
fn compare(pair: &Pair, tokens: &[u32]) -> (BTreeMap<(usize, &'static str), f64>, SaturationCounts) {
    let mut sums: BTreeMap<(usize, &'static str), (f64, f64)> = BTreeMap::new();
    let mut float_state = FloatState::new(&pair.weights.shape);
    let mut state = IntState::new(&pair.model);
    let mut sat = SaturationCounts::default();
    let mut seen = 0;
    for token in tokens {
        let mut exact: BTreeMap<(usize, &'static str), Vec<f32>> = BTreeMap::new();
        float_step::step(&pair.weights, *token, &mut float_state, &mut |l, name, v: &[f32]| {
            exact.insert((l, name), v.to_vec());
        });
        step(&pair.model, *token as usize, &mut state, &mut sat, &mut |l, name, v: &[i32]| {
            let Some(f) = frac(pair, l, name) else { return };
            let want = exact.remove(&(l, name)).unwrap_or_else(|| panic!("no float tap {name} in layer {l}"));
            assert_eq!(want.len(), v.len(), "{name}");
            let sum = sums.entry((l, name)).or_default();
            for (v, want) in v.iter().zip(want) {
                let got = f64::from(*v) * 2f64.powi(-f);
                sum.0 += (got - f64::from(want)).powi(2);
                sum.1 += f64::from(want).powi(2);
            }
            seen += 1;
        });
        assert!(exact.is_empty(), "taps the integer step lacks: {:?}", exact.keys().collect::<Vec<_>>());
    }
    assert!(seen > 0);
    let relative = |(e, s): (f64, f64)| if s > 0.0 { (e / s).sqrt() } else { e.sqrt() };
    (sums.into_iter().map(|(k, v)| (k, relative(v))).collect(), sat)
}

fn worst(errors: &BTreeMap<(usize, &'static str), f64>) -> ((usize, &'static str), f64) {
    errors.iter().map(|(k, v)| (*k, *v)).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap()
}

#[test]
fn trained_network() {
    for (bits, bound) in [(WeightBits::W8, 0.02), (WeightBits::W16, 0.01)] {
        let (pair, text) = shakespeare(&QuantOptions { bits, ..QuantOptions::default() });
        let (errors, sat) = compare(&pair, &text[..48]);
        if std::env::var_os("ANSER_SHOW").is_some() {
            for ((l, name), e) in &errors {
                eprintln!("{bits:?} {l} {name:10} {e:.6}");
            }
            eprintln!("{:?}\n{:#?}", pair.model.f, pair.model.layers[1].f);
        }
        eprintln!(
            "{bits:?} worst {:?} logits {:.6} {sat:?}",
            worst(&errors),
            errors[&(pair.model.layers.len(), "logits")]
        );
        assert!(worst(&errors).1 < bound);
        assert_eq!(sat, SaturationCounts::default());
    }
}

/// The text that both steps go on with is the same, and no tap of DeepEmbed is further from floating point than the others.
#[test]
fn a_trained_network_with_deep_embed() {
    let (pair, text) = deep_shakespeare(&QuantOptions::default());
    let (errors, sat) = compare(&pair, &text[..48]);
    eprintln!("worst {:?} logits {:.6} {sat:?}", worst(&errors), errors[&(pair.model.layers.len(), "logits")]);
    for name in ["ffn.s1", "ffn.ss", "ffn.s2", "ffn.gate", "ffn.r2g"] {
        eprintln!("{name} {:.6}", errors[&(1, name)]);
    }
    assert!(worst(&errors).1 < 0.02);
    assert_eq!(sat, SaturationCounts::default());
    let (mut float, mut golden) = (FloatSession::new(&pair.weights), GoldenSession::new(&pair.model));
    let mut said = [float.prefill(&text[..32]).unwrap(), golden.prefill(&text[..32]).unwrap()];
    for i in 0..48 {
        let next =
            said.map(|logits| (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap() as u32);
        assert_eq!(next[0], next[1], "token {i} of the text");
        said = [float.step(next[0]).unwrap(), golden.step(next[1]).unwrap()];
    }
}

#[test]
fn random_networks() {
    for (seed, shape) in (0..4).flat_map(|seed| [(seed, awkward_shape()), (seed, deep_shape())]) {
        let (pair, tokens) =
            random_pair(&shape, seed, 1.0, 40, &QuantOptions { bits: WeightBits::W16, ..QuantOptions::default() });
        let (errors, sat) = compare(&pair, &tokens);
        eprintln!("seed {seed} worst {:?} {sat:?}", worst(&errors));
        assert!(worst(&errors).1 < 0.02, "seed {seed}: {:?}", worst(&errors));
        assert_eq!(sat, SaturationCounts::default());
    }
}

/// Whatever the weights, the step runs: formats exist, shifts stay in range (debug assertions), results are counted when clipped.
#[test]
fn wild_networks() {
    let tempers = [(1, 4.0), (2, 20.0), (3, 1e3), (4, 1e-3), (5, 1e-12), (6, 0.0)];
    for (shape, (seed, wild)) in [awkward_shape(), deep_shape()].iter().flat_map(|s| tempers.map(|t| (s, t))) {
        let (pair, tokens) = random_pair(shape, seed, wild, 24, &QuantOptions::default());
        let mut state = IntState::new(&pair.model);
        let mut sat = SaturationCounts::default();
        for token in &tokens {
            let logits = step(&pair.model, *token as usize, &mut state, &mut sat, &mut NoTaps);
            assert_eq!(logits.len(), pair.model.shape.vocab_size);
        }
        eprintln!("wild {wild}: {sat:?}");
    }
}

#[test]
fn a_network_that_overflows_in_floating_point_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("overflow.safetensors");
    common::random(&awkward_shape(), 7, 1e12, &path);
    let checkpoint = golden_model::checkpoint::Checkpoint::open(&path).unwrap();
    let weights = golden_model::checkpoint::weights::Weights::read(&checkpoint).unwrap();
    let ranges = golden_model::quantise::calibrate::calibrate(&weights, &[1, 2, 3], |_| {});
    let error =
        golden_model::quantise::quantise(&checkpoint, &ranges, &QuantOptions::default()).unwrap_err().to_string();
    assert!(error.contains("overflows in floating point"), "{error}");
}
