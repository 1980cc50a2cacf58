//! A model of a given shape without its weights: all that the compiler needs.

use golden_model::arithmetic::norm::{Eps, NormConstants};
use golden_model::arithmetic::tensor::{QVector, RowScale, WeightBits};
use golden_model::checkpoint::names::RANK_S;
use golden_model::checkpoint::Shape;
use golden_model::image::layout::StreamLayout;
use golden_model::network::formats::{DeepFormats, LayerFormats, NetFormats};
use golden_model::network::model::QModel;
use golden_model::network::tensors::{Matrix, TensorSource};
use records::explore::Weights;
use rtl_gen::program::{model::view, Model};

/// A matrix that has dimensions and nothing else.
struct Outline {
    rows: usize,
    cols: usize,
    bits: WeightBits,
}

/// frac_bits of every tensor: no number is computed, so any that the formats allow will do.
const FRAC: i32 = 12;

impl Matrix for Outline {
    type Embedding = usize;

    fn rows(&self) -> usize {
        self.rows
    }
    fn cols(&self) -> usize {
        self.cols
    }
    fn bits(&self) -> WeightBits {
        self.bits
    }
    fn frac(&self) -> i32 {
        FRAC
    }
    fn scale(&self, _row: usize) -> RowScale {
        RowScale { m: 2048, e: 0 }
    }
    fn held(&self) -> (usize, usize) {
        (self.rows * self.cols, self.rows)
    }
    fn embedding_len(embedding: &usize) -> usize {
        *embedding
    }
}

/// Hands out outlines by the tensors' official names.
struct Outlines<'a> {
    shape: &'a Shape,
    weights: Weights,
}

impl TensorSource for Outlines<'_> {
    type Error = std::convert::Infallible;
    type Matrix = Outline;

    fn vector(&mut self, name: &str) -> Result<QVector, Self::Error> {
        let n = if name.ends_with("ffn.s0") { self.shape.dim_ffn } else { self.shape.n_embd };
        Ok(QVector { q: vec![0; n], frac: FRAC })
    }

    /// No head in clusters.
    fn order(&mut self, _name: &str) -> Result<Vec<u32>, Self::Error> {
        Ok(vec![])
    }

    fn matrix(&mut self, name: &str) -> Result<Outline, Self::Error> {
        let s = self.shape;
        let d = s.n_embd;
        let leaf = name.rsplit_once("att.").or(name.rsplit_once("ffn.")).map_or(name, |(_, leaf)| leaf);
        let large = if self.weights == Weights::W4 { WeightBits::W4 } else { WeightBits::W8 };
        let (rows, cols, bits) = match leaf {
            "w1" => (s.rank_w, d, WeightBits::W16),
            "w2" => (d, s.rank_w, WeightBits::W16),
            "a1" => (s.rank_a, d, WeightBits::W16),
            "a2" => (d, s.rank_a, WeightBits::W16),
            "v1" => (s.rank_v, d, WeightBits::W16),
            "v2" => (d, s.rank_v, WeightBits::W16),
            "g1" => (s.rank_g, d, WeightBits::W16),
            "g2" => (d, s.rank_g, WeightBits::W16),
            "s1" => (RANK_S, d, WeightBits::W16),
            "s2" => (s.dim_ffn, RANK_S, WeightBits::W16),
            "s_emb.weight" => (s.vocab_size * RANK_S, RANK_S, WeightBits::W8),
            "head.weight" => (s.vocab_size, d, large),
            _ if name.ends_with("ffn.key.weight") => (s.dim_ffn, d, large),
            _ if name.ends_with("ffn.value.weight") => (d, s.dim_ffn, WeightBits::W8),
            _ => (d, d, large),
        };
        Ok(Outline { rows, cols, bits })
    }
}

/// What the compiler sees of a model of `shape`.
pub fn outline(shape: &Shape, weights: Weights, state_bits: u32) -> Model {
    let norm = |n: usize, eps: f64| NormConstants::new(n, eps, FRAC);
    let eps = Eps::default();
    let (layer_norm, group_norm) = (norm(shape.n_embd, eps.ln), norm(shape.head_size, eps.ln_x));
    let deep = DeepFormats { f_s1: FRAC, f_ss: FRAC, f_gate: FRAC, f_r2g: FRAC };
    let layer = LayerFormats {
        f_h1: FRAC,
        f_k: FRAC,
        f_a1: FRAC,
        f_v1: FRAC,
        f_r: FRAC,
        f_g: FRAC,
        f_k0: FRAC,
        f_km: FRAC,
        f_s: 0,
        f_y: 0,
        f_yb: FRAC,
        f_rk: FRAC,
        f_bs: FRAC,
        f_yg: FRAC,
        f_h2: FRAC,
        f_fk: FRAC,
        f_r2: FRAC,
        deep_embed: shape.deep_embed.then_some(deep),
        ln1: layer_norm.clone(),
        ln_x: group_norm,
        ln2: layer_norm.clone(),
        ..Default::default()
    };
    let net = NetFormats {
        f_emb: FRAC,
        f_x: FRAC,
        f_v: FRAC,
        f_ho: FRAC,
        f_logits: FRAC,
        ln_out: layer_norm,
        state_bits,
        operand_bits: 16,
        ..Default::default()
    };
    let layers = vec![layer; shape.n_layer];
    let embedding = shape.vocab_size * shape.n_embd;
    let mut source = Outlines { shape, weights };
    match QModel::build(shape.clone(), net, layers, embedding, &mut source) {
        Ok(model) => view(&model, &StreamLayout::of(&model)),
        Err(never) => match never {},
    }
}
