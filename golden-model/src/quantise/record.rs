//! What a quantisation leaves: the record of `anser quantize`, and that of its page.

use super::auto::Chosen;
use super::search::{Matrix as Tried, Picks};
use super::Quantised;
use crate::arithmetic::tensor::WeightBits;
use crate::image::layout::StreamLayout;
use crate::network::recipe::{Recipe, Rounding, TensorFormat};
use records::formats::{Format, FormatsRecord, Matrix, Search};
use records::model::{Check, QuantizedImage, TensorError};
use records::shared::Origin;

/// The record of `anser quantize`.
pub type Quantized = QuantizedImage<Recipe, Vec<Tried>, Picks>;

/// The record of `done`, which was written to `output` as an image of `image_bytes`.
pub fn quantized(
    output: String,
    image_bytes: u64,
    done: Quantised,
    search: Option<Chosen>,
    calibration: Option<Check>,
) -> Quantized {
    let error = |(tensor, e): (String, super::scales::QuantError)| TensorError {
        tensor,
        relative_rms: e.relative_rms,
        max_abs: e.max_abs,
    };
    QuantizedImage {
        output,
        image_bytes,
        bytes_per_token: StreamLayout::of(&done.model).bytes_per_token(done.model.f.clusters),
        recipe: done.model.f.recipe,
        errors: done.errors.into_iter().map(error).collect(),
        search,
        calibration,
        top1_agreement: None,
    }
}

/// The record of the page for `done`, which was made from `model`.
pub fn formats(done: &Quantized, model: &str, origin: Origin) -> FormatsRecord {
    let search = done.search.as_ref();
    let tried = |tensor: &str| {
        let matrix = search.and_then(|s| s.matrices.iter().find(|m| m.tensor == tensor));
        let candidates = matrix.into_iter().flat_map(|m| &m.candidates);
        candidates.map(|c| format(c.format, c.bytes, c.output_error)).collect()
    };
    let matrices = done.recipe.iter().flat_map(|r| &r.tensors).map(|t| Matrix {
        tensor: t.tensor.clone(),
        picked: format(t.format, t.bytes, t.output_error),
        tried: tried(&t.tensor),
    });
    FormatsRecord {
        model: model.into(),
        command: origin.command,
        date: origin.date,
        image_bytes: done.image_bytes,
        bytes_per_token: done.bytes_per_token,
        matrices: matrices.collect(),
        search: search.map(|s| Search {
            budget_bytes: s.budget_bytes,
            bytes: s.picks.bytes,
            cost: s.picks.cost,
            bound: s.picks.bound,
        }),
        check: done.calibration.clone(),
    }
}

fn format(f: TensorFormat, bytes: u64, output_error: f64) -> Format {
    let bits = match f.bits {
        WeightBits::W4 | WeightBits::W4Columns => 4,
        WeightBits::W8 => 8,
        WeightBits::W16 => 16,
    };
    Format { bits, compensated: f.round == Rounding::Gptq, branch: f.branch as u64, bytes, output_error }
}
