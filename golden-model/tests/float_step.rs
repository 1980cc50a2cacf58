//! The float step against logits computed elsewhere, and the recurrence against its unrolled product form.

use std::path::{Path, PathBuf};

use golden_model::checkpoint::weights::Weights;
use golden_model::network::float_math::Head;
use golden_model::network::float_step::{no_tap, step, FloatState};
use proptest::prelude::*;

/// The logits and states of the small network, as `scripts/fixture_network.py` computed them in float64.
#[derive(serde::Deserialize)]
#[allow(non_snake_case)] // the names of the formulas
struct Expected {
    tokens: Vec<u32>,
    /// After each token, `(vocab_size)`.
    logits: Vec<Vec<f64>>,
    /// After the last token, `(n_head, head_size, head_size)` of each layer.
    S: Vec<Vec<f64>>,
    att_x_prev: Vec<Vec<f64>>,
    ffn_x_prev: Vec<Vec<f64>>,
}

/// Returns the largest absolute difference.
fn worst(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
}

#[test]
fn the_small_network_agrees_with_an_independent_implementation() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let expected = |file: &str| -> Expected {
        serde_json::from_str(&std::fs::read_to_string(fixtures.join(file)).unwrap()).unwrap()
    };
    for (file, expected) in [
        ("small.safetensors", expected("small.json")),
        ("small-f32.bin", expected("small.json")),
        ("small-f16.bin", expected("small.json")),
        ("small.pth", expected("small.json")),
        ("small-7a.safetensors", expected("small-7a.json")),
    ] {
        let weights = Weights::load(fixtures.join(file)).unwrap();
        let mut state = FloatState::new(&weights.shape);
        for (i, (&token, want)) in expected.tokens.iter().zip(&expected.logits).enumerate() {
            let logits = step(&weights, token, &mut state, &mut no_tap);
            let error = worst(&logits, want);
            assert!(error <= 1e-5, "{file}: a logit after token {i} is off by {error:e}");
        }
        for (i, layer) in state.layers.iter().enumerate() {
            let errors = [
                worst(&layer.s, &expected.S[i]),
                worst(&layer.att_x_prev, &expected.att_x_prev[i]),
                worst(&layer.ffn_x_prev, &expected.ffn_x_prev[i]),
            ];
            assert!(errors.iter().all(|e| *e <= 1e-5), "{file}: state of layer {i} is off by {errors:?}");
        }
    }
}

/// Returns the folder of rwkv.cpp's own test model, which is not part of the project.
fn models() -> PathBuf {
    let folder = std::env::var_os("ANSER_TEST_DATA").expect("ANSER_TEST_DATA names the folder, see CONTRIBUTING.md");
    Path::new(&folder).join("data/models")
}

#[test]
#[ignore = "needs rwkv.cpp's test model in ANSER_TEST_DATA (CONTRIBUTING.md)"]
fn logits_of_the_tiny_model_agree_with_rwkv_cpp() {
    let dir = models();
    let expected: Vec<f64> = std::fs::read(dir.join("expected-logits-7v0-834K.bin"))
        .unwrap()
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()).into())
        .collect();
    for file in ["tiny-rwkv-7v0-834K-FP32.bin", "tiny-rwkv-7v0-834K-FP16.bin"] {
        let weights = Weights::load(dir.join(file)).unwrap();
        let mut state = FloatState::new(&weights.shape);
        let mut logits = Vec::new();
        for &byte in b"\"in" {
            logits = step(&weights, byte.into(), &mut state, &mut no_tap);
        }
        let error = worst(&logits, &expected);
        assert!(error <= 1e-5, "{file}: largest difference {error:e}");
    }
}

/// Everything one token brings to the recurrence of one head, each `(N)`.
#[derive(Clone, Debug)]
struct Token {
    r: Vec<f32>,
    w: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    kk: Vec<f32>,
    a: Vec<f32>,
}

fn token(n: usize) -> impl Strategy<Value = Token> {
    let vector = |low: f32, high: f32| prop::collection::vec(low..high, n);
    (vector(-3.0, 3.0), vector(0.5452, 1.0), vector(-3.0, 3.0), vector(-3.0, 3.0), vector(-1.0, 1.0), vector(0.0, 1.0))
        .prop_map(|(r, w, k, v, kk, a)| {
            let length = kk.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-3);
            Token { r, w, k, v, kk: kk.iter().map(|x| x / length).collect(), a }
        })
}

fn tokens() -> impl Strategy<Value = Vec<Token>> {
    (1usize..20).prop_flat_map(|n| prop::collection::vec(token(n), 1..8))
}

/// `a b`, both `(n, n)`.
fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|ij| (0..n).map(|m| a[ij / n * n + m] * b[m * n + ij % n]).sum()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// S_T = sum over t of v_t k_t^T G_{t+1} ... G_T with G = diag(w) - kk (a kk)^T, computed in f64 as matrix products.
    #[test]
    fn recurrence_equals_the_unrolled_product_form(tokens in tokens()) {
        let n = tokens[0].r.len();
        let mut s = vec![0f32; n * n];
        let mut y = vec![0f32; n];
        for t in &tokens {
            let d: Vec<f32> = t.w.iter().map(|w| 1.0 - w).collect();
            let b: Vec<f32> = t.kk.iter().zip(&t.a).map(|(kk, a)| kk * a).collect();
            Head { r: &t.r, d: &d, k: &t.k, v: &t.v, kk: &t.kk, b: &b }.delta_rule(&mut s, &mut vec![0f32; n], &mut y);
        }

        let mut unrolled = vec![0f64; n * n];
        for (i, from) in tokens.iter().enumerate() {
            let mut term: Vec<f64> = (0..n * n).map(|ij| f64::from(from.v[ij / n]) * f64::from(from.k[ij % n])).collect();
            for t in &tokens[i + 1..] {
                let g: Vec<f64> = (0..n * n)
                    .map(|ij| {
                        let (i, j) = (ij / n, ij % n);
                        let diagonal = if i == j { f64::from(t.w[j]) } else { 0.0 };
                        diagonal - f64::from(t.kk[i]) * f64::from(t.a[j]) * f64::from(t.kk[j])
                    })
                    .collect();
                term = product(&term, &g, n);
            }
            for (s, t) in unrolled.iter_mut().zip(term) {
                *s += t;
            }
        }
        let r = &tokens[tokens.len() - 1].r;
        for i in 0..n {
            let row = &unrolled[i * n..(i + 1) * n];
            for j in 0..n {
                prop_assert!((f64::from(s[i * n + j]) - row[j]).abs() < 2e-4, "S[{i}, {j}] {} {}", s[i * n + j], row[j]);
            }
            let expected: f64 = row.iter().zip(r).map(|(s, &r)| s * f64::from(r)).sum();
            prop_assert!((f64::from(y[i]) - expected).abs() < 2e-3, "y[{i}] {} {expected}", y[i]);
        }
    }
}
