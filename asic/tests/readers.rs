//! Damaged libraries and mapped modules are refused or read; they never bring the program down.

use asic::library::Cells;
use asic::netlist::Module;
use proptest::prelude::*;

const LIBRARY: &str = r#"library (tiny) {
  time_unit : "1ns"; voltage_unit : "1V"; leakage_power_unit : "1nW"; capacitive_load_unit (1, pf); nom_voltage : 1.0;
  cell (INV) { area : 1; pin (A) { direction : input; capacitance : 0.01; } pin (Y) { direction : output; function : "!A"; } }
  cell (BUF) { area : 2; pin (A) { direction : input; capacitance : 0.01; } pin (Y) { direction : output; function : "A"; } }
  cell (NAND) { area : 2; pin (A) { direction : input; } pin (B) { direction : input; } pin (Y) { direction : output; function : "!(A B)"; } }
  cell (DFF) { area : 5; ff (IQ, IQN) { clocked_on : "C"; next_state : "D"; } pin (C) { direction : input; clock : true; }
    pin (D) { direction : input; } pin (Q) { direction : output; function : "IQ"; } }
  cell (RM) { area : 9; memory () { type : ram; address_width : 4; word_width : 8; } pin (A_CLK) { direction : input; }
    bus (A_DOUT) { bus_type : d; direction : output; } bus (A_ADDR) { bus_type : a; direction : input; } }
}
"#;

const MODULE: &str = r#"{"ports": {"a": {"direction": "input", "bits": [2, "0"]}, "y": {"direction": "output", "bits": [3]}},
  "cells": {"g": {"type": "INV", "port_directions": {"A": "input", "Y": "output"}, "connections": {"A": [2], "Y": [3]}}},
  "netnames": {"a": {"hide_name": 0, "bits": [2]}, "n": {"hide_name": 1, "bits": [3]}}}"#;

/// Replaces some bytes and cuts a part out.
fn damage(text: &str, edits: &[(usize, u8)], cut: (usize, usize)) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (at, byte) in edits {
        let at = at % bytes.len();
        bytes[at] = *byte;
    }
    let from = cut.0 % bytes.len();
    let to = (from + cut.1 % 80).min(bytes.len());
    bytes.drain(from..to);
    bytes
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(b"(){}[];:,\"!' 019-.eA\n".to_vec()), any::<u8>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn libraries(edits in prop::collection::vec((any::<usize>(), byte()), 0..6), cut in any::<(usize, usize)>()) {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        std::fs::write(file.path(), damage(LIBRARY, &edits, cut)).expect("written");
        let _ = Cells::load(&[file.path().into()]);
    }

    #[test]
    fn mapped_modules(edits in prop::collection::vec((any::<usize>(), byte()), 0..4), cut in any::<(usize, usize)>()) {
        if let Ok(json) = serde_json::from_slice(&damage(MODULE, &edits, cut)) {
            if let Ok(module) = Module::from_json("m", &json) {
                module.verilog(&mut String::new());
            }
        }
    }
}

/// The samples are sound, but for the memory whose tables are missing.
#[test]
fn samples_are_read() {
    let file = tempfile::NamedTempFile::new().expect("temporary file");
    std::fs::write(file.path(), LIBRARY).expect("written");
    let message = Cells::load(&[file.path().into()]).expect_err("a memory without tables").to_string();
    assert!(message.ends_with("memory RM: its delay is missing"), "{message}");
    std::fs::write(file.path(), LIBRARY.replace("memory ()", "memories ()")).expect("written");
    assert_eq!(Cells::load(&[file.path().into()]).expect("a library").buffer.cell, "BUF");
    assert_eq!(Module::from_json("m", &serde_json::from_str(MODULE).expect("JSON")).expect("a module").cells.len(), 1);
}

#[test]
fn libraries_of_several_corners_are_refused() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let write = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let plain = LIBRARY.replace("memory ()", "memories ()");
    let files = [
        write("a.lib", plain.clone()),
        write("b.lib", plain.replace("tiny", "low").replace("nom_voltage : 1.0", "nom_voltage : 0.8")),
    ];
    let message = Cells::load(&files).expect_err("two corners").to_string();
    assert_eq!(
        message,
        "the libraries are of different corners: tiny (process 1, 1 V, 25 °C), low (process 1, 0.8 V, 25 °C); expected one process, voltage and temperature"
    );
}
