//! The command line as a user sees it.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// From an RWKV-7 checkpoint to an accelerator.
///
/// MODEL is a BlinkDL .pth, a .safetensors, an rwkv.cpp .bin or an .anser image; without one, the model that comes with the
/// project. Exit status: 0 done, 1 a comparison or check failed, 2 the command cannot run.
#[derive(Parser)]
#[command(name = "anser", version, propagate_version = true)]
pub struct Anser {
    /// Print exactly one JSON object on standard output (progress and logs go to standard error)
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    /// Show the shapes and sizes of a model
    Inspect(Inspect),
    /// Write a checkpoint of any shape with random but sane weights
    Random(Random),
    /// Turn a checkpoint into an .anser image
    Quantize(Quantize),
    /// Generate text
    Generate(Generate),
    /// Print the logits after the last of the given tokens
    Logits(Logits),
    /// Measure quality on a text
    Eval(Eval),
    /// Write the RTL of a configuration: Verilog, file list, manifest and, with a MODEL, its program
    Rtl(Rtl),
    /// Compare the RTL with the golden model, vector by vector
    Cosim(Cosim),
    /// Measure speed
    Bench(Bench),
    /// Write a report
    #[command(subcommand)]
    Report(Report),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// 32-bit floating point, the reference
    Float,
    /// The integer golden model, the chip's specification
    Golden,
    /// The generated RTL, simulated and compared with golden
    Rtl,
}

impl Backend {
    pub fn name(self) -> &'static str {
        match self {
            Backend::Float => "float",
            Backend::Golden => "golden",
            Backend::Rtl => "rtl",
        }
    }
}

/// How a checkpoint becomes integers; an .anser image already is.
#[derive(Args, Clone, Default)]
pub struct Numbers {
    /// Text whose vectors set the fixed-point ranges (without it, pseudo-random tokens do)
    #[arg(long, value_name = "FILE")]
    pub calibrate: Option<PathBuf>,
}

#[derive(Args)]
pub struct Inspect {
    pub model: Option<PathBuf>,
}

#[derive(Args)]
pub struct Random {
    #[arg(long)]
    pub layers: usize,
    #[arg(long)]
    pub embd: usize,
    #[arg(long, default_value_t = 64)]
    pub head_size: usize,
    #[arg(long)]
    pub vocab: usize,
    /// Width of the channel mix [default: 4 × embd]
    #[arg(long)]
    pub ffn: Option<usize>,
    /// Ranks of the low-rank pairs w,a,v,g [default: as in released models]
    #[arg(long, value_delimiter = ',', num_args = 4)]
    pub ranks: Option<Vec<usize>>,
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    #[arg(short, long)]
    pub output: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weights {
    W8,
}

#[derive(Args)]
pub struct Quantize {
    pub model: Option<PathBuf>,
    #[arg(short, long)]
    pub output: PathBuf,
    #[arg(long, value_enum, default_value = "w8")]
    pub weights: Weights,
    #[command(flatten)]
    pub numbers: Numbers,
}

/// What the model reads before it writes.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Prompt {
    #[arg(long)]
    pub prompt: Option<String>,
    /// Token numbers instead of text
    #[arg(long, value_delimiter = ',', value_name = "1,2,3")]
    pub prompt_tokens: Option<Vec<u32>>,
}

#[derive(Args)]
pub struct Sampling {
    /// 0: always the most likely token
    #[arg(long, default_value_t = 0.0)]
    pub temperature: f64,
    /// Sample among the most likely tokens of this total probability
    #[arg(long, default_value_t = 1.0)]
    pub top_p: f64,
    /// Seed of the sampling and of random stalls
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// The simulated chip.
#[derive(Args, Clone)]
pub struct Chip {
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, default_value = "nano")]
    pub config: String,
    /// Probability of a random stall on every handshake and memory response
    #[arg(long, default_value_t = 0.0)]
    pub stall: f64,
    /// Write a waveform (FST)
    #[arg(long, value_name = "F.fst")]
    pub trace: Option<PathBuf>,
}

#[derive(Args)]
pub struct Generate {
    pub model: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub backend: Backend,
    #[command(flatten)]
    pub prompt: Prompt,
    #[arg(long)]
    pub tokens: usize,
    #[command(flatten)]
    pub sampling: Sampling,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Logits {
    pub model: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub backend: Backend,
    #[arg(long, value_delimiter = ',', required = true, value_name = "1,2,3")]
    pub tokens: Vec<u32>,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Eval {
    pub model: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub backend: Backend,
    /// Text to score [default: the held-out 5 % of the project's own text]
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    pub text: Option<PathBuf>,
    /// Token numbers to score, separated by blanks or commas
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<usize>,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Rtl {
    pub model: Option<PathBuf>,
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, default_value = "nano")]
    pub config: String,
    #[arg(short, long)]
    pub output: PathBuf,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Cosim {
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub prompt: Prompt,
    #[arg(long)]
    pub tokens: usize,
    /// Seed of the random stalls
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Bench {
    pub model: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub backend: Backend,
    /// Tokens in one run; three runs are made, the median is told
    #[arg(long)]
    pub tokens: Option<usize>,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Subcommand)]
pub enum Report {
    /// Cycles a token by operation, unit and cause of stall
    Latency(Latency),
}

#[derive(Args)]
pub struct Latency {
    pub model: Option<PathBuf>,
    /// Folder for record.json, summary.json and index.html
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}
