//! Checkpoints, images and RTL as files: what `inspect`, `random`, `quantize` and `rtl` print.
//!
//! A field whose form belongs to a file format is a type parameter: the recipe is part of the image, the configuration is what
//! the `.toml` file says. A program that only reads takes `serde_json::Value` for it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What `anser inspect --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspected<Recipe> {
    pub model: String,
    pub format: String,
    pub n_layer: usize,
    pub n_embd: usize,
    pub n_head: usize,
    pub head_size: usize,
    pub vocab_size: usize,
    pub dim_ffn: usize,
    pub rank_w: usize,
    pub rank_a: usize,
    pub rank_v: usize,
    pub rank_g: usize,
    /// Whether the network is RWKV-7a, with DeepEmbed in its channel mix; absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deep_embed: bool,
    pub n_params: u64,
    /// Weights and parameters that one token reads, scales included, padding not: of an image as it is, of a checkpoint at W8.
    pub bytes_per_token: u64,
    /// Present for an image: how its weights were rounded, with the formats and errors of its matrices where they are known.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
    /// Elements that a session keeps between tokens.
    pub state_elements: usize,
    /// Says whose names the tensors have: `official`, `hugging face` or `gguf`; an image has the `official` ones.
    pub names: String,
    /// Number formats of the tensors, each once; of an image those of its matrices.
    pub dtypes: Vec<String>,
    /// Tensors of the file that no formula uses: at most the value residual of layer 0.
    pub ignored: Vec<String>,
    /// Whether the head is the embedding.
    pub tied_head: bool,
    /// What layer norms add to the variance.
    pub norm_eps: f64,
    /// What the group norm of each head adds to the variance.
    pub group_norm_eps: f64,
    /// `bytes`, `world`, `tokens of the file`, or `numbers`.
    pub tokenizer: String,
}

fn none<T>() -> Option<T> {
    None
}

/// What `anser random --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomCheckpoint {
    pub output: String,
    pub n_params: u64,
}

/// What `anser quantize --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantizedImage<Recipe, Matrices, Picks> {
    pub output: String,
    pub image_bytes: u64,
    /// Weights and parameters that one token reads, padding not counted.
    pub bytes_per_token: u64,
    /// Formats of the weights and how they were rounded.
    #[serde(flatten)]
    pub recipe: Option<Recipe>,
    pub errors: Vec<TensorError>,
    /// Present for `--weights auto`.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub search: Option<Search<Matrices, Picks>>,
    /// Present after a search and with a report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Check>,
    /// Share of the tokens checked after which integers and float choose the same one, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top1_agreement: Option<f64>,
}

/// What `--weights auto` tried and picked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Search<Matrices, Picks> {
    pub budget_bytes: u64,
    /// The candidates of each matrix.
    pub matrices: Matrices,
    #[serde(flatten)]
    pub picks: Picks,
}

/// How far a tensor is from the checkpoint's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorError {
    pub tensor: String,
    /// RMS of the error over RMS of the tensor.
    pub relative_rms: f64,
    /// Largest absolute error.
    pub max_abs: f64,
}

/// Float and integers over the beginning of the calibration text: a check from end to end, not a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Predictions compared.
    pub tokens: usize,
    pub float_bits_per_token: f64,
    pub golden_bits_per_token: f64,
    /// Bits a token that golden needs more than float, and the standard error over blocks of the text; absent for a single prediction.
    pub loss_bits_per_token: f64,
    pub loss_bits_per_token_se: Option<f64>,
    /// Share of the predictions in which golden's most likely token is float's, 0 to 1.
    #[serde(default)]
    pub top1_agreement: f64,
    /// Mean Kullback-Leibler divergence of float from golden, nats a token.
    pub kl: f64,
    pub kl_se: Option<f64>,
}

/// The manifest of `anser rtl`: `manifest.json`, and what `--json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest<Config> {
    /// Every file but those of a model, by its path in the output folder: the RTL in the order of the file list, then the others.
    pub files: Vec<String>,
    /// The RTL alone, in the order of the file list.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Everything but the RTL and the files of a model: what it is, and how it is used.
    #[serde(default)]
    pub deliverables: Vec<Deliverable>,
    /// The registers for hosts and other tools: SystemRDL, a C header, Python constants.
    #[serde(default)]
    pub registers: Vec<String>,
    /// The top module.
    pub top: String,
    pub config: Config,
    /// Program and version that wrote the files.
    pub generator: String,
    /// Module of each instance, by instance path.
    pub instances: BTreeMap<String, String>,
    /// Present with a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramFiles>,
    /// Present with a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bench: Option<BenchFiles>,
}

/// A file for an integrator's tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliverable {
    /// Its path in the output folder.
    pub file: String,
    pub purpose: String,
    /// What one types in the folder to use it; empty for a file that others use.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
}

/// The files of a model on a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramFiles {
    pub image: String,
    /// Four hex files of 32-bit words in the order dma, mat, vec, wkv.
    pub code: Vec<String>,
    /// Instructions of the four programs, in the same order.
    pub instructions: [usize; 4],
    /// Bytes of a session's state in memory, a multiple of 64; absent if it stays on the chip.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub state_bytes: usize,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// The bench for other simulators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchFiles {
    /// The module to start.
    pub top: String,
    /// The bench; it is not part of the file list.
    pub file: String,
    /// What it reads beside the programs.
    pub data: Vec<String>,
    /// Tokens that it runs in each slot, prompt included.
    pub tokens: usize,
    /// Logits that it compares, those of all tokens and slots.
    pub logits: usize,
}
