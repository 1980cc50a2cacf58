//! Results of steps: in the cache, by the hash of their inputs, and beside the page, where the last run left them; for a first page
//! also in the project's committed run.

use crate::request::Request;
use records::all::AllRecord;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A result and what it was made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The record as JSON.
    pub text: String,
    /// Hash of the inputs, if the record has one.
    pub key: Option<String>,
    pub seconds: Option<f64>,
}

pub struct Store {
    cache: PathBuf,
    /// Folders with the results of an earlier run, the best first: the page's own, then the project's committed run.
    earlier: Vec<(PathBuf, AllRecord)>,
}

const FILE: &str = "kept.json";

impl Store {
    /// Results for the page of `request`.
    ///
    /// If nothing was run for it, the project's latest committed run of the same model and configuration stands in, so that a first page
    /// with `--no-run` is not empty.
    pub fn open(request: &Request) -> Store {
        // a damaged or older list counts as none: the steps are then run again
        let read = |folder: PathBuf| Some((folder.clone(), AllRecord::read(&folder.join("all.json")).ok()?));
        let own = read(request.output.clone());
        let is_same = |all: &AllRecord| all.model == request.model && all.config == request.config.name;
        let committed = || committed().and_then(read).filter(|(_, all)| is_same(all));
        let earlier = own.or_else(committed).into_iter().collect();
        Store { cache: request.cache.clone(), earlier }
    }

    /// The result of `step` with these inputs, else the one of an earlier run, whatever it was made from.
    pub fn find(&self, step: &str, file: &str, key: Option<&str>) -> Option<Kept> {
        let cached = key.and_then(|key| std::fs::read(self.entry(step, key).join(FILE)).ok());
        if let Some(kept) = cached.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            return Some(kept);
        }
        self.earlier.iter().find_map(|(folder, all)| {
            let last = all.step(step)?;
            let text = std::fs::read_to_string(folder.join(file)).ok()?;
            Some(Kept { text, key: last.inputs.clone(), seconds: last.seconds })
        })
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

/// The folder of the newest committed run of `report all`, if the program runs inside the project. Names of runs begin with their date.
pub(crate) fn committed() -> Option<PathBuf> {
    let runs = sim_harness::places::project_file("reports/Cargo.toml")?.with_file_name("runs");
    let names = std::fs::read_dir(&runs).ok()?.flatten().filter_map(|e| e.file_name().into_string().ok());
    names.filter(|name| name.ends_with("-all")).max().map(|name| runs.join(name))
}
