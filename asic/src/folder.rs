//! The folder a tool works in, and the JSON that a tool leaves.

use crate::Error;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// A temporary folder, which goes when it is dropped.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// Makes a folder whose name begins with `anser-` and `what`.
    pub fn new(what: &str) -> Result<Folder, Error> {
        let made = tempfile::Builder::new().prefix(&format!("anser-{what}-")).tempdir();
        made.map(Folder).map_err(Error::io("a temporary folder"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file in the folder and returns its path.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let path = self.path().join(name);
        std::fs::write(&path, text).map(|()| path.clone()).map_err(Error::io(path))
    }
}

/// Reads what `maker` wrote as JSON.
pub fn json<T: DeserializeOwned>(path: &Path, maker: &'static str) -> Result<T, Error> {
    let text = std::fs::read(path).map_err(Error::io(path))?;
    serde_json::from_slice(&text).map_err(|e| Error::Unreadable { what: maker, found: e.to_string() })
}
