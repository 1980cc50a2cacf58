//! `report all`: what it takes, what it keeps, and what it says when a step cannot run.

use super::{anser, refused, run, text, Scratch};
use serde_json::Value;
use std::process::Output;

/// The JSON of a run and its exit status.
fn report(args: &[&str], variables: &[(&str, &str)]) -> (Value, Option<i32>) {
    let out: Output =
        anser().args(["report", "all", "--json"]).args(args).envs(variables.iter().copied()).output().expect("starts");
    let printed = text(&out.stdout);
    let value =
        serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{args:?}: {e}: {printed}{}", text(&out.stderr)));
    (value, out.status.code())
}

fn state<'a>(report: &'a Value, step: &str) -> &'a str {
    let steps = report["steps"].as_array().expect("steps");
    steps.iter().find(|s| s["name"] == step).and_then(|s| s["state"].as_str()).expect("a state")
}

#[test]
fn bad_arguments_are_refused_before_any_work() {
    let scratch = Scratch::new();
    let out = scratch.at("report");
    refused(&["report", "all", "--only=latency,speed", "-o", &out], &["speed", "latency", "power"]);
    refused(&["report", "all", "nowhere.safetensors", "-o", &out], &["nowhere.safetensors"]);
    let broken = scratch.file("broken.safetensors", "no model");
    refused(&["report", "all", &broken, "-o", &out], &["broken.safetensors"]);
    refused(&["report", "all", "--config=none", "-o", &out], &["none", "nano"]);
    refused(&["report", "all", "-o", &scratch.file("file", "")], &["is a file"]);
    refused(&["report", "all", "--place-and-route", "--fpga-build=x", "-o", &out], &["cannot be used with"]);
}

#[test]
fn a_missing_tool_is_named_with_its_cure_and_the_page_says_it_is_incomplete() {
    let scratch = Scratch::new();
    let (out, model) = (scratch.at("report"), scratch.small());
    let nothing = [("ANSER_YOSYS", "/nowhere/yosys"), ("ANSER_STA", "/nowhere/sta")];
    let (report, status) = report(&[&model, "--only=asic,xck26", "-o", &out], &nothing);
    assert_eq!(status, Some(2), "{report}");
    assert_eq!(report["complete"], false);
    assert_eq!(
        [state(&report, "asic"), state(&report, "xck26"), state(&report, "power")],
        ["missing", "missing", "left_out"]
    );
    let why =
        report["steps"].as_array().expect("steps").iter().find(|s| s["name"] == "asic").expect("asic")["why"].clone();
    assert!(why.as_str().is_some_and(|w| w.contains("scripts/setup")), "{why}");
    let page = std::fs::read_to_string(scratch.path().join("report/index.html")).expect("a page");
    assert!(page.contains("This page is incomplete") && page.contains("/nowhere/yosys"));
    assert!(!scratch.path().join("report/asic.json").exists());
}

#[test]
fn nothing_was_run_and_nothing_is_made_up() {
    let scratch = Scratch::new();
    let (out, model) = (scratch.at("report"), scratch.small());
    let (report, status) = report(&[&model, "--no-run", "-o", &out], &[]);
    assert_eq!((status, &report["complete"]), (Some(0), &Value::Bool(false)));
    assert_eq!(state(&report, "latency"), "missing");
    assert!(report["headline"].as_object().expect("numbers").values().take(8).any(Value::is_null), "{report}");
}

#[test]
fn a_first_page_shows_the_committed_run() {
    let scratch = Scratch::new();
    let out = scratch.at("report");
    let (report, status) = report(&["--no-run", "-o", &out], &[("ANSER_CACHE", scratch.at("cache").as_ref())]);
    assert_eq!(status, Some(0), "{report}");
    for step in ["latency", "accuracy", "asic", "power", "xck26", "lfe5u-85f"] {
        assert!(["stale", "unchanged"].contains(&state(&report, step)), "{step}: {report}");
    }
    assert!(report["headline"]["cycles_per_token"].as_u64().is_some_and(|c| c > 100_000), "{report}");
    let page = std::fs::read_to_string(scratch.path().join("report/index.html")).expect("a page");
    assert!(page.contains("This page is out of date"), "old figures are said to be old");
}

#[test]
fn a_step_is_run_again_only_if_its_inputs_changed() {
    let scratch = Scratch::new();
    let out = scratch.at("report");
    // a seed of its own: no other test has cached these networks
    let shape = ["--layers=1", "--embd=32", "--head-size=16", "--vocab=256"];
    let seed = std::process::id();
    let one = scratch.random("m.safetensors", &[&shape[..], &[&format!("--seed={seed}")]].concat());
    let steps = ["--only=accuracy", "--max-tokens=64", "-o", &out];
    let run = |model: &str, more: &[&str]| {
        let (value, status) = report(&[&[model], &steps[..], more].concat(), &[]);
        assert_eq!(status, Some(0), "{value}");
        (state(&value, "accuracy").to_string(), value["complete"].as_bool())
    };
    assert_eq!(run(&one, &[]), ("made".into(), Some(true)));
    assert_eq!(run(&one, &[]), ("unchanged".into(), Some(true)));
    assert_eq!(
        run(&one, &["--config=wide"]),
        ("unchanged".into(), Some(true)),
        "the configuration is not an input of this step"
    );
    let two =
        scratch.random("m.safetensors", &[&shape[..], &[&format!("--seed={}", u64::from(seed) + 1_000_000)]].concat());
    assert_eq!(run(&two, &["--no-run"]), ("stale".into(), Some(false)));
    let page = std::fs::read_to_string(scratch.path().join("report/index.html")).expect("a page");
    assert!(page.contains("This page is out of date") && page.contains("inputs have changed"));
    assert_eq!(run(&two, &[]), ("made".into(), Some(true)));
    // a record that somebody damaged is not believed
    let kept = scratch.path().join("report/accuracy.json");
    std::fs::write(&kept, "{}").expect("written");
    assert_eq!(run(&two, &["--no-run"]), ("unchanged".into(), Some(true)), "the cache has it still");
    // a step that cannot run is a failure although an older record is there: an image has no floats to compare with
    let image = scratch.at("m.anser");
    super::done(&["quantize", &two, "-o", &image]);
    let (value, status) = report(&[&[image.as_str()], &steps[..]].concat(), &[]);
    assert_eq!((status, state(&value, "accuracy"), value["complete"].as_bool()), (Some(2), "stale", Some(false)));
    let said = super::run(&[&["report", "all", &image], &steps[..]].concat()).stdout;
    let said = text(&said);
    assert!(said.starts_with("incomplete or out of date"), "{said}");
}

#[test]
fn an_image_has_no_floats_to_compare_with() {
    let scratch = Scratch::new();
    let (model, image, out) = (scratch.small(), scratch.at("m.anser"), scratch.at("report"));
    super::done(&["quantize", &model, "-o", &image]);
    let out = run(&["report", "all", &image, "--only=accuracy", "-o", &out]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("image holds integers only"), "{}", text(&out.stderr));
}
