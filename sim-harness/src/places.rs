//! Where the program finds what it needs. One rule holds for tools, for the project's own files and for the cache:
//!
//! 1. the environment variable of the thing (`ANSER_VERILATOR_ROOT`, `ANSER_YOSYS`, `ANSER_CACHE`, …): what it names is taken, and
//!    nothing else if that is not there;
//! 2. the project around the current folder: the nearest folder upwards that holds `.anser` or the project's sources;
//! 3. what came with the program: configurations, models and texts are part of it, and tools and cache are those in `.anser` of the
//!    folder in which it was built, while that folder exists;
//! 4. what the system has: programs on `PATH`, the user's cache folder.
//!
//! This is why an installed program works from any folder. `scripts/setup` puts the tools into `.anser`.

use std::path::{Path, PathBuf};

/// Folder of a project that holds tools and cache, and is no part of the sources.
const OWN: &str = ".anser";

/// The value of an environment variable, if it is set and not empty.
pub fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from)
}

/// The projects around the current folder, nearest first.
fn projects() -> Vec<PathBuf> {
    let current = std::env::current_dir().unwrap_or_default();
    let is_project = |d: &&Path| d.join(OWN).is_dir() || d.join("sim-harness/Cargo.toml").is_file();
    current.ancestors().filter(is_project).map(Path::to_path_buf).collect()
}

/// The folders that may hold tools and cache, in the order of the rule.
pub fn own_folders() -> Vec<PathBuf> {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|d| d.join(OWN)).filter(|d| d.is_dir());
    projects().into_iter().map(|d| d.join(OWN)).chain(built_in).collect()
}

/// The file `name`, a path relative to the project's folder, in the nearest project around the current folder that has it.
pub fn project_file(name: &str) -> Option<PathBuf> {
    projects().into_iter().map(|d| d.join(name)).find(|p| p.is_file())
}

/// The folder of finished builds, which need not exist yet.
pub fn cache_dir() -> PathBuf {
    if let Some(dir) = variable("ANSER_CACHE") {
        return std::path::absolute(&dir).unwrap_or(dir); // tools run in other folders
    }
    if let Some(dir) = own_folders().into_iter().map(|d| d.join("cache")).find(|d| may_be_written(d)) {
        return dir;
    }
    match (variable("XDG_CACHE_HOME"), variable("HOME")) {
        (Some(cache), _) => cache.join("anser"),
        (None, Some(home)) => home.join(".cache/anser"),
        (None, None) => std::env::temp_dir().join("anser"),
    }
}

/// Whether files can be written in `dir`, or in the folder where it would be made.
fn may_be_written(dir: &Path) -> bool {
    let there = dir.ancestors().find(|d| d.is_dir());
    there.is_some_and(|d| tempfile::tempfile_in(d).is_ok())
}

/// The file that the name of a command stands for.
pub fn on_path(name: impl AsRef<Path>) -> Option<PathBuf> {
    all_on_path(name).into_iter().next()
}

/// Every file that the name of a command could stand for, in the order of `PATH`.
pub fn all_on_path(name: impl AsRef<Path>) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let executable = |p: &PathBuf| p.is_file() && rustix::fs::access(p, rustix::fs::Access::EXEC_OK).is_ok();
    let absolute = |p: PathBuf| std::path::absolute(&p).unwrap_or(p);
    std::env::split_paths(&path).map(|d| absolute(d.join(&name))).filter(executable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_files_are_found_from_a_folder_inside_it() {
        assert!(project_file("configs/nano.toml").is_some_and(|p| p.is_file()), "tests run in the crate's folder");
        assert_eq!(project_file("configs/no-such.toml"), None);
    }

    #[test]
    fn a_folder_that_does_not_exist_may_be_written_where_it_would_be_made() {
        let dir = tempfile::tempdir().unwrap();
        assert!(may_be_written(&dir.path().join("a/b")));
        assert!(!may_be_written(Path::new("/proc/no-such/cache")));
    }
}
