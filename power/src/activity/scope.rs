//! The scope of a recording that the netlist is: found by the name that a user gives.

use crate::error::Error;
use crate::netlist::names::normal;
use std::collections::BTreeSet;
use std::path::Path;

/// Names of existing scopes that an error shows.
const SHOWN: usize = 12;

/// Follows the scopes of a recording as they open and close.
///
/// `top.u.x` and `top/u/x` name the scope x in u; they also name a scope whose escaped name is `u.x`, unless both exist. Then
/// `top.\u.x` names the latter.
pub(super) struct Scopes<'a> {
    wanted: &'a str,
    here: Vec<String>,
    /// Depth of the wanted scope that is open, and its place in `matching`
    inside: Option<(usize, usize)>,
    matching: Vec<String>,
    all: BTreeSet<(usize, String)>,
}

impl<'a> Scopes<'a> {
    pub fn new(wanted: &'a str) -> Scopes<'a> {
        let mut scopes = Scopes { wanted, here: vec![], inside: None, matching: vec![], all: BTreeSet::new() };
        if normal(wanted).is_empty() {
            (scopes.inside, scopes.matching) = (Some((0, 0)), vec![String::new()]);
        }
        scopes
    }

    pub fn enter(&mut self, name: &str) {
        self.here.push(normal_part(name));
        let exact = exact(&self.here);
        if self.inside.is_none() && plain(&self.here) == plain(&[normal(self.wanted)]) {
            let known = self.matching.iter().position(|m| *m == exact);
            let place = known.unwrap_or(self.matching.len());
            self.matching.extend(known.is_none().then(|| exact.clone()));
            self.inside = Some((self.here.len(), place));
        }
        self.all.insert((self.here.len(), exact));
    }

    pub fn leave(&mut self) {
        self.here.pop();
        self.inside = self.inside.filter(|(depth, _)| self.here.len() >= *depth);
    }

    /// Whether a scope that may be the wanted one is open.
    pub fn is_inside(&self) -> bool {
        self.inside.is_some()
    }

    /// The name of a net that is declared here, from the wanted scope on, and which of the matching scopes that is.
    pub fn name(&self, net: &str) -> Option<(usize, String)> {
        let (depth, place) = self.inside?;
        let parts = self.here[depth..].iter().map(String::as_str).chain([net]);
        Some((place, normal(&parts.filter(|p| !p.is_empty()).collect::<Vec<_>>().join("."))))
    }

    /// Which of the matching scopes is the wanted one, once all are known.
    ///
    /// # Errors
    /// No scope of this name, or several.
    pub fn choose(&self, path: &Path) -> Result<usize, Error> {
        let same = |m: &&String| m.replace('/', ".") == self.wanted.trim().replace('/', ".");
        match (self.matching.iter().position(|m| same(&m)), &self.matching[..]) {
            (Some(place), _) => Ok(place),
            (None, [_]) => Ok(0),
            (None, []) => {
                let mut existing: Vec<&str> = self.all.iter().take(SHOWN).map(|(_, s)| s.as_str()).collect();
                let more = format!("{} more", self.all.len().saturating_sub(SHOWN));
                existing.extend((self.all.len() > SHOWN).then_some(more.as_str()));
                let existing = if existing.is_empty() { "no scope at all".into() } else { existing.join(", ") };
                Err(Error::ScopeNotFound { path: path.into(), scope: self.wanted.into(), existing })
            }
            (None, several) => {
                let what = format!(
                    "{} scopes are called {}, expected one of {}",
                    several.len(),
                    self.wanted,
                    several.join(", ")
                );
                Err(Error::Invalid { path: path.into(), what })
            }
        }
    }
}

/// A name of one level, without the backslash of an escape before a bracket.
fn normal_part(name: &str) -> String {
    name.trim().chars().filter(|&c| c != '\\').collect()
}

fn plain(parts: &[String]) -> String {
    let parts = parts.iter().map(|p| normal(p));
    parts.filter(|p| !p.is_empty()).collect::<Vec<_>>().join(".")
}

/// The spelling that tells a level with a dot in its name from two levels.
fn exact(parts: &[String]) -> String {
    let parts = parts.iter().map(|p| if p.contains(['.', '/']) { format!("\\{p}") } else { p.clone() });
    parts.collect::<Vec<_>>().join(".")
}
