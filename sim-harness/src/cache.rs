//! A directory of finished builds, each under the hash of everything it was made from.
//!
//! A build happens in a temporary directory of the cache and is renamed into place, so an entry is complete or absent.
//! A lock file per key makes a second process (or thread) wait for the first instead of building the same thing twice;
//! the operating system drops the lock with its owner, so a killed build blocks nobody.

pub use crate::places::cache_dir as default_dir;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Returns `dir/key`, made by `build` (which fills the empty directory it is given) unless it is there already.
///
/// The outer error is the cache's own (a directory or lock that cannot be made), the inner one is `build`'s.
pub fn get<E>(dir: &Path, key: &str, build: impl FnOnce(&Path) -> Result<(), E>) -> io::Result<Result<PathBuf, E>> {
    let entry = dir.join(key);
    if entry.is_dir() {
        return Ok(Ok(entry));
    }
    std::fs::create_dir_all(dir)?;
    let _lock = lock(&dir.join(format!("{key}.lock")))?;
    if entry.is_dir() {
        return Ok(Ok(entry));
    }
    let work = tempfile::Builder::new().prefix("build-").tempdir_in(dir)?;
    if let Err(e) = build(work.path()) {
        return Ok(Err(e));
    }
    std::fs::rename(work.path(), &entry)?;
    let _ = work.keep(); // nothing there any more to delete
    Ok(Ok(entry))
}

/// Waits for and takes the lock; it is released when the file is closed.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn racing_builders_build_once_and_all_succeed() {
        let dir = tempfile::tempdir().unwrap();
        let builds = AtomicUsize::new(0);
        std::thread::scope(|s| {
            for _ in 0..8 {
                s.spawn(|| {
                    let made = get::<()>(dir.path(), "k", |work| {
                        builds.fetch_add(1, Ordering::SeqCst);
                        std::fs::write(work.join("out"), "done").unwrap();
                        Ok(())
                    });
                    assert_eq!(std::fs::read_to_string(made.unwrap().unwrap().join("out")).unwrap(), "done");
                });
            }
        });
        assert_eq!(builds.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failed_build_leaves_no_entry_and_may_be_retried() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(get(dir.path(), "k", |_| Err("no")).unwrap(), Err("no"));
        assert!(!dir.path().join("k").exists());
        assert!(get::<()>(dir.path(), "k", |_| Ok(())).unwrap().is_ok());
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().flatten().map(|e| e.file_name()).collect();
        assert_eq!(left.len(), 2, "entry and lock only: {left:?}");
    }
}
