//! The official tensor names of RWKV-7 and the shape each must have.
//!
//! This table is the only place that lists them: reading checks a file against it, `random` writes from it.
//! Matrices are `(out, in)`; low-rank pairs are `(n_embd, rank)` and `(rank, n_embd)`, applied `(x w1) w2`.

use serde::{Deserialize, Serialize};

/// The sizes of a network, all at least 1 (`rank_v` is 0 if there is only one layer).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    pub n_layer: usize,
    /// Length of the residual stream, `n_head * head_size`.
    pub n_embd: usize,
    pub n_head: usize,
    pub head_size: usize,
    pub vocab_size: usize,
    /// Hidden size of the channel mix.
    pub dim_ffn: usize,
    /// Rank of the decay's low-rank pair `w1 w2`.
    pub rank_w: usize,
    /// Rank of the in-context learning rate's pair `a1 a2`.
    pub rank_a: usize,
    /// Rank of the value residual's pair `v1 v2`, which layer 0 does not have.
    pub rank_v: usize,
    /// Rank of the gate's pair `g1 g2`.
    pub rank_g: usize,
    /// Whether every layer has DeepEmbed, as RWKV-7a does: the channel mix then uses a matrix `(RANK_S, RANK_S)` of the token's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deep_embed: bool,
}

/// Rank of DeepEmbed's pair `s1 s2`, the same in every network.
pub const RANK_S: usize = 32;

/// A size by its name, as in [`Shape`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dim {
    Embd,
    Head,
    HeadSize,
    Vocab,
    Ffn,
    RankW,
    RankA,
    RankV,
    RankG,
    RankS,
    OwnMatrix,
}

impl Dim {
    fn name(self) -> &'static str {
        match self {
            Dim::Embd => "n_embd",
            Dim::Head => "n_head",
            Dim::HeadSize => "head_size",
            Dim::Vocab => "vocab_size",
            Dim::Ffn => "dim_ffn",
            Dim::RankW => "rank_w",
            Dim::RankA => "rank_a",
            Dim::RankV => "rank_v",
            Dim::RankG => "rank_g",
            Dim::RankS => "rank_s",
            Dim::OwnMatrix => "rank_s * rank_s",
        }
    }
}

use Dim::*;

/// Tensors before the layers; `ln0` exists in layer 0 only.
const FIRST: &[(&str, &[Dim])] =
    &[("emb.weight", &[Vocab, Embd]), ("blocks.0.ln0.weight", &[Embd]), ("blocks.0.ln0.bias", &[Embd])];

/// Tensors of every layer, after `blocks.{layer}.`; [`is_value_residual`] names are absent in layer 0, [`is_deep_embed`] names without DeepEmbed.
const BLOCK: &[(&str, &[Dim])] = &[
    ("ln1.weight", &[Embd]),
    ("ln1.bias", &[Embd]),
    ("ln2.weight", &[Embd]),
    ("ln2.bias", &[Embd]),
    ("att.x_r", &[Embd]),
    ("att.x_w", &[Embd]),
    ("att.x_k", &[Embd]),
    ("att.x_v", &[Embd]),
    ("att.x_a", &[Embd]),
    ("att.x_g", &[Embd]),
    ("att.w0", &[Embd]),
    ("att.w1", &[Embd, RankW]),
    ("att.w2", &[RankW, Embd]),
    ("att.a0", &[Embd]),
    ("att.a1", &[Embd, RankA]),
    ("att.a2", &[RankA, Embd]),
    ("att.v0", &[Embd]),
    ("att.v1", &[Embd, RankV]),
    ("att.v2", &[RankV, Embd]),
    ("att.g1", &[Embd, RankG]),
    ("att.g2", &[RankG, Embd]),
    ("att.k_k", &[Embd]),
    ("att.k_a", &[Embd]),
    ("att.r_k", &[Head, HeadSize]),
    ("att.receptance.weight", &[Embd, Embd]),
    ("att.key.weight", &[Embd, Embd]),
    ("att.value.weight", &[Embd, Embd]),
    ("att.output.weight", &[Embd, Embd]),
    ("att.ln_x.weight", &[Embd]),
    ("att.ln_x.bias", &[Embd]),
    ("ffn.x_k", &[Embd]),
    ("ffn.key.weight", &[Ffn, Embd]),
    ("ffn.value.weight", &[Embd, Ffn]),
    ("ffn.s_emb.weight", &[Vocab, OwnMatrix]),
    ("ffn.s_emb_x.weight", &[OwnMatrix, Embd]),
    ("ffn.s0", &[Ffn]),
    ("ffn.s1", &[Embd, RankS]),
    ("ffn.s2", &[RankS, Ffn]),
];

/// Tensors after the layers.
const LAST: &[(&str, &[Dim])] =
    &[("ln_out.weight", &[Embd]), ("ln_out.bias", &[Embd]), ("head.weight", &[Vocab, Embd])];

/// One tensor a checkpoint must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    pub name: String,
    pub shape: Vec<usize>,
    pub dims: &'static [Dim],
}

impl TensorSpec {
    /// The shape in names: `(n_embd, rank_w)`.
    pub fn dim_names(&self) -> String {
        let names: Vec<&str> = self.dims.iter().map(|d| d.name()).collect();
        format!("({})", names.join(", "))
    }
}

/// Whether RWKV-7 has a tensor called `name` in some layer; of `blocks.N.`, N is not limited.
pub(super) fn is_official(name: &str) -> bool {
    let listed = |table: &[(&str, &[Dim])], name: &str| table.iter().any(|(n, _)| *n == name);
    listed(FIRST, name)
        || listed(LAST, name)
        || in_layer(name).is_some_and(|(layer, leaf)| listed(BLOCK, leaf) && (layer > 0 || !is_value_residual(leaf)))
}

/// Splits `blocks.3.att.w1` into (3, `att.w1`); none for a name outside the layers.
pub fn in_layer(name: &str) -> Option<(usize, &str)> {
    let (layer, leaf) = name.strip_prefix("blocks.")?.split_once('.')?;
    Some((layer.parse().ok()?, leaf))
}

/// `v0 v1 v2` mix layer 0's value into later layers. Some files hold them for layer 0 too, unused.
pub fn is_value_residual(leaf: &str) -> bool {
    matches!(leaf, "att.v0" | "att.v1" | "att.v2")
}

/// The tensors of DeepEmbed, which RWKV-7a has in every layer.
pub fn is_deep_embed(leaf: &str) -> bool {
    matches!(leaf, "ffn.s_emb.weight" | "ffn.s_emb_x.weight" | "ffn.s0" | "ffn.s1" | "ffn.s2")
}

impl Shape {
    /// The size called `dim`.
    pub fn size(&self, dim: Dim) -> usize {
        match dim {
            Embd => self.n_embd,
            Head => self.n_head,
            HeadSize => self.head_size,
            Vocab => self.vocab_size,
            Ffn => self.dim_ffn,
            RankW => self.rank_w,
            RankA => self.rank_a,
            RankV => self.rank_v,
            RankG => self.rank_g,
            RankS => RANK_S,
            OwnMatrix => RANK_S * RANK_S,
        }
    }

    /// Every tensor of a checkpoint of this shape, first to last.
    pub fn tensors(&self) -> impl Iterator<Item = TensorSpec> + '_ {
        let plain = |&(name, dims): &(&str, &'static [Dim])| (name.to_owned(), dims);
        let has = |layer: usize, leaf: &str| match leaf {
            _ if is_value_residual(leaf) => layer > 0,
            _ if is_deep_embed(leaf) => self.deep_embed,
            _ => true,
        };
        let layers = (0..self.n_layer).flat_map(move |layer| {
            BLOCK
                .iter()
                .filter(move |(leaf, _)| has(layer, leaf))
                .map(move |&(leaf, dims)| (format!("blocks.{layer}.{leaf}"), dims))
        });
        FIRST.iter().map(plain).chain(layers).chain(LAST.iter().map(plain)).map(|(name, dims)| TensorSpec {
            name,
            shape: dims.iter().map(|&d| self.size(d)).collect(),
            dims,
        })
    }

    /// Number of parameters. Exact for every shape a file can hold, saturating beyond.
    pub fn n_params(&self) -> u64 {
        self.tensors()
            .map(|t| t.shape.iter().fold(1u64, |n, &d| n.saturating_mul(d as u64)))
            .fold(0, u64::saturating_add)
    }
}

/// The RWKV generation a set of names belongs to, if it is not 7, with the name that shows it.
pub(super) fn other_generation(has: impl Fn(&str) -> bool) -> Option<(&'static str, &'static str)> {
    const SIGNS: &[(&str, &str)] = &[
        ("6", "blocks.0.att.time_maa_x"),
        ("6", "blocks.0.att.time_maa_k"),
        ("5", "blocks.0.att.time_faaaa"),
        ("5", "blocks.0.att.ln_x.weight"),
        ("4", "blocks.0.att.time_decay"),
    ];
    if has("blocks.0.att.r_k") {
        return None;
    }
    let &(generation, sign) = SIGNS.iter().find(|(_, sign)| has(sign))?;
    // RWKV-5 and RWKV-7 both have ln_x: without a time_decay it is a damaged RWKV-7 file
    if sign.ends_with("ln_x.weight") && !has("blocks.0.att.time_decay") {
        return None;
    }
    Some((generation, if generation == "5" { "blocks.0.att.time_decay" } else { sign }))
}
