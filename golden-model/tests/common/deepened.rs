//! DeepEmbed for a network that was trained without.

use golden_model::checkpoint::{Checkpoint, Shape};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView};
use std::path::Path;

/// Copies the checkpoint at `from` to `to` and adds DeepEmbed to every layer: small random tensors that make gates of `1 ± spread`, one half of
/// the spread by `s0` and the other by the tokens' own matrices.
pub fn write(from: &Path, spread: f32, to: &Path) {
    let checkpoint = Checkpoint::open(from).unwrap();
    let shape = Shape { deep_embed: true, ..checkpoint.shape().clone() };
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = (shape.tensors())
        .map(|t| {
            let values = match checkpoint.tensor(&t.name) {
                Some(_) => checkpoint.read(&t.name).unwrap(),
                None => {
                    // uniform numbers in ±1 have a variance of 1/3; h has one of about 1
                    let inputs = |n: usize| (3.0 / n as f32).sqrt();
                    let (middle, width) = match t.name.rsplit_once("ffn.").unwrap().1 {
                        "s0" => (1.0, spread),
                        "s1" => (0.0, inputs(shape.n_embd)),
                        "s_emb.weight" => (0.0, inputs(32)),
                        "s_emb_x.weight" => (0.0, inputs(32 * shape.n_embd)),
                        _ => (0.0, spread * inputs(32)),
                    };
                    (0..t.shape.iter().product()).map(|_| middle + width * rng.gen_range(-1f32..1.0)).collect()
                }
            };
            (t.name, t.shape, values.into_iter().flat_map(f32::to_le_bytes).collect())
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    safetensors::serialize_to_file(views, None, to).unwrap();
}
