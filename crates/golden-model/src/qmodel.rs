//! A quantised network: every tensor as integers under its official name, and the formats between them.

use crate::checkpoint::Shape;
use crate::formats::{layer_matrices, MatrixSpec, NormConstants};
use crate::formats::{LayerFormats, NetFormats, EPS_LN, EPS_LN_X, MAT_SHIFT, MIN_SH_VK, MIN_SH_Y};
use crate::qtensor::{QMatrix, QVector, QWeights, RowScale, WeightBits};
use crate::vector_ops::{NORM, O, Z};

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
}

/// `blocks.{l}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QLayer<M = QMatrix> {
    pub f: LayerFormats,
    pub ln1: QAffine,
    pub att: QAtt<M>,
    pub ln2: QAffine,
    pub ffn: QFfn<M>,
}

/// What a model needs to know of a matrix, wherever its weights lie.
pub trait Matrix {
    /// A table of `(vocab_size, n_embd)` 16-bit numbers that goes with such matrices.
    type Embedding;
    fn rows(&self) -> usize;
    fn cols(&self) -> usize;
    fn bits(&self) -> WeightBits;
    fn frac(&self) -> i32;
    /// The scale of row `r`.
    fn scale(&self, r: usize) -> RowScale;
    /// Weights and scales (of rows and of groups) held; both follow from rows and columns in a matrix that is whole.
    fn held(&self) -> (usize, usize);
    /// Numbers in `embedding`.
    fn embedding_len(embedding: &Self::Embedding) -> usize;
}

impl Matrix for QMatrix {
    type Embedding = Vec<i16>;

    fn rows(&self) -> usize {
        self.rows
    }

    fn cols(&self) -> usize {
        self.cols
    }

    fn bits(&self) -> WeightBits {
        QMatrix::bits(self)
    }

    fn frac(&self) -> i32 {
        self.frac
    }

    fn scale(&self, r: usize) -> RowScale {
        self.scales[r]
    }

    fn held(&self) -> (usize, usize) {
        let (weights, groups) = match &self.q {
            QWeights::W4 { q, gs } => (q.len(), gs.len()),
            QWeights::W8(q) => (q.len(), 0),
            QWeights::W16(q) => (q.len(), 0),
        };
        (weights, self.scales.len() + groups)
    }

    fn embedding_len(embedding: &Vec<i16>) -> usize {
        embedding.len()
    }
}

/// A network ready for [`crate::integer_step`] and for the chip; [`crate::fast`] has its matrices elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QModel<M: Matrix = QMatrix> {
    pub shape: Shape,
    pub f: NetFormats,
    /// (vocab_size, n_embd), frac f_emb, the layer norm ln0 folded in
    pub emb: M::Embedding,
    pub layers: Vec<QLayer<M>>,
    pub ln_out: QAffine,
    pub head: M, // (vocab_size, n_embd)
}

/// A tensor of a model by reference.
#[derive(Debug)]
pub enum QTensor<'a, M: Matrix = QMatrix> {
    /// `(vocab_size, n_embd)` and its frac.
    Embedding(&'a M::Embedding, i32),
    Vector(&'a QVector),
    Matrix(&'a M),
}

/// Where a model's tensors come from: the quantiser or an image. Names are official and complete (`blocks.0.att.w1`).
pub trait TensorSource {
    type Error;
    type Matrix: Matrix;
    fn vector(&mut self, name: &str) -> Result<QVector, Self::Error>;
    fn matrix(&mut self, name: &str) -> Result<Self::Matrix, Self::Error>;
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
    pub fn build<S: TensorSource<Matrix = M>>(l: usize, f: LayerFormats, s: &mut S) -> Result<Self, S::Error> {
        let b = format!("blocks.{l}");
        let att = |n: &str| format!("{b}.att.{n}");
        Ok(Self {
            f,
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
            },
        })
    }

    /// Names within the layer and tensors: vectors in the order in which the vector unit uses them, then matrices in the order in
    /// which they are multiplied. This is the order of the image, so that both are read in long runs.
    pub fn tensors(&self) -> Vec<(&'static str, QTensor<'_, M>)> {
        use QTensor::{Matrix as M, Vector as V};
        let a = &self.att;
        let v = a.v.as_ref();
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
            ("ffn.value.weight", Some(&self.ffn.value)),
        ];
        let vectors = vectors.into_iter().filter_map(|(name, v)| Some((name, V(v?))));
        let matrices = matrices.into_iter().filter_map(|(name, m)| Some((name, M(m?))));
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
        let layers = layers.into_iter().enumerate().map(|(l, f)| QLayer::build(l, f, s)).collect::<Result<_, _>>()?;
        Ok(Self { shape, f, emb, layers, ln_out: affine("ln_out", s)?, head: s.matrix("head.weight")? })
    }

    /// Every tensor under its official name, in the order of the image.
    pub fn tensors(&self) -> Vec<(String, QTensor<'_, M>)> {
        let mut all = vec![("emb.weight".to_string(), QTensor::Embedding(&self.emb, self.f.f_emb))];
        for (l, layer) in self.layers.iter().enumerate() {
            all.extend(layer.tensors().into_iter().map(|(name, t)| (format!("blocks.{l}.{name}"), t)));
        }
        all.push(("ln_out.weight".into(), QTensor::Vector(&self.ln_out.weight)));
        all.push(("ln_out.bias".into(), QTensor::Vector(&self.ln_out.bias)));
        all.push(("head.weight".into(), QTensor::Matrix(&self.head)));
        all
    }

    /// Checks all that the integer step takes for granted: sizes, row scales, and that every shift it makes is in range.
    ///
    /// # Errors
    /// The first thing that does not fit, with its name and the range expected.
    pub fn check(&self) -> Result<(), ModelError> {
        let s = &self.shape;
        let value = |what: &str, found: usize, ok: bool, expected: &str| match ok {
            true => Ok(()),
            false => Err(ModelError::Value { what: what.into(), found: found.to_string(), expected: expected.into() }),
        };
        value("n_layer", s.n_layer, s.n_layer > 0 && s.n_layer == self.layers.len(), "one set of formats a layer")?;
        let heads = s.n_head.checked_mul(s.head_size);
        value(
            "n_embd",
            s.n_embd,
            heads == Some(s.n_embd) && (1..=16384).contains(&s.n_embd),
            "n_head · head_size, up to 16384",
        )?;
        value("head_size", s.head_size, (1..=255).contains(&s.head_size), "1 to 255")?;
        value("dim_ffn", s.dim_ffn, (1..=65532).contains(&s.dim_ffn), "1 to 65532")?;
        value("vocab_size", s.vocab_size, (1..1 << 18).contains(&s.vocab_size), "1 to 262143")?;
        value("state_bits", self.f.state_bits as usize, (16..=32).contains(&self.f.state_bits), "16 to 32")?;
        value("operand_bits", self.f.operand_bits as usize, (4..=16).contains(&self.f.operand_bits), "4 to 16")?;
        value(
            "size of emb.weight",
            M::embedding_len(&self.emb),
            s.vocab_size.checked_mul(s.n_embd) == Some(M::embedding_len(&self.emb)),
            "vocab_size · n_embd",
        )?;
        self.check_sizes()?;
        for (l, layer) in self.layers.iter().enumerate() {
            layer.check(l, self)?;
        }
        let f = &self.f;
        range("f_x - f_emb", f.f_x - f.f_emb, (0, 31))?;
        check_norm("ln_out", &f.ln_out, &self.ln_out, (s.n_embd, EPS_LN, f.f_x, f.f_ho))?;
        range("head: f_ho + frac - f_logits", f.f_ho + self.head.frac() - f.f_logits, MAT_SHIFT)
    }

    /// Every tensor has the size its name demands, every row scale is one the stream can carry.
    fn check_sizes(&self) -> Result<(), ModelError> {
        let specs: std::collections::HashMap<_, _> = self.shape.tensors().map(|t| (t.name.clone(), t.shape)).collect();
        for (name, tensor) in self.tensors() {
            let Some(dims) = specs.get(&name) else { continue };
            let bad = |found: String, expected: String| Err(ModelError::Tensor { name: name.clone(), found, expected });
            match tensor {
                QTensor::Embedding(..) => {}
                QTensor::Vector(v) => {
                    let n: usize = dims.iter().product();
                    if v.q.len() != n {
                        return bad(format!("{} elements", v.q.len()), n.to_string());
                    }
                }
                QTensor::Matrix(m) => {
                    let low_rank = !name.ends_with(".weight");
                    let (rows, cols) = if low_rank { (dims[1], dims[0]) } else { (dims[0], dims[1]) };
                    if (m.rows(), m.cols()) != (rows, cols) {
                        return bad(format!("({}, {})", m.rows(), m.cols()), format!("({rows}, {cols})"));
                    }
                    let (q, scales) = m.held();
                    let whole = (rows * cols, QMatrix::scales_of(rows, cols, m.bits()));
                    if (q, scales) != whole {
                        return bad(format!("{q} weights, {scales} scales"), format!("{} and {}", whole.0, whole.1));
                    }
                    let wrong = |s: &RowScale| s.m != 0 && !(2048..4096).contains(&s.m) || s.e > 15;
                    if let Some(s) = (0..rows).map(|r| m.scale(r)).find(wrong) {
                        return bad(format!("row scale m {} e {}", s.m, s.e), "m 0 or 2048 to 4095, e 0 to 15".into());
                    }
                    if name.ends_with("ffn.value.weight") && m.bits() == WeightBits::W4 {
                        return bad(
                            format!("weights {:?}", m.bits()),
                            "8-bit weights, streamed by columns, or 16-bit ones".into(),
                        );
                    }
                }
            }
        }
        Ok(())
    }
}

impl<M: Matrix> QLayer<M> {
    fn matrix(&self, name: &str) -> Option<&M> {
        self.tensors().into_iter().find_map(|(n, t)| match t {
            QTensor::Matrix(m) if n == name => Some(m),
            _ => None,
        })
    }

    fn check(&self, l: usize, model: &QModel<M>) -> Result<(), ModelError> {
        let (f, net, a) = (&self.f, &model.f, &self.att);
        let (d, n) = (model.shape.n_embd, model.shape.head_size);
        let name = |what: &str| format!("layer {l}: {what}");
        let shift = |what: &str, value: i32| range(&name(what), value, (0, 63));
        check_norm(&name("ln1"), &f.ln1, &self.ln1, (d, EPS_LN, net.f_x, f.f_h1))?;
        check_norm(&name("ln2"), &f.ln2, &self.ln2, (d, EPS_LN, net.f_x, f.f_h2))?;
        check_norm(&name("att.ln_x"), &f.ln_x, &a.ln_x, (n, EPS_LN_X, f.f_y, f.f_yb))?;
        for MatrixSpec { name: matrix, f_in, f_out, .. } in layer_matrices(l, WeightBits::W8, f, net) {
            if let Some(m) = self.matrix(matrix) {
                range(&name(&format!("{matrix}: f_in + frac - f_out")), f_in + m.frac() - f_out, MAT_SHIFT)?;
            }
        }
        for (what, v) in
            [("x_r", &a.x_r), ("x_w", &a.x_w), ("x_k", &a.x_k), ("x_v", &a.x_v), ("x_a", &a.x_a), ("x_g", &a.x_g)]
        {
            shift(&format!("f of att.{what}"), v.frac)?;
        }
        shift("f of ffn.x_k", self.ffn.x_k.frac)?;
        shift("f of att.k_a", a.k_a.frac)?;
        for (what, v) in [("w0", Some(&a.w0)), ("a0", Some(&a.a0)), ("v0", a.v.as_ref().map(|v| &v.v0))] {
            v.map_or(Ok(()), |v| range(&name(&format!("Z - f of att.{what}")), Z - v.frac, (0, 31)))?;
        }
        shift("f_k + f - f_k0", f.f_k + a.k_k.frac - f.f_k0)?;
        shift("O + f_k - f_km", O + f.f_k - f.f_km)?;
        range(&name("sh_vk"), net.f_v + f.f_km - f.f_s, (MIN_SH_VK, 63))?;
        range(&name("sh_y"), f.f_s + f.f_r - f.f_y, (MIN_SH_Y, 63))?;
        shift("f_r + f_km - f_rk", f.f_r + f.f_km - f.f_rk)?;
        shift("f_rk + f - f_bs", f.f_rk + a.r_k.frac - f.f_bs)?;
        shift("f_v + f_bs - f_yb", net.f_v + f.f_bs - f.f_yb)?;
        shift("f_yb + f_g - f_yg", f.f_yb + f.f_g - f.f_yg)?;
        shift("2 f_fk - f_r2", 2 * f.f_fk - f.f_r2)
    }
}

fn range(what: &str, value: i32, (low, high): (i32, i32)) -> Result<(), ModelError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ModelError::Shift { what: what.into(), value, low, high })
}

fn check_norm(
    what: &str,
    c: &NormConstants,
    p: &QAffine,
    (n, eps, f_in, f_out): (usize, f64, i32, i32),
) -> Result<(), ModelError> {
    let expected = NormConstants::new(n, eps, f_in);
    if *c != expected {
        let what = format!("constants of {what}");
        return Err(ModelError::Value { what, found: format!("{c:?}"), expected: format!("{expected:?}") });
    }
    range(&format!("{what}: NORM + f - f_h"), NORM + p.weight.frac - f_out, (0, 63))?;
    range(&format!("{what}: f_h - f"), f_out - p.bias.frac, (0, 31))
}
