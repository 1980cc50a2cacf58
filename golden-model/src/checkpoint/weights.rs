//! The network's parameters in f32, under the checkpoint's names and in its orientation.
//!
//! `D` = n_embd, `H` = n_head, `N` = head_size, `F` = dim_ffn, `V` = vocab_size.

use ndarray::{Array1, Array2};

use crate::arithmetic::norm::Eps;
use crate::checkpoint::names::RANK_S;
use crate::checkpoint::{Checkpoint, CheckpointError, Shape};

pub type Vector = Array1<f32>;
/// Row-major.
pub type Matrix = Array2<f32>;

/// Gain and bias of a layer norm or group norm.
#[derive(Clone, Debug)]
pub struct Norm {
    pub weight: Vector, // (D)
    pub bias: Vector,   // (D)
}

/// Time mix, `blocks.{layer}.att`.
#[derive(Clone, Debug)]
pub struct Att {
    pub x_r: Vector, // (D)
    pub x_w: Vector, // (D)
    pub x_k: Vector, // (D)
    pub x_v: Vector, // (D)
    pub x_a: Vector, // (D)
    pub x_g: Vector, // (D)
    pub w0: Vector,  // (D)
    pub w1: Matrix,  // (D, rank_w)
    pub w2: Matrix,  // (rank_w, D)
    pub a0: Vector,  // (D)
    pub a1: Matrix,  // (D, rank_a)
    pub a2: Matrix,  // (rank_a, D)
    /// `None` in layer 0.
    pub v: Option<ValueResidual>,
    pub g1: Matrix,         // (D, rank_g)
    pub g2: Matrix,         // (rank_g, D)
    pub k_k: Vector,        // (D)
    pub k_a: Vector,        // (D)
    pub r_k: Matrix,        // (H, N)
    pub receptance: Matrix, // (D, D)
    pub key: Matrix,        // (D, D)
    pub value: Matrix,      // (D, D)
    pub output: Matrix,     // (D, D)
    pub ln_x: Norm,
}

/// `v0 v1 v2` of `blocks.{layer}.att`, layer 1 and up.
#[derive(Clone, Debug)]
pub struct ValueResidual {
    pub v0: Vector, // (D)
    pub v1: Matrix, // (D, rank_v)
    pub v2: Matrix, // (rank_v, D)
}

/// Channel mix, `blocks.{layer}.ffn`.
#[derive(Clone, Debug)]
pub struct Ffn {
    pub x_k: Vector,   // (D)
    pub key: Matrix,   // (F, D)
    pub value: Matrix, // (D, F)
    /// RWKV-7a only.
    pub deep: Option<DeepEmbed>,
}

/// DeepEmbed of RWKV-7a, `s*` of `blocks.{layer}.ffn`. The matrix of token t is `s_emb[t] + s_emb_x · emb[t]`, the embedding after its norm ln0.
#[derive(Clone, Debug)]
pub struct DeepEmbed {
    pub s_emb: Matrix,   // (V, 32 · 32), a row is a row-major matrix
    pub s_emb_x: Matrix, // (32 · 32, D)
    pub s0: Vector,      // (F)
    pub s1: Matrix,      // (D, 32)
    pub s2: Matrix,      // (32, F)
}

/// `blocks.{layer}`.
#[derive(Clone, Debug)]
pub struct Layer {
    pub ln1: Norm,
    pub ln2: Norm,
    pub att: Att,
    pub ffn: Ffn,
}

/// All parameters; every number is finite.
#[derive(Clone, Debug)]
pub struct Weights {
    pub shape: Shape,
    pub eps: Eps,
    pub emb: Matrix, // (V, D)
    /// `blocks.0.ln0`.
    pub ln0: Norm,
    pub layers: Vec<Layer>,
    pub ln_out: Norm,
    pub head: Matrix, // (V, D)
}

/// Reads tensors below a prefix such as `blocks.3.att.`.
struct Scope<'a> {
    checkpoint: &'a Checkpoint,
    prefix: String,
}

impl Scope<'_> {
    fn vector(&self, leaf: &str) -> Result<Vector, CheckpointError> {
        self.checkpoint.read(&format!("{}{leaf}", self.prefix)).map(Vector::from)
    }

    /// A `(rows, columns)` matrix; `Checkpoint::open` has compared these sizes with the file's.
    fn matrix(&self, leaf: &str, rows: usize, columns: usize) -> Result<Matrix, CheckpointError> {
        let values = self.checkpoint.read(&format!("{}{leaf}", self.prefix))?;
        Ok(Matrix::from_shape_vec((rows, columns), values).expect("shape checked when the checkpoint was opened"))
    }

    fn norm(&self, leaf: &str) -> Result<Norm, CheckpointError> {
        Ok(Norm { weight: self.vector(&format!("{leaf}.weight"))?, bias: self.vector(&format!("{leaf}.bias"))? })
    }
}

impl Weights {
    /// A matrix that can have 4 bits by its complete name, such as `blocks.3.att.key.weight`.
    pub fn matrix_mut(&mut self, name: &str) -> Option<&mut Matrix> {
        if name == "head.weight" {
            return Some(&mut self.head);
        }
        let (layer, leaf) = name.strip_prefix("blocks.")?.split_once('.')?;
        let layer = self.layers.get_mut(layer.parse::<usize>().ok()?)?;
        match leaf {
            "att.key.weight" => Some(&mut layer.att.key),
            "att.value.weight" => Some(&mut layer.att.value),
            "att.receptance.weight" => Some(&mut layer.att.receptance),
            "att.output.weight" => Some(&mut layer.att.output),
            "ffn.key.weight" => Some(&mut layer.ffn.key),
            _ => None,
        }
    }

    /// Opens and reads the checkpoint at `path`.
    ///
    /// # Errors
    /// Fails where [`Checkpoint::open`] or [`Weights::read`] does.
    pub fn load(path: impl AsRef<std::path::Path>) -> Result<Self, CheckpointError> {
        Self::read(&Checkpoint::open(path)?)
    }

    /// Converts every tensor to f32, one at a time: the only copy of the network in memory.
    ///
    /// # Errors
    /// If a tensor holds a NaN or an infinity; the error names it and the index.
    pub fn read(checkpoint: &Checkpoint) -> Result<Self, CheckpointError> {
        let s = checkpoint.shape().clone();
        let top = Scope { checkpoint, prefix: String::new() };
        Ok(Self {
            emb: top.matrix("emb.weight", s.vocab_size, s.n_embd)?,
            ln0: top.norm("blocks.0.ln0")?,
            layers: (0..s.n_layer).map(|l| layer(checkpoint, l)).collect::<Result<_, _>>()?,
            ln_out: top.norm("ln_out")?,
            head: top.matrix("head.weight", s.vocab_size, s.n_embd)?,
            eps: checkpoint.eps(),
            shape: s,
        })
    }
}

fn layer(checkpoint: &Checkpoint, layer: usize) -> Result<Layer, CheckpointError> {
    let s = checkpoint.shape();
    let (d, f) = (s.n_embd, s.dim_ffn);
    let scope = |name: &str| Scope { checkpoint, prefix: format!("blocks.{layer}.{name}") };
    let (block, att, ffn) = (scope(""), scope("att."), scope("ffn."));
    let residual = || -> Result<_, CheckpointError> {
        Ok(ValueResidual {
            v0: att.vector("v0")?,
            v1: att.matrix("v1", d, s.rank_v)?,
            v2: att.matrix("v2", s.rank_v, d)?,
        })
    };
    let deep = || -> Result<_, CheckpointError> {
        Ok(DeepEmbed {
            s_emb: ffn.matrix("s_emb.weight", s.vocab_size, RANK_S * RANK_S)?,
            s_emb_x: ffn.matrix("s_emb_x.weight", RANK_S * RANK_S, d)?,
            s0: ffn.vector("s0")?,
            s1: ffn.matrix("s1", d, RANK_S)?,
            s2: ffn.matrix("s2", RANK_S, f)?,
        })
    };
    Ok(Layer {
        ln1: block.norm("ln1")?,
        ln2: block.norm("ln2")?,
        att: Att {
            x_r: att.vector("x_r")?,
            x_w: att.vector("x_w")?,
            x_k: att.vector("x_k")?,
            x_v: att.vector("x_v")?,
            x_a: att.vector("x_a")?,
            x_g: att.vector("x_g")?,
            w0: att.vector("w0")?,
            w1: att.matrix("w1", d, s.rank_w)?,
            w2: att.matrix("w2", s.rank_w, d)?,
            a0: att.vector("a0")?,
            a1: att.matrix("a1", d, s.rank_a)?,
            a2: att.matrix("a2", s.rank_a, d)?,
            v: if layer > 0 { Some(residual()?) } else { None },
            g1: att.matrix("g1", d, s.rank_g)?,
            g2: att.matrix("g2", s.rank_g, d)?,
            k_k: att.vector("k_k")?,
            k_a: att.vector("k_a")?,
            r_k: att.matrix("r_k", s.n_head, s.head_size)?,
            receptance: att.matrix("receptance.weight", d, d)?,
            key: att.matrix("key.weight", d, d)?,
            value: att.matrix("value.weight", d, d)?,
            output: att.matrix("output.weight", d, d)?,
            ln_x: att.norm("ln_x")?,
        },
        ffn: Ffn {
            x_k: ffn.vector("x_k")?,
            key: ffn.matrix("key.weight", f, d)?,
            value: ffn.matrix("value.weight", d, f)?,
            deep: s.deep_embed.then(deep).transpose()?,
        },
    })
}
