//! What can keep a figure from being found. Each message says what, where and what cures it; there is no partial result.

use sim_harness::toolchain::ToolError;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("{tool} not found (looked at {looked}); install it with: {cure}")]
    Missing { tool: &'static str, looked: String, cure: &'static str },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Text(#[from] records::TextError),
    #[error(transparent)]
    Power(#[from] power::Error),
    #[error("{}: {what}", path.display())]
    Library { path: PathBuf, what: String },
    #[error(
        "no cell library: {} is not there; install it with: apt-get install qflow-tech-osu018 (scripts/setup does), or give a library \
         with --liberty", path.display()
    )]
    NoLibrary { path: PathBuf },
    #[error("the libraries are of different corners: {found}; expected one process, voltage and temperature")]
    Corners { found: String },
    #[error("the libraries have no {what}, which mapping needs; give a Liberty file that does with --liberty")]
    NoCell { what: &'static str },
    #[error("yosys fails on {module}:\n{said}")]
    Yosys { module: String, said: String },
    #[error("yosys left cell {cell} in module {module}, which no library has; give its Liberty file with --liberty")]
    UnknownCell { module: String, cell: String },
    #[error("the replay ran no cycle, so nothing was counted")]
    NothingCounted,
    #[error("no cell of {libraries} has an internal_power table, so power cannot be found; give libraries that do with --liberty")]
    NoPower { libraries: String },
    #[error("cell {cell} cannot be simulated: {why}; keep mapping from it with a library that marks it dont_use")]
    NoModel { cell: String, why: String },
    #[error(
        "{gates} gates of the netlist are in a loop or behind one, which cannot be simulated; look for it in the RTL"
    )]
    Loop { gates: usize },
    #[error("static timing fails:\n{said}")]
    Timing { said: String },
    #[error("{what} printed something this program does not understand: {found}")]
    Unreadable { what: &'static str, found: String },
    #[error("the RTL is refused: {0}")]
    Rtl(String),
    #[error(transparent)]
    Build(#[from] sim_harness::verilate::BuildError),
    #[error(transparent)]
    Chip(#[from] sim_harness::chip::ChipError),
    #[error(transparent)]
    Session(#[from] sim_harness::session::SessionError),
}

impl Error {
    /// For `map_err` of file operations on `path`.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }
}
