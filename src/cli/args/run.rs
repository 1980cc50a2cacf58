//! Verbs that run a model: on floats, on integers, or on the simulated chip.

use super::parse::{count, file_of, probability, token};
use super::{Numbers, Weights, CHIP, CONVERSATION, DEFAULT_CONFIG, MODEL};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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

/// What the model reads before it writes.
#[derive(Args, Default)]
#[group(multiple = false)]
pub struct Prompt {
    /// Text to go on from
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub prompt: Option<String>,
    /// File with the text to go on from, byte by byte; - is standard input
    #[arg(long, value_name = "FILE", allow_hyphen_values = true)]
    pub prompt_file: Option<PathBuf>,
    /// Token numbers instead of text
    #[arg(long, value_delimiter = ',', value_name = "1,2,3", value_parser = token, allow_negative_numbers = true)]
    pub prompt_tokens: Option<Vec<u32>>,
}

/// The state of a conversation, from and to files.
#[derive(Args, Clone, Default)]
pub struct StateFiles {
    /// Go on from a saved state, or begin with one of state tuning
    #[arg(long, value_name = "FILE", help_heading = CONVERSATION)]
    pub state: Option<PathBuf>,
    /// Save the state after the last token
    #[arg(long, value_name = "FILE", help_heading = CONVERSATION)]
    pub save_state: Option<PathBuf>,
}

impl Prompt {
    /// Whether none was given.
    pub fn is_none(&self) -> bool {
        self.prompt.is_none() && self.prompt_file.is_none() && self.prompt_tokens.is_none()
    }
}

#[derive(Args)]
pub struct Sampling {
    /// Temperature of the sampling; 0 takes the most likely token always
    #[arg(long, value_name = "T", default_value_t = 0.0, allow_negative_numbers = true)]
    pub temperature: f64,
    /// Sample among the most likely tokens of this total probability
    #[arg(long, value_name = "P", default_value_t = 1.0, allow_negative_numbers = true)]
    pub top_p: f64,
    /// Seed of the sampling and of random stalls [default: 0; with --state that of the saved sampling, which goes on]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
}

/// The options of [`Chip`] as the parser names them.
pub const CHIP_OPTIONS: &[&str] = &["config", "stall", "sessions", "memory", "skip_columns", "trace"];

/// The simulated chip.
#[derive(Args, Clone, Default)]
pub struct Chip {
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG, help_heading = CHIP)]
    pub config: String,
    /// Probability of a random stall on every handshake and memory response
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability, allow_negative_numbers = true, help_heading = CHIP)]
    pub stall: f64,
    /// Texts at once, which share every read of a weight: 1, 2, 4 or 8 on the chip, any number in bench on golden
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024), help_heading = CHIP)]
    pub sessions: Option<u32>,
    /// Memory behind the bus [default: the configuration's DDR4, if it has one]
    #[arg(long, value_enum, help_heading = CHIP)]
    pub memory: Option<Memory>,
    /// Do not read the columns of ffn.value that meet a zero: the same values in fewer cycles
    #[arg(long, help_heading = CHIP)]
    pub skip_columns: bool,
    /// Write a waveform (FST)
    #[arg(long, value_name = "F.fst", value_parser = file_of("fst"), help_heading = CHIP)]
    pub trace: Option<PathBuf>,
    /// A state is loaded into the chip, or saved from it: the chip must have a way for it.
    #[arg(skip)]
    pub state_needed: bool,
    /// A state may be loaded or saved later, as in `chat`: the chip has a way for it if its configuration can.
    #[arg(skip)]
    pub state_wanted: bool,
}

impl Chip {
    /// Returns these options for a conversation that `files` load or save.
    pub fn with_state(&self, files: &StateFiles) -> Self {
        Self { state_needed: files.state.is_some() || files.save_state.is_some(), ..self.clone() }
    }
}

/// The simulated memory; it changes cycles, never values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Memory {
    /// Constant latency and bandwidth
    Ideal,
    /// Banks, rows, refresh and turnaround of the configuration's device
    Ddr4,
}

#[derive(Args)]
pub struct Generate {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// What computes the tokens
    #[arg(long, value_enum)]
    pub backend: Backend,
    #[command(flatten)]
    pub prompt: Prompt,
    /// Tokens to write after the prompt
    #[arg(long, value_name = "N", value_parser = count())]
    pub tokens: u32,
    /// Stop before this text, even where it straddles tokens; may be given several times
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub stop: Vec<String>,
    #[command(flatten)]
    pub sampling: Sampling,
    #[command(flatten)]
    pub state: StateFiles,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Logits {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// What computes the tokens
    #[arg(long, value_enum)]
    pub backend: Backend,
    /// Token numbers to read
    #[arg(long, value_delimiter = ',', required = true, value_name = "1,2,3", value_parser = token, allow_negative_numbers = true)]
    pub tokens: Vec<u32>,
    /// Write the logits after every token, not only the last one, to a file for NumPy
    #[arg(long, requires = "output")]
    pub all: bool,
    /// The file for --all: a matrix (tokens, vocabulary) of 32-bit floats
    #[arg(short, long, value_name = "F.npy", requires = "all")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub state: StateFiles,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Eval {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// What computes the tokens
    #[arg(long, value_enum)]
    pub backend: Backend,
    /// Text to score [default: the held-out 5 % of the project's own text]
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    pub text: Option<PathBuf>,
    /// Token numbers to score, separated by blanks or commas
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Read only the first N tokens of it
    #[arg(long, value_name = "N", value_parser = count())]
    pub max_tokens: Option<u32>,
    #[command(flatten)]
    pub state: StateFiles,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Rtl {
    /// Checkpoint or .anser image to write image and programs of
    pub model: Option<PathBuf>,
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG)]
    pub config: String,
    /// Texts worked on at once: 1, 2, 4 or 8 [default: the configuration's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    pub sessions: Option<u32>,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// What module names begin with, so that two configurations can stand side by side
    #[arg(long, value_name = "PREFIX", default_value = rtl_gen::hdl::PREFIX)]
    pub prefix: String,
    /// Programs that do not read the columns of ffn.value that meet a zero
    #[arg(long)]
    pub skip_columns: bool,
    /// Tokens that the bench tb.sv runs after its prompt; 0 runs the prompt only [default: 2]
    #[arg(long, value_name = "N", requires = "model")]
    pub tokens: Option<u32>,
    /// Text that the bench reads first [default: token 0]
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, requires = "model", conflicts_with = "prompt_tokens")]
    pub prompt: Option<String>,
    /// Token numbers instead of text
    #[arg(long, value_delimiter = ',', value_name = "1,2,3", value_parser = token, allow_negative_numbers = true, requires = "model")]
    pub prompt_tokens: Option<Vec<u32>>,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Explore {
    /// Checkpoint or .anser image whose shape is taken
    #[arg(conflicts_with_all = ["layers", "embd"])]
    pub model: Option<PathBuf>,
    /// Number of layers of a shape as released models have it
    #[arg(long, value_name = "L", requires = "embd")]
    pub layers: Option<usize>,
    /// Width of the residual stream
    #[arg(long, value_name = "D", requires = "layers")]
    pub embd: Option<usize>,
    /// Width of a head; divides D
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub head_size: usize,
    /// Vocabulary
    #[arg(long, value_name = "V", default_value_t = 65536)]
    pub vocab: usize,
    /// Configuration to start from: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG)]
    pub config: String,
    /// Widths of the bus
    #[arg(long, value_name = "BITS,...", value_delimiter = ',')]
    pub bus: Vec<usize>,
    /// Clocks
    #[arg(long, value_name = "MHZ,...", value_delimiter = ',')]
    pub clock: Vec<u32>,
    /// Number formats of the matrices
    #[arg(long, value_enum, value_delimiter = ',')]
    pub weights: Vec<Weights>,
    /// Bits of an element of the recurrence state
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    pub state_bits: Vec<usize>,
    /// Texts that share each read of a weight; cycles are then those of a pass, and tokens a second those of all texts
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    pub sessions: Vec<usize>,
    /// Memories: `ideal`, or configurations whose memory is taken
    #[arg(long, value_name = "M,...", value_delimiter = ',')]
    pub memory: Vec<String>,
    /// Folder for index.html and explore.json
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

#[derive(Args)]
pub struct Cosim {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub prompt: Prompt,
    /// Tokens to write after the prompt; 0 compares the prompt only
    #[arg(long, value_name = "N")]
    pub tokens: u32,
    /// Seed of the random stalls
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub state: StateFiles,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Bench {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// What computes the tokens
    #[arg(long, value_enum)]
    pub backend: Backend,
    /// Tokens in one run; the figures are the medians of three runs [default: 256, rtl 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub tokens: Option<u32>,
    /// Tokens of the prompt whose reading is timed as well [default: 256, rtl none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub prefill: Option<u32>,
    /// Threads of the golden backend [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub threads: Option<u32>,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}
