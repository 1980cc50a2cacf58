//! The files of a latency report.

use crate::summary::summary;
use crate::ReportError;
use records::input::pretty;
use records::latency::LatencyRecord;
use records::output::write;
use std::path::{Path, PathBuf};

/// The files of one latency report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencyFiles {
    /// The page: `index.html`.
    pub page: PathBuf,
    /// The record it was made from: `latency.json`.
    pub record: PathBuf,
    /// The derived numbers: `summary.json`.
    pub summary: PathBuf,
}

/// Writes page, record and summary into `dir`, which is made if it is missing.
///
/// # Errors
/// A record that contradicts itself (nothing is written then), or a file that cannot be written.
pub fn write_latency_report(record: &LatencyRecord, dir: &Path) -> Result<LatencyFiles, ReportError> {
    let files = LatencyFiles {
        page: dir.join("index.html"),
        record: dir.join("latency.json"),
        summary: dir.join("summary.json"),
    };
    let page = crate::html::latency_page(record)?;
    let summary = pretty(&summary(record)?)?;
    write(&files.record, &pretty(record)?)?;
    write(&files.summary, &summary)?;
    write(&files.page, &page)?;
    Ok(files)
}
