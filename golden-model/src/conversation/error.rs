//! Why a file cannot be taken as a state.

use crate::checkpoint::CheckpointError;
use std::path::{Path, PathBuf};

/// Why a file cannot be taken as the state of a model.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error(transparent)]
    File(#[from] CheckpointError),
    #[error("{}: {what}, expected a state that anser saved, or one of state tuning (blocks.N.att.time_state)", path.display())]
    NoState { path: PathBuf, what: String },
    /// The state is sound and belongs to something else.
    #[error("{}: {what} is {found}, expected {expected}", path.display())]
    Other { path: PathBuf, what: String, found: String, expected: String },
}

impl StateError {
    pub(super) fn other(path: &Path, what: &str, found: impl ToString, expected: impl ToString) -> Self {
        let (found, expected) = (found.to_string(), expected.to_string());
        StateError::Other { path: path.to_owned(), what: what.into(), found, expected }
    }
}
