//! How a network is to be quantised.

use crate::arithmetic::fixed::OPERAND_BITS;
use crate::arithmetic::tensor::WeightBits;
use crate::checkpoint::Shape;
use crate::network::clusters::ClusterForm;
use crate::network::model::is_own;
use crate::network::recipe::{GroupScales, Recipe, Rounding, TensorFormat};
use std::collections::BTreeMap;

/// How a network is to be quantised.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantOptions {
    /// Width of all matrices but the low-rank pairs, which have 16 bits, and those of [`value_bits`], which have 8 where they have 4.
    pub bits: WeightBits,
    /// Width of the head; if absent, [`crate::quantise::options::default_head`] says.
    pub head: Option<WeightBits>,
    /// Width of `ffn.value` if it is not to be that of [`value_bits`]: [`WeightBits::W4Columns`], which is golden only.
    pub value: Option<WeightBits>,
    /// How the group scales of matrices of 4 bits are chosen.
    pub scales: GroupScales,
    /// How the weights of matrices of 4 bits are rounded.
    pub round: Rounding,
    /// Rank of the branch beside matrices of 4 bits ([`crate::network::branch`]); 0 for none.
    pub branch: usize,
    /// Formats of the matrices that differ from the above, by name.
    pub tensors: BTreeMap<String, TensorFormat>,
    /// How the head is cut into clusters, if it is to be.
    pub clusters: Option<ClusterForm>,
    /// Bits of one element of the state, 16..=32.
    pub state_bits: u32,
    /// Bits of a matrix operand's mantissas, 4..=16; fewer than 16 run on the golden model only.
    pub operand_bits: u32,
    /// Factor between the largest value seen in calibration and the largest value that fits.
    pub headroom: f64,
}

impl Default for QuantOptions {
    fn default() -> Self {
        Self {
            bits: WeightBits::W8,
            head: None,
            value: None,
            scales: GroupScales::default(),
            round: Rounding::default(),
            branch: 0,
            tensors: BTreeMap::new(),
            clusters: None,
            state_bits: 24,
            operand_bits: OPERAND_BITS,
            headroom: 8.0,
        }
    }
}

/// Width of `ffn.value` in a model of width `bits` that asks for nothing else: it is streamed by columns, and the chip has those with 8 bits. The tokens' own
/// matrices of DeepEmbed have the same: `docs/quantisation.md` has what 8 bits cost.
pub fn value_bits(bits: WeightBits) -> WeightBits {
    match bits {
        WeightBits::W4 | WeightBits::W8 => WeightBits::W8,
        WeightBits::W4Columns | WeightBits::W16 => bits,
    }
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
            _ if is_own(name) => value_bits(self.bits),
            _ if name.ends_with("ffn.value.weight") => self.value.unwrap_or(value_bits(self.bits)),
            _ if name.ends_with(".weight") => self.bits,
            _ => WeightBits::W16,
        };
        let four = matches!(bits, WeightBits::W4 | WeightBits::W4Columns);
        let branch = if bits == WeightBits::W4 { self.branch } else { 0 };
        TensorFormat { bits, round: if four { self.round } else { Rounding::Plain }, branch }
    }

    /// Returns what an image records of these options.
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
        assert_eq!(four.tensor("blocks.3.ffn.s_emb.weight"), format(WeightBits::W8, Rounding::Plain, 0));
        assert_eq!(four.tensor("blocks.3.ffn.s2"), format(WeightBits::W16, Rounding::Plain, 0));
        assert_eq!(four.tensor("blocks.3.att.w1"), format(WeightBits::W16, Rounding::Plain, 0));
        let one = format(WeightBits::W8, Rounding::Plain, 0);
        let but_one = QuantOptions { tensors: [("head.weight".to_string(), one)].into(), ..four };
        assert_eq!((but_one.tensor("head.weight"), but_one.head_bits()), (one, WeightBits::W8));
    }
}
