//! Hashes of the libraries that the steps of `anser report all` run: a step is run again when a source of its library changed,
//! and not for every change of the program.

#[path = "build_sources.rs"]
mod sources;

use std::path::Path;

/// The libraries whose functions are steps, each with the variable that carries its hash into the program.
const LIBRARIES: [(&str, &str); 4] = [
    ("ANSER_SOURCES_GOLDEN_MODEL", "golden-model"),
    ("ANSER_SOURCES_SIM_HARNESS", "sim-harness"),
    ("ANSER_SOURCES_ASIC", "asic"),
    ("ANSER_SOURCES_FPGA", "fpga"),
];

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rerun-if-changed=build");
    for (variable, library) in LIBRARIES {
        for folder in sources::crates(root, library)? {
            println!("cargo:rerun-if-changed={folder}");
        }
        println!("cargo:rustc-env={variable}={}", sources::hash(root, library)?);
    }
    Ok(())
}
