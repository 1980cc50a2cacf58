//! What can go wrong between a record and its page.

use records::RecordError;

/// Every way a report can fail; the message says what, where and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("picture \"{picture}\": {message}")]
    Draw { picture: String, message: String },
}
