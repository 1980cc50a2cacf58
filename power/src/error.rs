//! What can keep a power number from being found. Each message is one sentence: where, what, what was expected.

use records::TextError;
use std::path::{Path, PathBuf};

/// Errors of this crate; lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("{}:{line}: expected {expected}, found {found}", path.display())]
    Syntax { path: PathBuf, line: usize, expected: String, found: String },
    #[error("{}: no cell of this library has an internal_power table, so power cannot be found from it", path.display())]
    NoPowerTables { path: PathBuf },
    #[error("{}: {what}", path.display())]
    Invalid { path: PathBuf, what: String },
    #[error("{}:{line}: cell {cell} of instance {instance} is in none of the libraries", path.display())]
    UnknownCell { path: PathBuf, line: usize, cell: String, instance: String },
    #[error("{}:{line}: cell {cell} of instance {instance} has no pin {pin}", path.display())]
    UnknownPin { path: PathBuf, line: usize, cell: String, instance: String, pin: String },
    #[error("{}:{line}: {what} is {expected} bits wide but is connected to {found}", path.display())]
    Width { path: PathBuf, line: usize, what: String, expected: usize, found: usize },
    #[error("{}: no scope {scope}; the file has {existing}", path.display())]
    ScopeNotFound { path: PathBuf, scope: String, existing: String },
    #[error("{}: none of the {names} names in scope {scope} is a net of the netlist, such as {example}", path.display())]
    NothingMatches { path: PathBuf, scope: String, names: usize, example: String },
}

impl Error {
    pub(crate) fn syntax(path: &Path, line: usize, expected: impl Into<String>, found: impl AsRef<str>) -> Error {
        let found = found.as_ref();
        let found = if found.is_empty() {
            "the end of the file".into()
        } else {
            // a line of foreign text, kept short and printable
            format!("`{}`", found.chars().take(40).flat_map(char::escape_debug).collect::<String>())
        };
        Error::Syntax { path: path.into(), line, expected: expected.into(), found }
    }
}
