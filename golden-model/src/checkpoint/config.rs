//! The `config.json` of a Hugging Face folder: what its tensors do not show.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::error::printable;
use super::facts::Facts;
use super::files::{json, InFile};
use super::{ErrorKind, Shape};
use crate::arithmetic::norm::Eps;

/// What both `flash-linear-attention` and `rwkv7-hf` take where `config.json` does not say it.
const NORM_EPS: f64 = 1e-5;

#[derive(Deserialize)]
struct Config {
    model_type: Option<String>,
    norm_eps: Option<f64>,
    norm_bias: Option<bool>,
    norm_first: Option<bool>,
    hidden_act: Option<String>,
    /// Layers with attention, in a hybrid network.
    attn: Option<Value>,
    quantization_config: Option<Value>,
    tie_word_embeddings: Option<bool>,
    head_dim: Option<usize>,
    hidden_size: Option<usize>,
    intermediate_size: Option<usize>,
    num_hidden_layers: Option<usize>,
    vocab_size: Option<usize>,
}

/// Reads `config.json` in `folder`; its group norms have `head_dim · norm_eps`, so it must be there.
pub(super) fn facts(folder: &Path) -> Result<Facts, InFile> {
    let path = folder.join("config.json");
    read(&path).map_err(|kind| (path, kind))
}

fn read(path: &Path) -> Result<Facts, ErrorKind> {
    let c: Config = json(path)?.ok_or(ErrorKind::NoConfig)?;
    let says = |key: &'static str, found: String, expected: &str| {
        Err(ErrorKind::Setting { key: key.into(), found: printable(&found), expected: expected.into() })
    };
    match c.model_type.as_deref() {
        Some("rwkv7") => {}
        other => return says("model_type", other.unwrap_or("nothing").into(), "rwkv7"),
    }
    if c.attn.is_some() {
        return says("attn", "layers with attention".into(), "null: a hybrid network is not RWKV-7");
    }
    if c.quantization_config.is_some() {
        return says(
            "quantization_config",
            "another tool's quantisation".into(),
            "the checkpoint that it was made from",
        );
    }
    for (key, value) in [("norm_bias", c.norm_bias), ("norm_first", c.norm_first)] {
        if value == Some(false) {
            return says(key, "false".into(), "true, as RWKV-7 has it");
        }
    }
    if let Some(act) = c.hidden_act.filter(|a| a != "sqrelu") {
        return says("hidden_act", act, "sqrelu, the squared ReLU of RWKV-7");
    }
    let ln = c.norm_eps.unwrap_or(NORM_EPS);
    let mut facts = Facts { tied: c.tie_word_embeddings, ..Facts::default() };
    facts.set_eps("norm_eps", Eps { ln, ln_x: f64::NAN })?;
    let claims: [(&str, Option<usize>, fn(&Shape) -> usize); 5] = [
        ("head_dim", c.head_dim, |s| s.head_size),
        ("hidden_size", c.hidden_size, |s| s.n_embd),
        ("intermediate_size", c.intermediate_size, |s| s.dim_ffn),
        ("num_hidden_layers", c.num_hidden_layers, |s| s.n_layer),
        ("vocab_size", c.vocab_size, |s| s.vocab_size),
    ];
    facts.claims = claims.into_iter().filter_map(|(key, value, of)| Some((key, value?, of))).collect();
    facts.eps_of_head = true;
    let folder = path.parent().unwrap_or(Path::new(""));
    let other = !folder.join("rwkv_vocab_v20230424.txt").exists() && folder.join("tokenizer.json").exists();
    if other {
        facts.vocabulary = super::Vocabulary::Other("tokenizer.json".into());
    }
    Ok(facts)
}
