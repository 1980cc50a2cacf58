//! Tokens through a backend: what `generate`, `logits`, `cosim`, `eval` and `bench` print.

use crate::mismatch::Mismatch;
use serde::{Deserialize, Serialize};

/// What `anser generate --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    /// `float`, `golden` or `rtl`.
    pub backend: String,
    pub prompt_tokens: Vec<u32>,
    /// The tokens after the prompt.
    pub tokens: Vec<u32>,
    pub text: String,
    /// Why the text ends: `tokens` (it has as many as were asked for), `end of text` (the vocabulary's token for it) or `stop text`.
    #[serde(default)]
    pub stopped: String,
    /// What only the chip knows.
    #[serde(flatten)]
    pub rtl: Option<GeneratedOnChip>,
}

/// The chip's part of [`Generated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeneratedOnChip {
    pub config: String,
    /// One entry a token of prompt and text; tokens read side by side share the cycles of their pass.
    pub cycles_per_token: Vec<u64>,
    /// Bytes read from memory, padding included; one entry a token.
    pub bytes_per_token: Vec<u64>,
    /// Columns of `ffn.value` that were not read; one entry a token.
    pub skipped_columns: Vec<u64>,
    pub mismatches: u64,
    pub values_checked: u64,
}

/// What `anser logits --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogitsRecord {
    pub backend: String,
    pub tokens: Vec<u32>,
    /// Logits after the last of `tokens`, one for each token of the vocabulary.
    pub logits: Vec<f64>,
    /// The first of the largest logits.
    pub argmax: u32,
    /// Present with `--all`.
    #[serde(flatten)]
    pub file: Option<LogitsFile>,
}

/// A file with the logits after every token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogitsFile {
    /// Its path.
    pub file: String,
    /// Tokens and vocabulary.
    pub shape: [usize; 2],
}

/// What `anser cosim --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CosimRecord {
    pub config: String,
    /// Tokens run, those of all sessions together.
    pub tokens: usize,
    pub seed: u64,
    /// Probability of a random stall on every handshake, 0 to 1.
    pub stall: f64,
    pub ops_checked: u64,
    pub values_checked: u64,
    pub mismatches: u64,
    pub cycles: u64,
    /// Cycles of each pass, in order.
    pub cycles_per_token: Vec<u64>,
    pub first_mismatch: Option<Mismatch>,
}

/// What `anser eval --json` prints. Fields that end in `_se` are standard errors over blocks of the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalRecord {
    pub backend: String,
    /// Tokens predicted: one less than were read.
    pub n_tokens: usize,
    pub bits_per_token: f64,
    /// Absent for a single prediction, as all standard errors.
    pub bits_per_token_se: Option<f64>,
    /// Present only where tokens stand for text.
    pub bits_per_byte: Option<f64>,
    /// Share of positions where the most likely token is that of float, 0 to 1.
    pub top1_agreement: Option<f64>,
    pub top1_agreement_se: Option<f64>,
    /// Bits a token more than float needs.
    pub loss_bits_per_token: Option<f64>,
    pub loss_bits_per_token_se: Option<f64>,
    /// Mean Kullback-Leibler divergence from float, nats a token.
    pub kl: Option<f64>,
    pub kl_se: Option<f64>,
    /// What only the golden backend knows.
    #[serde(flatten)]
    pub read: Option<BytesRead>,
}

/// What the golden backend read for a token, in the mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BytesRead {
    /// Weights and parameters without padding, less the columns that were skipped.
    pub bytes_per_token: f64,
    /// Bytes of columns of `ffn.value` that were skipped because their operand was 0.
    pub skipped_bytes_per_token: f64,
    /// Share of the columns that were skipped, 0 to 1, in each layer.
    pub zero_columns: Vec<f64>,
}

/// What `anser bench --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchRecord {
    pub backend: String,
    /// Tokens of a run.
    pub tokens: usize,
    pub runs: usize,
    /// Median of the runs.
    pub tokens_per_s: f64,
    pub tokens_per_s_min: f64,
    pub tokens_per_s_max: f64,
    /// Tokens of the prompt.
    pub prefill_tokens: usize,
    /// How fast the prompt was read; median of the runs.
    pub prefill_tokens_per_s: Option<f64>,
    /// What only the golden backend knows.
    #[serde(flatten)]
    pub golden: Option<GoldenBench>,
    /// What only the chip knows.
    #[serde(flatten)]
    pub rtl: Option<ChipBench>,
}

/// The golden backend's part of [`BenchRecord`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GoldenBench {
    pub threads: usize,
    pub instruction_set: String,
    /// Bytes of weights that a token read in the runs; columns skipped because their operand was 0 are not counted.
    pub weight_bytes_per_token: f64,
    /// Weights read a second at `tokens_per_s`.
    pub weight_bytes_per_s: f64,
    /// Bytes that the same threads read a second when they do nothing else; median of the runs.
    pub read_bytes_per_s: f64,
    /// Processor time of all threads for one token, waiting for each other included; median of the runs. Present only where
    /// the system reports it.
    pub cpu_ms_per_token: Option<f64>,
    /// Conversations at once.
    pub sessions: Option<usize>,
    /// Tokens a second of all of them together; median of the runs.
    pub sessions_tokens_per_s: Option<f64>,
}

/// The chip's part of [`BenchRecord`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChipBench {
    pub config: String,
    /// Texts worked on at once.
    pub sessions: usize,
    /// Cycles of a pass over the weights, which makes a token of each text.
    pub cycles_per_pass: u64,
    pub cycles_per_token: u64,
    /// Speed at the configuration's clock, all texts together.
    pub tokens_per_s_at_clock: f64,
    /// Cycles of a prompt read side by side.
    pub prefill_cycles: Option<u64>,
    pub prefill_tokens_per_s_at_clock: Option<f64>,
    /// Simulated cycles a second with the comparison on, the golden step included; median of the runs.
    pub simulated_cycles_per_s: f64,
    pub mismatches: u64,
}

/// What every verb prints with `--json`: its result, and warnings where there are any.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warned<'a, Result> {
    #[serde(flatten)]
    pub result: &'a Result,
    /// Reasons why the result may mean less than it seems to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// Why a result may mean less than it seems to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// `relative_error` (a tensor as integers is not the checkpoint's any more), `top1_agreement` (integers and float choose other
    /// tokens), `not_finite` (logits are NaN or infinite) or `clipped_state` (an initial state was beyond the range of the integers).
    pub kind: String,
    /// One sentence.
    pub text: String,
}

/// What every verb prints with `--json` if it cannot run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// One sentence.
    pub error: String,
    /// The exit status.
    pub status: u8,
}

/// What `anser chat --json` prints at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatRecord {
    pub backend: String,
    /// Each line that was said to the model, and its answer.
    pub turns: Vec<Turn>,
    /// What only the chip knows.
    #[serde(flatten)]
    pub rtl: Option<GeneratedOnChip>,
}

/// A line and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    pub prompt_tokens: Vec<u32>,
    /// The tokens of the answer.
    pub tokens: Vec<u32>,
    pub text: String,
    /// Why the text ended, in the words of [`Generated`].
    pub stopped: String,
}
