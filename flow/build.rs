//! Hashes of the libraries that the steps of a page run: a step is run again when a source of its library changed, and not for
//! every change of the program.

#[path = "build_sources.rs"]
mod sources;

use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// The libraries whose functions are steps, each with the variable that carries its hash into this crate.
const LIBRARIES: [(&str, &str); 4] = [
    ("ANSER_SOURCES_GOLDEN_MODEL", "golden-model"),
    ("ANSER_SOURCES_SIM_HARNESS", "sim-harness"),
    ("ANSER_SOURCES_ASIC", "asic"),
    ("ANSER_SOURCES_FPGA", "fpga"),
];

fn main() -> Result<()> {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crate_folder.parent().ok_or_else(|| Error::new(ErrorKind::NotFound, "the folder of the workspace"))?;
    for own in ["build.rs", "build_sources.rs"] {
        println!("cargo:rerun-if-changed={own}");
    }
    println!("cargo:rerun-if-changed={}", root.join("Cargo.toml").display());
    for (variable, library) in LIBRARIES {
        for folder in sources::crates(root, library)? {
            println!("cargo:rerun-if-changed={}", root.join(folder).display());
        }
        println!("cargo:rustc-env={variable}={}", sources::hash(root, library)?);
    }
    Ok(())
}
