//! A step of `report all` is run again when any source of its library changes: of the library's own crate and of every crate
//! below it.

#[path = "../flow/build_sources.rs"]
mod sources;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The manifests and sources of the whole workspace, somewhere else.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files: Vec<PathBuf> = vec![root().join("Cargo.toml")];
    for library in ["asic", "fpga", "explore", "flow"] {
        files.extend(sources::files(root(), library).expect("the sources of the project"));
    }
    for file in files {
        let to = folder.path().join(file.strip_prefix(root()).expect("a path of the project"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        std::fs::copy(&file, to).expect("copied");
    }
    folder
}

fn hashes(root: &Path) -> [String; 4] {
    ["golden-model", "sim-harness", "asic", "fpga"].map(|library| sources::hash(root, library).expect("hashed"))
}

#[test]
fn a_touched_source_changes_the_keys_of_the_steps_above_it() {
    let folder = copy();
    let mut before = hashes(folder.path());
    assert_eq!(before, hashes(root()), "a copy is as good as the original");
    for (file, changed) in [
        ("golden-model/src/quantise/options.rs", [true, true, true, true]),
        ("records/src/latency.rs", [true, true, true, true]),
        ("rtl-gen/src/isa.rs", [false, true, true, true]),
        ("sim-harness/src/session.rs", [false, true, true, true]),
        ("power/src/lib.rs", [false, false, true, false]),
        ("asic/src/map.rs", [false, false, true, false]),
        ("fpga/src/build.rs", [false, false, false, true]),
        ("fpga/rtl/ulx3s.lpf", [false, false, false, true]),
        ("fpga/Cargo.toml", [false, false, false, true]),
        ("reports/src/page.rs", [false; 4]),
        ("explore/src/cycles.rs", [false; 4]),
        ("flow/src/job.rs", [false; 4]),
    ] {
        let path = folder.path().join(file);
        let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
        std::fs::write(&path, [&text[..], b"\n"].concat()).expect("written");
        let after = hashes(folder.path());
        let found: Vec<bool> = before.iter().zip(&after).map(|(b, a)| b != a).collect();
        assert_eq!(found, changed, "{file}: golden-model, sim-harness, asic, fpga");
        before = after;
    }
}

#[test]
fn tests_are_no_part_of_a_library() {
    let files = sources::files(root(), "asic").expect("the sources of the project");
    assert!(files.iter().any(|f| f.ends_with("sim-harness/src/chip.rs")));
    assert!(!files.iter().any(|f| f.components().any(|c| c.as_os_str() == "tests")), "{files:?}");
}
