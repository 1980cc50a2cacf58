//! Tensors that no formula of RWKV-7 uses, and what they are.
//!
//! A checkpoint with such a tensor is refused: leaving the tensor out would give another network's logits without a word.
//! Only the value residual of layer 0 may be left out, because layer 0 is where that value comes from.

use super::names;

/// One family: parts of names between dots, and what a tensor with such a part is.
///
/// A part is looked for in the name with a dot before and after it, so `.s0.` is a whole word and `.time_maa_` the begin of one.
struct Family {
    parts: &'static [&'static str],
    what: &'static str,
}

/// The first family that any name of the file belongs to is reported: what contains another one comes before it.
const FAMILIES: &[Family] = &[
    Family {
        parts: &[".lora_", ".bone.", ".miss.", ".disha.", ".base_model."],
        what: "belongs to an adapter (LoRA, Bone, MiSS or the like); merge the adapter into its base model and open the merged file",
    },
    Family {
        parts: &[".time_state."],
        what: "is an initial state from state tuning, not a weight; open the base model, with this file as --state",
    },
    Family { parts: &[".rosa", ".enn.", ".ennk.", ".emm.", ".kkup.", ".vvup."], what: "belongs to RWKV-8, expected RWKV-7" },
    Family {
        parts: &[".qkv."],
        what: "belongs to the attention of RWKV-7b (DeepEmbedAttention), whose cache grows with the text, expected RWKV-7",
    },
    Family {
        parts: &[
            ".time_decay", ".time_first.", ".time_faaaa.", ".time_maa_", ".time_mix_", ".att.gate.", ".ffn.receptance.",
        ],
        what: "belongs to RWKV-4, 5 or 6, expected RWKV-7",
    },
    Family {
        parts: &[".q_proj.", ".self_attn.", ".q_norm.", ".k_norm.", ".mamba.", ".mixer."],
        what: "belongs to another kind of layer beside RWKV-7's, as in a hybrid network",
    },
    Family {
        parts: &[
            ".qweight.", ".qzeros.", ".scales.", ".g_idx.", ".absmax.", ".quant_map.", ".quant_state.", ".SCB.", ".weight_scale",
        ],
        what: "belongs to a matrix that another tool has quantised; open the checkpoint that it was made from",
    },
    Family {
        parts: &[".optimizer.", ".exp_avg", ".optimizer_states."],
        what: "belongs to a training run's optimiser; open the file with the weights alone",
    },
    Family {
        parts: &[".visual.", ".vision_", ".vit.", ".img_", ".image_", ".encoder.", ".audio_"],
        what: "belongs to an encoder of images or sound",
    },
    Family {
        parts: &[".score.", ".classifier.", ".value_head.", ".v_head.", ".reward_head."],
        what: "belongs to a classifier or reward head",
    },
    Family { parts: &[".bias."], what: "is a bias of a linear layer, and RWKV-7's linear layers have none" },
];

/// Finds the first tensor, family by family, that is known to belong to something else; gives its name and what it is.
pub(super) fn known<'a>(names: impl Iterator<Item = &'a str>) -> Option<(&'a str, &'static str)> {
    let dotted: Vec<(&str, String)> =
        names.filter(|n| !names::is_official(n) && !may_be_left_out(n)).map(|n| (n, format!(".{n}."))).collect();
    FAMILIES.iter().find_map(|family| {
        let of_family = |(_, dotted): &&(&str, String)| family.parts.iter().any(|part| dotted.contains(part));
        dotted.iter().find(of_family).map(|&(name, _)| (name, family.what))
    })
}

/// What a tensor is that neither RWKV-7 nor any family has.
pub(super) const UNKNOWN: &str = "is none of RWKV-7's tensors";

/// Whether a network is the same without the tensor `name`: true for the value residual of layer 0 only.
pub(super) fn may_be_left_out(name: &str) -> bool {
    name.strip_prefix("blocks.0.").is_some_and(names::is_value_residual)
}
