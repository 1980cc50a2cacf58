//! A directory of finished builds, each under the hash of everything it was made from.
//!
//! A build happens in a temporary directory of the cache and is renamed into place, so an entry is complete or absent.
//! A lock file per key makes a second process (or thread) wait for the first instead of building the same thing twice;
//! the operating system drops the lock with its owner, so a killed build blocks nobody. The next build removes what killed ones left.

pub use crate::places::cache_dir as default_dir;
use rustix::fs::{flock, FlockOperation};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// What the name of a folder begins with in which something is being built; its key and a random part follow.
const BUILD: &str = "build-";

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
    remove_left_over(dir, key);
    let work = tempfile::Builder::new().prefix(&format!("{BUILD}{key}.")).tempdir_in(dir)?;
    if let Err(e) = build(work.path()) {
        return Ok(Err(e));
    }
    std::fs::rename(work.path(), &entry)?;
    let _ = work.keep(); // nothing there any more to delete
    Ok(Ok(entry))
}

/// Removes the folders of builds that nobody works on any more, while the caller holds the lock of `own` and has no folder yet. A build
/// holds the lock of its key, which its folder's name tells: if another can take the lock, the build was killed. What cannot be removed
/// stays for another time.
fn remove_left_over(dir: &Path, own: &str) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some((key, _)) = name.to_str().and_then(|n| n.strip_prefix(BUILD)?.rsplit_once('.')) else { continue };
        let lock = open(&dir.join(format!("{key}.lock")));
        if key == own || lock.is_ok_and(|l| flock(&l, FlockOperation::NonBlockingLockExclusive).is_ok()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Waits for and takes the lock; it is released when the file is closed.
fn lock(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
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

    #[test]
    fn what_killed_builds_left_is_removed_and_what_is_being_built_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let folders = || {
            let names = std::fs::read_dir(dir.path()).unwrap().flatten().map(|e| e.file_name().into_string().unwrap());
            let mut names: Vec<_> = names.filter(|n| !n.ends_with(".lock")).collect();
            names.sort();
            names
        };
        for left in ["build-a.x1", "build-b.x2"] {
            std::fs::create_dir(dir.path().join(left)).unwrap();
            std::fs::write(dir.path().join(left).join("sim.o"), "half").unwrap();
        }
        get::<()>(dir.path(), "busy", |busy| {
            get::<()>(dir.path(), "a", |work| {
                assert!(busy.is_dir() && work.is_dir());
                Ok(())
            })
            .unwrap()
            .unwrap();
            assert!(busy.is_dir(), "the folder of a build that is under way");
            Ok(())
        })
        .unwrap()
        .unwrap();
        assert_eq!(folders(), ["a", "busy"]);
    }
}
