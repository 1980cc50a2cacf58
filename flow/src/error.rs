//! What keeps a page from being written.

use records::RecordError;
use reports::ReportError;
use std::path::PathBuf;

/// A page that cannot be made. A step that cannot run is none of these: it leaves a gap, which the page names.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error("{}: cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// RTL that the generator refuses to print.
    #[error("{0}")]
    Rtl(String),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Report(#[from] ReportError),
}
