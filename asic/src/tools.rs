//! The two programs the flow runs: Yosys and OpenSTA.
//!
//! [`sim_harness::places`] says where the flow looks for them. OpenSTA is Debian's package `opensta`.

use crate::Error;
use sim_harness::toolchain::{self, YOSYS};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Oldest Yosys that has every pass used here (`opt_hier`, `abc -dont_use`).
pub const MIN_YOSYS: (u32, u32) = (0, 58);

/// A program and what it says of itself; the latter is part of every cache key.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    pub version: String,
}

/// OpenSTA.
const STA: toolchain::Program = toolchain::Program { names: &["sta"], variable: "ANSER_STA" };

/// Finds Yosys and asks for its version.
///
/// # Errors
/// No Yosys, or one older than [`MIN_YOSYS`].
pub fn yosys() -> Result<Program, Error> {
    checked_yosys(YOSYS.find()?)
}

fn checked_yosys(path: PathBuf) -> Result<Program, Error> {
    let cure = "scripts/setup";
    let missing = |looked| Error::Missing { tool: "yosys", looked, cure };
    let version = first_line(&path, &["-V"]).ok_or_else(|| missing(path.display().to_string()))?;
    match yosys_number(&version) {
        Some(number) if number >= MIN_YOSYS => Ok(Program { path, version }),
        _ => Err(missing(format!(
            "{}, which is {version}; expected {}.{} or newer",
            path.display(),
            MIN_YOSYS.0,
            MIN_YOSYS.1
        ))),
    }
}

/// `Yosys 0.70 (git …)` as (0, 70).
fn yosys_number(version: &str) -> Option<(u32, u32)> {
    let (major, rest) = version.strip_prefix("Yosys ")?.split_once('.')?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, digits.parse().ok()?))
}

/// Finds OpenSTA and asks for its version.
///
/// # Errors
/// No OpenSTA, or one that does not run.
pub fn sta() -> Result<Program, Error> {
    let path = STA.find()?;
    let missing = || Error::Missing {
        tool: "sta (OpenSTA)",
        looked: path.display().to_string(),
        cure: "apt-get install opensta (scripts/setup does)",
    };
    let version = first_line(&path, &["-version"]).ok_or_else(missing)?;
    Ok(Program { path, version })
}

/// Fails now, before minutes of work, if a program of the flow is missing.
///
/// # Errors
/// Fails where [`yosys`] or [`sta`] does.
pub fn check() -> Result<(), Error> {
    yosys()?;
    sta().map(drop)
}

fn first_line(program: &Path, args: &[&str]) -> Option<String> {
    let out = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text.lines().map(str::trim).find(|l| !l.is_empty())?;
    (out.status.success()).then(|| line.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(yosys_number("Yosys 0.70 (git sha1 28ba3cb92, Release)"), Some((0, 70)));
        assert!(yosys_number("Yosys 0.9+3962").is_some_and(|v| v < MIN_YOSYS));
        assert_eq!(yosys_number("bash: yosys"), None);
    }
}
