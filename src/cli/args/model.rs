//! Models, their formats, and the verbs that only read or write models.

use super::parse::{bits_a_weight, count, file_of, ranks};
use super::MODEL;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

const FORMATS: &str = "Formats of a checkpoint's weights";

/// The options of [`Numbers`] as the parser names them.
pub const NUMBERS: &[&str] = &[
    "weights",
    "budget",
    "head",
    "value",
    "clusters",
    "visit",
    "branch",
    "round",
    "scales",
    "calibrate",
    "state_bits",
    "operand_bits",
];

/// How a checkpoint becomes integers; an .anser image already is.
#[derive(Args, Clone, Default)]
pub struct Numbers {
    /// Text that sets the fixed-point ranges [default: pseudo-random tokens]
    #[arg(long, value_name = "FILE")]
    pub calibrate: Option<PathBuf>,
    /// Bits of an element of the recurrence state; for the chip its configuration says [default: 24]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(16..=32))]
    pub state_bits: Option<u32>,
    /// Bits of the mantissas of a matrix operand; fewer than 16 run on golden only [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=16))]
    pub operand_bits: Option<u32>,
    /// Number format of the matrices [default: w8]
    #[arg(long, value_enum, help_heading = FORMATS)]
    pub weights: Option<Weights>,
    /// Average bits a weight with --weights auto, scales and branches included [default: 5]
    #[arg(long, value_name = "BITS", value_parser = bits_a_weight, help_heading = FORMATS)]
    pub budget: Option<f64>,
    /// Number format of the head [default: w8 if it is a small part of a w4 network, else that of --weights]
    #[arg(long, value_enum, help_heading = FORMATS)]
    pub head: Option<Head>,
    /// Number format of ffn.value, which is stored by columns [default: w8]
    #[arg(long, value_enum, help_heading = FORMATS)]
    pub value: Option<Value>,
    /// Clusters of --head clustered [default: twice the root of the vocabulary, 32 tokens in one at least]
    #[arg(long, value_name = "N", value_parser = count(), help_heading = FORMATS)]
    pub clusters: Option<u32>,
    /// Clusters a token reads [default: a quarter of them]
    #[arg(long, value_name = "N", value_parser = count(), help_heading = FORMATS)]
    pub visit: Option<u32>,
    /// Rank of a 16-bit branch beside each matrix of 4 bits, with --weights auto the largest that is tried; on golden only [default: 0, none]
    #[arg(long, value_name = "RANK", value_parser = clap::value_parser!(u32).range(0..=1024), help_heading = FORMATS)]
    pub branch: Option<u32>,
    /// How weights of 4 bits are rounded [default: plain]
    #[arg(long, value_enum, help_heading = FORMATS)]
    pub round: Option<Round>,
    /// How the groups of 4-bit weights get their scales [default: search]
    #[arg(long, value_enum, help_heading = FORMATS)]
    pub scales: Option<Scales>,
}

impl Numbers {
    /// The first option that was given, if there is one. An image takes none.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--calibrate", self.calibrate.is_some()),
            ("--weights", self.weights.is_some()),
            ("--operand-bits", self.operand_bits.is_some()),
            ("--state-bits", self.state_bits.is_some()),
            ("--budget", self.budget.is_some()),
            ("--head", self.head.is_some()),
            ("--value", self.value.is_some()),
            ("--clusters", self.clusters.is_some()),
            ("--visit", self.visit.is_some()),
            ("--branch", self.branch.is_some()),
            ("--round", self.round.is_some()),
            ("--scales", self.scales.is_some()),
        ];
        given.into_iter().find_map(|(name, given)| given.then_some(name))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weights {
    /// 8 bits, one scale a row
    W8,
    /// 4 bits, one scale for each row and 32 columns
    W4,
    /// For each matrix the format that costs least error for its bytes, found on the calibration text
    Auto,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Head {
    /// 8 bits, one scale a row
    W8,
    /// 4 bits, one scale for each row and 32 columns
    W4,
    /// 8 bits in clusters of rows, of which a token reads the likeliest; on golden only
    Clustered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Value {
    /// 8 bits, one scale a row
    W8,
    /// 4 bits, one scale for each column and 32 rows; on golden only
    W4,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Round {
    /// Each weight to the nearest number
    Plain,
    /// Later weights make up for the errors of earlier ones on the calibration text
    Gptq,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scales {
    /// The largest weight of a group is exact
    Max,
    /// The smallest squared error
    Search,
}

#[derive(Args)]
pub struct Inspect {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
}

#[derive(Args)]
pub struct Random {
    /// Number of layers
    #[arg(long, value_name = "L")]
    pub layers: usize,
    /// Width of the residual stream
    #[arg(long, value_name = "D")]
    pub embd: usize,
    /// Width of a head; divides D
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub head_size: usize,
    /// Vocabulary: 256 has bytes as tokens, 65536 the World tokenizer, any other only token numbers
    #[arg(long, value_name = "V")]
    pub vocab: usize,
    /// Width of the channel mix [default: 4 × D]
    #[arg(long, value_name = "F")]
    pub ffn: Option<usize>,
    /// Ranks of the low-rank pairs w, a, v, g [default: as in released models]
    #[arg(long, value_name = "W,A,V,G", value_parser = ranks)]
    pub ranks: Option<[usize; 4]>,
    /// Add DeepEmbed to every layer, as RWKV-7a has it
    #[arg(long)]
    pub deep_embed: bool,
    /// Seed of the weights
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// The checkpoint to write
    #[arg(short, long, value_name = "F.safetensors", value_parser = file_of("safetensors"))]
    pub output: PathBuf,
}

#[derive(Args)]
pub struct Quantize {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// The image to write
    #[arg(short, long, value_name = "F.anser", value_parser = file_of("anser"))]
    pub output: PathBuf,
    /// Write a page that shows the format and the error of each matrix; needs --calibrate
    #[arg(long, value_name = "FILE.html", value_parser = file_of("html"))]
    pub report: Option<PathBuf>,
    /// End with status 1 if the integers may have lost the meaning of the network, which is a warning without it
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub numbers: Numbers,
}
