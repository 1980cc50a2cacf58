//! Every tensor of the checkpoint against the integers it became.

use super::spread::{Spread, Summary};
use super::{Source, StudyError};
use crate::arithmetic::tensor::WeightBits;
use crate::network::model::{is_own, QModel};
use crate::network::tensors::QTensor;
use crate::quantise::scales::QuantError;
use crate::quantise::{QuantiseError, Quantised};
use std::collections::{HashMap, HashSet};

/// One tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorRange {
    /// Official name; `emb.weight` is the table with the layer norm ln0 folded in, `ffn.s_emb.weight` that with `s_emb_x` folded in.
    pub name: String,
    /// 4, 8 or 16.
    pub bits: u32,
    pub frac: i32,
    /// Largest magnitude the format holds: for a matrix, in the row with the largest scale.
    pub limit: f64,
    /// How the checkpoint's values spread; of these two tables, how the integers' values do.
    pub values: Summary,
    pub error: QuantError,
}

/// Ranges of all tensors of the checkpoint in `quantised`, which came from `source`, in the order of the image.
///
/// # Errors
/// If a tensor cannot be read.
pub fn tensors(source: &Source<'_>, quantised: &Quantised) -> Result<Vec<TensorRange>, StudyError> {
    let errors: HashMap<&str, QuantError> = quantised.errors.iter().map(|(n, e)| (n.as_str(), *e)).collect();
    let model: &QModel = &quantised.model;
    // what the quantiser added, such as low-rank branches, has nothing to be compared with
    let own: HashSet<String> = model.shape.tensors().map(|t| t.name).collect();
    let tensors = model.tensors().into_iter().filter(|(name, _)| own.contains(name));
    tensors.map(|(name, tensor)| of(source, name, &tensor, &errors)).collect()
}

fn of(
    source: &Source<'_>,
    name: String,
    tensor: &QTensor<'_>,
    errors: &HashMap<&str, QuantError>,
) -> Result<TensorRange, StudyError> {
    let mut spread = Spread::default();
    let (bits, frac, limit) = match tensor {
        QTensor::Embedding(emb, frac) => {
            let one = 2f64.powi(-frac);
            emb.chunks(1 << 12).for_each(|c| {
                spread.add(&c.iter().map(|v| (f64::from(*v) * one) as f32).collect::<Vec<_>>());
            });
            (16, *frac, 2f64.powi(15 - frac))
        }
        QTensor::Vector(v) => (16, v.frac, 2f64.powi(15 - v.frac)),
        QTensor::Order(_) => (32, 0, 2f64.powi(31)),
        QTensor::Matrix(m) => {
            let largest = m.scales.iter().map(|s| s.value(m.frac)).fold(0.0, f64::max);
            let bits = match m.bits() {
                WeightBits::W4 | WeightBits::W4Columns => 4,
                WeightBits::W8 => 8,
                WeightBits::W16 => 16,
            };
            (bits, m.frac, largest * f64::from(m.bits().q_max()))
        }
    };
    match tensor {
        QTensor::Embedding(..) => {}
        QTensor::Matrix(m) if is_own(&name) => {
            (0..m.rows).for_each(|r| spread.add(&(0..m.cols).map(|c| m.value(r, c) as f32).collect::<Vec<_>>()));
        }
        _ => spread.add(&source.checkpoint.read(&name).map_err(QuantiseError::from)?),
    }
    let error = errors.get(name.as_str()).copied().unwrap_or_default();
    Ok(TensorRange { name, bits, frac, limit, values: spread.summary(), error })
}
