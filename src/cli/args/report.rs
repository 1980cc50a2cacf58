//! `anser report`.

use super::parse::{count, file_of, positive, step};
use super::{Chip, Numbers, Weights, CHIP, DEFAULT_CONFIG, MODEL};
use clap::{Args, Subcommand};
use reports::all::Report as Step;
use std::path::PathBuf;

const NETLIST: &str = "Any netlist";

#[derive(Subcommand)]
pub enum Report {
    /// Cycles a token by operation, unit and cause of stall
    Latency(Latency),
    /// What each width of weights, operands and state costs, and where
    ///
    /// Runs the floating-point network and some thirty integer networks over a text; what each figure means is in docs/accuracy.md.
    Accuracy(Accuracy),
    /// Power of the chip's netlist while it runs tokens, or power of any mapped netlist from measured activity
    ///
    /// Without --netlist the chip is mapped as in report asic, its netlist runs whole tokens on the bench of the
    /// co-simulation, and what comes out is compared with the RTL. Every file may be gzip-compressed. The method and what it
    /// leaves out are in docs/power.md and docs/asic.md.
    Power(Box<Power>),
    /// Area and timing of the chip in a cell library
    ///
    /// Yosys maps, OpenSTA times. The method and what it leaves out are in docs/asic.md.
    Asic(Asic),
    /// Every report of one chip on one page: cycles, accuracy, area, clock, energy, FPGA, and published chips beside it
    ///
    /// A step whose inputs did not change is not run again. Status: 0 the page is complete or, with --no-run, as complete as it can
    /// be, 1 a comparison failed, 2 a step could not run; the page says so on top.
    All(Box<All>),
    /// Right answers on the running product of group elements, floats and integers side by side
    ///
    /// What the task is and how the network learned it is in docs/state-tracking.md.
    Tracking(Tracking),
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
    #[arg(short, long, value_name = "PAGE.html", value_parser = file_of("html"))]
    pub output: Option<PathBuf>,
}

#[derive(Args)]
pub struct All {
    #[arg(help = MODEL)]
    pub model: Option<PathBuf>,
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG)]
    pub config: String,
    /// Number format of the matrices on the chip [default: w8]
    #[arg(long, value_enum)]
    pub weights: Option<Weights>,
    #[command(flatten)]
    pub libraries: Libraries,
    /// Tokens read for accuracy, as in report accuracy
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(64..=1 << 24))]
    pub max_tokens: u32,
    /// Run these steps only; others are shown if they were run before
    #[arg(long, value_parser = step(), value_name = "STEP,...", value_delimiter = ',')]
    pub only: Vec<Step>,
    /// Run nothing: show what there is, and say what is stale or missing
    #[arg(long)]
    pub no_run: bool,
    /// Place and route the board's system too (half an hour and more)
    #[arg(long)]
    pub place_and_route: bool,
    /// A finished `anser fpga build` to take in
    #[arg(long, value_name = "DIR", default_value = "build/fpga", conflicts_with = "place_and_route")]
    pub fpga_build: PathBuf,
    /// Folder for index.html, all.json and the record and page of each step
    #[arg(short, long, value_name = "DIR", default_value = "build/report")]
    pub output: PathBuf,
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
    /// Numbers of elements after which accuracy is shown
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
    #[arg(short, long, value_name = "F.html", value_parser = file_of("html"))]
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
#[derive(Args, Clone, Default)]
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

#[derive(Args)]
pub struct Power {
    /// Runs on the chip's own mapped netlist; leave out with --netlist [default: the project's own model]
    pub model: Option<PathBuf>,
    #[command(flatten)]
    pub libraries: Libraries,
    /// Tokens whose toggles are counted
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count(), help_heading = CHIP)]
    pub tokens: u32,
    /// Tokens run before them, because the state of an empty chip is all zeros
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=1_000_000), help_heading = CHIP)]
    pub warm_up: u32,
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
    /// Module of the netlist that is the design; needed where several are instantiated by none
    #[arg(long, value_name = "MODULE", requires = "netlist", help_heading = NETLIST)]
    pub top: Option<String>,
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

impl Power {
    /// The arguments for the chip's own netlist, with the defaults of the command line.
    pub fn of_chip() -> Power {
        Power {
            model: None,
            libraries: Libraries::default(),
            tokens: 1,
            warm_up: 1,
            verilator: false,
            dram_pj_per_bit: None,
            config: DEFAULT_CONFIG.into(),
            numbers: Numbers::default(),
            netlist: None,
            top: None,
            sdc: None,
            spef: None,
            activity: Activity::default(),
            scope: None,
            output: None,
        }
    }
}

/// The switching activity that a simulation counted.
#[derive(Args, Default)]
#[group(id = "activity", multiple = false)]
pub struct Activity {
    /// Value change dump of a simulation
    #[arg(long, value_name = "F", requires = "netlist", help_heading = NETLIST)]
    pub vcd: Option<PathBuf>,
    /// Switching activity of a simulation
    #[arg(long, value_name = "F", requires = "netlist", help_heading = NETLIST)]
    pub saif: Option<PathBuf>,
}
