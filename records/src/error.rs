//! Why a record cannot be used.

use crate::TextError;
use std::path::PathBuf;

/// A record that cannot be read, printed, written or believed; the message says what, where and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Read(#[from] TextError),
    #[error("{}: cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{origin}: not a record: {source}")]
    Parse { origin: String, source: serde_json::Error },
    #[error("{origin}: schema_version {found}, expected {expected}")]
    Schema { origin: String, found: String, expected: u32 },
    /// A field contradicts another field or its range.
    #[error("record of {model} on {config}: {field} = {value}, expected {expected}")]
    Invalid { model: String, config: String, field: String, value: String, expected: String },
    #[error("cannot print the record as JSON: {0}")]
    Print(serde_json::Error),
}
