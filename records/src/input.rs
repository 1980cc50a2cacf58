//! How every record is read and printed: the version is checked before anything else, so that a record of a later version is
//! refused for its version and not for the first field that changed.

use crate::{text, RecordError};
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// Reads a record from the file at `path`; see [`parse`].
///
/// # Errors
/// A file that cannot be read, and every error of [`parse`].
pub fn read<T: DeserializeOwned>(path: &Path, version: u32) -> Result<T, RecordError> {
    parse(&text::read_utf8(path)?, &path.display().to_string(), version)
}

/// Parses a record whose `schema_version` must be `version`; messages name the text `origin`.
///
/// # Errors
/// Text that is no JSON, has another `schema_version`, or lacks a field.
pub fn parse<T: DeserializeOwned>(text: &str, origin: &str, version: u32) -> Result<T, RecordError> {
    let parse = |source| RecordError::Parse { origin: origin.to_string(), source };
    let value: Value = serde_json::from_str(text).map_err(parse)?;
    let found = value.get("schema_version");
    if found.and_then(Value::as_u64) != Some(u64::from(version)) {
        let found = found.map_or("missing".to_string(), ToString::to_string);
        return Err(RecordError::Schema { origin: origin.to_string(), found, expected: version });
    }
    serde_json::from_value(value).map_err(parse)
}

/// The record as JSON with one field a line, without a line break at the end.
///
/// # Errors
/// A record with a number that JSON cannot express as a key; no record of this crate has one.
pub fn pretty(record: &impl Serialize) -> Result<String, RecordError> {
    serde_json::to_string_pretty(record).map_err(RecordError::Print)
}
