//! The page of `quantize --report`.

use super::origin::now;
use super::print::command_line;
use super::Error;
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::network::recipe::{Recipe, Rounding, TensorFormat};
use golden_model::quantise::search::{Matrix as Tried, Picks};
use records::model::QuantizedImage;
use reports::formats::{formats_page, Check, Format, FormatsRecord, Matrix, Search};

/// The record of `quantize`.
pub type Quantized = QuantizedImage<Recipe, Vec<Tried>, Picks>;

/// The page for what was quantised from checkpoint `name`.
pub fn page(done: &Quantized, name: &str) -> Result<String, Error> {
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
    Ok(formats_page(&FormatsRecord {
        model: name.into(),
        command: command_line().join(" "),
        date: now(),
        image_bytes: done.image_bytes,
        bytes_per_token: done.bytes_per_token,
        matrices: matrices.collect(),
        search: search.map(|s| Search {
            budget_bytes: s.budget_bytes,
            bytes: s.picks.bytes,
            cost: s.picks.cost,
            bound: s.picks.bound,
        }),
        check: done.calibration.as_ref().map(|c| Check {
            tokens: c.tokens as u64,
            float: c.float_bits_per_token,
            golden: c.golden_bits_per_token,
            loss: c.loss_bits_per_token,
            loss_se: c.loss_bits_per_token_se,
            kl: c.kl,
            kl_se: c.kl_se,
        }),
    })?)
}

fn format(f: TensorFormat, bytes: u64, output_error: f64) -> Format {
    let bits = match f.bits {
        WeightBits::W4 | WeightBits::W4Columns => 4,
        WeightBits::W8 => 8,
        WeightBits::W16 => 16,
    };
    Format { bits, compensated: f.round == Rounding::Gptq, branch: f.branch as u64, bytes, output_error }
}
