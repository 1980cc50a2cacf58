//! A quantised network: every tensor as integers under its official name, and the formats between them.

use crate::arithmetic::tensor::{QMatrix, QVector};
use crate::checkpoint::names::{in_layer, RANK_S};
use crate::checkpoint::Shape;
use crate::network::branch::{QBranch, BRANCHED, HEAD};
use crate::network::clusters::QClusters;
use crate::network::formats::{LayerFormats, NetFormats};
use crate::network::shifts::{LayerShifts, NetShifts};
use crate::network::tensors::{Matrix, QTensor, TensorSource};
use std::collections::BTreeMap;

/// Gain and bias of a norm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QAffine {
    pub weight: QVector,
    pub bias: QVector,
}

/// `v0 v1 v2`, which layer 0 does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QValueResidual<M = QMatrix> {
    pub v0: QVector,
    pub v1: M, // (rank_v, n_embd)
    pub v2: M, // (n_embd, rank_v)
}

/// `blocks.{l}.att`. Low-rank pairs are stored `(out, in)` like every matrix, the transpose of the checkpoint's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QAtt<M = QMatrix> {
    pub x_r: QVector,
    pub x_w: QVector,
    pub x_k: QVector,
    pub x_v: QVector,
    pub x_a: QVector,
    pub x_g: QVector,
    pub key: M, // (n_embd, n_embd)
    pub w1: M,  // (rank_w, n_embd)
    pub w2: M,  // (n_embd, rank_w)
    pub w0: QVector,
    pub a1: M, // (rank_a, n_embd)
    pub a2: M, // (n_embd, rank_a)
    pub a0: QVector,
    pub value: M, // (n_embd, n_embd)
    pub v: Option<QValueResidual<M>>,
    pub receptance: M, // (n_embd, n_embd)
    pub g1: M,         // (rank_g, n_embd)
    pub g2: M,         // (n_embd, rank_g)
    pub k_k: QVector,
    pub k_a: QVector,
    pub ln_x: QAffine,
    pub r_k: QVector, // n_head · head_size
    pub output: M,    // (n_embd, n_embd)
}

/// `blocks.{l}.ffn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QFfn<M = QMatrix> {
    pub x_k: QVector,
    pub key: M,   // (dim_ffn, n_embd)
    pub value: M, // (n_embd, dim_ffn), streamed by columns
    /// RWKV-7a only.
    pub deep: Option<QDeepEmbed<M>>,
}

/// DeepEmbed of RWKV-7a, `s*` of `blocks.{l}.ffn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QDeepEmbed<M = QMatrix> {
    pub s0: QVector, // dim_ffn
    pub s1: M,       // (32, n_embd)
    /// The matrices `(32, 32)` of all tokens, one below the other; `s_emb_x` is folded in.
    pub s_emb: M, // (vocab_size · 32, 32)
    pub s2: M,       // (dim_ffn, 32)
}

/// The name within its layer of the matrix of which a token reads its own rows alone, see [`own_rows`].
pub const S_EMB: &str = "ffn.s_emb.weight";

/// Whether the tensor of this complete name is [`S_EMB`] of a layer.
pub fn is_own(name: &str) -> bool {
    in_layer(name).is_some_and(|(_, leaf)| leaf == S_EMB)
}

/// The rows of [`S_EMB`] that belong to `token`.
pub fn own_rows(token: usize) -> std::ops::Range<usize> {
    token * RANK_S..(token + 1) * RANK_S
}

/// `blocks.{l}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QLayer<M = QMatrix> {
    pub f: LayerFormats,
    pub ln1: QAffine,
    pub att: QAtt<M>,
    pub ln2: QAffine,
    pub ffn: QFfn<M>,
    /// The shift of every operation, from `f` and the fractions of the tensors.
    pub shifts: LayerShifts,
    /// Low-rank branches by the matrix they go with, such as `att.key.weight`.
    pub branches: BTreeMap<&'static str, QBranch<M>>,
}

/// A network ready for [`crate::network::integer_step`] and for the chip; [`crate::fast`] has its matrices elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct QModel<M: Matrix = QMatrix> {
    pub shape: Shape,
    pub f: NetFormats,
    /// The shifts of what is outside the layers.
    pub shifts: NetShifts,
    /// (vocab_size, n_embd), frac f_emb, the layer norm ln0 folded in
    pub emb: M::Embedding,
    pub layers: Vec<QLayer<M>>,
    pub ln_out: QAffine,
    /// (vocab_size, n_embd); with clusters their rows one cluster after the other
    pub head: M,
    pub head_branch: Option<QBranch<M>>,
    pub clusters: Option<QClusters<M>>,
}

/// A model whose parts do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error(
        "{what} = {value}, expected {low} to {high}: the weights' ranges are beyond what the integer formats can hold"
    )]
    Shift { what: String, value: i32, low: i32, high: i32 },
    #[error("{name}: {found}, expected {expected}")]
    Tensor { name: String, found: String, expected: String },
    #[error("{what} is {found}, expected {expected}")]
    Value { what: String, found: String, expected: String },
}

fn affine<S: TensorSource>(name: &str, s: &mut S) -> Result<QAffine, S::Error> {
    Ok(QAffine { weight: s.vector(&format!("{name}.weight"))?, bias: s.vector(&format!("{name}.bias"))? })
}

impl<M: Matrix> QLayer<M> {
    /// Layer `l` with its tensors from `s`.
    pub fn build<S: TensorSource<Matrix = M>>(
        l: usize,
        f: LayerFormats,
        net: &NetFormats,
        s: &mut S,
    ) -> Result<Self, S::Error> {
        let b = format!("blocks.{l}");
        let mut branches = BTreeMap::new();
        for part in &BRANCHED {
            if let Some(f_t) = f.f_t.get(part.weight) {
                branches.insert(part.weight, QBranch::build(&format!("{b}."), part, *f_t, s)?);
            }
        }
        let att = |n: &str| format!("{b}.att.{n}");
        let deep = match f.deep_embed {
            None => None,
            Some(_) => Some(QDeepEmbed {
                s0: s.vector(&format!("{b}.ffn.s0"))?,
                s1: s.matrix(&format!("{b}.ffn.s1"))?,
                s_emb: s.matrix(&format!("{b}.{S_EMB}"))?,
                s2: s.matrix(&format!("{b}.ffn.s2"))?,
            }),
        };
        let mut layer = Self {
            f,
            shifts: LayerShifts::default(),
            ln1: affine(&format!("{b}.ln1"), s)?,
            att: QAtt {
                x_r: s.vector(&att("x_r"))?,
                x_w: s.vector(&att("x_w"))?,
                x_k: s.vector(&att("x_k"))?,
                x_v: s.vector(&att("x_v"))?,
                x_a: s.vector(&att("x_a"))?,
                x_g: s.vector(&att("x_g"))?,
                key: s.matrix(&att("key.weight"))?,
                w1: s.matrix(&att("w1"))?,
                w2: s.matrix(&att("w2"))?,
                w0: s.vector(&att("w0"))?,
                a1: s.matrix(&att("a1"))?,
                a2: s.matrix(&att("a2"))?,
                a0: s.vector(&att("a0"))?,
                value: s.matrix(&att("value.weight"))?,
                v: match l {
                    0 => None,
                    _ => Some(QValueResidual {
                        v1: s.matrix(&att("v1"))?,
                        v2: s.matrix(&att("v2"))?,
                        v0: s.vector(&att("v0"))?,
                    }),
                },
                receptance: s.matrix(&att("receptance.weight"))?,
                g1: s.matrix(&att("g1"))?,
                g2: s.matrix(&att("g2"))?,
                k_k: s.vector(&att("k_k"))?,
                k_a: s.vector(&att("k_a"))?,
                ln_x: affine(&att("ln_x"), s)?,
                r_k: s.vector(&att("r_k"))?,
                output: s.matrix(&att("output.weight"))?,
            },
            ln2: affine(&format!("{b}.ln2"), s)?,
            ffn: QFfn {
                x_k: s.vector(&format!("{b}.ffn.x_k"))?,
                key: s.matrix(&format!("{b}.ffn.key.weight"))?,
                value: s.matrix(&format!("{b}.ffn.value.weight"))?,
                deep,
            },
            branches,
        };
        layer.shifts = layer.computed_shifts(net);
        Ok(layer)
    }

    /// Computes the layer's shifts from its formats and the fractions of its tensors.
    pub(super) fn computed_shifts(&self, net: &NetFormats) -> LayerShifts {
        let fracs: BTreeMap<_, _> = self.tensors().into_iter().map(|(name, t)| (name, t.frac())).collect();
        LayerShifts::of(&self.f, net, &|name| fracs.get(name).copied())
    }

    /// Names within the layer and tensors: vectors in the order in which the vector unit uses them, then matrices in the order in
    /// which they are multiplied. This is the order of the image, so that both are read in long runs.
    pub fn tensors(&self) -> Vec<(&'static str, QTensor<'_, M>)> {
        use crate::network::tensors::QTensor::{Matrix as M, Vector as V};
        let a = &self.att;
        let (v, deep) = (a.v.as_ref(), self.ffn.deep.as_ref());
        let vectors = [
            ("ln1.weight", Some(&self.ln1.weight)),
            ("ln1.bias", Some(&self.ln1.bias)),
            ("att.x_k", Some(&a.x_k)),
            ("att.x_w", Some(&a.x_w)),
            ("att.x_a", Some(&a.x_a)),
            ("att.x_v", Some(&a.x_v)),
            ("att.x_r", Some(&a.x_r)),
            ("att.x_g", Some(&a.x_g)),
            ("att.k_k", Some(&a.k_k)),
            ("att.w0", Some(&a.w0)),
            ("att.a0", Some(&a.a0)),
            ("att.k_a", Some(&a.k_a)),
            ("att.v0", v.map(|v| &v.v0)),
            ("att.ln_x.weight", Some(&a.ln_x.weight)),
            ("att.ln_x.bias", Some(&a.ln_x.bias)),
            ("att.r_k", Some(&a.r_k)),
            ("ln2.weight", Some(&self.ln2.weight)),
            ("ln2.bias", Some(&self.ln2.bias)),
            ("ffn.x_k", Some(&self.ffn.x_k)),
            ("ffn.s0", deep.map(|p| &p.s0)),
        ];
        let matrices = [
            ("att.key.weight", Some(&a.key)),
            ("att.w1", Some(&a.w1)),
            ("att.a1", Some(&a.a1)),
            ("att.value.weight", Some(&a.value)),
            ("att.v1", v.map(|v| &v.v1)),
            ("att.w2", Some(&a.w2)),
            ("att.a2", Some(&a.a2)),
            ("att.v2", v.map(|v| &v.v2)),
            ("att.receptance.weight", Some(&a.receptance)),
            ("att.g1", Some(&a.g1)),
            ("att.g2", Some(&a.g2)),
            ("att.output.weight", Some(&a.output)),
            ("ffn.key.weight", Some(&self.ffn.key)),
            ("ffn.s1", deep.map(|p| &p.s1)),
            (S_EMB, deep.map(|p| &p.s_emb)),
            ("ffn.s2", deep.map(|p| &p.s2)),
            ("ffn.value.weight", Some(&self.ffn.value)),
        ];
        let vectors = vectors.into_iter().filter_map(|(name, v)| Some((name, V(v?))));
        let matrices = matrices.into_iter().filter_map(|(name, m)| Some((name, m?)));
        // a branch follows its matrix
        let matrices = matrices.flat_map(|(name, m)| {
            let of_branch = self.branches.get(name).map(QBranch::tensors);
            std::iter::once((name, m)).chain(of_branch.into_iter().flatten()).map(|(name, m)| (name, M(m)))
        });
        vectors.chain(matrices).collect()
    }
}

impl<M: Matrix> QModel<M> {
    /// The model's tensors from `s`, the embedding given.
    pub fn build<S: TensorSource<Matrix = M>>(
        shape: Shape,
        f: NetFormats,
        layers: Vec<LayerFormats>,
        emb: M::Embedding,
        s: &mut S,
    ) -> Result<Self, S::Error> {
        let layers =
            layers.into_iter().enumerate().map(|(l, own)| QLayer::build(l, own, &f, s)).collect::<Result<_, _>>()?;
        let head_branch = f.f_t_head.map(|f_t| QBranch::build("", &HEAD, f_t, s)).transpose()?;
        let clusters = f.clusters.map(|form| QClusters::build(form, s)).transpose()?;
        let (ln_out, head) = (affine("ln_out", s)?, s.matrix("head.weight")?);
        let shifts = NetShifts::default();
        let mut model = Self { shape, f, shifts, emb, layers, ln_out, head, head_branch, clusters };
        model.shifts = model.computed_shifts();
        Ok(model)
    }

    /// Computes the shifts outside the layers from the formats and the fractions of the tensors.
    pub(super) fn computed_shifts(&self) -> NetShifts {
        let fracs: BTreeMap<_, _> = self.outside().into_iter().map(|(name, t)| (name, t.frac())).collect();
        NetShifts::of(&self.f, &|name| fracs.get(name).copied())
    }

    /// Every tensor under its official name, in the order of the image.
    pub fn tensors(&self) -> Vec<(String, QTensor<'_, M>)> {
        let mut all = vec![("emb.weight".to_string(), QTensor::Embedding(&self.emb, self.f.f_emb))];
        for (l, layer) in self.layers.iter().enumerate() {
            all.extend(layer.tensors().into_iter().map(|(name, t)| (format!("blocks.{l}.{name}"), t)));
        }
        all.extend(self.outside().into_iter().map(|(name, t)| (name.to_string(), t)));
        all
    }

    /// Names and tensors of the last norm and the head, in the order of the image.
    fn outside(&self) -> Vec<(&'static str, QTensor<'_, M>)> {
        let mut all = vec![
            ("ln_out.weight", QTensor::Vector(&self.ln_out.weight)),
            ("ln_out.bias", QTensor::Vector(&self.ln_out.bias)),
        ];
        if let Some(c) = &self.clusters {
            all.push(("head.order", QTensor::Order(&c.order)));
            all.push(("head.centroids", QTensor::Matrix(&c.centroids)));
        }
        all.push(("head.weight", QTensor::Matrix(&self.head)));
        all.extend(self.head_branch.iter().flat_map(QBranch::tensors).map(|(name, m)| (name, QTensor::Matrix(m))));
        all
    }
}
