//! `anser fpga`.

use super::parse::{mhz, probability};
use super::{Numbers, DEFAULT_CONFIG};
use clap::{Args, Subcommand};
use std::path::PathBuf;

const BOARD: &str = "ulx3s-85f";

#[derive(Subcommand)]
pub enum Fpga {
    /// Build a bitstream: synthesis, place and route, what it uses and how fast it is
    ///
    /// Writes RTL, netlist, reports and design.bit to the folder; a step whose inputs did not change is not run again.
    Build(FpgaBuild),
    /// Simulate the board with serial line and memory chip; the text that comes out of the line must be golden's
    Simulate(FpgaSimulate),
    /// Configure a real board with a bitstream that was built, by openFPGALoader
    Load(FpgaLoad),
    /// Load a model into a real board over its serial port, and write text on it
    Run(FpgaRun),
    /// Write what a board with a processor beside the chip needs: the Python package that drives the chip, and a model
    ///
    /// The folder is a package for pip with the registers of the configuration, and holds the model as files that NumPy reads.
    Overlay(FpgaOverlay),
    /// Simulate the chip for another program: registers, memory and interrupt over standard input and output
    ///
    /// The Python package of `fpga overlay` starts it by itself (anser_pynq.simulated); fpga/src/sim/bus.rs says what is sent.
    Bus(FpgaBus),
    /// Estimate what the chip needs of a larger part, and what the part has
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

impl FpgaBuild {
    /// The arguments with the defaults of the command line.
    pub fn default_board() -> FpgaBuild {
        FpgaBuild {
            board: BOARD.into(),
            config: DEFAULT_CONFIG.into(),
            clock_mhz: None,
            seed: 1,
            output: PathBuf::from("build/fpga"),
        }
    }
}

#[derive(Args)]
pub struct FpgaSimulate {
    /// Checkpoint or .anser image of a model that fits the board's memory [default: the project's own model]
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
pub struct FpgaLoad {
    /// Board
    #[arg(long, value_name = "B", default_value = BOARD)]
    pub board: String,
    /// Write the flash that the board starts from, so that the design is there after it was off
    #[arg(long)]
    pub flash: bool,
    /// Folder that `anser fpga build` wrote
    #[arg(value_name = "DIR", default_value = "build/fpga")]
    pub folder: PathBuf,
}

#[derive(Args)]
pub struct FpgaRun {
    /// Checkpoint or .anser image of a model that fits the board's memory [default: the project's own model]
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
    /// Do not load the model: it is in the board already
    #[arg(long)]
    pub no_load: bool,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct FpgaOverlay {
    /// Checkpoint or .anser image [default: the project's own model]
    pub model: Option<PathBuf>,
    /// Board
    #[arg(long, value_name = "B", default_value = "kv260")]
    pub board: String,
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = "edge")]
    pub config: String,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    #[command(flatten)]
    pub numbers: Numbers,
}

#[derive(Args)]
pub struct FpgaBus {
    /// Configuration: a name in configs/ or a .toml file
    #[arg(long, value_name = "C", default_value = DEFAULT_CONFIG)]
    pub config: String,
    /// Probability of a random stall on every handshake and memory response
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability, allow_negative_numbers = true)]
    pub stall: f64,
    /// Seed of the random stalls
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
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
