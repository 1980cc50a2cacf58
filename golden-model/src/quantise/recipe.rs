//! What was chosen for each tensor: [`QuantOptions`] says what is wanted, a [`Recipe`] in the image what was done.

use crate::arithmetic::qtensor::WeightBits;
use crate::checkpoint::Shape;
use crate::quantise::formats::{value_bits, QuantOptions, Rounding};
use crate::quantise::groups::GroupScales;
use serde::{Deserialize, Serialize};

/// How one matrix is stored and rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorFormat {
    pub bits: WeightBits,
    pub round: Rounding,
    /// Rank of its branch, 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub branch: usize,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// One matrix of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorRecord {
    pub tensor: String,
    #[serde(flatten)]
    pub format: TensorFormat,
    /// Bytes in the stream, scales, padding and branch included.
    pub bytes: u64,
    /// `‖(W − Ŵ) X‖² / ‖W X‖²` over the operands X of the calibration text.
    pub output_error: f64,
}

/// Which formats the weights have and how they were rounded; an image says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    pub weights: WeightBits,
    pub head: WeightBits,
    /// Width of `ffn.value` where it is not that of the chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<WeightBits>,
    pub scales: GroupScales,
    pub round: Rounding,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub branch: usize,
    /// Bits a weight the search for formats was allowed, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<f64>,
    /// What became of each matrix; empty if the operands of a calibration were not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tensors: Vec<TensorRecord>,
}

/// Share of the weights up to which a head of 8 bits costs little: `docs/quantisation.md` has the measurements.
const SMALL_HEAD: f64 = 0.125;

/// Width of the head of a network whose matrices have `bits`: 8 beside matrices of 4 if the head is small, else theirs.
pub fn default_head(shape: &Shape, bits: WeightBits) -> WeightBits {
    let head = shape.vocab_size as f64 * shape.n_embd as f64;
    let layer = 4.0 * (shape.n_embd as f64).powi(2) + 2.0 * shape.n_embd as f64 * shape.dim_ffn as f64;
    let small = head <= SMALL_HEAD * (head + shape.n_layer as f64 * layer);
    match bits {
        WeightBits::W4 if small => WeightBits::W8,
        bits => bits,
    }
}

impl QuantOptions {
    /// Width of the head.
    pub fn head_bits(&self) -> WeightBits {
        self.tensor("head.weight").bits
    }

    /// Format of the matrix with this complete name; low-rank pairs and `ffn.value` have their own.
    pub fn tensor(&self, name: &str) -> TensorFormat {
        if let Some(format) = self.tensors.get(name) {
            return *format;
        }
        let bits = match name {
            "head.weight" => self.head.unwrap_or(self.bits),
            _ if name.ends_with("ffn.value.weight") => self.value.unwrap_or(value_bits(self.bits)),
            _ if name.ends_with(".weight") => self.bits,
            _ => WeightBits::W16,
        };
        let four = matches!(bits, WeightBits::W4 | WeightBits::W4Columns);
        let branch = if bits == WeightBits::W4 { self.branch } else { 0 };
        TensorFormat { bits, round: if four { self.round } else { Rounding::Plain }, branch }
    }

    /// What an image is told.
    pub fn recipe(&self) -> Recipe {
        Recipe {
            weights: self.bits,
            head: self.head_bits(),
            value: self.value,
            scales: self.scales,
            round: self.round,
            branch: self.branch,
            budget: None,
            tensors: vec![],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_head_has_the_networks_width() {
        use WeightBits::{W4, W8};
        let head = |layers, embd, vocab, bits| {
            default_head(&crate::checkpoint::random::official_shape(layers, embd, 64, vocab).expect("a shape"), bits)
        };
        assert_eq!((head(4, 128, 256, W4), head(12, 768, 65536, W4)), (W8, W4));
        assert_eq!((head(32, 2560, 65536, W4), head(12, 768, 65536, W8)), (W8, W8));
    }

    #[test]
    fn every_tensor_has_its_format() {
        let four = QuantOptions { bits: WeightBits::W4, round: Rounding::Gptq, branch: 4, ..QuantOptions::default() };
        let format = |bits, round, branch| TensorFormat { bits, round, branch };
        assert_eq!(four.tensor("blocks.3.att.key.weight"), format(WeightBits::W4, Rounding::Gptq, 4));
        assert_eq!(four.tensor("blocks.3.ffn.value.weight"), format(WeightBits::W8, Rounding::Plain, 0));
        assert_eq!(four.tensor("blocks.3.att.w1"), format(WeightBits::W16, Rounding::Plain, 0));
        let one = format(WeightBits::W8, Rounding::Plain, 0);
        let but_one = QuantOptions { tensors: [("head.weight".to_string(), one)].into(), ..four };
        assert_eq!((but_one.tensor("head.weight"), but_one.head_bits()), (one, WeightBits::W8));
    }
}
