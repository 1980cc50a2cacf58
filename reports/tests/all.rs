//! The page of everything: what is there is shown with its source, what is not there is said, and nothing is made up.

mod common;

use common::{hand_made, well_formed};
use records::all::{AllRecord, Headline, State, Step, SCHEMA_VERSION};
use records::fpga::{FpgaEstimateRecord, Resource};
use reports::all::{headline, page, published::PUBLISHED, Records};
use serde_json::json;

fn asic() -> records::asic::AsicRecord {
    let block = |path: &str, depth: usize, logic: f64, memory: f64| json!({"path": path, "module": "m", "depth": depth, "logic_um2": logic, "memory_um2": memory, "n_cells": 10});
    let value = json!({
        "schema_version": 1, "config": "toy", "top": "top", "libraries": ["x.lib"],
        "corner": {"library": "xlib", "operating_conditions": null, "process": 1.0, "voltage_v": 1.2, "temperature_c": 25.0},
        "clock_mhz": 100.0,
        "area": {"total_um2": 4e6, "logic_um2": 1e6, "memory_um2": 3e6, "sequential_um2": 4e5, "gate_equivalents": 1e5,
                 "nand2_um2": 10.0, "n_cells": 1000, "n_flip_flops": 300, "memory_bits": 4096},
        "blocks": [block("top", 0, 1e6, 3e6), block("core", 1, 1e6, 3e6), block("core.mat", 2, 6e5, 0.0),
                   block("core.mat.lane", 3, 5e5, 0.0), block("core.wkv", 2, 3e5, 3e6), block("core.wkv.state", 3, 1e4, 3e6)],
        "modules": [], "cells": {}, "memories": [],
        "memory_model": {"kind": "macros", "text": "macros", "parameters": null},
        "timing": {"fmax_mhz": 80.0, "slack_ns": -2.5, "paths": [{"slack_ns": -2.5, "period_ns": 12.5, "start": "core.mat.a_q",
            "start_module": "mat", "end": "core.mat.b_q", "end_module": "mat", "setup_ns": 0.1, "n_cells": 9,
            "stages": [{"module": "mat", "instance": "core.mat", "n_cells": 9, "delay_ns": 12.4, "buffers": 1}]}]},
        "tools": {"yosys": "0"}, "notes": [], "command": "anser report asic", "date": "d", "git_revision": null});
    serde_json::from_value(value).expect("an ASIC record")
}

fn power() -> records::power::PowerRecord {
    let causes = json!({"internal": 0.05, "switching": 0.03, "leakage": 0.02, "total": 0.1});
    let block = |path: &str, depth: usize, logic: f64, memory: f64| json!({"path": path, "depth": depth, "logic_w": logic, "memory_w": memory, "total_w": logic + memory});
    let value = json!({
        "schema_version": 1, "config": "toy", "model": "hand", "n_params": 5000, "libraries": ["x.lib"],
        "corner": {"library": "xlib", "operating_conditions": null, "process": 1.0, "voltage_v": 1.2, "temperature_c": 25.0},
        "clock_mhz": 100.0, "level": "L2: toggles of the netlist, no wires", "annotated": 1.0, "n_nets": 2000, "n_instances": 1000,
        "watts": {"sequential": 0.06, "combinational": 0.03, "clock": 0.0, "macro": 0.01, "total": 0.1},
        "groups": {"sequential": causes, "combinational": causes, "clock": causes, "macro": causes, "total": causes},
        "blocks": [block("top", 0, 0.09, 0.01), block("core", 1, 0.09, 0.01), block("core.mat", 2, 0.06, 0.0), block("core.wkv", 2, 0.02, 0.01)],
        "memories": [], "memory_model": {"kind": "macros", "text": "macros", "parameters": null},
        "tokens": 1, "warm_up": 1, "sample": "a text", "cycles_per_token": 1000.0, "seconds_per_token": 1e-5, "j_per_token": 1e-6,
        "pj_per_parameter": 200.0,
        "external": {"bytes_per_token": 9600, "pj_per_bit": 20.0, "pj_per_bit_low": 3.9, "pj_per_bit_high": 40.0,
                     "j_per_token": 1.5e-6, "j_per_token_low": 3e-7, "j_per_token_high": 3e-6, "source": "a paper"},
        "replay": {"tokens": 1, "cycles": 1000, "values_compared": 20, "mismatches": 0, "first": [], "seconds": 1.0},
        "replay_verilator": null, "values_compared_with_golden": 100, "tools": {}, "notes": [], "command": "anser report power",
        "date": "d", "git_revision": null});
    serde_json::from_value(value).expect("a power record")
}

fn estimate() -> FpgaEstimateRecord {
    let resource = |name: &str, used| Resource { name: name.into(), what: "things".into(), used, available: 100.0 };
    let mut e = FpgaEstimateRecord {
        schema_version: 1,
        part: "p1".into(),
        part_title: "a part".into(),
        part_source: "a sheet".into(),
        config: "toy".into(),
        resources: vec![resource("LUT", 20.0), resource("RAM", 61.0)],
        fits: false,
        fullest: String::new(),
        fullest_share: 0.0,
        units: vec![],
        yosys: "0".into(),
        command: "anser fpga estimate".into(),
        date: "d".into(),
        git_revision: None,
    };
    e.judge();
    e
}

fn step(name: &str, state: State, why: Option<&str>) -> Step {
    let there = matches!(state, State::Made | State::Unchanged | State::Stale);
    Step {
        name: name.into(),
        title: format!("Title of {name}"),
        state,
        file: there.then(|| format!("{name}.json")),
        page: there.then(|| format!("{name}.html")),
        command: format!("anser report {name} --json"),
        made: None,
        seconds: None,
        inputs: None,
        why: why.map(Into::into),
    }
}

fn whole() -> (AllRecord, Records) {
    let records = Records {
        latency: Some(hand_made()),
        accuracy: None,
        asic: Some(asic()),
        power: Some(power()),
        parts: vec![("p1".into(), estimate())],
        build: None,
    };
    let all = AllRecord {
        schema_version: SCHEMA_VERSION,
        model: "hand <made>".into(),
        config: "toy".into(),
        complete: true,
        steps: ["latency", "asic", "power", "p1"].map(|n| step(n, State::Made, None)).to_vec(),
        headline: headline(&records).expect("numbers"),
        command: "anser report all".into(),
        date: "d".into(),
        git_revision: None,
    };
    (all, records)
}

/// What a link on the page leads to.
fn links(html: &str) -> Vec<&str> {
    html.split("href=\"").skip(1).filter_map(|s| s.split('"').next()).collect()
}

#[test]
fn the_first_numbers_are_the_records() {
    let (all, _) = whole();
    let h = &all.headline;
    assert_eq!((h.cycles_per_token, h.tokens_per_s), (Some(1000), Some(100_000.0)));
    assert_eq!((h.fmax_mhz, h.tokens_per_s_at_fmax), (Some(80.0), Some(80_000.0)));
    assert_eq!((h.logic_mm2, h.memory_mm2), (Some(1.0), Some(3.0)));
    assert_eq!((h.watts, h.j_per_token, h.mismatches), (Some(0.1), Some(1e-6), Some(0)));
    assert_eq!(h.loss_percent, None, "a step without a record has no number");
}

#[test]
fn a_whole_page_stands_alone_and_every_link_leads_somewhere() {
    let (all, records) = whole();
    let html = page(&all, &records).expect("a page");
    well_formed(&html);
    for bad in ["<script", "src=", "@import", "url("] {
        assert!(!html.contains(bad), "{bad} in the page");
    }
    let files =
        ["all.json", "latency.json", "asic.json", "power.json", "p1.json", "latency.html", "asic.html", "power.html"];
    for link in links(&html) {
        let here = link.strip_prefix('#').is_some_and(|id| html.contains(&format!("id=\"{id}\"")));
        assert!(here || files.contains(&link) || link.starts_with("https://"), "{link} leads nowhere");
    }
    for word in
        ["hand &lt;made&gt;", "100,000", "100 mW", "anser report power --json", "core.mat", "61.0 %", "simulated"]
    {
        assert!(html.contains(word) || html.replace("</span> <span class=\"unit\">", " ").contains(word), "no {word}");
    }
    assert!(!html.contains("class=\"banner\""), "nothing is wrong with this page");
}

#[test]
fn what_is_missing_or_stale_stands_on_top() {
    let (mut all, mut records) = whole();
    records.power = None;
    all.steps[1] = step("asic", State::Stale, Some("its inputs have changed"));
    all.steps[2] = step("power", State::Missing, Some("sta not found; install it with: apt-get"));
    all.complete = false;
    all.headline = headline(&records).expect("numbers");
    let html = page(&all, &records).expect("a page");
    well_formed(&html);
    let banner = html.find("This page is incomplete").expect("a banner");
    assert!(banner < html.find("tokens/s").expect("numbers"), "first of all");
    assert!(html.contains("install it with: apt-get") && html.contains("its inputs have changed"));
    assert!(!html.contains("power.json"), "no link to a record that is not there");
    all.steps.remove(2);
    assert!(page(&all, &records).expect("a page").contains("This page is out of date"));
}

#[test]
fn nothing_at_all_is_a_page_too() {
    let (mut all, _) = whole();
    all.steps = vec![step("latency", State::Missing, Some("no compiler")), step("power", State::LeftOut, None)];
    all.complete = false;
    all.headline = Headline::default();
    let html = page(&all, &Records::default()).expect("a page");
    well_formed(&html);
    assert!(html.contains("no compiler") && html.contains("this step has no record"));
}

#[test]
fn a_mismatch_is_said_on_top() {
    let (mut all, mut records) = whole();
    records.latency.as_mut().expect("there").mismatches = Some(3);
    all.headline = headline(&records).expect("numbers");
    assert!(page(&all, &records).expect("a page").contains("A comparison failed"));
}

#[test]
fn every_published_number_has_a_source_and_a_nature() {
    for p in PUBLISHED {
        assert!(p.url.starts_with("https://") && !p.source.is_empty() && !p.nature.is_empty(), "{}", p.name);
    }
    let by_name = |n: &str| PUBLISHED.into_iter().find(|p| p.name == n).expect("listed");
    assert_eq!(by_name("TeLLMe v2").j_per_token(), Some(0.2));
    assert!((by_name("TerEffic, on chip").j_per_token().expect("a quotient") - 1.0 / 455.0).abs() < 1e-15);
    assert_eq!(by_name("HFRWKV").j_per_token(), None);
}
