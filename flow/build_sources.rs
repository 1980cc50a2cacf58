//! One hash for all sources that a library is made of: its own, and those of every crate of this workspace that it depends on.
//!
//! The crates follow from the manifests, so no list can go stale. A crate counts with its manifest and with every file in its
//! folder, whatever the kind, but for its tests, benches and examples, which no library contains.

use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// Folders of a crate that are not part of its library.
const OUTSIDE: [&str; 5] = ["tests", "benches", "examples", "runs", "target"];

/// Crates of the workspace at `root` that `name` is built from, itself included.
pub fn crates(root: &Path, name: &str) -> Result<BTreeSet<String>> {
    let members: BTreeSet<String> = manifest(root)?["workspace"]["members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|m| m.as_str().map(str::to_string))
        .collect();
    let mut found = BTreeSet::new();
    let mut wanted = vec![name.to_string()];
    while let Some(name) = wanted.pop() {
        let manifest = manifest(&root.join(&name))?;
        let dependencies = manifest.get("dependencies").and_then(|d| d.as_table());
        wanted.extend(dependencies.into_iter().flat_map(|d| d.keys()).filter(|d| members.contains(*d)).cloned());
        if !found.insert(name) {
            wanted.retain(|w| !found.contains(w));
        }
    }
    Ok(found)
}

/// Files of the library `name`, in a fixed order, as paths below `root`.
pub fn files(root: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let mut all = vec![];
    for folder in crates(root, name)? {
        collect(&root.join(folder), &mut all)?;
    }
    all.sort();
    Ok(all)
}

/// Hash of the names and contents of [`files`], 32 hexadecimal digits.
pub fn hash(root: &Path, name: &str) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files(root, name)? {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let text = std::fs::read(&file)?;
        for part in [name.as_bytes(), &text] {
            hash.update((part.len() as u64).to_le_bytes()); // lengths keep neighbours apart
            hash.update(part);
        }
    }
    Ok(hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect())
}

fn manifest(folder: &Path) -> Result<toml::Table> {
    let path = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    text.parse().map_err(|e| Error::other(format!("{}: {e}", path.display())))
}

fn collect(folder: &Path, all: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let (path, name) = entry.map(|e| (e.path(), e.file_name().to_string_lossy().into_owned()))?;
        match path.is_dir() {
            true if OUTSIDE.contains(&name.as_str()) || name.starts_with('.') => {}
            true => collect(&path, all)?,
            false if name.starts_with('.') => {}
            false => all.push(path),
        }
    }
    Ok(())
}
