//! Conversations that are saved and resumed, texts that end, and what is said when a network has lost its meaning.

use super::files::Checkpoint;
use super::{anser, done, json, list, number, refused, run, text, Scratch};
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;

/// Runs with `input` on standard input. Returns exit status, standard output, standard error.
pub fn with_input(args: &[&str], input: &[u8]) -> (Option<i32>, Vec<u8>, String) {
    let mut command = anser();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
    let out = child.wait_with_output().expect("it ends");
    (out.status.code(), out.stdout, text(&out.stderr))
}

/// Asserts that a text that is cut after `first` of `all` tokens and resumed is the text in one piece. Returns the two records of the parts.
fn resumes(args: &[&str], (first, all): (u32, u32), scratch: &Scratch) -> [Value; 2] {
    let sampled = [args, &["--temperature", "1.3", "--top-p", "0.9"]].concat();
    let state = scratch.at("state");
    let part = |tokens: u32, more: &[&str]| {
        let tokens = tokens.to_string();
        json(&[&["generate"], &sampled[..], &["--tokens", &tokens], more].concat())
    };
    let whole = part(all, &["--prompt", "ab", "--seed", "5"]);
    let begun = part(first, &["--prompt", "ab", "--seed", "5", "--save-state", &state]);
    let rest = part(all - first, &["--state", &state]);
    assert_eq!(list(&whole, "tokens"), [list(&begun, "tokens"), list(&rest, "tokens")].concat(), "{args:?}");
    // more to read goes to the resumed conversation as to the whole one
    let more = part(3, &["--state", &state, "--prompt", "cd", "--seed", "1"]);
    let begun_again = part(first, &["--prompt", "ab", "--seed", "5", "--save-state", &state]);
    assert_eq!(begun, begun_again);
    assert_eq!(more, part(3, &["--state", &state, "--prompt", "cd", "--seed", "1"]));
    [begun, rest]
}

#[test]
fn software_resumes_a_conversation() {
    let scratch = Scratch::new();
    let model = scratch.small();
    for backend in ["float", "golden"] {
        resumes(&[&model, "--backend", backend], (7, 20), &scratch);
    }
}

#[test]
fn the_chip_resumes_a_conversation_from_its_memory() {
    let scratch = Scratch::new();
    let nano = std::fs::read_to_string("configs/nano.toml").expect("the configuration");
    on_the_chip(&scratch.file("memory.toml", nano.replace("[limits]", "state = \"memory\"\n[limits]")));
}

#[test]
fn the_chip_resumes_a_conversation_through_its_registers() {
    on_the_chip("nano");
}

fn on_the_chip(config: &str) {
    let scratch = Scratch::new();
    let model = scratch.small();
    let chip = ["--backend", "rtl", "--config", config];
    for part in resumes(&[&[model.as_str()], &chip[..]].concat(), (2, 5), &scratch) {
        assert!(number(&part, "mismatches") == 0.0 && number(&part, "values_checked") > 1000.0, "{part}");
    }
    // golden and the chip go on with each other's states
    let state = scratch.at("golden");
    let golden = ["generate", &model, "--backend", "golden", "--tokens", "2"];
    done(&[&golden[..], &["--prompt", "ab", "--save-state", &state]].concat());
    let on = |backend: &[&str]| {
        let args = [&["generate", &model, "--tokens", "2", "--state", &state], backend].concat();
        list(&json(&args), "tokens")
    };
    assert_eq!(on(&chip), on(&["--backend", "golden"]));
    let cosim = ["cosim", &model, "--config", config, "--prompt", "c", "--tokens", "1", "--stall", "0.2"];
    let told = json(&[&cosim[..], &["--state", &state, "--save-state", &scratch.at("cosim")]].concat());
    assert!(number(&told, "mismatches") == 0.0 && number(&told, "tokens") == 2.0, "{told}");
    let after = |state: &str| json(&["logits", &model, "--backend", "golden", "--tokens", "9", "--state", state]);
    assert_ne!(after(&state)["logits"], after(&scratch.at("cosim"))["logits"]);
}

#[test]
fn logits_and_eval_go_on_from_a_state() {
    let scratch = Scratch::new();
    let (model, state) = (scratch.small(), scratch.at("state"));
    for backend in ["float", "golden"] {
        let logits =
            |more: &[&str]| json(&[&["logits", &model, "--backend", backend], more].concat())["logits"].clone();
        let first = logits(&["--tokens", "7,8,9", "--save-state", &state]);
        assert_ne!(first, logits(&["--tokens", "10", "--state", &state]));
        assert_eq!(logits(&["--tokens", "7,8,9,10,11"]), logits(&["--tokens", "10,11", "--state", &state]));
        let words = scratch.file("words", "To be, or not to be");
        let eval = |more: &[&str]| json(&[&["eval", &model, "--backend", backend, "--text", &words], more].concat());
        let after = scratch.at("after");
        let cold = eval(&["--save-state", &after]);
        let warm = eval(&["--state", &after]);
        assert_ne!(cold["bits_per_token"], warm["bits_per_token"], "{backend}");
        if backend == "golden" {
            assert!(warm["kl"].is_null(), "float does not know a conversation in integers: {warm}");
        }
    }
}

#[test]
fn a_state_of_something_else_is_refused() {
    let scratch = Scratch::new();
    let (model, state) = (scratch.small(), scratch.at("state"));
    let generate = |model: &str, backend: &str, more: &[&str], words: &[&str]| {
        let args = ["generate", model, "--backend", backend, "--prompt=a", "--tokens=1"];
        refused(&[&args[..], more].concat(), words);
    };
    done(&["generate", &model, "--backend", "golden", "--prompt=a", "--tokens=1", "--save-state", &state]);
    generate(&model, "float", &["--state", &state], &["golden and rtl", "expected of the float backend"]);
    generate(&model, "golden", &["--state", &state, "--state-bits=20"], &["state_bits", "[24]", "[20]"]);
    generate(&model, "golden", &["--state", &state, "--weights=w4"], &["model", "expected"]);
    let other = scratch.random("other.safetensors", &[super::SMALL, &["--seed=9"]].concat());
    generate(&other, "golden", &["--state", &state], &["state", "expected"]);
    generate(&model, "golden", &["--state", &model], &["weights of a network", "expected a state"]);
    generate(&model, "golden", &["--state", &scratch.at("none")], &["none", "No such file"]);
    generate(&model, "golden", &["--save-state", "no/such/folder/f"], &["no/such/folder", "cannot be written"]);
    let args = ["generate", &model, "--backend=rtl", "--prompt=a", "--tokens=1", "--sessions=2", "--state", &state];
    refused(&args, &["nano", "keeps the state on the chip", "expected"]);
}

#[test]
fn a_text_ends_at_a_stop_text_and_a_prompt_comes_from_a_file_or_a_pipe() {
    let scratch = Scratch::new();
    let args = ["generate", "--backend", "golden", "--tokens", "120"];
    let whole = json(&[&args[..], &["--prompt", "ROMEO:"]].concat());
    let said = whole["text"].as_str().expect("a text");
    assert_eq!(whole["stopped"], "tokens");
    // a text that comes late and that tokens of one byte straddle
    let stop = &said[60..66];
    let cut = json(&[&args[..], &["--prompt", "ROMEO:", "--stop", stop, "--stop", "not in it"]].concat());
    let at = said.find(stop).expect("it is in the text");
    assert_eq!((cut["text"].as_str(), cut["stopped"].as_str()), (Some(&said[..at]), Some("stop text")));
    assert_eq!(list(&cut, "tokens").len(), at + stop.len());
    let shown = done(&[&args[..], &["--prompt", "ROMEO:", "--stop", stop]].concat());
    assert_eq!(shown, format!("ROMEO:{}\n", &said[..at]));
    // the same prompt from a file and from a pipe
    let file = scratch.file("prompt", "ROMEO:");
    assert_eq!(json(&[&args[..], &["--prompt-file", &file]].concat()), whole);
    let (status, out, _) = with_input(&[&args[..], &["--prompt-file", "-", "--json"]].concat(), b"ROMEO:");
    assert_eq!((status, serde_json::from_slice::<Value>(&out).expect("an object")), (Some(0), whole));
    let refused = |more: &[&str], words: &[&str]| refused(&[&args[..], more].concat(), words);
    refused(&[], &["no prompt", "--prompt-file"]);
    refused(&["--prompt-file", &scratch.at("none")], &["none", "No such file"]);
    refused(&["--prompt-file", "-"], &["--prompt-file -", "empty"]);
    refused(&["--prompt", "a", "--prompt-file", &file], &["--prompt-file"]);
    refused(&["--prompt", "a", "--stop", ""], &["--stop"]);
}

#[test]
fn a_world_model_stops_at_the_end_of_the_text() {
    let scratch = Scratch::new();
    let shape = ["--layers=1", "--embd=16", "--head-size=16", "--vocab=65536", "--ffn=16"];
    let model = scratch.random("w.safetensors", &shape);
    // a norm that is its bias gives token 0 the largest logit, whatever is read
    let mut ends = Checkpoint::read(&model);
    ends.fill("ln_out.weight", 0x0000);
    ends.fill("ln_out.bias", 0x3c00);
    ends.fill("head.weight", 0x0000);
    let model = scratch.file("ends.safetensors", ends.bytes());
    let told = json(&["generate", &model, "--backend", "float", "--prompt", "Hello", "--tokens", "9"]);
    assert_eq!((list(&told, "tokens"), told["text"].as_str()), (vec![0.0], Some("")));
    assert_eq!(told["stopped"], "end of text");
}

#[test]
fn logits_of_all_tokens_go_to_a_file_for_numpy() {
    let scratch = Scratch::new();
    let (model, path) = (scratch.small(), scratch.at("l.npy"));
    for backend in ["float", "golden"] {
        let args = ["logits", &model, "--backend", backend, "--tokens", "7,8,9"];
        let told = json(&[&args[..], &["--all", "-o", &path]].concat());
        assert_eq!((told["file"].as_str(), list(&told, "shape")), (Some(&path[..]), vec![3.0, 256.0]));
        let bytes = std::fs::read(&path).expect("the file");
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let words = text(&bytes[10..10 + header]);
        for word in ["'descr': '<f4'", "'fortran_order': False", "'shape': (3, 256)"] {
            assert!(words.contains(word), "{words}");
        }
        let numbers = bytes[10 + header..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let numbers: Vec<f64> = numbers.map(f64::from).collect();
        assert_eq!(numbers.len(), 3 * 256);
        for (i, row) in numbers.chunks(256).enumerate() {
            let tokens = ["7", "7,8", "7,8,9"][i];
            let one = list(&json(&["logits", &model, "--backend", backend, "--tokens", tokens]), "logits");
            assert!(row.iter().zip(&one).all(|(r, o)| (r - o).abs() <= 1e-6 * o.abs()), "{backend}, row {i}");
        }
    }
    refused(&["logits", &model, "--backend=float", "--tokens=1", "--all"], &["--output"]);
    refused(&["logits", &model, "--backend=float", "--tokens=1", "-o", &path], &["--all"]);
}

/// The kinds of the warnings in a record.
fn kinds(record: &Value) -> Vec<&str> {
    let all = record["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|w| w["kind"].as_str().expect("a kind")).collect()
}

#[test]
fn float_logits_that_are_no_numbers_are_a_warning() {
    let scratch = Scratch::new();
    let mut wild = Checkpoint::read(&scratch.small());
    // the largest number of 16 bits in r, k and v, whose product the bonus is, and in what multiplies that
    for name in
        ["ln1.bias", "att.receptance.weight", "att.key.weight", "att.value.weight", "att.r_k", "att.output.weight"]
    {
        wild.fill(&format!("blocks.0.{name}"), 0x7bff);
    }
    let model = scratch.file("wild.safetensors", wild.bytes());
    let args = ["generate", &model, "--backend", "float", "--prompt", "a", "--tokens", "2"];
    assert_eq!(kinds(&json(&args)), ["not_finite"]);
    let said = text(&run(&args).stderr);
    assert!(said.lines().count() == 1 && said.contains("warning") && said.contains("NaN or infinity"), "{said}");
    assert_eq!(kinds(&json(&["logits", &model, "--backend", "float", "--tokens", "1"])), ["not_finite"]);
    assert!(json(&["inspect", &model])["warnings"].is_null());
}

#[test]
fn a_network_that_lost_its_meaning_is_a_warning_and_strict_makes_it_fail() {
    let scratch = Scratch::new();
    let (small, image) = (scratch.small(), scratch.at("m.anser"));
    let mut faint = Checkpoint::read(&small);
    faint.fill("ln_out.weight", 0x0002); // 1.2e-7: less than half of the finest step of a parameter
    faint.fill("ln_out.bias", 0x0000);
    let faint = scratch.file("faint.safetensors", faint.bytes());
    let quantize = |model: &str, more: &[&str]| {
        let out = run(&[&["quantize", model, "-o", &image, "--json"], more].concat());
        (out.status.code(), serde_json::from_slice::<Value>(&out.stdout).expect("an object"), text(&out.stderr))
    };
    let (status, told, said) = quantize(&faint, &[]);
    assert_eq!((status, kinds(&told)), (Some(0), vec!["relative_error", "top1_agreement"]), "{told}");
    assert!(said.contains("warning: ln_out.weight") && number(&told, "top1_agreement") < 0.5, "{said}");
    assert_eq!(quantize(&faint, &["--strict"]).0, Some(1));
    let (status, told, _) = quantize(&small, &["--strict"]);
    assert!(status == Some(0) && kinds(&told).is_empty() && number(&told, "top1_agreement") > 0.8, "{told}");
    let eval = json(&["eval", &faint, "--backend", "golden", "--max-tokens", "40"]);
    assert!(kinds(&eval).contains(&"top1_agreement"), "{eval}");
}
