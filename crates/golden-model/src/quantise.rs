//! Checkpoint to [`QModel`]: two passes over the tensors, one for their ranges, one that quantises; only one tensor at a time is in memory as floats.

use crate::checkpoint::{Checkpoint, CheckpointError, Shape};
use crate::formats::{
    choose, layer_matrices, LayerFormats, MatrixSpec, Maxima, NetFormats, QuantOptions, Ranges, EPS_LN,
};
use crate::formats::{Rounding, MAT_SHIFT, NORM_GAIN_MAX};
use crate::gptq::Hessians;
use crate::qmodel::{ModelError, QModel, TensorSource};
use crate::qtensor::{frac_for, matrix_frac, quantise16, ErrorSum, QMatrix, QVector, QuantError, WeightBits};
use crate::vector_ops::Z;

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
    #[error("error-compensated rounding needs the operands of a calibration")]
    NoOperands,
}

/// A quantised model and each tensor's error, in the order of the conversion.
#[derive(Debug)]
pub struct Quantised {
    pub model: QModel,
    pub errors: Vec<(String, QuantError)>,
}

/// Quantises `checkpoint` for the tap ranges found by [`crate::calibrate`].
///
/// # Errors
/// If a tensor cannot be read, or if the network's ranges fit no integer format; the message names the tensor or the format.
pub fn quantise(checkpoint: &Checkpoint, ranges: &Ranges, options: &QuantOptions) -> Result<Quantised, QuantiseError> {
    quantise_with(checkpoint, ranges, None, options)
}

/// [`quantise`] with the operands [`crate::calibrate::calibrate_operands`] has seen, for [`Rounding::Gptq`].
///
/// # Errors
/// As [`quantise`], and if this rounding is asked for without operands.
pub fn quantise_with(
    checkpoint: &Checkpoint,
    ranges: &Ranges,
    operands: Option<&Hessians>,
    options: &QuantOptions,
) -> Result<Quantised, QuantiseError> {
    let operands = match options.round {
        Rounding::Gptq => Some(operands.ok_or(QuantiseError::NoOperands)?),
        Rounding::Plain => None,
    };
    let shape = checkpoint.shape().clone();
    if let Some((layer, name)) = ranges.first_infinite() {
        return Err(QuantiseError::Range { layer, name });
    }
    let (net_max, layer_max, emb_max) = maxima(checkpoint, &shape)?;
    let (net, layers) = choose(shape.n_embd, shape.head_size, options, &net_max, &layer_max, ranges);
    let mut net = net;
    net.f_emb = frac_for(emb_max, 16, net.f_x);
    let (emb, error) = embedding(checkpoint, &shape, net.f_emb)?;
    let mut tensors = Tensors {
        checkpoint,
        shape: &shape,
        options,
        operands,
        net: &net,
        layers: &layers,
        net_max: &net_max,
        layer_max: &layer_max,
        errors: vec![("emb.weight".into(), error)],
    };
    let model = QModel::build(shape.clone(), net.clone(), layers.clone(), emb, &mut tensors)?;
    let errors = tensors.errors;
    model.check()?;
    Ok(Quantised { model, errors })
}

/// Largest magnitudes: of the net's tensors, of each layer's, and of the embedding after ln0.
fn maxima(checkpoint: &Checkpoint, shape: &Shape) -> Result<(Maxima, Vec<Maxima>, f64), CheckpointError> {
    let mut net = Maxima::new();
    let mut layers = vec![Maxima::new(); shape.n_layer];
    for spec in shape.tensors() {
        if spec.name == "emb.weight" || spec.name.contains(".ln0.") {
            continue;
        }
        let values = checkpoint.read(&spec.name)?;
        let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
        let Some((l, leaf)) = in_layer(&spec.name) else {
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

/// `blocks.3.att.w1` → (3, `att.w1`).
fn in_layer(name: &str) -> Option<(usize, &str)> {
    let (l, leaf) = name.strip_prefix("blocks.")?.split_once('.')?;
    Some((l.parse().ok()?, leaf))
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
        let rstd = 1.0 / (variance + EPS_LN).sqrt();
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

/// Reads and quantises tensors by name.
struct Tensors<'a> {
    checkpoint: &'a Checkpoint,
    shape: &'a Shape,
    options: &'a QuantOptions,
    operands: Option<&'a Hessians>,
    net: &'a NetFormats,
    layers: &'a [LayerFormats],
    net_max: &'a Maxima,
    layer_max: &'a [Maxima],
    errors: Vec<(String, QuantError)>,
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
            _ => NORM_GAIN_MAX,
        }
    }

    /// Bits, and the fraction the matrix is stored with.
    fn matrix_format(&self, name: &str) -> (WeightBits, i32) {
        let of = |m: &Maxima, name: &str| m.get(name).copied().unwrap_or(0.0);
        let Some((l, leaf)) = in_layer(name) else {
            let bits = self.options.head_bits();
            let spec = MatrixSpec { name: "head.weight", bits, f_in: self.net.f_ho, f_out: self.net.f_logits };
            return (spec.bits, spec.frac(of(self.net_max, name)));
        };
        let max = of(&self.layer_max[l], leaf);
        let bits = self.options.bits;
        let specs = layer_matrices(l, bits, &self.layers[l], self.net);
        let spec = specs.iter().find(|m| m.name == leaf);
        spec.map_or((bits, matrix_frac(max, bits)), |m| (m.bits, m.frac(max)))
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

    fn matrix(&mut self, name: &str) -> Result<QMatrix, CheckpointError> {
        let values = self.checkpoint.read(name)?;
        let (bits, frac) = self.matrix_format(name);
        // low-rank pairs lie (in, out) in the checkpoint
        let low_rank = !name.ends_with(".weight");
        let first = if low_rank { self.low_rank_inputs(name) } else { 0 };
        let (m, error) = if low_rank {
            let (cols, rows) = (first, values.len() / first);
            let row = |r: usize| (0..cols).map(|c| values[c * rows + r]).collect::<Vec<_>>();
            QMatrix::quantise(rows, cols, row, bits, frac)
        } else {
            let cols = if name.ends_with("ffn.value.weight") { self.shape.dim_ffn } else { self.shape.n_embd };
            if bits == WeightBits::W4 {
                let factor = self.operands.and_then(|o| o.factor(name));
                QMatrix::quantise_groups(&values, cols, frac, self.options.scales, factor.as_ref())
            } else {
                QMatrix::quantise(values.len() / cols, cols, |r| &values[r * cols..(r + 1) * cols], bits, frac)
            }
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
            _ => s.n_embd,
        }
    }
}

/// The static shift of a matrix product stays within the stream's scale exponents: stated here for the quantiser's readers.
const _: () = assert!(MAT_SHIFT.1 + 15 <= 63);
