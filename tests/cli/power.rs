//! `report power`: the numbers are checked in `power`; here, what the command takes, prints, writes and refuses.

use super::{done, json, refused};

const TINY: &[&str] = &["report", "power", "--netlist=power/tests/tiny/tiny.v", "--liberty=power/tests/tiny/tiny.lib"];
const ACTIVITY: &[&str] = &["--vcd=power/tests/tiny/tiny.vcd", "--scope=bench.dut"];
const SDC: &str = "--sdc=power/tests/tiny/tiny.sdc";

#[test]
fn json_has_what_other_programs_rely_on() {
    let value = json(&[TINY, ACTIVITY, &[SDC]].concat());
    let watts = &value["watts"];
    let parts = ["sequential", "combinational", "clock", "macro", "pad"].map(|g| watts[g].as_f64().expect(g));
    let total = watts["total"].as_f64().expect("total");
    assert!(total > 0.0 && (parts.iter().sum::<f64>() / total - 1.0).abs() < 1e-12, "{watts}");
    for column in ["internal", "switching", "leakage", "total"] {
        assert!(value["groups"]["sequential"][column].as_f64().is_some_and(|w| w > 0.0), "{column}");
    }
    assert_eq!(value["annotated"], 0.8);
    assert_eq!(value["corner"]["voltage_v"], 2.0);
    assert_eq!(value["clocks"][0]["period_ns"], 10.0);
    assert_eq!(value["levels"]["L3"], 4);
}

#[test]
fn the_folder_has_every_instance() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let folder = dir.path().join("new");
    let text = done(&[TINY, ACTIVITY, &["-o", &folder.to_string_lossy()]].concat());
    assert!(text.contains("sequential") && text.lines().count() == 8, "{text}");
    let csv = std::fs::read_to_string(folder.join("instances.csv")).expect("written");
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(folder.join("power.json").is_file());
}

/// Tools are looked for first, and a failed command makes neither the folder it was to write to nor that of the cache.
#[test]
fn a_missing_tool_is_said_first_and_leaves_nothing() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (folder, cache) = (dir.path().join("new"), dir.path().join("cache"));
    for (verb, variable) in [("power", "ANSER_YOSYS"), ("asic", "ANSER_YOSYS"), ("asic", "ANSER_STA"), ("power", "CXX")]
    {
        let out = super::anser()
            .args(["report", verb, "--liberty", "nowhere.lib", "-o", &folder.to_string_lossy()])
            .env(variable, "/nowhere/tool")
            .env("ANSER_CACHE", &cache)
            .output()
            .expect("it runs");
        let message = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(2) && message.contains("/nowhere/tool"), "{verb} {variable}: {message}");
        assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 0, "{verb} {variable}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    refused(
        &[TINY, &["--vcd=power/tests/tiny/tiny.vcd", "--scope=bench.x"]].concat(),
        &["no scope bench.x", "bench.dut"],
    );
    refused(&[TINY, &["--vcd=nowhere.vcd", "--scope=bench"]].concat(), &["nowhere.vcd"]);
    refused(&[TINY, &["--scope=bench"]].concat(), &["--vcd", "--saif"]);
    refused(&[TINY, ACTIVITY, &["--saif=x"]].concat(), &["cannot be used with"]);
    refused(&[TINY, ACTIVITY, &["--spef=power/tests/tiny/tiny.sdc", "--sdc=nowhere.sdc"]].concat(), &["nowhere.sdc"]);
}
