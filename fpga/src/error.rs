//! What can go wrong, said so that the reader knows what to do.

use sim_harness::toolchain::ToolError;

/// Why a system cannot be built, simulated or talked to.
#[derive(Debug, thiserror::Error)]
pub enum FpgaError {
    #[error("configuration {config} has bus_bits = {bus_bits}; the board's memory system needs 128")]
    BusBits { config: String, bus_bits: usize },
    #[error("configuration {config} keeps the state in memory; the board's memory system is only read, expected state = \"chip\"")]
    StateInMemory { config: String },
    #[error("board {name} is unknown, expected {known}")]
    UnknownBoard { name: String, known: String },
    #[error("--clock-mhz {asked} is out of reach, expected {low} to {high}")]
    Clock { asked: f64, low: f64, high: f64 },
    #[error("rtl: {0}")]
    Rtl(String),
    #[error(transparent)]
    Build(#[from] sim_harness::verilate::BuildError),
    #[error(transparent)]
    Dut(#[from] sim_harness::dut::DutError),
    #[error("the image has {image} bytes, the board's memory {memory}")]
    ImageSize { image: usize, memory: u64 },
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Record(#[from] records::RecordError),
    #[error("{tool} failed: {said}")]
    ToolFailed { tool: &'static str, said: String },
    #[error("{folder} holds no finished build; run anser fpga build -o {folder} first")]
    NoBuild { folder: String },
    #[error("{folder} holds a build for {found}, not for {asked}")]
    OtherBoard { folder: String, found: String, asked: &'static str },
    #[error("the build runs at {clock_mhz} MHz and its slowest path allows {fmax_mhz:.1}; build it again with --clock-mhz below that")]
    TooFast { clock_mhz: f64, fmax_mhz: f64 },
    #[error("openFPGALoader is not installed (Debian: apt-get install openfpgaloader); the command is\n  {command}")]
    NoLoader { command: String },
    #[error("place and route: report: {what}")]
    Report { what: String },
    #[error("{path}: {source}")]
    Io { path: String, source: std::io::Error },
}
