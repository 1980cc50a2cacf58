//! ARCHITECTURE.md is checked, not trusted: the paths it names exist and the crates depend only to the left.

use std::path::Path;

fn read(path: &str) -> String {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&full).unwrap_or_else(|e| panic!("{}: {e}", full.display()))
}

/// Words between backticks that look like paths of this repository.
fn named_paths(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|w| w.contains('/') && !w.contains(' ') && !w.contains(['<', '*']) && !w.starts_with("--")).collect()
}

/// The folders of the repository: what a path in a document begins with.
const ROOMS: [&str; 16] = [
    "asic",
    "configs",
    "docs",
    "explore",
    "flow",
    "fpga",
    "golden-model",
    "models",
    "power",
    "records",
    "reports",
    "rtl-gen",
    "scripts",
    "sim-harness",
    "src",
    "tests",
];

#[test]
fn every_path_in_the_documents_exists() {
    for document in ["ARCHITECTURE.md", "README.md", "docs/hardware.md", "docs/integer-step.md", "docs/fpga.md"] {
        let text = read(document);
        let missing: Vec<_> = named_paths(&text)
            .into_iter()
            .filter(|p| p.split('/').next().is_some_and(|room| ROOMS.contains(&room)))
            .filter(|p| !Path::new(env!("CARGO_MANIFEST_DIR")).join(p.trim_end_matches('/')).exists())
            .collect();
        assert!(missing.is_empty(), "{document} names paths that do not exist: {missing:?}");
    }
}

/// The crates of ARCHITECTURE.md's table, in its order.
fn table() -> Vec<String> {
    let text = read("ARCHITECTURE.md");
    let rows = text.lines().skip_while(|l| !l.starts_with("| crate |")).skip(2).take_while(|l| l.starts_with('|'));
    rows.filter_map(|row| Some(row.split('`').nth(1)?.to_string())).collect()
}

/// Names in the tables of `manifest` whose name ends with `dependencies`, those of tests included.
fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let tables = manifest.iter().filter(|(name, _)| name.ends_with("dependencies"));
    tables.filter_map(|(_, table)| table.as_table()).flat_map(|t| t.keys().cloned()).collect()
}

#[test]
fn crates_depend_only_on_crates_above_them_in_the_table() {
    let workspace: toml::Table = read("Cargo.toml").parse().expect("a manifest");
    let members = workspace["workspace"]["members"].as_array().expect("a list");
    let mut members: Vec<&str> = members.iter().filter_map(|m| m.as_str()).collect();
    members.push("anser");
    let table = table();
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    assert_eq!(
        sorted(table.clone()),
        sorted(members.iter().map(|m| m.to_string()).collect()),
        "the table of ARCHITECTURE.md and the members of the workspace"
    );
    for (i, name) in table.iter().enumerate() {
        let path = if name == "anser" { "Cargo.toml".into() } else { format!("{name}/Cargo.toml") };
        let manifest: toml::Table = read(&path).parse().expect("a manifest");
        for dependency in dependencies(&manifest).iter().filter(|d| table.contains(d)) {
            assert!(table[..i].contains(dependency), "{name} depends on {dependency}, which is not above it");
            let alone = ["records", "power", "reports"].contains(&name.as_str());
            assert!(!alone || dependency == "records", "{name} depends on {dependency}, expected records alone");
        }
    }
}

#[test]
fn below_the_quantiser_there_is_no_floating_point() {
    for file in [
        "network/integer_step.rs",
        "network/integer_math.rs",
        "network/shifts.rs",
        "arithmetic/vector_ops.rs",
        "arithmetic/recurrence.rs",
        "arithmetic/fixed.rs",
        "network/branch.rs",
        "network/clusters.rs",
    ] {
        let text = read(&format!("golden-model/src/{file}"));
        let code: Vec<_> = text
            .split("#[cfg(test)]")
            .next()
            .unwrap_or("")
            .lines()
            .filter(|l| !l.trim_start().starts_with("//"))
            .collect();
        for (i, line) in code.iter().enumerate() {
            assert!(!line.contains("f32") && !line.contains("f64"), "{file}, code line {i}: {line}");
        }
    }
}

#[test]
fn the_rtl_has_no_simulation_only_construct() {
    for config in ["nano", "wide", "edge"] {
        let text = read(&format!("configs/{config}.toml"));
        let config = rtl_gen::config::Config::parse(&text, config).expect("a configuration of the repository");
        let printed = rtl_gen::hdl::print(&rtl_gen::blocks::core::top(&config)).expect("distinct modules");
        for (file, text) in &printed.files {
            for bad in ["`ifdef", "`ifndef", "initial", "$display", "translate_off", "lint_off"] {
                assert!(!text.contains(bad), "{file} contains {bad}");
            }
        }
    }
}
