//! Records are read in one way: the version before anything else, so that a record of a later version is refused as such and
//! not for the first field that changed.

use crate::ReportError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// Reads a record from a file; see [`parse`].
///
/// # Errors
/// A file that cannot be read, or [`parse`]'s.
pub fn read<T: DeserializeOwned>(path: &Path, version: u32) -> Result<T, ReportError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ReportError::Read { path: path.to_path_buf(), source })?;
    parse(&text, &path.display().to_string(), version)
}

/// Parses a record whose `schema_version` must be `version`; `origin` is only for messages.
///
/// # Errors
/// Text that is no JSON, has another `schema_version`, or lacks a field.
pub fn parse<T: DeserializeOwned>(text: &str, origin: &str, version: u32) -> Result<T, ReportError> {
    let parse = |source| ReportError::Parse { origin: origin.to_string(), source };
    let value: Value = serde_json::from_str(text).map_err(parse)?;
    let found = value.get("schema_version");
    if found.and_then(Value::as_u64) != Some(u64::from(version)) {
        let found = found.map_or("missing".to_string(), ToString::to_string);
        return Err(ReportError::Schema { origin: origin.to_string(), found, expected: version });
    }
    serde_json::from_value(value).map_err(parse)
}
