//! An installed program works from any folder, in an environment that says nothing.

use super::{json, text, Scratch};
use serde_json::Value;
use std::process::Command;

/// Runs the program in the empty folder of `scratch` with no variable but `PATH`; gives exit status, standard output and standard error.
fn bare(scratch: &Scratch, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anser"));
    command.current_dir(scratch.path()).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    let out = command.args(args).output().expect("the program starts");
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn from_an_empty_folder_the_program_does_what_it_does_in_the_project() {
    let scratch = Scratch::new();
    for args in [
        &["generate", "--backend", "golden", "--prompt", "ROMEO:", "--tokens", "12", "--json"][..],
        &["generate", "--backend", "rtl", "--config", "nano", "--prompt", "R", "--tokens", "2", "--json"],
        &["eval", "--backend", "golden", "--max-tokens", "20", "--json"],
        &["inspect", "--json"],
    ] {
        let (code, out, said) = bare(&scratch, args);
        assert_eq!(code, Some(0), "anser {args:?}\n{said}");
        let there: Value = serde_json::from_str(&out).expect("one object");
        assert_eq!(there, json(&args[..args.len() - 1]), "anser {args:?}");
    }
    assert!(scratch.names().is_empty(), "nothing is left behind: {:?}", scratch.names());
}

#[test]
fn a_command_that_fails_leaves_no_folder() {
    let scratch = Scratch::new();
    for args in [
        &["rtl", "none.safetensors", "-o", "new/rtl"][..],
        &["rtl", "--config", "none", "-o", "new/rtl"],
        &["explore", "none.safetensors", "-o", "new/explore"],
        &["report", "latency", "none.safetensors", "-o", "new/latency"],
        &["report", "asic", "--liberty", "none.lib", "-o", "new/asic"],
        &["report", "all", "none.safetensors", "-o", "new/all"],
        &["report", "tracking", "none.safetensors", "-o", "new/tracking.html"],
        &["quantize", "none.safetensors", "-o", "new/model.anser"],
        &["fpga", "build", "--board", "none", "-o", "new/build"],
        &["fpga", "simulate", "none.safetensors", "--prompt", "a", "--tokens", "1", "-o", "new/simulation"],
        &["fpga", "estimate", "--part", "none", "-o", "new/estimate"],
    ] {
        let (code, _, said) = bare(&scratch, args);
        assert_eq!(code, Some(2), "anser {args:?}\n{said}");
        assert!(scratch.names().is_empty(), "anser {args:?} left {:?}", scratch.names());
    }
}
