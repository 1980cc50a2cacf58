//! What a simulation says about each net: how often it changes and how long it is 1.

mod saif;
mod vcd;

use crate::error::Error;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Activity of a net.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// Transitions per second; a change from or to x counts half
    pub density: f64,
    /// Share of time at 1, 0 … 1
    pub duty: f64,
}

/// Where activity comes from.
#[derive(Clone, Debug)]
pub enum Source {
    Vcd(PathBuf),
    Saif(PathBuf),
}

/// What was measured in one scope.
#[derive(Debug)]
pub struct Measured {
    /// By net name relative to the scope, in the spelling of [`crate::netlist::names::normal`]
    pub nets: HashMap<String, Activity>,
    /// Seconds simulated
    pub seconds: f64,
}

impl Measured {
    /// Reads the activity of the nets below `scope` (`top.dut` or `top/dut`).
    ///
    /// Fails when the file has no such scope (the message lists those it has) or covers no time.
    pub fn load(source: &Source, scope: &str) -> Result<Measured, Error> {
        let (Source::Vcd(path) | Source::Saif(path)) = source;
        let measured = match source {
            Source::Vcd(path) => vcd::load(path, scope),
            Source::Saif(path) => saif::load(path, scope),
        }?;
        if measured.seconds > 0.0 {
            return Ok(measured);
        }
        Err(Error::Invalid { path: path.clone(), what: "the recording covers no time".into() })
    }
}

/// `scope` as its parts.
fn parts(scope: &str) -> Vec<&str> {
    scope.split(['.', '/']).filter(|s| !s.is_empty()).collect()
}

/// The error for a scope that is not there: names those that are, shallow ones first.
fn not_found(path: &Path, scope: &str, mut scopes: Vec<String>) -> Error {
    const SHOWN: usize = 12;
    scopes.sort_by_key(|s| (s.matches('.').count(), s.clone()));
    scopes.dedup();
    let more = scopes.len().saturating_sub(SHOWN);
    scopes.truncate(SHOWN);
    let mut existing = scopes.join(", ");
    if existing.is_empty() {
        existing = "no scope at all".into();
    }
    if more > 0 {
        existing.push_str(&format!(" and {more} more"));
    }
    Error::ScopeNotFound { path: path.into(), scope: scope.into(), existing }
}
