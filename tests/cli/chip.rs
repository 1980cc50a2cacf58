//! The verbs that print or simulate the chip. Configuration `nano` throughout: one simulator, and one that writes waveforms.

use super::{done, has, json, list, number, run, text, Scratch};
use std::path::Path;

#[test]
fn the_chip_generates_what_golden_does() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let args = ["generate", &model, "--prompt", "ab", "--tokens", "3", "--temperature", "1", "--seed", "4"];
    let golden = json(&[&args[..], &["--backend", "golden"]].concat());
    let rtl = json(&[&args[..], &["--backend", "rtl"]].concat());
    has(&rtl, "prompt_tokens tokens text backend cycles_per_token mismatches values_checked");
    assert_eq!((&rtl["tokens"], &rtl["text"]), (&golden["tokens"], &golden["text"]));
    assert_eq!(list(&rtl, "prompt_tokens"), [97.0, 98.0]);
    let cycles = list(&rtl, "cycles_per_token");
    assert!(cycles.len() == 5 && cycles.iter().all(|c| *c == cycles[0] && *c > 100.0), "{rtl}");
    assert!(number(&rtl, "mismatches") == 0.0 && number(&rtl, "values_checked") > 1000.0, "{rtl}");
    let sparse = json(&[&args[..], &["--backend", "rtl", "--skip-columns"]].concat());
    assert_eq!((&rtl["tokens"], &rtl["mismatches"]), (&sparse["tokens"], &sparse["mismatches"]));
    let sum = |told: &serde_json::Value, name| list(told, name).iter().sum::<f64>();
    assert!(sum(&sparse, "skipped_columns") > 0.0 && sum(&rtl, "skipped_columns") == 0.0, "{sparse}");
    assert!(sum(&sparse, "bytes_per_token") < sum(&rtl, "bytes_per_token"), "{sparse}");
    let out = run(&["generate", &model, "--backend=rtl", "--prompt-tokens=97", "--tokens=1"]);
    assert!(out.stdout.starts_with(b"a") && text(&out.stderr).contains("0 mismatches"), "{}", text(&out.stderr));
}

/// The folder's group norm has another epsilon than the official network's.
#[test]
fn the_chip_has_the_epsilon_of_a_hugging_face_folder() {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/golden-model/tests/fixtures/forms/hugging-face");
    assert_eq!(number(&json(&["inspect", model]), "group_norm_eps"), 8e-5);
    let seen = json(&["cosim", model, "--config=nano", "--prompt=1 2 3", "--tokens=3", "--stall=0.2"]);
    assert!(number(&seen, "mismatches") == 0.0 && number(&seen, "values_checked") > 10_000.0, "{seen}");
}

#[test]
fn an_image_says_what_its_checkpoint_says() {
    let scratch = Scratch::new();
    let (model, image) = (scratch.small(), scratch.at("m.anser"));
    let words = scratch.file("words.txt", "The quick brown fox jumps over the lazy dog.");
    for calibrate in [&[][..], &["--calibrate", &words], &["--weights=w4"]] {
        done(&[&["quantize", &model, "-o", &image], calibrate].concat());
        let of = |model: &str, backend, more: &[&str]| {
            json(&[&["logits", model, "--backend", backend, "--tokens", "5,0,255"], more].concat())["logits"].clone()
        };
        let golden = of(&model, "golden", calibrate);
        assert_eq!(of(&image, "golden", &[]), golden);
        assert_eq!(of(&image, "rtl", &[]), golden);
        assert_eq!(of(&model, "rtl", calibrate), golden);
        let args = ["--backend", "golden", "--prompt", "ab", "--tokens", "8"];
        let text =
            |model: &str, more: &[&str]| json(&[&["generate", model], &args[..], more].concat())["tokens"].clone();
        assert_eq!(text(&image, &[]), text(&model, calibrate));
    }
    for backend in ["golden", "rtl"] {
        let told = json(&["eval", &image, "--backend", backend, "--text", &words, "--max-tokens", "4"]);
        assert!(told["kl"].is_null() && told["top1_agreement"].is_null(), "an image has no float twin: {told}");
        assert!(number(&told, "bits_per_token") > 0.0, "{told}");
    }
}

#[test]
fn eval_on_the_chip_is_eval_on_golden() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let of = |backend| {
        let mut told = json(&["eval", &model, "--backend", backend, "--max-tokens", "4"]);
        told["backend"] = "any".into();
        let fields = told.as_object_mut().expect("an object");
        // golden alone tells what it read and what it skipped
        fields.retain(|name, _| !name.contains("bytes_per_token") && name != "zero_columns");
        told
    };
    assert_eq!(of("golden"), of("rtl"));
}

#[test]
fn cosim_counts_what_it_compares() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let cosim =
        |more: &[&str]| json(&[&["cosim", &model, "--config=nano", "--prompt=ab", "--tokens=1"], more].concat());
    let calm = cosim(&[]);
    has(&calm, "ops_checked values_checked mismatches cycles seed");
    assert!(number(&calm, "ops_checked") > 100.0 && number(&calm, "values_checked") > 1000.0, "{calm}");
    assert_eq!(list(&calm, "cycles_per_token").iter().sum::<f64>(), number(&calm, "cycles"));
    let stalled = cosim(&["--stall", "0.2", "--seed", "7"]);
    assert_eq!(stalled["seed"], 7);
    assert_eq!(stalled["values_checked"], calm["values_checked"]);
    assert_eq!((&stalled["mismatches"], &calm["mismatches"]), (&0.into(), &0.into()));
    assert!(number(&stalled, "cycles") > number(&calm, "cycles"), "stalls were not felt");
    assert_eq!(cosim(&["--stall", "0.2", "--seed", "7"]), stalled, "a seed is one run");
    assert_ne!(cosim(&["--stall", "0.2", "--seed", "8"])["cycles"], stalled["cycles"]);
    assert!(done(&["cosim", &model, "--prompt=ab", "--tokens=0"]).contains("2 tokens"), "the prompt alone");
}

#[test]
fn a_trace_is_an_fst_file() {
    let scratch = Scratch::new();
    let (model, trace) = (scratch.small(), scratch.at("wave.fst"));
    json(&["cosim", &model, "--prompt=a", "--tokens=0", "--trace", &trace]);
    let bytes = std::fs::read(&trace).expect("the waveform");
    // a header block (type 0) of 329 bytes
    assert_eq!(bytes[..9], [0, 0, 0, 0, 0, 0, 0, 1, 73]);
    assert!(bytes.len() > 10_000, "{} bytes", bytes.len());
}

#[test]
fn bench_of_the_chip_tells_cycles() {
    let scratch = Scratch::new();
    let told = json(&["bench", &scratch.small(), "--backend", "rtl", "--tokens", "2"]);
    for name in ["tokens_per_s", "cycles_per_token", "simulated_cycles_per_s"] {
        assert!(number(&told, name) > 0.0, "{told}");
    }
}

#[test]
fn the_latency_report_is_a_page_and_two_records() {
    let scratch = Scratch::new();
    let (model, folder) = (scratch.small(), scratch.at("report"));
    let told = json(&["report", "latency", &model, "--config", "nano", "-o", &folder]);
    let utilisation = number(&told, "utilisation");
    assert!(utilisation > 0.05 && utilisation < 1.0, "{told}");
    let read = |name| std::fs::read_to_string(Path::new(&folder).join(name)).expect("a file of the report");
    let page = read("index.html");
    assert!(page.contains("<svg") && page.contains("</html>") && page.contains("small.safetensors"));
    let summary: serde_json::Value = serde_json::from_str(&read("summary.json")).expect("JSON");
    assert_eq!(summary["cycles_per_token"], told["cycles_per_token"]);
    let record: serde_json::Value = serde_json::from_str(&read("latency.json")).expect("JSON");
    assert_eq!(record["cycles_per_token"], told["cycles_per_token"]);
    assert_eq!(json(&["bench", &model, "--backend=rtl", "--tokens=1"])["cycles_per_token"], told["cycles_per_token"]);
}

/// Manifest, file list, folder and what is printed agree.
fn check_rtl(folder: &str, told: &serde_json::Value) -> Vec<String> {
    has(told, "files top config");
    let read = |name: &str| std::fs::read_to_string(Path::new(folder).join(name)).expect("a file of the design");
    let manifest: serde_json::Value = serde_json::from_str(&read("manifest.json")).expect("JSON");
    assert_eq!(&manifest, told);
    let names = |list: &serde_json::Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|f| f.as_str().expect("a name").into()).collect()
    };
    let (files, sources) = (names(&told["files"]), names(&told["sources"]));
    assert_eq!(read("files.f").lines().collect::<Vec<_>>(), sources);
    // the RTL comes first, and every file is there once
    assert_eq!(files[..sources.len()], sources);
    let deliverables: Vec<_> = told["deliverables"].as_array().expect("a list").iter().map(|d| &d["file"]).collect();
    assert_eq!(files[sources.len()..].iter().collect::<Vec<_>>(), deliverables);
    let mut data = [names(&told["registers"]), vec!["manifest.json".into()]].concat();
    assert_eq!(data[..3], ["registers.rdl", "registers.h", "registers.py"]);
    if told.get("program").is_some() {
        data.extend(names(&told["program"]["code"]));
        data.extend(names(&told["bench"]["data"]));
        data.extend([&told["program"]["image"], &told["bench"]["file"]].map(|f| f.as_str().expect("a name").into()));
    }
    let mut listed = [files.clone(), data].concat();
    listed.sort();
    listed.dedup();
    let mut there = vec![];
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder").map(|e| e.expect("an entry").path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => there.push(entry.strip_prefix(folder).expect("inside").to_str().expect("UTF-8").to_string()),
            }
        }
    }
    there.sort();
    assert_eq!(there, listed);
    // what is text for a tool says its licence; lists of names and data of a model do not
    for file in files.iter().filter(|f| !f.ends_with(".f")) {
        let start: String = read(file).lines().take(3).collect();
        assert!(start.contains("SPDX-License-Identifier: Apache-2.0"), "{file}");
    }
    let files = sources;
    let top = told["top"].as_str().expect("a name");
    assert!(files.iter().any(|f| *f == format!("{top}.sv")), "{top}");
    for file in &files {
        let name = file.trim_end_matches(".sv");
        let what = if name.ends_with("_pkg") { "package" } else { "module" };
        assert!(read(file).contains(&format!("{what} {name}")), "{file} holds no {what} of its name");
    }
    files
}

#[test]
fn rtl_writes_what_it_lists() {
    let scratch = Scratch::new();
    let folder = scratch.at("new/rtl");
    for config in ["nano", "wide"] {
        let folder = scratch.at(config);
        let told = json(&["rtl", "--config", config, "-o", &folder]);
        assert_eq!(told["config"]["name"], config);
        check_rtl(&folder, &told);
        assert!(told.get("program").is_none() && !Path::new(&folder).join("image.bin").exists());
        // the reset value of CONFIG is this configuration's own, and every file says it
        let read = |name: &str| std::fs::read_to_string(Path::new(&folder).join(name)).expect("a file of registers");
        let config = rtl_gen::config::Config::load(Path::new(&format!("configs/{config}.toml")));
        let fingerprint = config.expect("a configuration of the project").fingerprint();
        let value = format!("0x{fingerprint:08x}");
        assert!(read("registers.rdl").contains(&format!("FINGERPRINT[31:0] = 0x{fingerprint:x};")), "{value}");
        assert!(read("registers.h").contains(&format!("#define ANSER_CONFIG_FINGERPRINT_RESET {value}u")), "{value}");
        assert!(read("registers.py").contains(&format!("\nCONFIG_FINGERPRINT_RESET = {value}\n")), "{value}");
    }
    let other = scratch.at("other");
    let told = json(&["rtl", "--config=wide", "--prefix=wide_", "-o", &other]);
    assert!(check_rtl(&other, &told).iter().all(|f| f.starts_with("wide_")), "{told}");
    let model = scratch.small();
    let told = json(&["rtl", &model, "--config=nano", "-o", &folder]);
    assert!(check_rtl(&folder, &told).iter().all(|f| f.starts_with("anser_")), "{told}");
    let image = Path::new(&folder).join(told["program"]["image"].as_str().expect("a name"));
    let image = std::fs::read(image).expect("the image");
    assert!(!image.is_empty() && image.len().is_multiple_of(64));
    let code = told["program"]["code"].as_array().expect("a list");
    assert_eq!(code.len(), 4);
    for name in code {
        let hex = std::fs::read_to_string(Path::new(&folder).join(name.as_str().expect("a name"))).expect("a program");
        assert!(!hex.is_empty() && hex.lines().all(|w| w.len() == 8 && u32::from_str_radix(w, 16).is_ok()), "{name}");
    }
    // the same bytes as bus words, the first one lowest, and all else that the bench reads
    let beats = std::fs::read_to_string(Path::new(&folder).join("image.hex")).expect("the image");
    let bytes =
        beats.lines().flat_map(|b| (0..16).rev().map(|i| u8::from_str_radix(&b[2 * i..][..2], 16).expect("hex")));
    assert!(bytes.eq(image.iter().copied()));
    let data = told["bench"]["data"].as_array().expect("a list");
    assert!(data.iter().all(|name| Path::new(&folder).join(name.as_str().expect("a name")).is_file()), "{told}");
    // the stream of the image file is what quantize writes
    let file = scratch.at("m.anser");
    done(&["quantize", &model, "-o", &file]);
    assert!(std::fs::read(file).expect("the image").ends_with(&image));
}
