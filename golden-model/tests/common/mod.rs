//! Networks for the integer tests: the trained one of the repository, and random ones of any shape and temper.
#![allow(dead_code)] // each test binary uses its part

mod deepened;

use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Shape};
use golden_model::network::model::QModel;
use golden_model::quantise::calibrate::calibrate;
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use std::path::Path;

/// A network as floats and as integers.
pub struct Pair {
    pub weights: Weights,
    pub model: QModel,
}

/// Quantises the checkpoint at `path`, calibrated on `tokens`.
pub fn load(path: &Path, tokens: &[u32], options: &QuantOptions) -> Pair {
    let checkpoint = Checkpoint::open(path).unwrap();
    let weights = Weights::read(&checkpoint).unwrap();
    let ranges = calibrate(&weights, tokens, |_| {});
    let model = quantise(&checkpoint, &ranges, options).unwrap().model;
    Pair { weights, model }
}

/// The network trained on tinyshakespeare, and the part of the text it never saw.
pub fn shakespeare(options: &QuantOptions) -> (Pair, Vec<u32>) {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let text = std::fs::read(models.join("text/tinyshakespeare.txt")).unwrap();
    let (trained, held_out) = text.split_at(text.len() / 20 * 19);
    let tokens = |t: &[u8]| t.iter().map(|b| u32::from(*b)).collect::<Vec<_>>();
    (load(&models.join("shakespeare.safetensors"), &tokens(&trained[..512]), options), tokens(held_out))
}

/// A small shape whose sizes are all different and awkward: ranks not multiples of 4 or 8, a vocabulary not of 16.
pub fn awkward_shape() -> Shape {
    Shape {
        n_layer: 3,
        n_embd: 48,
        n_head: 3,
        head_size: 16,
        vocab_size: 50,
        dim_ffn: 104,
        rank_w: 10,
        rank_a: 7,
        rank_v: 5,
        rank_g: 13,
        deep_embed: false,
    }
}

/// Returns that shape with DeepEmbed.
pub fn deep_shape() -> Shape {
    Shape { deep_embed: true, ..awkward_shape() }
}

/// The network trained on tinyshakespeare with DeepEmbed added: a gate around 1 of which every token's own matrix makes another one.
pub fn deep_shakespeare(options: &QuantOptions) -> (Pair, Vec<u32>) {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep.safetensors");
    deepened::write(&models.join("shakespeare.safetensors"), 0.15, &path);
    let text = std::fs::read(models.join("text/tinyshakespeare.txt")).unwrap();
    let (trained, held_out) = text.split_at(text.len() / 20 * 19);
    let tokens = |t: &[u8]| t.iter().map(|b| u32::from(*b)).collect::<Vec<_>>();
    (load(&path, &tokens(&trained[..512]), options), tokens(held_out))
}

/// Writes a random checkpoint. `wild` multiplies what makes activations large: 1 is a tame network.
pub fn random(shape: &Shape, seed: u64, wild: f32, path: &Path) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = shape
        .tensors()
        .map(|t| {
            let leaf = t.name.rsplit("att.").next().unwrap_or_default().to_string();
            let columns = *t.shape.last().unwrap() as f32;
            let (middle, spread) = match leaf.as_str() {
                "x_r" | "x_w" | "x_k" | "x_v" | "x_a" | "x_g" => (0.5, 0.7),
                "w0" => (-2.0, 3.0 * wild),
                "a0" | "v0" => (0.0, 1.5 * wild),
                "k_k" | "k_a" => (0.9, 0.3 * wild),
                "r_k" => (0.0, 0.5 * wild),
                _ if t.name.ends_with("ffn.s0") => (0.7, 0.9 * wild),
                _ if t.name.ends_with("s_emb.weight") => (0.0, 0.3 * wild),
                _ if t.name.contains("ln") && t.name.ends_with("weight") => (1.0, 0.5 * wild),
                _ if t.name.contains("ln") => (0.0, 0.3 * wild),
                _ => (0.0, 1.7 * wild / columns.sqrt()),
            };
            let n: usize = t.shape.iter().product();
            let bytes = (0..n).flat_map(|_| (middle + spread * rng.gen_range(-1f32..1.0)).to_le_bytes()).collect();
            (t.name, t.shape, bytes)
        })
        .collect();
    let views: BTreeMap<&str, TensorView> = tensors
        .iter()
        .map(|(name, shape, bytes)| (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()))
        .collect();
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// A random network, quantised, with `n` random tokens for it.
pub fn random_pair(shape: &Shape, seed: u64, wild: f32, n: usize, options: &QuantOptions) -> (Pair, Vec<u32>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("random.safetensors");
    random(shape, seed, wild, &path);
    let tokens = golden_model::quantise::calibrate::random_tokens(shape.vocab_size, n);
    (load(&path, &tokens, options), tokens)
}
