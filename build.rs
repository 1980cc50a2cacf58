//! Hashes of the sources that bear on a figure, for `anser report all`: a step is run again when its own sources changed, and
//! not for every change of the program.
//!
//! What the RTL generator and the quantiser give is hashed at run time (RTL, image, programs), so their sources are not here.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Name of each hash, and the files and folders in it.
const GROUPS: [(&str, &[&str]); 5] = [
    ("ANSER_SOURCES_ACCURACY", &["golden-model/src", "src/cli/accuracy.rs", "reports/src/accuracy/record.rs"]),
    (
        "ANSER_SOURCES_LATENCY",
        &["golden-model/src", "sim-harness/src", "src/cli/latency.rs", "src/cli/chip.rs", "reports/src/record.rs"],
    ),
    ("ANSER_SOURCES_ASIC", &["asic/src", "power/src", "src/cli/asic.rs"]),
    ("ANSER_SOURCES_POWER", &["golden-model/src", "sim-harness/src", "src/cli/chip_power.rs", "src/cli/chip.rs"]),
    ("ANSER_SOURCES_FPGA", &["fpga/src/estimate.rs", "src/cli/estimate.rs", "reports/src/fpga.rs"]),
];

fn main() -> std::io::Result<()> {
    for (name, paths) in GROUPS {
        let mut hash = Sha256::new();
        for path in paths {
            println!("cargo:rerun-if-changed={path}");
            for file in files(Path::new(path))? {
                let text = std::fs::read(&file)?;
                hash.update(file.to_string_lossy().as_bytes());
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
            }
        }
        let hex: String = hash.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect();
        println!("cargo:rustc-env={name}={hex}");
    }
    Ok(())
}

/// Every file at or below `path`, in order.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.into()]);
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort();
    let mut all = vec![];
    for entry in entries {
        all.extend(files(&entry)?);
    }
    Ok(all)
}
