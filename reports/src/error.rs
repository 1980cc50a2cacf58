//! What can go wrong between a record and its page.

use std::path::PathBuf;

/// Every way a report can fail; the message says what, where and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("{}: cannot read: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: cannot write: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{origin}: not a record: {source}")]
    Parse { origin: String, source: serde_json::Error },
    #[error("{origin}: schema_version {found}, expected {expected}")]
    Schema { origin: String, found: String, expected: u32 },
    /// A field contradicts another field or its range.
    #[error("record of {model} on {config}: {field} = {value}, expected {expected}")]
    Invalid { model: String, config: String, field: String, value: String, expected: String },
    #[error("picture \"{picture}\": {message}")]
    Draw { picture: String, message: String },
    #[error("cannot print {what} as JSON: {source}")]
    Print { what: &'static str, source: serde_json::Error },
}
