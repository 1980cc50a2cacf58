//! A reader that leaves is no error; a disk that is full is one.

use super::{anser, text, Scratch};
use std::io::Read;
use std::process::Stdio;

/// Starts `args`, reads one byte of standard output, closes it and gives exit status and standard error.
fn read_one_byte(args: &[&str]) -> (Option<i32>, String) {
    let mut child = anser().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_exact(&mut [0]).expect("a byte");
    drop(stdout);
    let out = child.wait_with_output().expect("it ends");
    (out.status.code(), text(&out.stderr))
}

#[test]
fn generate_stops_when_nobody_reads_any_more() {
    let scratch = Scratch::new();
    let model = scratch.small();
    // hours, if it went on
    let args = ["generate", &model, "--backend", "golden", "--prompt", "a", "--tokens", "4000000000"];
    assert_eq!(read_one_byte(&args), (Some(0), String::new()));
}

#[test]
fn a_long_result_may_be_cut() {
    let scratch = Scratch::new();
    let args = ["--layers=1", "--embd=16", "--head-size=16", "--vocab=65536", "--ffn=16"];
    let model = scratch.random("w.safetensors", &args);
    assert_eq!(read_one_byte(&["logits", &model, "--backend", "float", "--tokens", "1"]), (Some(0), String::new()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_and_a_lost_error_no_panic() {
    let full = || Stdio::from(std::fs::File::create("/dev/full").expect("the full device"));
    let out = anser().arg("inspect").stdout(full()).output().expect("it starts");
    assert_eq!(out.status.code(), Some(2));
    assert_eq!(text(&out.stderr), "anser: standard output: No space left on device (os error 28)\n");
    let status = anser().args(["inspect", "no/such/file"]).stderr(full()).status().expect("it starts");
    assert_eq!(status.code(), Some(2));
}
