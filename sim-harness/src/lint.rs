//! The four tools that must accept every printed design: Verilator (`-Wall`), Icarus Verilog, Yosys, slang.
//!
//! For tests: a message is anything a tool says about the design that its author should have avoided.

use crate::toolchain::{Program, ToolError, Verilator, YOSYS};
use rtl_gen::hdl::Printed;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

/// A complaint about a design.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub tool: Tool,
    pub text: String,
}

/// Who complains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `verilator --lint-only -Wall`
    Verilator,
    /// `iverilog -g2012 -Wall`
    Icarus,
    /// `yosys`: `read_verilog -sv; hierarchy -check; proc; check -assert`
    Yosys,
    /// slang with `-Wextra`, by its Python package
    Slang,
}

pub const TOOLS: [Tool; 4] = [Tool::Verilator, Tool::Icarus, Tool::Yosys, Tool::Slang];

/// The interpreter of the environment that holds `pyslang`.
const PYTHON: Program = Program { names: &["python"], variable: "ANSER_PYTHON" };

/// slang has no program in its Python package: this is one.
const SLANG: &str = "import sys
from pyslang import driver
d = driver.Driver()
d.addStandardArgs()
good = d.parseCommandLine('slang ' + ' '.join(sys.argv[1:])) and d.processOptions() and d.parseAllSources()
sys.exit(0 if good and d.runFullCompilation(True) else 1)
";

/// Why a tool could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum LintError {
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error("lint directory: {0}")]
    Io(#[from] io::Error),
}

/// Asks `tools` about `printed`; empty if all of them accept it without a word.
///
/// Verilator, Yosys and slang (the package `pyslang` of `PYTHON`) are found by the rule of [`crate::places`]; Icarus is `iverilog` on
/// `PATH`.
pub fn lint(printed: &Printed, tools: &[Tool]) -> Result<Vec<Message>, LintError> {
    let dir = tempfile::Builder::new().prefix("anser-lint-").tempdir()?;
    for (file, text) in &printed.files {
        std::fs::write(dir.path().join(file), text)?;
    }
    let mut messages = vec![];
    for tool in tools {
        let out = ask(*tool, printed, dir.path())?;
        for text in complaints(*tool, &out) {
            messages.push(Message { tool: *tool, text });
        }
    }
    Ok(messages)
}

fn ask(tool: Tool, printed: &Printed, dir: &Path) -> Result<Output, LintError> {
    let mut command = match tool {
        Tool::Verilator => {
            let mut c = Verilator::find()?.command();
            c.args(["--lint-only", "-Wall", "--top-module", &printed.top]).args(printed.files.keys());
            c
        }
        Tool::Icarus => {
            let mut c = Command::new("iverilog");
            // -Wno-timescale and -Wno-sensitivity-entire-array: neither a design without delays nor a memory read in
            // always_comb is at fault, and no source text can avoid these remarks.
            c.args([
                "-g2012",
                "-Wall",
                "-Wno-timescale",
                "-Wno-sensitivity-entire-array",
                "-t",
                "null",
                "-s",
                &printed.top,
            ]);
            c.args(printed.files.keys());
            c
        }
        Tool::Yosys => {
            let mut c = Command::new(YOSYS.find()?);
            let files = printed.files.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
            let script =
                format!("read_verilog -sv {files}; hierarchy -check -top {}; proc; check -assert", printed.top);
            c.args(["-q", "-p", &script]);
            c
        }
        Tool::Slang => {
            let mut c = Command::new(PYTHON.find()?);
            // -Wno-useless-cast: a cast to a parameter's width does nothing for one value of the parameter
            c.args(["-c", SLANG, "-Wextra", "-Wno-useless-cast", "--top", &printed.top]).args(printed.files.keys());
            c
        }
    };
    let out = command.current_dir(dir).output();
    out.map_err(|e| match (tool, e.kind()) {
        (Tool::Icarus, io::ErrorKind::NotFound) => {
            ToolError::Missing { tool: "iverilog", looked: "PATH".into() }.into()
        }
        _ => e.into(),
    })
}

/// The lines that complain; a tool that fails without one complains with all it said.
fn complaints(tool: Tool, out: &Output) -> Vec<String> {
    let said = [&out.stdout[..], &out.stderr[..]].map(|b| String::from_utf8_lossy(b).into_owned()).concat();
    let complains = |line: &&str| match tool {
        Tool::Verilator => line.starts_with('%'),
        Tool::Icarus => !line.trim().is_empty(),
        Tool::Yosys => line.contains("Warning:") || line.contains("ERROR:"),
        Tool::Slang => line.contains(": warning:") || line.contains(": error:"),
    };
    let lines: Vec<String> = said.lines().filter(complains).map(|l| l.trim().to_string()).collect();
    match (lines.is_empty(), out.status.success()) {
        (true, false) => vec![format!("failed with {}: {}", out.status, said.trim())],
        _ => lines,
    }
}

/// Fails a test with every complaint of every tool about `printed`.
///
/// # Panics
/// If a tool complains or cannot be run.
pub fn assert_clean(printed: &Printed) {
    let messages = lint(printed, &TOOLS).unwrap_or_else(|e| panic!("{e}"));
    let text: Vec<_> = messages.iter().map(|m| format!("{:?}: {}", m.tool, m.text)).collect();
    assert!(text.is_empty(), "{}:\n{}", printed.top, text.join("\n"));
}
