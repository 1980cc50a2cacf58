//! How others call the tensors of RWKV-7, and the way from there to the official names and orientation.
//!
//! Hugging Face names are those of `flash-linear-attention` and of every program that follows it, GGUF names those of
//! llama.cpp. In both, low-rank pairs are stored transposed, and the six mixes can be one tensor.

use super::entry::Entry;
use super::ErrorKind;

/// The programs whose names for tensors a file may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    Official,
    HuggingFace,
    Gguf,
}

/// Official name, Hugging Face name without `model.`, GGUF's; of tensors outside the layers and of ln0.
const OUTSIDE: &[[&str; 3]] = &[
    ["emb.weight", "embeddings.weight", "token_embd.weight"],
    ["blocks.0.ln0.weight", "layers.0.pre_norm.weight", "token_embd_norm.weight"],
    ["blocks.0.ln0.bias", "layers.0.pre_norm.bias", "token_embd_norm.bias"],
    ["ln_out.weight", "norm.weight", "output_norm.weight"],
    ["ln_out.bias", "norm.bias", "output_norm.bias"],
    ["head.weight", "lm_head.weight", "output.weight"],
];

/// Begins of the names of layer N's tensors, before and after the number.
const LAYER: [&str; 3] = ["blocks.", "layers.", "blk."];

/// Names of tensors within a layer, in the same three spellings.
const INSIDE: &[[&str; 3]] = &[
    ["ln1.weight", "attn_norm.weight", "attn_norm.weight"],
    ["ln1.bias", "attn_norm.bias", "attn_norm.bias"],
    ["ln2.weight", "ffn_norm.weight", "attn_norm_2.weight"],
    ["ln2.bias", "ffn_norm.bias", "attn_norm_2.bias"],
    ["att.x_r", "attn.x_r", ""],
    ["att.x_w", "attn.x_w", ""],
    ["att.x_k", "attn.x_k", ""],
    ["att.x_v", "attn.x_v", ""],
    ["att.x_a", "attn.x_a", ""],
    ["att.x_g", "attn.x_g", ""],
    ["att.w0", "attn.w_lora.lora.2.bias", "time_mix_w0.weight"],
    ["att.w1", "attn.w_lora.lora.0.weight", "time_mix_w1.weight"],
    ["att.w2", "attn.w_lora.lora.2.weight", "time_mix_w2.weight"],
    ["att.a0", "attn.a_lora.lora.2.bias", "time_mix_a0.weight"],
    ["att.a1", "attn.a_lora.lora.0.weight", "time_mix_a1.weight"],
    ["att.a2", "attn.a_lora.lora.2.weight", "time_mix_a2.weight"],
    ["att.v0", "attn.v_lora.lora.2.bias", "time_mix_v0.weight"],
    ["att.v1", "attn.v_lora.lora.0.weight", "time_mix_v1.weight"],
    ["att.v2", "attn.v_lora.lora.2.weight", "time_mix_v2.weight"],
    ["att.g1", "attn.g_lora.lora.0.weight", "time_mix_g1.weight"],
    ["att.g2", "attn.g_lora.lora.2.weight", "time_mix_g2.weight"],
    ["att.k_k", "attn.k_k", "time_mix_k_k.weight"],
    ["att.k_a", "attn.k_a", "time_mix_k_a.weight"],
    ["att.r_k", "attn.r_k", "time_mix_r_k.weight"],
    ["att.receptance.weight", "attn.r_proj.weight", "time_mix_receptance.weight"],
    ["att.key.weight", "attn.k_proj.weight", "time_mix_key.weight"],
    ["att.value.weight", "attn.v_proj.weight", "time_mix_value.weight"],
    ["att.output.weight", "attn.o_proj.weight", "time_mix_output.weight"],
    ["att.ln_x.weight", "attn.g_norm.weight", "time_mix_ln.weight"],
    ["att.ln_x.bias", "attn.g_norm.bias", "time_mix_ln.bias"],
    ["ffn.x_k", "ffn.x_k", "channel_mix_lerp_k.weight"],
    ["ffn.key.weight", "ffn.key.weight", "channel_mix_key.weight"],
    ["ffn.value.weight", "ffn.value.weight", "channel_mix_value.weight"],
];

/// The tensor with all six mixes, within a layer.
const MIXES: [&str; 3] = ["att.x_rwkvag", "attn.x_x", "time_mix_lerp_fused.weight"];

/// Begins that training and compiling programs put before every name.
const PREFIXES: &[&str] = &["module.", "_forward_module.", "_orig_mod.", "model."];

/// No program puts more of them before a name; a name of a million is somebody's trap.
const MAX_PREFIXES: usize = 8;

/// Takes off what stands before all names alike.
pub(super) fn strip_prefixes(entries: &mut [Entry]) {
    let common = |entries: &[Entry]| PREFIXES.iter().find(|p| entries.iter().all(|e| e.name.starts_with(**p)));
    for _ in 0..MAX_PREFIXES {
        let Some(prefix) = common(entries).filter(|_| !entries.is_empty()) else { return };
        for e in entries.iter_mut() {
            e.name.drain(..prefix.len());
        }
    }
}

impl Spelling {
    /// Finds out whose names these are. Only GGUF files have GGUF's names, so those are not looked for.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let of_layer =
            |name: &str| Spelling::HuggingFace.split(name).is_some_and(|(_, leaf)| leaf.starts_with("attn."));
        match entries.iter().any(|e| of_layer(&e.name)) {
            true => Spelling::HuggingFace,
            false => Spelling::Official,
        }
    }

    /// The number of the layer and the name within, if `name` is a layer's.
    fn split(self, name: &str) -> Option<(usize, &str)> {
        let (layer, leaf) = self.bare(name).strip_prefix(LAYER[self as usize])?.split_once('.')?;
        Some((layer.parse().ok()?, leaf))
    }

    /// Takes off the `model.` of Hugging Face, which the head does not have.
    fn bare(self, name: &str) -> &str {
        let model = if self == Spelling::HuggingFace { "model." } else { "" };
        name.strip_prefix(model).unwrap_or(name)
    }

    /// The official name of the tensor called `name`, if RWKV-7 has it.
    fn official(self, name: &str) -> Option<String> {
        let column = self as usize;
        let bare = self.bare(name);
        if let Some(row) = OUTSIDE.iter().find(|row| row[column] == bare) {
            return Some(row[0].to_owned());
        }
        let (layer, leaf) = self.split(name)?;
        let row = INSIDE.iter().find(|row| row[column] == leaf && !leaf.is_empty())?;
        Some(format!("blocks.{layer}.{}", row[0]))
    }

    /// What the tensor with this official name is called here; `None` if it is called the same or is part of a fused one.
    pub(super) fn written(self, official: &str) -> Option<String> {
        let column = self as usize;
        if self == Spelling::Official {
            return None;
        }
        if let Some(row) = OUTSIDE.iter().find(|row| row[0] == official) {
            return Some(row[column].to_owned());
        }
        let (layer, leaf) = Spelling::Official.split(official)?;
        let row = INSIDE.iter().find(|row| row[0] == leaf && !row[column].is_empty())?;
        Some(format!("{}{layer}.{}", LAYER[column], row[column]))
    }

    /// Gives every entry its official name and orientation; what RWKV-7 does not have keeps its name.
    pub(super) fn translate(self, entries: Vec<Entry>) -> Result<Vec<Entry>, ErrorKind> {
        let mut out = Vec::with_capacity(entries.len());
        for mut e in entries {
            let fused = self.split(&e.name).filter(|(_, leaf)| *leaf == MIXES[self as usize]).map(|(layer, _)| layer);
            if let Some(layer) = fused {
                out.extend(e.six_mixes(&format!("blocks.{layer}.att.x_"))?);
                continue;
            }
            if self != Spelling::Official {
                if let Some(name) = self.official(&e.name) {
                    e.name = name;
                    if is_low_rank(&e.name) {
                        e.drop_unit_axes();
                        e.transpose();
                    }
                }
            }
            out.push(e);
        }
        Ok(out)
    }
}

/// Whether this is half of a low-rank pair, which all but the official files store transposed.
pub(super) fn is_low_rank(name: &str) -> bool {
    let leaf = name.rsplit_once("att.").map_or("", |(_, leaf)| leaf);
    matches!(leaf, "w1" | "w2" | "a1" | "a2" | "v1" | "v2" | "g1" | "g2")
}
