//! Files: written under a temporary name in the same folder, then renamed, so that a reader never sees half a report.

use crate::summary::summary;
use crate::ReportError;
use records::input::pretty;
use records::latency::LatencyRecord;
use std::io::Write;
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
    std::fs::create_dir_all(dir).map_err(|source| ReportError::Write { path: dir.to_path_buf(), source })?;
    write_file(&files.record, &pretty(record)?)?;
    write_file(&files.summary, &summary)?;
    write_file(&files.page, &page)?;
    Ok(files)
}

/// Writes `text` to `path` so that `path` holds either what it held before or all of it.
pub fn write_file(path: &Path, text: &str) -> Result<(), ReportError> {
    let fail = |source| ReportError::Write { path: path.to_path_buf(), source };
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // a temporary file is private; a report is not (the umask still applies)
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(dir).map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    Ok(())
}
