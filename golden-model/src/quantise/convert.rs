//! Turns a checkpoint into a [`QModel`] in two passes over the tensors: one finds their ranges, one quantises. Only one tensor at a time is in
//! memory as floats.

use crate::arithmetic::fixed::{VEC_BITS, Z};
use crate::arithmetic::tensor::{QMatrix, QVector, WeightBits};
use crate::checkpoint::names::{in_layer, RANK_S};
use crate::checkpoint::{Checkpoint, CheckpointError, Shape};
use crate::network::branch::{BRANCHED, HEAD};
use crate::network::clusters::NO_TOKEN;
use crate::network::formats::{LayerFormats, NetFormats, MAX_FRAC, MIN_FRAC};
use crate::network::model::{is_own, ModelError, QModel, S_EMB};
use crate::network::recipe::{Rounding, TensorFormat, TensorRecord};
use crate::network::shifts::{matrix_fractions, MATRIX};
use crate::network::tensors::TensorSource;
use crate::quantise::approximate::{Approximation, Exact};
use crate::quantise::calibrate::Ranges;
use crate::quantise::choose_formats::{choose, Maxima, NORM_GAIN_MAX};
use crate::quantise::cluster_fit;
use crate::quantise::gptq::{operand_of, Hessians};
use crate::quantise::options::{default_head, value_bits, QuantOptions};
use crate::quantise::own_matrices::OwnMatrices;
use crate::quantise::scales::{frac_for, matrix_frac, quantise16, ErrorSum, QuantError};
use crate::text::tokenizer::Tokenizer;
use std::collections::BTreeMap;

/// Why a checkpoint cannot be quantised.
#[derive(Debug, thiserror::Error)]
pub enum QuantiseError {
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("cannot quantise: {0}")]
    Model(#[from] ModelError),
    #[error(
        "calibration: {name} of layer {layer} overflows in floating point; the checkpoint is damaged or not RWKV-7"
    )]
    Range { layer: usize, name: &'static str },
    #[error("error-compensated rounding and low-rank branches need the operands of a calibration")]
    NoOperands,
}

/// A quantised model and each tensor's error, in the order of the conversion.
#[derive(Debug)]
pub struct Quantised {
    pub model: QModel,
    pub errors: Vec<(String, QuantError)>,
}

/// Quantises `checkpoint` for the tap ranges found by [`crate::quantise::calibrate`].
///
/// # Errors
/// If a tensor cannot be read, or if the network's ranges fit no integer format; the message names the tensor or the format.
pub fn quantise(checkpoint: &Checkpoint, ranges: &Ranges, options: &QuantOptions) -> Result<Quantised, QuantiseError> {
    quantise_with(checkpoint, ranges, None, options)
}

/// [`quantise`] with the operands [`crate::quantise::calibrate::calibrate_operands`] has seen, for [`Rounding::Gptq`] and branches. With them the
/// recipe tells the error of each matrix' output.
///
/// # Errors
/// Fails where [`quantise`] does, and if such a rounding or a branch is asked for without operands.
pub fn quantise_with(
    checkpoint: &Checkpoint,
    ranges: &Ranges,
    operands: Option<&Hessians>,
    options: &QuantOptions,
) -> Result<Quantised, QuantiseError> {
    let shape = checkpoint.shape().clone();
    let head = options.head.unwrap_or_else(|| default_head(&shape, options.bits));
    let options = &QuantOptions { head: Some(head), ..options.clone() };
    let needs = |f: TensorFormat| f.round == Rounding::Gptq || f.branch > 0;
    if operands.is_none() && shape.tensors().any(|t| needs(options.tensor(&t.name))) {
        return Err(QuantiseError::NoOperands);
    }
    if let Some((layer, name)) = ranges.first_infinite() {
        return Err(QuantiseError::Range { layer, name });
    }
    let exact_emb = exact_embedding(checkpoint, &shape)?;
    let (net_max, layer_max, emb_max) = maxima(checkpoint, &shape, &exact_emb)?;
    let (mut net, layers) =
        choose(shape.n_embd, shape.head_size, checkpoint.eps(), options, &net_max, &layer_max, ranges);
    net.f_emb = frac_for(emb_max, 16, net.f_x);
    net.numbers_only = !Tokenizer::of(checkpoint).is_of_size();
    let (emb, error) = embedding(checkpoint, &shape, net.f_emb)?;
    let mut tensors = Tensors {
        checkpoint,
        shape: &shape,
        exact_emb: &exact_emb,
        options,
        operands,
        net,
        layers,
        net_max: &net_max,
        layer_max: &layer_max,
        ready: BTreeMap::new(),
        order: vec![],
        errors: vec![("emb.weight".into(), error)],
        records: vec![],
    };
    tensors.branches(ranges)?;
    tensors.clusters()?;
    let (net, layers) = (tensors.net.clone(), tensors.layers.clone());
    let mut model = QModel::build(shape.clone(), net, layers, emb, &mut tensors)?;
    // branches were made first; the records have the order of the image
    let places: BTreeMap<String, usize> =
        model.tensors().into_iter().enumerate().map(|(i, (name, _))| (name, i)).collect();
    tensors.records.sort_by_key(|r| places.get(&r.tensor).copied());
    if let Some(recipe) = &mut model.f.recipe {
        recipe.tensors = tensors.records;
    }
    model.check()?;
    Ok(Quantised { model, errors: tensors.errors })
}

/// Largest magnitudes: of the net's tensors, of each layer's, and of the embedding after ln0.
fn maxima(
    checkpoint: &Checkpoint,
    shape: &Shape,
    exact_emb: &[f32],
) -> Result<(Maxima, Vec<Maxima>, f64), QuantiseError> {
    let mut net = Maxima::new();
    let mut layers = vec![Maxima::new(); shape.n_layer];
    for spec in shape.tensors() {
        let leaf = in_layer(&spec.name);
        if spec.name == "emb.weight" || leaf.is_some_and(|(_, leaf)| leaf.starts_with("ln0.") || leaf == S_EMB_X) {
            continue;
        }
        if let Some((l, S_EMB)) = leaf {
            let max = OwnMatrices::read(checkpoint, l, exact_emb)?.max();
            if max.is_infinite() {
                return Err(QuantiseError::Range { layer: l, name: S_EMB });
            }
            layers[l].insert(S_EMB.into(), max);
            continue;
        }
        let values = checkpoint.read(&spec.name)?;
        let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
        let Some((l, leaf)) = leaf else {
            net.insert(spec.name, max);
            continue;
        };
        let mix = match leaf {
            "att.x_r" | "att.x_w" | "att.x_k" | "att.x_v" | "att.x_a" | "att.x_g" => Some("mix1"),
            "ffn.x_k" => Some("mix2"),
            _ => None,
        };
        if let Some(mix) = mix {
            // |h + (prev - h) m| ≤ (|m| + |1 - m|) · max(|h|, |prev|)
            let gain = values.iter().fold(1f64, |g, m| g.max(f64::from(m.abs()) + (1.0 - f64::from(*m)).abs()));
            let entry = layers[l].entry(mix.into()).or_insert(1.0);
            *entry = entry.max(gain);
        }
        layers[l].insert(leaf.into(), max);
    }
    let mut emb_max = 0f64;
    each_embedding(checkpoint, shape, |row| emb_max = row.iter().fold(emb_max, |m, v| m.max(v.abs())))?;
    Ok((net, layers, emb_max))
}

/// What DeepEmbed adds to each token's own matrix; it is folded into [`S_EMB`].
const S_EMB_X: &str = "ffn.s_emb_x.weight";

/// Returns the embedding after ln0, `(vocab_size, n_embd)`, for the matrices of DeepEmbed; nothing for a network without them.
fn exact_embedding(checkpoint: &Checkpoint, shape: &Shape) -> Result<Vec<f32>, CheckpointError> {
    let mut emb = vec![];
    if shape.deep_embed {
        emb.reserve_exact(shape.vocab_size * shape.n_embd);
        each_embedding(checkpoint, shape, |row| emb.extend(row.iter().map(|v| *v as f32)))?;
    }
    Ok(emb)
}

/// Calls `f` with layer_norm(emb[token]; ln0) of each token in turn.
fn each_embedding(checkpoint: &Checkpoint, shape: &Shape, mut f: impl FnMut(&[f64])) -> Result<(), CheckpointError> {
    let emb = checkpoint.read("emb.weight")?;
    let gain = checkpoint.read("blocks.0.ln0.weight")?;
    let bias = checkpoint.read("blocks.0.ln0.bias")?;
    let n = shape.n_embd as f64;
    let mut out = vec![0f64; shape.n_embd];
    for row in emb.chunks(shape.n_embd) {
        let mean = row.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = row.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        let rstd = 1.0 / (variance + checkpoint.eps().ln).sqrt();
        for (i, out) in out.iter_mut().enumerate() {
            *out = (f64::from(row[i]) - mean) * rstd * f64::from(gain[i]) + f64::from(bias[i]);
        }
        f(&out);
    }
    Ok(())
}

fn embedding(checkpoint: &Checkpoint, shape: &Shape, frac: i32) -> Result<(Vec<i16>, QuantError), CheckpointError> {
    let mut emb = Vec::with_capacity(shape.vocab_size * shape.n_embd);
    let mut errors = ErrorSum::default();
    each_embedding(checkpoint, shape, |row| emb.extend(row.iter().map(|v| quantise16(*v, frac, &mut errors))))?;
    Ok((emb, errors.finish()))
}

/// Rounds to as many digits as anybody reads, so that what JSON gives back is the same number.
fn six_digits(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

/// Reads and quantises tensors by name.
struct Tensors<'a> {
    checkpoint: &'a Checkpoint,
    shape: &'a Shape,
    /// After ln0; empty without DeepEmbed.
    exact_emb: &'a [f32],
    options: &'a QuantOptions,
    operands: Option<&'a Hessians>,
    net: NetFormats,
    layers: Vec<LayerFormats>,
    net_max: &'a Maxima,
    layer_max: &'a [Maxima],
    /// Matrices quantised before the model is put together.
    ready: BTreeMap<String, QMatrix>,
    order: Vec<u32>,
    errors: Vec<(String, QuantError)>,
    records: Vec<TensorRecord>,
}

impl Tensors<'_> {
    /// Largest frac a vector may have so that the shifts of the step that uses it stay in range.
    fn max_frac(&self, name: &str) -> i32 {
        let Some((l, leaf)) = in_layer(name) else {
            return if name.ends_with(".bias") { self.net.f_ho } else { NORM_GAIN_MAX };
        };
        let f = &self.layers[l];
        match leaf {
            "ln1.bias" => f.f_h1,
            "ln2.bias" => f.f_h2,
            "att.ln_x.bias" => f.f_yb,
            "att.w0" | "att.a0" | "att.v0" => Z,
            "ffn.s0" => f.deep_embed.as_ref().map_or(NORM_GAIN_MAX, |deep| deep.f_gate),
            _ => NORM_GAIN_MAX,
        }
    }

    /// Fraction bits of the operand and of the result of matrix `name`; none for a tensor that is no matrix.
    fn fractions(&self, name: &str) -> Option<(i32, i32)> {
        match in_layer(name) {
            None => matrix_fractions(name, &LayerFormats::default(), &self.net),
            Some((l, leaf)) => matrix_fractions(leaf, &self.layers[l], &self.net),
        }
    }

    /// Stored bits and stored fraction of matrix `name`: a fraction as large as the scales allow and the range of its shift permits.
    fn matrix_format(&self, name: &str) -> (WeightBits, i32) {
        let of = |m: &Maxima, name: &str| m.get(name).copied().unwrap_or(0.0);
        let max = match in_layer(name) {
            None => of(self.net_max, name),
            Some((l, leaf)) => of(&self.layer_max[l], leaf),
        };
        let bits = match self.options.tensor(name).bits {
            _ if !name.ends_with(".weight") => WeightBits::W16,
            bits if name.ends_with("ffn.value.weight") || is_own(name) => value_bits(bits),
            bits => bits,
        };
        let limit = self.fractions(name).map_or(i32::MAX, |(f_in, f_out)| MATRIX.1 + f_out - f_in);
        (bits, matrix_frac(max, bits).min(limit))
    }

    /// Columns of a matrix that is stored as the checkpoint has it.
    fn columns(&self, name: &str) -> usize {
        if name.ends_with("ffn.value.weight") {
            self.shape.dim_ffn
        } else {
            self.shape.n_embd
        }
    }

    /// Rounds matrix `name`, which has 4 bits or known operands, and records its error.
    fn approximate(&mut self, name: &str) -> Result<Approximation, CheckpointError> {
        let values = self.checkpoint.read(name)?;
        let (_, frac) = self.matrix_format(name);
        let format = self.options.tensor(name);
        let gram = self.operands.and_then(|o| o.gram(name));
        let factor = gram.filter(|_| format.round == Rounding::Gptq).map(|g| g.factor());
        let exact = Exact { values: &values, cols: self.columns(name), gram, factor: factor.as_ref() };
        let done = exact.approximate(format, self.options.scales, frac);
        if let Some(gram) = gram {
            let (error, signal) = (done.squared_error(&exact, gram), exact.signal(gram));
            let output_error = if signal > 0.0 { six_digits(error / signal) } else { 0.0 };
            self.records.push(TensorRecord { tensor: name.into(), format, bytes: done.bytes(), output_error });
        }
        self.errors.push((name.into(), done.weight_error(&exact)));
        Ok(done)
    }

    /// Quantises the matrices that get a branch, which decides its format.
    fn branches(&mut self, ranges: &Ranges) -> Result<(), CheckpointError> {
        let in_layers = (0..self.shape.n_layer).flat_map(|l| BRANCHED.iter().map(move |part| (Some(l), part)));
        for (l, part) in in_layers.chain([(None, &HEAD)]).collect::<Vec<_>>() {
            let prefix = l.map_or(String::new(), |l| format!("blocks.{l}."));
            let name = format!("{prefix}{}", part.weight);
            if self.options.tensor(&name).branch == 0 || self.options.clusters.is_some() && l.is_none() {
                continue;
            }
            let Approximation { main, branch: Some((v, u)) } = self.approximate(&name)? else { continue };
            let Some((f_in, f_out)) = self.fractions(&name) else { continue };
            let x = match l {
                Some(l) => operand_of(part.weight).map_or(0.0, |tap| ranges.get(l, tap)),
                None => ranges.get(self.shape.n_layer, "ln_out.h"),
            };
            // no operand within its range makes V x larger
            let gain = (0..v.rows).map(|r| (0..v.cols).map(|c| v.value(r, c).abs()).sum()).fold(0.0, f64::max);
            let wanted = frac_for(x * self.options.headroom * gain, VEC_BITS, MAX_FRAC).max(MIN_FRAC);
            let f_t = wanted.max(MATRIX.0 + f_out - u.frac).min(f_in + v.frac - MATRIX.0);
            self.ready.insert(format!("{prefix}{}", part.v), v.with_frac_at_most(MATRIX.1 + f_t - f_in));
            self.ready.insert(format!("{prefix}{}", part.u), u.with_frac_at_most(MATRIX.1 + f_out - f_t));
            self.ready.insert(name, main);
            match l {
                Some(l) => drop(self.layers[l].f_t.insert(part.weight.into(), f_t)),
                None => self.net.f_t_head = Some(f_t),
            }
        }
        Ok(())
    }

    /// Puts the rows of a clustered head in order and adds the centroids.
    fn clusters(&mut self) -> Result<(), CheckpointError> {
        let Some(form) = self.options.clusters else { return Ok(()) };
        let values = self.checkpoint.read("head.weight")?;
        let cols = self.shape.n_embd;
        let order = cluster_fit::order(&values, cols, form, self.operands.and_then(|o| o.gram("head.weight")));
        let centroids = cluster_fit::centroids(&values, cols, form, &order);
        let (bits, frac) = self.matrix_format("head.weight");
        let none = vec![0.0; cols];
        let row = |r: usize| match order[r] {
            NO_TOKEN => &none[..],
            token => &values[token as usize * cols..(token as usize + 1) * cols],
        };
        let (head, error) = QMatrix::quantise(order.len(), cols, row, bits, frac);
        self.errors.push(("head.weight".into(), error));
        let row = |r: usize| &centroids[r * cols..(r + 1) * cols];
        let (centroids, error) = QMatrix::quantise(form.clusters as usize, cols, row, bits, frac);
        self.errors.push(("head.centroids".into(), error));
        self.ready.insert("head.weight".into(), head);
        self.ready.insert("head.centroids".into(), centroids);
        self.order = order;
        Ok(())
    }
}

impl TensorSource for Tensors<'_> {
    type Error = CheckpointError;
    type Matrix = QMatrix;

    fn vector(&mut self, name: &str) -> Result<QVector, CheckpointError> {
        let (v, error) = QVector::quantise(&self.checkpoint.read(name)?, self.max_frac(name));
        self.errors.push((name.into(), error));
        Ok(v)
    }

    fn order(&mut self, _: &str) -> Result<Vec<u32>, CheckpointError> {
        Ok(std::mem::take(&mut self.order))
    }

    fn matrix(&mut self, name: &str) -> Result<QMatrix, CheckpointError> {
        if let Some(ready) = self.ready.remove(name) {
            return Ok(ready);
        }
        let (bits, frac) = self.matrix_format(name);
        let known = self.operands.is_some_and(|o| o.gram(name).is_some());
        if known || matches!(bits, WeightBits::W4 | WeightBits::W4Columns) {
            return Ok(self.approximate(name)?.main);
        }
        if let Some((l, S_EMB)) = in_layer(name) {
            let (m, error) = OwnMatrices::read(self.checkpoint, l, self.exact_emb)?.quantise(bits, frac);
            self.errors.push((name.into(), error));
            return Ok(m);
        }
        let values = self.checkpoint.read(name)?;
        // low-rank pairs lie (in, out) in the checkpoint
        let (m, error) = if name.ends_with(".weight") {
            let cols = self.columns(name);
            QMatrix::quantise(values.len() / cols, cols, |r| &values[r * cols..(r + 1) * cols], bits, frac)
        } else {
            let cols = self.low_rank_inputs(name);
            let rows = values.len() / cols;
            let row = |r: usize| (0..cols).map(|c| values[c * rows + r]).collect::<Vec<_>>();
            QMatrix::quantise(rows, cols, row, bits, frac)
        };
        self.errors.push((name.into(), error));
        Ok(m)
    }
}

impl Tensors<'_> {
    /// Inputs of a low-rank matrix: n_embd for the first of a pair, the rank for the second.
    fn low_rank_inputs(&self, name: &str) -> usize {
        let s = self.shape;
        match name.rsplit('.').next() {
            Some("w2") => s.rank_w,
            Some("a2") => s.rank_a,
            Some("v2") => s.rank_v,
            Some("g2") => s.rank_g,
            Some("s2") => RANK_S,
            _ => s.n_embd,
        }
    }
}
