//! Checkpoints of any shape with random weights, for load and speed.
//!
//! The weights are sane rather than trained: norms near 1, projections scaled by their inputs, decays spread from
//! short to long memory, and a recurrence that stays bounded over any number of tokens. Each tensor has its own random
//! stream, so a file depends on its shape and seed alone, and only one tensor is in memory at a time.

use crate::checkpoint::{Dtype, Shape, TensorSpec};
use half::f16;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use records::output::Output;
use safetensors::tensor::{serialize_to_file, Dtype as FileDtype, SafeTensorError, View};
use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// Why no checkpoint was written.
#[derive(Debug, thiserror::Error)]
pub enum RandomError {
    #[error("{what}")]
    Shape { what: String },
    #[error("{}: cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Number of weights up to which sizes are believed to be meant.
const MAX_PARAMS: u64 = 1 << 37;

/// The shape of a released network: hidden size `4 n_embd`, ranks from `n_embd` as the official training code sets them
/// (for 768: 64 64 32 128).
///
/// # Errors
/// If a size is 0, `head_size` does not divide `n_embd`, or the network would have more than 2^37 parameters.
pub fn official_shape(
    n_layer: usize,
    n_embd: usize,
    head_size: usize,
    vocab_size: usize,
) -> Result<Shape, RandomError> {
    let fail = |what: String| Err(RandomError::Shape { what });
    for (name, size) in [("layers", n_layer), ("embd", n_embd), ("head-size", head_size), ("vocab", vocab_size)] {
        if size == 0 || size > 1 << 24 {
            return fail(format!("{name} is {size}, expected 1 to {}", 1 << 24));
        }
    }
    if !n_embd.is_multiple_of(head_size) {
        return fail(format!("head-size {head_size} does not divide embd {n_embd}"));
    }
    let c = n_embd as f64;
    let rank = |r: f64| ((r / 32.0).round_ties_even() as usize * 32).max(32);
    let shape = Shape {
        n_layer,
        n_embd,
        n_head: n_embd / head_size,
        head_size,
        vocab_size,
        dim_ffn: 4 * n_embd,
        rank_w: rank(1.8 * c.sqrt()),
        rank_a: rank(1.8 * c.sqrt()),
        rank_v: if n_layer > 1 { rank(1.3 * c.sqrt()) } else { 0 },
        rank_g: rank(0.6 * c.powf(0.8)),
        deep_embed: false,
    };
    check_size(&shape)?;
    Ok(shape)
}

fn check_size(shape: &Shape) -> Result<(), RandomError> {
    // a layer has more than n_embd^2 parameters; counting every tensor of 2^24 layers would take long
    let least = (shape.n_layer as u64).saturating_mul(shape.n_embd as u64).saturating_mul(shape.n_embd as u64);
    if least > MAX_PARAMS || shape.n_layer > 1 << 16 || shape.n_params() > MAX_PARAMS {
        return Err(RandomError::Shape {
            what: format!("the network would have more than {MAX_PARAMS} parameters or {} layers", 1 << 16),
        });
    }
    Ok(())
}

/// Writes a `.safetensors` checkpoint, first under a temporary name beside `path`, so that `path` is either the whole
/// file or what it was before. Gives the number of parameters. The same arguments give the same bytes everywhere.
///
/// `dtype` is F32 or F16. `shape` may come from [`official_shape`] and be changed: sizes and ranks at least 1.
///
/// # Errors
/// If `shape` does not fit together, or the file cannot be written.
pub fn write_random(path: &Path, shape: &Shape, dtype: Dtype, seed: u64) -> Result<u64, RandomError> {
    if shape.n_head.checked_mul(shape.head_size) != Some(shape.n_embd) || shape.n_layer == 0 {
        return Err(RandomError::Shape { what: "expected at least one layer and n_head * head_size = n_embd".into() });
    }
    check_size(shape)?;
    if let Some(empty) = shape.tensors().find(|t| t.shape.contains(&0)) {
        return Err(RandomError::Shape {
            what: format!("tensor {} = {} would be empty", empty.name, empty.dim_names()),
        });
    }
    let dtype = match dtype {
        Dtype::F32 => FileDtype::F32,
        Dtype::F16 => FileDtype::F16,
        _ => return Err(RandomError::Shape { what: "random weights are written as F32 or F16".into() }),
    };
    let failed = |source| RandomError::Write { path: path.to_owned(), source };
    let tensors = shape
        .tensors()
        .enumerate()
        .map(|(i, spec)| (spec.name.clone(), Random { spec, dtype, seed, stream: i as u64, shape }));
    let output = Output::create(path).map_err(failed)?;
    serialize_to_file(tensors, None, output.path()).map_err(|e| match e {
        SafeTensorError::IoError(e) => failed(e),
        other => failed(io::Error::other(other.to_string())),
    })?;
    output.finish().map_err(failed)?;
    Ok(shape.n_params())
}

/// A tensor that is made when it is written.
struct Random<'a> {
    spec: TensorSpec,
    dtype: FileDtype,
    seed: u64,
    stream: u64,
    shape: &'a Shape,
}

impl View for Random<'_> {
    fn dtype(&self) -> FileDtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.spec.shape
    }

    fn data_len(&self) -> usize {
        self.spec.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let law = self.law();
        let size = self.dtype.bitsize() / 8;
        let mut bytes = vec![0u8; self.data_len()];
        // a part of the tensor has its own random stream: cores can share the work and the result does not depend on it
        bytes.par_chunks_mut(PART * size).enumerate().for_each(|(part, bytes)| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(self.stream << 32 | part as u64);
            for (i, out) in bytes.chunks_exact_mut(size).enumerate() {
                let value = law.value(part * PART + i, noise(&mut rng));
                match size {
                    2 => out.copy_from_slice(&f16::from_f32(value).to_le_bytes()),
                    _ => out.copy_from_slice(&value.to_le_bytes()),
                }
            }
        });
        Cow::Owned(bytes)
    }
}

/// Numbers of a tensor that share a random stream.
const PART: usize = 1 << 18;

/// Triangular noise of mean 0 and variance 1, in ±√6: the sum of two uniform numbers.
fn noise(rng: &mut ChaCha8Rng) -> f32 {
    let bits = rng.next_u32();
    let sum = (bits & 0xffff) as i32 + (bits >> 16) as i32 - 0xffff;
    sum as f32 * (6f32.sqrt() / 65_536.0)
}

/// How a tensor's numbers are made: `base + slope * z + spread * noise`, z from 0 to 1 along the channels.
struct Law {
    base: f32,
    slope: f32,
    spread: f32,
    channels: usize,
}

impl Law {
    fn value(&self, i: usize, noise: f32) -> f32 {
        let z = (i % self.channels) as f32 / self.channels as f32;
        self.base + self.slope * z + self.spread * noise
    }
}

impl Random<'_> {
    fn law(&self) -> Law {
        let leaf = self.spec.name.rsplit_once("att.").or(self.spec.name.rsplit_once("ffn."));
        let in_ffn = self.spec.name.contains(".ffn.");
        let (base, slope, spread) = match leaf.map_or(&self.spec.name[..], |(_, leaf)| leaf) {
            "ln_x.bias" => (0.0, 0.0, 0.02),
            name if name.ends_with(".bias") => (0.0, 0.0, 0.05),
            "ln_x.weight" => (0.7, 0.0, 0.1),
            name if name.contains("ln") => (1.0, 0.0, 0.1),
            "emb.weight" => (0.0, 0.0, 0.3),
            "x_r" | "x_w" | "x_k" | "x_v" | "x_a" | "x_g" => (0.0, 1.0, 0.1),
            // memory of a token up to some thousand
            "w0" => (-8.0, 8.5, 0.5),
            "a0" | "v0" => (0.0, 0.0, 0.7),
            "k_k" => (0.7, 0.0, 0.1),
            "k_a" => (1.0, 0.0, 0.1),
            "s0" => (1.0, 0.0, 0.2),
            "r_k" => (0.0, 0.0, 0.1),
            // matrices and low-rank pairs: inputs of unit variance give outputs of variance gain²
            name => (0.0, 0.0, self.gain(name, in_ffn) / (self.n_inputs() as f32).sqrt()),
        };
        Law { base, slope, spread, channels: self.shape.n_embd }
    }

    fn gain(&self, name: &str, in_ffn: bool) -> f32 {
        match name {
            "w2" | "a2" | "v2" => 0.5,
            // outputs add up in the residual stream over the layers
            "output.weight" => 0.7,
            "value.weight" if in_ffn => 0.4,
            "head.weight" => 2.0,
            // a row is a matrix of 32 inputs
            "s_emb.weight" => 32f32.sqrt(),
            // matrices of 32 inputs, too, and half as much as those they are added to
            "s_emb_x.weight" => 0.5 / 32f32.sqrt(),
            "s2" => 0.3,
            _ => 1.0,
        }
    }

    /// Matrices are `(out, in)`, low-rank pairs `(in, out)`.
    fn n_inputs(&self) -> usize {
        let axis = usize::from(self.spec.name.ends_with(".weight"));
        self.spec.shape.get(axis).copied().unwrap_or(1)
    }
}
