//! The command line as a user sees it.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  anser generate --backend rtl --prompt ROMEO: --tokens 16   text from the simulated chip
  anser quantize model.pth -o model.anser                    a checkpoint to an image
  anser cosim --prompt ROMEO: --tokens 4 --stall 0.2         compare under random stalls
  anser rtl --config nano -o build/nano                      the Verilog
  anser report latency -o build/latency                      where the cycles go";

const MODEL: &str = "Checkpoint or .anser image [default: the project's own model]";
const CHIP: &str = "Simulated chip";
const FORMATS: &str = "Formats of a checkpoint's weights";
const NETLIST: &str = "Any netlist";
pub const DEFAULT_CONFIG: &str = "nano";

/// A count of at least 1.
fn count() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..)
}

fn token(text: &str) -> Result<u32, String> {
    text.trim().parse().map_err(|_| "expected token numbers, such as 1,2,3".into())
}

fn probability(text: &str) -> Result<f64, String> {
    let p = text.parse().ok().filter(|p| (0.0..1.0).contains(p));
    p.ok_or_else(|| "expected a probability from 0 to below 1".into())
}

fn bits_a_weight(text: &str) -> Result<f64, String> {
    let bits = text.parse().ok().filter(|b| (1.0..=16.0).contains(b));
    bits.ok_or_else(|| "expected a number of bits from 1 to 16".into())
}

/// `64,64,32,128`.
fn ranks(text: &str) -> Result<[usize; 4], String> {
    let ranks: Option<Vec<usize>> = text.split(',').map(|r| r.trim().parse().ok()).collect();
    ranks.and_then(|r| r.try_into().ok()).ok_or_else(|| "expected four numbers, such as 64,64,32,128".into())
}

/// From an RWKV-7 checkpoint to an accelerator.
///
/// MODEL is a BlinkDL .pth, a .safetensors, an rwkv.cpp .bin or an .anser image; without one, the model that comes with the
/// project. Exit status: 0 done, 1 a comparison or check failed, 2 the command cannot run.
#[derive(Parser)]
#[command(name = "anser", version, after_long_help = EXAMPLES)]
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
    /// Turn a checkpoint into an .anser image: integers in the order the chip streams them
    Quantize(Quantize),
    /// Generate text
    Generate(Generate),
    /// Print the logits after the last of the given tokens
    Logits(Logits),
    /// Measure quality on a text: bits per token, agreement with float
    Eval(Eval),
    /// Write the RTL of a configuration: Verilog, file list and manifest
    ///
    /// With a MODEL also image.bin, the weight stream to put into memory, and program_*.hex, what the four units run.
    Rtl(Rtl),
    /// Compare the RTL with the golden model, vector by vector
    ///
    /// Stops at the first token that differs, prints the first mismatch and exits with status 1.
    Cosim(Cosim),
    /// Measure speed: tokens a second, simulated cycles a second
    Bench(Bench),
    /// Cycles, memory and multipliers of configurations by calculation, in milliseconds each
    ///
    /// Limits (memories, programs) are what the model needs. Lists make a sweep of all combinations. docs/explore.md says how far from the RTL this is.
    Explore(Explore),
    /// Write a report: JSON, and HTML with pictures
    #[command(subcommand)]
    Report(Report),
    /// Build for an FPGA board, simulate the board, run it, or estimate a larger part
    #[command(subcommand)]
    Fpga(Fpga),
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
    /// Bits of an element of the recurrence state; the chip's configuration says for rtl [default: 24]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(16..=32))]
    pub state_bits: Option<u32>,
    /// Bits of a matrix operand's mantissas; fewer than 16 run on golden only [default: 16]
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
    /// Clusters of --head clustered [default: twice the root of the vocabulary, 32 tokens in one at least]
    #[arg(long, value_name = "N", value_parser = count(), help_heading = FORMATS)]
    pub clusters: Option<u32>,
    /// Clusters a token reads [default: a quarter of them]
    #[arg(long, value_name = "N", value_parser = count(), help_heading = FORMATS)]
    pub visit: Option<u32>,
    /// Rank of a 16-bit branch beside each matrix of 4 bits (golden only) [default: 0, none]
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
    /// The first option given, if there is one: an image takes none.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--calibrate", self.calibrate.is_some()),
            ("--weights", self.weights.is_some()),
            ("--operand-bits", self.operand_bits.is_some()),
            ("--state-bits", self.state_bits.is_some()),
            ("--budget", self.budget.is_some()),
            ("--head", self.head.is_some()),
            ("--clusters", self.clusters.is_some()),
            ("--visit", self.visit.is_some()),
            ("--branch", self.branch.is_some()),
            ("--round", self.round.is_some()),
            ("--scales", self.scales.is_some()),
        ];
        given.into_iter().find_map(|(name, given)| given.then_some(name))
    }
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
    /// Seed of the weights
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// The checkpoint to write
    #[arg(short, long, value_name = "F.safetensors")]
    pub output: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weights {
    /// 8 bits, one scale a row
    W8,
    /// 4 bits, one scale for each row and 32 columns
    W4,
    /// For each matrix the format that costs least error for its bytes, found on the calibration text; add --branch 0 for the chip
    Auto,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Head {
    /// 8 bits, one scale a row
    W8,
    /// 4 bits, one scale for each row and 32 columns
    W4,
    /// 8 bits in clusters of rows, of which a token reads the likeliest (golden only)
    Clustered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Round {
    /// Each to the nearest
    Plain,
    /// Later weights make up for the errors of earlier ones, as the calibration text needs it
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
pub struct Quantize {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// The image to write
    #[arg(short, long, value_name = "IMAGE")]
    pub output: PathBuf,
    /// Write a page that shows each matrix' format and error; wants --calibrate
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub numbers: Numbers,
}

/// What the model reads before it writes.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Prompt {
    /// Text to go on from
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub prompt: Option<String>,
    /// Token numbers instead of text
    #[arg(long, value_delimiter = ',', value_name = "1,2,3", value_parser = token, allow_negative_numbers = true)]
    pub prompt_tokens: Option<Vec<u32>>,
}

#[derive(Args)]
pub struct Sampling {
    /// 0: always the most likely token
    #[arg(long, value_name = "T", default_value_t = 0.0, allow_negative_numbers = true)]
    pub temperature: f64,
    /// Sample among the most likely tokens of this total probability
    #[arg(long, value_name = "P", default_value_t = 1.0, allow_negative_numbers = true)]
    pub top_p: f64,
    /// Seed of the sampling and of random stalls
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
}

/// The simulated chip.
#[derive(Args, Clone)]
pub struct Chip {
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG, help_heading = CHIP)]
    pub config: String,
    /// Probability of a random stall on every handshake and memory response
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability, allow_negative_numbers = true, help_heading = CHIP)]
    pub stall: f64,
    /// Memory behind the bus [default: the configuration's DDR4, if it has one]
    #[arg(long, value_enum, help_heading = CHIP)]
    pub memory: Option<Memory>,
    /// Do not read the columns of ffn.value that meet a zero: the same values in fewer cycles, how many depends on the values
    #[arg(long, help_heading = CHIP)]
    pub skip_columns: bool,
    /// Write a waveform (FST)
    #[arg(long, value_name = "F.fst", help_heading = CHIP)]
    pub trace: Option<PathBuf>,
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
    #[arg(long, value_enum)]
    pub backend: Backend,
    #[command(flatten)]
    pub prompt: Prompt,
    /// Tokens to write after the prompt
    #[arg(long, value_name = "N", value_parser = count())]
    pub tokens: u32,
    #[command(flatten)]
    pub sampling: Sampling,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Logits {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub backend: Backend,
    /// Token numbers to read
    #[arg(long, value_delimiter = ',', required = true, value_name = "1,2,3", value_parser = token, allow_negative_numbers = true)]
    pub tokens: Vec<u32>,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Eval {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
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
    /// Folder to write to
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// What module names begin with, so that two configurations can stand side by side
    #[arg(long, value_name = "PREFIX", default_value = rtl_gen::hdl::PREFIX)]
    pub prefix: String,
    /// Programs that do not read the columns of ffn.value that meet a zero
    #[arg(long)]
    pub skip_columns: bool,
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
    /// Tokens to go on for after the prompt; 0 compares the prompt only
    #[arg(long, value_name = "N")]
    pub tokens: u32,
    /// Seed of the random stalls
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct Bench {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    #[arg(long, value_enum)]
    pub backend: Backend,
    /// Tokens in one run; three runs are made, the median is told [default: 256, rtl 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub tokens: Option<u32>,
    /// Tokens of the prompt whose reading is timed as well [default: 256, rtl none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub prefill: Option<u32>,
    /// Threads of the golden backend [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub threads: Option<u32>,
    /// Also time N conversations at once that share every read of a weight (golden backend)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub sessions: Option<u32>,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Subcommand)]
pub enum Report {
    /// Cycles a token by operation, unit and cause of stall
    Latency(Latency),
    /// What each width of weights, operands and state costs, and where
    ///
    /// Runs the floating-point network and some thirty integer networks over a text; what each figure means is in docs/accuracy.md.
    Accuracy(Accuracy),
    /// Power of the chip's netlist while it runs tokens, or of any mapped netlist from measured activity
    ///
    /// Without --netlist the chip is mapped as in report asic, its netlist runs whole tokens on the bench of the
    /// co-simulation, and what comes out is compared with the RTL. Every file may be gzip-compressed. The method and what it
    /// leaves out are in docs/power.md and docs/asic.md.
    Power(Box<Power>),
    /// Area and timing of the chip in a cell library
    ///
    /// Yosys maps, OpenSTA times. The method and what it leaves out are in docs/asic.md.
    Asic(Asic),
    /// Right answers on the running product of group elements, floats and integers side by side
    ///
    /// What the task is and how the network learned it is in docs/state-tracking.md.
    Tracking(Tracking),
}

#[derive(Args)]
pub struct Tracking {
    /// Checkpoint of a network trained for it [default: the project's own, models/track-a5.safetensors]
    pub model: Option<PathBuf>,
    /// S3, A4, S4, A5 or S5 [default: what the checkpoint says]
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// Tokens of an element: its own and clock tokens [default: what the checkpoint says, or 1]
    #[arg(long, value_name = "N", value_parser = count())]
    pub ticks: Option<u32>,
    /// Numbers of elements after which accuracy is told
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "1,2,4,8,16,32,64,128,256,512,1024,1600", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub lengths: Vec<u32>,
    /// Random sequences of the greatest length
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub sequences: u32,
    /// Seed of the sequences
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
    /// Number formats of the matrices to compare with float: w8, w4
    #[arg(long, value_enum, value_delimiter = ',', default_value = "w8,w4")]
    pub weights: Vec<Weights>,
    /// Widths of a state element to measure
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "24,20,18,16", value_parser = clap::value_parser!(u32).range(16..=32))]
    pub state_bits: Vec<u32>,
    /// The page to write: HTML with pictures
    #[arg(short, long, value_name = "F.html")]
    pub output: Option<PathBuf>,
}

#[derive(Args)]
pub struct Asic {
    /// Configuration: a name in configs/, or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG)]
    pub config: String,
    #[command(flatten)]
    pub libraries: Libraries,
    /// Folder for index.html (the report with pictures) and asic.json
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Cell libraries and what mapping aims at.
#[derive(Args, Clone)]
pub struct Libraries {
    /// Folder with the Liberty files of one corner: cells, and memories if there are some
    #[arg(long, value_name = "DIR", conflicts_with = "liberty")]
    pub pdk: Option<PathBuf>,
    /// Liberty files of one corner [default: Debian's qflow-tech-osu018]
    #[arg(long, value_name = "LIB", num_args = 1..)]
    pub liberty: Vec<PathBuf>,
    /// Clock that mapping aims at; the command fails (status 1) if timing does not meet it [default: the configuration's, as an aim only]
    #[arg(long, value_name = "F", value_parser = positive)]
    pub clock_mhz: Option<f64>,
    /// Without memory macros: square micrometres a bit of memory [default: 17.4]
    #[arg(long, value_name = "X", value_parser = positive)]
    pub ram_um2_per_bit: Option<f64>,
    /// Without memory macros: picojoules a bit of an access [default: 1.6]
    #[arg(long, value_name = "X", value_parser = positive)]
    pub ram_pj_per_bit: Option<f64>,
    /// Without memory macros: nanoseconds from clock to data [default: 4.4]
    #[arg(long, value_name = "X", value_parser = positive)]
    pub ram_clk_to_q_ns: Option<f64>,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(n) if n > 0.0 && n.is_finite() => Ok(n),
        _ => Err("expected a number above 0".into()),
    }
}

#[derive(Args)]
pub struct Accuracy {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// Text to study on [default: the held-out 5 % of the project's own text]
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// Tokens read for the errors by position; half of them are scored for every combination of widths
    #[arg(long, value_name = "N", default_value_t = 32_768, value_parser = clap::value_parser!(u32).range(64..=1 << 24))]
    pub max_tokens: u32,
    /// Text whose vectors set the fixed-point ranges; also adds error-compensated rounding at 4 bits
    #[arg(long, value_name = "TEXT")]
    pub calibrate: Option<PathBuf>,
    /// The page with pictures, one HTML file
    #[arg(short, long, value_name = "PAGE.html")]
    pub output: Option<PathBuf>,
}

#[derive(Args)]
pub struct Power {
    /// Runs on the chip's own mapped netlist; leave out with --netlist [default: the project's own model]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub libraries: Libraries,
    /// Tokens run on the chip
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count(), help_heading = CHIP)]
    pub tokens: u32,
    /// Run the netlist in Verilator too (minutes of C++ the first time) and compare
    #[arg(long, help_heading = CHIP)]
    pub verilator: bool,
    /// Energy of external memory, picojoules a bit [default: 20, with 3.9 and 40 as range]
    #[arg(long, value_name = "X", value_parser = positive, help_heading = CHIP)]
    pub dram_pj_per_bit: Option<f64>,
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG, help_heading = CHIP)]
    pub config: String,
    #[command(flatten)]
    pub numbers: Numbers,
    /// Any mapped netlist instead of the chip's: structural Verilog, wires, assigns and instances of library cells
    #[arg(long, value_name = "V", requires_all = ["liberty", "scope", "activity"], conflicts_with_all = ["model", "pdk"], help_heading = NETLIST)]
    pub netlist: Option<PathBuf>,
    /// Constraints: clocks, slews of inputs, loads of outputs
    #[arg(long, value_name = "F", requires = "netlist", help_heading = NETLIST)]
    pub sdc: Option<PathBuf>,
    /// Extracted wires; without them loads are pins only
    #[arg(long, value_name = "F", requires = "netlist", help_heading = NETLIST)]
    pub spef: Option<PathBuf>,
    #[command(flatten)]
    pub activity: Activity,
    /// The netlist's place in the simulation, such as bench.dut
    #[arg(long, value_name = "PATH", requires = "netlist", help_heading = NETLIST)]
    pub scope: Option<String>,
    /// Folder for power.json and instances.csv, the watts of each instance; for the chip also index.html
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// What a simulation counted.
#[derive(Args)]
#[group(id = "activity", multiple = false)]
pub struct Activity {
    /// Value change dump of a simulation
    #[arg(long, value_name = "F", requires = "netlist", help_heading = NETLIST)]
    pub vcd: Option<PathBuf>,
    /// Switching activity of a simulation
    #[arg(long, value_name = "F", requires = "netlist", help_heading = NETLIST)]
    pub saif: Option<PathBuf>,
}

#[derive(Args)]
pub struct Latency {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// Folder for index.html (the report with pictures), latency.json and summary.json
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub chip: Chip,
    #[command(flatten)]
    pub numbers: Numbers,
}

const BOARD: &str = "ulx3s-85f";

fn mhz(text: &str) -> Result<f64, String> {
    let mhz = text.parse().ok().filter(|m: &f64| m.is_finite() && *m > 0.0);
    mhz.ok_or_else(|| "expected MHz, such as 62.5".into())
}

#[derive(Subcommand)]
pub enum Fpga {
    /// A bitstream: synthesis, place and route, what it uses and how fast it is
    ///
    /// Writes RTL, netlist, reports and design.bit to the folder; a step whose inputs did not change is not run again.
    Build(FpgaBuild),
    /// The board in simulation: serial line, memory chip and all; text comes out of the line and must be golden's
    Simulate(FpgaSimulate),
    /// Load a model into a real board over its serial port and let it speak
    Run(FpgaRun),
    /// What a larger part would need for the chip, and what it has
    Estimate(FpgaEstimate),
}

#[derive(Args)]
pub struct FpgaBuild {
    /// Board
    #[arg(long, value_name = "B", default_value = BOARD)]
    pub board: String,
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG)]
    pub config: String,
    /// Clock of the system, MHz [default: the board's]
    #[arg(long, value_name = "MHZ", value_parser = mhz)]
    pub clock_mhz: Option<f64>,
    /// Seed of the placer
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u32,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR", default_value = "build/fpga")]
    pub output: PathBuf,
}

#[derive(Args)]
pub struct FpgaSimulate {
    /// Checkpoint or .anser image of a model whose tokens are bytes [default: the project's own model]
    pub model: Option<PathBuf>,
    /// Board
    #[arg(long, value_name = "B", default_value = BOARD)]
    pub board: String,
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG)]
    pub config: String,
    /// Text to go on from
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub prompt: String,
    /// Tokens to write after the prompt
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub tokens: u16,
    /// Clock of the system, MHz [default: the board's]
    #[arg(long, value_name = "MHZ", value_parser = mhz)]
    pub clock_mhz: Option<f64>,
    /// Load the image over the simulated serial line too, not only programs and text (minutes for a large one)
    #[arg(long)]
    pub load: bool,
    /// Folder to write simulation.json and index.html to
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct FpgaRun {
    /// Checkpoint or .anser image of a model whose tokens are bytes [default: the project's own model]
    pub model: Option<PathBuf>,
    /// Serial port of the board
    #[arg(long, value_name = "TTY")]
    pub port: PathBuf,
    /// Board
    #[arg(long, value_name = "B", default_value = BOARD)]
    pub board: String,
    /// The configuration the board was built with
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG)]
    pub config: String,
    /// Text to go on from
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub prompt: String,
    /// Tokens to write after the prompt
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
    pub tokens: u16,
    /// The model is in the board already: only talk
    #[arg(long)]
    pub no_load: bool,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct FpgaEstimate {
    /// Part
    #[arg(long, value_name = "P", default_value = "xck26")]
    pub part: String,
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG)]
    pub config: String,
    /// Folder to write estimate-CONFIG.json and index.html to
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}
