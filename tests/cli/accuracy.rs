//! `report accuracy`: its figures are tested in `golden-model`, its page in `reports`; here, what it takes, prints, writes and refuses.

use super::{done, has, json, number, refused, Scratch};
use serde_json::Value;

const FEW: &str = "--max-tokens=256";

fn point(record: &Value, weights: &str, operand_bits: u64, state_bits: u64) -> Value {
    let of = |p: &&Value| {
        let s = &p["setting"];
        s["weights"] == weights && s["operand_bits"] == operand_bits && s["state_bits"] == state_bits
    };
    let grid = record["grid"].as_array().expect("grid");
    grid.iter().find(of).unwrap_or_else(|| panic!("no {weights} {operand_bits} {state_bits} in {record}")).clone()
}

#[test]
fn json_has_what_other_programs_rely_on() {
    let scratch = Scratch::new();
    let (small, page) = (scratch.small(), scratch.at("page.html"));
    let text = scratch.file("text.txt", "the quick brown fox jumps over the lazy dog; ".repeat(4));
    let arguments = ["report", "accuracy", &small, "--text", &text, FEW, "--calibrate", &text, "-o", &page];
    let record = json(&arguments);
    has(
        &record,
        "schema_version model text text_tokens calibration float default grid taps tensors drift command date",
    );
    assert_eq!(record["grid"].as_array().map(Vec::len), Some(4 * 5 + 4 * 6));
    has(
        &record["grid"][0],
        "setting bits_per_token bits_per_byte loss_percent kl kl_se top1_agreement logit_error saturations",
    );
    let kl = |w: &str, o: u64, s: u64| number(&point(&record, w, o, s), "kl");
    let wide = kl("w16", 16, 32);
    assert!(wide < kl("w8", 16, 24) && kl("w8", 16, 24) < kl("w8", 8, 24) && kl("w4", 16, 24) > kl("w8", 16, 24));
    assert!(record["grid"].as_array().expect("grid").iter().all(|p| number(p, "kl") >= wide * 0.99));
    has(
        &record["taps"]["taps"][0],
        "layer name bits frac_bits limit min max p1 p50 p99 p99_9 headroom_bits at_rail relative_error",
    );
    has(&record["tensors"][0], "name bits frac_bits limit min max headroom_bits relative_error");
    assert_eq!(record["drift"]["n_tokens"], 256);
    assert_eq!(record["text_tokens"], 180);
    let drift = &record["drift"]["runs"][0];
    has(drift, "setting bins states");
    assert_eq!(drift["states"].as_array().map(Vec::len), Some(9));
    let html = std::fs::read_to_string(&page).expect("a page");
    assert!(html.contains("</html>") && html.contains("small.safetensors"));
    // the page can be made again from the record
    let again = records::accuracy::AccuracyRecord::from_json(&record.to_string(), "record").expect("a record");
    assert_eq!(reports::accuracy::accuracy_page(&again).expect("a page"), html);
}

#[test]
fn lines_for_people() {
    let scratch = Scratch::new();
    let small = scratch.small();
    let text = done(&["report", "accuracy", &small, FEW]);
    assert_eq!(text.lines().count(), 1 + 3 * 5 + 3 * 6, "{text}");
    assert!(text.starts_with("weights") && text.contains("w16"), "{text}");
}

#[test]
fn what_cannot_be_studied_is_refused() {
    let scratch = Scratch::new();
    let (small, image) = (scratch.small(), scratch.at("m.anser"));
    done(&["quantize", &small, "-o", &image]);
    let report = |more: &[&str], words: &[&str]| refused(&[&["report", "accuracy"], more].concat(), words);
    report(&[&image], &["integers only", "checkpoint"]);
    let odd = scratch.random("odd.safetensors", &["--layers=1", "--embd=32", "--head-size=16", "--vocab=50"]);
    report(&[&odd], &["a vocabulary of 50", "text"]);
    let short = scratch.file("short.txt", "too short");
    report(&[&small, "--text", &short], &["short.txt", "9 tokens", "at least 64"]);
    report(&[&small, "--max-tokens=10"], &["--max-tokens", "64"]);
    report(&[&small, "--calibrate", "nowhere.txt", FEW], &["nowhere.txt"]);
    report(&[&small, "-o", &scratch.at("")], &["is a folder"]);
}
