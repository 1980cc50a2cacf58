//! Results of steps: in the cache, by the hash of their inputs, and beside the page, where the last run left them.

use records::all::AllRecord;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A result and where it is from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The record as JSON.
    pub text: String,
    /// Hash of the inputs; none if the record does not say.
    pub key: Option<String>,
    pub seconds: Option<f64>,
}

pub struct Store {
    cache: PathBuf,
    folder: PathBuf,
    /// What the last run wrote beside the page.
    last: Option<AllRecord>,
}

const FILE: &str = "kept.json";

impl Store {
    /// Results for a page in `folder`.
    pub fn open(folder: &Path) -> Store {
        // a damaged or older list is none: the steps are then run again
        let last = AllRecord::read(&folder.join("all.json")).ok();
        Store { cache: sim_harness::cache::default_dir(), folder: folder.into(), last }
    }

    /// The result of `step` with these inputs, else the one beside the page, whatever it was made from.
    pub fn find(&self, step: &str, file: &str, key: Option<&str>) -> Option<Kept> {
        let cached = key.and_then(|key| std::fs::read(self.entry(step, key).join(FILE)).ok());
        if let Some(kept) = cached.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            return Some(kept);
        }
        let last = self.last.as_ref()?.step(step)?;
        let text = std::fs::read_to_string(self.folder.join(file)).ok()?;
        Some(Kept { text, key: last.inputs.clone(), seconds: last.seconds })
    }

    /// Keeps a result; a cache that cannot be written costs a run next time, no more.
    pub fn keep(&self, step: &str, key: &str, kept: &Kept) -> Result<(), String> {
        let bytes = serde_json::to_vec(kept).map_err(|e| e.to_string())?;
        let write = |dir: &Path| std::fs::write(dir.join(FILE), &bytes);
        let entry = self.entry(step, key);
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let done = sim_harness::cache::get(&self.cache, &name, write);
        done.and_then(|r| r).map(drop).map_err(|e| format!("{}: {e}", self.cache.display()))
    }

    fn entry(&self, step: &str, key: &str) -> PathBuf {
        self.cache.join(format!("report-{step}-{key}"))
    }
}
