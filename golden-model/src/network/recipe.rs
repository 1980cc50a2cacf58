//! What was chosen for each tensor: [`QuantOptions`](crate::quantise::options::QuantOptions) says what is wanted, a [`Recipe`] in the image what was done.

use crate::arithmetic::tensor::WeightBits;

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

/// Says which formats the weights have and how they were rounded; an image carries it.
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

/// How weights become q.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rounding {
    /// Each to the nearest.
    #[default]
    Plain,
    /// Matrices of 4 bits: each error is made up for by the weights that follow in its row ([`crate::quantise::gptq`]).
    Gptq,
}

/// How the gs of a group is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupScales {
    /// The largest weight of the group becomes ±7.
    Max,
    /// The candidate with the smallest squared error, from half of the scale of [`GroupScales::Max`] to a little more than it.
    #[default]
    Search,
}
