//! What an integrator's own tools read of a design: register descriptions, IP-XACT, core files, constraints, memories, assertions, a cocotb
//! bench, and a page that says what each is for.
//!
//! Nothing is stated here a second time. Registers come from [`crate::registers`], ports and memories from the module tree, names of files
//! and sizes of a run from what was printed. Texts name modules with [`PREFIX`]; [`files`] puts the user's prefix in place of it everywhere.

pub mod assertions;
pub mod cocotb;
pub mod constraints;
pub mod cores;
pub mod ipxact;
pub mod memories;
pub mod ports;
pub mod readme;

use crate::config::Config;
use crate::hdl::{with_prefix, Module, Printed, PREFIX};
use crate::registers::{self, render};
use ports::Ports;
use records::model::{BenchFiles, ProgramFiles};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The page that explains the others.
pub const README: &str = "README.md";
/// The RTL in the order in which tools read it, a name a line.
pub const FILE_LIST: &str = "files.f";

/// A design and what was written of it.
#[derive(Clone, Copy, Debug)]
pub struct Design<'a> {
    pub config: &'a Config,
    pub top: &'a Arc<Module>,
    /// The RTL, whose modules begin with [`PREFIX`].
    pub printed: &'a Printed,
    /// What the user's modules begin with.
    pub prefix: &'a str,
    /// Version of the program.
    pub version: &'a str,
    /// Programs and bench, present with a model.
    pub program: Option<&'a ProgramFiles>,
    pub bench: Option<&'a BenchFiles>,
}

/// What a file is, which decides where other files list it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A list of RTL files.
    FileList,
    /// The registers, for hosts and tools.
    Registers,
    /// A description of the whole design for a tool that builds systems.
    Package,
    Constraints,
    /// Takes the place of a module of the RTL, or belongs to what does.
    Memory,
    Assertions,
    /// A bench that is not `tb.sv`.
    Bench,
    Document,
}

/// A file of the folder that is no RTL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the folder.
    pub name: String,
    pub kind: Kind,
    pub text: String,
    /// What it is for, in a few words.
    pub purpose: String,
    /// What one types in the folder to use it; empty for a file that others use.
    pub command: String,
}

impl File {
    fn new(name: &str, kind: Kind, text: String, purpose: &str, command: &str) -> Self {
        Self { name: name.into(), kind, text, purpose: purpose.into(), command: command.into() }
    }
}

impl Design<'_> {
    /// The names of the RTL files with [`PREFIX`], in the order in which tools read them.
    fn sources(&self) -> impl Iterator<Item = &str> {
        self.printed.files.keys().map(String::as_str)
    }

    /// The names by which package managers know the design: vendor, library, name and version.
    fn vlnv(&self) -> [String; 4] {
        // a configuration may have any name, the fields of an identifier may not
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
        let library = self.config.name.chars().map(plain).collect();
        ["anser".into(), library, self.printed.top.clone(), self.version.into()]
    }
}

/// Makes every file but the RTL, the bench `tb.sv` and its data.
///
/// # Errors
/// A port of the top module that no description has a place for.
pub fn files(design: &Design) -> Result<Vec<File>, String> {
    let ports = Ports::of(design.top)?;
    let list = registers::all(design.config);
    let mut files = memories::file_lists(design);
    files.extend(render::files(&list).into_iter().map(|(name, text)| {
        let (purpose, command) = match name {
            "registers.rdl" => ("the registers in SystemRDL 2.0", "peakrdl html registers.rdl -o registers-html"),
            "registers.h" => ("the registers as C constants", "cc -fsyntax-only -x c registers.h"),
            _ => ("the registers as Python constants", "python3 registers.py"),
        };
        File::new(name, Kind::Registers, text, purpose, command)
    }));
    files.extend(constraints::files(design, &ports));
    files.extend(memories::files(design));
    files.extend(assertions::files(design, &ports));
    files.extend(cocotb::files(design, &ports));
    files.extend(cores::files(design, &files));
    files.push(ipxact::file(design, &ports, &list, &files));
    files.push(readme::file(design, &files));

    let own = files.iter().flat_map(|f| modules_in(&f.text)).map(String::from).collect::<Vec<_>>();
    let printed = design.sources().map(|f| f.trim_end_matches(".sv"));
    let bench = format!("{PREFIX}{}", crate::bench::NAME);
    let units: BTreeSet<&str> = own.iter().map(String::as_str).chain(printed).chain([bench.as_str()]).collect();
    for file in &mut files {
        for text in [&mut file.name, &mut file.text, &mut file.command, &mut file.purpose] {
            *text = with_prefix(text, &units, design.prefix);
        }
    }
    Ok(files)
}

/// The names of the modules that SystemVerilog `text` declares.
fn modules_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("module ")).filter_map(|rest| rest.split([' ', '(', ';']).next())
}
