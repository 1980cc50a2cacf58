//! The fraction bits of every vector of a network: data that an image stores. [`crate::quantise::choose_formats`] chooses them.

use crate::arithmetic::fixed::OPERAND_BITS;
use crate::arithmetic::norm::{Eps, NormConstants};
use crate::network::clusters::ClusterForm;
use crate::network::recipe::Recipe;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Elements never get more fraction bits than this, so that a value unseen in calibration has ±16 at least.
pub const MAX_FRAC: i32 = 22;
/// Elements never get fewer fraction bits than this.
pub const MIN_FRAC: i32 = -16;

/// The formats of one layer; names are those of `docs/integer-step.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFormats {
    pub f_h1: i32,
    pub f_k: i32,
    pub f_a1: i32,
    pub f_v1: i32,
    pub f_r: i32,
    pub f_g: i32,
    pub f_k0: i32,
    pub f_km: i32,
    pub f_s: i32,
    pub f_y: i32,
    pub f_yb: i32,
    pub f_rk: i32,
    pub f_bs: i32,
    pub f_yg: i32,
    pub f_h2: i32,
    pub f_fk: i32,
    pub f_r2: i32,
    /// Fraction bits of the residual stream before the layer, after time mixing and after channel mixing; without them f_x of the network.
    /// They are there where the stream grows so much that one format would be too coarse for its beginning, and never grow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f_x: Option<[i32; 3]>,
    pub ln1: NormConstants,
    pub ln_x: NormConstants,
    pub ln2: NormConstants,
    /// Fraction bits of the vector between the two matrices of a low-rank branch, by the matrix it goes with. Images of version 2 have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub f_t: BTreeMap<String, i32>,
    /// Formats of the vectors that DeepEmbed adds, if the network has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deep_embed: Option<DeepFormats>,
}

/// The formats that DeepEmbed adds to a layer; names are those of `docs/integer-step.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeepFormats {
    pub f_s1: i32,
    pub f_ss: i32,
    pub f_gate: i32,
    pub f_r2g: i32,
}

impl NetFormats {
    /// Fraction bits of the residual stream after the last of `layers`.
    pub fn last_residual<'a>(&self, layers: impl IntoIterator<Item = &'a LayerFormats>) -> i32 {
        layers.into_iter().last().map_or(self.f_x, |f| f.residual(self)[2])
    }
}

impl LayerFormats {
    /// Fraction bits of the operand of `ffn.value`: relu², or its product with the gate of DeepEmbed.
    pub fn f_hidden(&self) -> i32 {
        self.deep_embed.as_ref().map_or(self.f_r2, |deep| deep.f_r2g)
    }
}

impl LayerFormats {
    /// Fraction bits of the residual stream before the layer, after time mixing and after channel mixing.
    pub fn residual(&self, net: &NetFormats) -> [i32; 3] {
        self.f_x.unwrap_or([net.f_x; 3])
    }
}

fn chip_operand_bits() -> u32 {
    OPERAND_BITS
}

/// Images say the width only if the chip cannot have it, so that those from before it was an option stay the same to the byte.
fn is_chip_operand_bits(bits: &u32) -> bool {
    *bits == OPERAND_BITS
}

/// Images say the epsilons only if they are not the official network's.
fn is_official(eps: &Eps) -> bool {
    *eps == Eps::default()
}

/// Formats of the whole network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetFormats {
    pub f_emb: i32,
    /// Fraction bits of the residual stream; where layers have their own, those before the first one.
    pub f_x: i32,
    pub f_v: i32,
    pub f_ho: i32,
    pub f_logits: i32,
    pub ln_out: NormConstants,
    /// What the norms' constants were made from.
    #[serde(default, skip_serializing_if = "is_official")]
    pub eps: Eps,
    /// Set if tokens stand for other text than the size of the vocabulary suggests, or for none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub numbers_only: bool,
    /// Bits of one element of S, 16..=32.
    pub state_bits: u32,
    /// Bits of a matrix operand's mantissas, 4..=16; the chip has 16. The recurrence's operands always have 16.
    #[serde(default = "chip_operand_bits", skip_serializing_if = "is_chip_operand_bits")]
    pub operand_bits: u32,
    /// Fraction bits of the vector in the branch of the head, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f_t_head: Option<i32>,
    /// How the head is cut into clusters, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<ClusterForm>,
    /// How the weights were rounded; images of version 1 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
}
