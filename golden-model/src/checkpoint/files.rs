//! Which files a checkpoint consists of: one, or those of a Hugging Face folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::printable;
use super::ErrorKind;

/// Names of the weights in a Hugging Face folder, in the order in which they are looked for.
const WEIGHTS: &[&str] =
    &["model.safetensors.index.json", "pytorch_model.bin.index.json", "model.safetensors", "pytorch_model.bin"];
/// No list of tensors is longer.
const MAX_JSON: u64 = 64 << 20;

/// The files of one checkpoint.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub weights: Vec<PathBuf>,
    /// Tensors that the index of a sharded checkpoint promises.
    pub promised: Vec<String>,
    /// The folder they are in.
    pub folder: PathBuf,
}

/// A file that could not be used and why.
pub(super) type InFile = (PathBuf, ErrorKind);

impl Files {
    /// Finds the files of the checkpoint `path`: a file, a folder, or the index of a sharded checkpoint.
    pub fn find(path: &Path) -> Result<Self, InFile> {
        let fail = |kind| (path.to_owned(), kind);
        let meta = std::fs::metadata(path).map_err(|e| fail(e.into()))?;
        if meta.is_dir() {
            let found = WEIGHTS.iter().map(|name| path.join(name)).find(|p| p.exists());
            return Self::find(&found.ok_or_else(|| fail(ErrorKind::NoWeights))?);
        }
        if !meta.is_file() {
            return Err(fail(ErrorKind::NotAFile));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        if name.ends_with(".index.json") {
            return Self::shards(path, folder).map_err(fail);
        }
        if let Some(count) = shard_of(&name).filter(|&n| n > 1) {
            return Err(fail(ErrorKind::Recognised {
                what: format!("one of the {count} parts of a checkpoint"),
                remedy: format!(
                    "open the folder {}",
                    if folder.as_os_str().is_empty() { ".".into() } else { folder.display().to_string() }
                ),
            }));
        }
        Ok(Self { weights: vec![path.to_owned()], promised: vec![], folder })
    }

    /// Reads the index of a sharded checkpoint.
    fn shards(index: &Path, folder: PathBuf) -> Result<Self, ErrorKind> {
        #[derive(Deserialize)]
        struct Index {
            weight_map: BTreeMap<String, String>,
        }
        let damaged = |what: String| ErrorKind::Container { format: "index", what };
        let Index { weight_map } = json(index)?.ok_or_else(|| damaged("is gone".into()))?;
        let files: BTreeSet<&String> = weight_map.values().collect();
        let plain = |f: &&&String| Path::new(f).components().count() == 1 && Path::new(f).file_name().is_some();
        if let Some(file) = files.iter().find(|f| !plain(f)) {
            return Err(damaged(format!("names the file {}, expected one beside it", printable(file))));
        }
        if files.is_empty() {
            return Err(damaged("names no file".into()));
        }
        let weights = files.iter().map(|f| folder.join(f)).collect();
        Ok(Self { weights, promised: weight_map.into_keys().collect(), folder })
    }
}

/// Reads a JSON file; `None` if there is none.
pub(super) fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, ErrorKind> {
    let damaged = |what: String| ErrorKind::Container { format: "JSON", what };
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    if !meta.is_file() || meta.len() > MAX_JSON {
        return Err(damaged(format!("expected a file of at most {MAX_JSON} bytes")));
    }
    let text = std::fs::read(path)?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    serde_json::from_slice(text).map(Some).map_err(|e| damaged(e.to_string()))
}

/// Number of parts, if `name` is that of one: `model-00001-of-00003.safetensors`.
fn shard_of(name: &str) -> Option<u32> {
    let (stem, _) = name.rsplit_once('.')?;
    let (first, count) = stem.rsplit_once("-of-")?;
    let (_, number) = first.rsplit_once('-')?;
    let digits = |s: &str| s.len() == 5 && s.bytes().all(|b| b.is_ascii_digit());
    (digits(number) && digits(count)).then(|| count.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::shard_of;

    #[test]
    fn a_part_is_known_by_its_name() {
        assert_eq!(shard_of("model-00001-of-00003.safetensors"), Some(3));
        assert_eq!(shard_of("pytorch_model-00002-of-00002.bin"), Some(2));
        assert_eq!(shard_of("rwkv-of-00002.pth"), None);
        assert_eq!(shard_of("rwkv-1-of-2.pth"), None);
    }
}
