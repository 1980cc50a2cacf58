//! The `anser` program from outside: what it prints, what it writes, what it refuses and how it says so.

mod accuracy;
mod all;
mod anywhere;
mod chat;
mod chip;
mod conversation;
mod delivery;
mod errors;
mod files;
mod fpga;
mod overlay;
mod pipes;
mod power;
mod quantise;
mod rtl_bench;
mod setup;
mod terminal;
mod tracking;
mod verbs;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A small byte-level network, quick in simulation.
const SMALL: &[&str] = &["--layers=2", "--embd=32", "--head-size=16", "--vocab=256", "--ffn=48", "--ranks=8,9,10,11"];

fn anser() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anser"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    anser().args(args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs to exit status 0 and gives standard output.
fn done(args: &[&str]) -> String {
    let out = run(args);
    assert_eq!(out.status.code(), Some(0), "anser {args:?}\n{}{}", text(&out.stdout), text(&out.stderr));
    text(&out.stdout)
}

/// Runs with `--json`: standard output is one line with one object, which is given.
fn json(args: &[&str]) -> Value {
    let out = done(&[args, &["--json"]].concat());
    assert!(out.ends_with('\n') && out.lines().count() == 1, "anser {args:?}: not one line:\n{out}");
    let value: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("anser {args:?}: {e}:\n{out}"));
    assert!(value.is_object(), "anser {args:?}: {out}");
    value
}

/// Runs to exit status 2 with one line on standard error, which holds all of `words`. Standard output is empty, or with `--json` one object
/// that says the same.
/// Usage errors are the argument parser's: they start with `error: ` and point to `--help`.
fn refused(args: &[&str], words: &[&str]) {
    for json in [&[][..], &["--json"]] {
        let args = [args, json].concat();
        let out = run(&args);
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "anser {args:?}\n{}{said}", text(&out.stdout));
        match json {
            [] => assert_eq!(text(&out.stdout), "", "anser {args:?}"),
            _ => {
                let object: Value =
                    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("anser {args:?}: {e}"));
                assert_eq!(object["status"], 2, "anser {args:?}: {object}");
                let error = object["error"].as_str().expect("a sentence");
                assert!(!error.contains('\n') && text(&out.stdout).lines().count() == 1, "anser {args:?}: {object}");
                let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(flat.contains(error), "anser {args:?}: {error}\n{flat}");
            }
        }
        let lines: Vec<&str> = said.lines().collect();
        match lines[..] {
            [line] => assert!(line.starts_with("anser: ") && line.len() < 400, "anser {args:?}\n{said}"),
            _ => assert!(said.starts_with("error: ") && lines.len() < 10, "anser {args:?}\n{said}"),
        }
        for word in words {
            assert!(said.contains(word), "anser {args:?}: `{word}` expected in\n{said}");
        }
        for noise in ["panicked", ".anser-", "Error {", "os error 0"] {
            assert!(!said.contains(noise), "anser {args:?}\n{said}");
        }
    }
}

/// Asserts that `value` has every one of `names`, which are separated by blanks.
fn has(value: &Value, names: &str) {
    for name in names.split(' ') {
        assert!(value.get(name).is_some(), "`{name}` expected in {value}");
    }
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("`{name}` is no number in {value}"))
}

/// The list of numbers called `name`.
fn list(value: &Value, name: &str) -> Vec<f64> {
    let list = value[name].as_array().unwrap_or_else(|| panic!("`{name}` is no list in {value}"));
    list.iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// A folder that goes when the test ends.
struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of `name` in the folder, as an argument.
    fn at(&self, name: &str) -> String {
        self.path().join(name).to_str().expect("UTF-8").into()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path().join(name), content).expect("a file");
        self.at(name)
    }

    /// A random checkpoint of the shape that `args` give.
    fn random(&self, name: &str, args: &[&str]) -> String {
        let path = self.at(name);
        done(&[&["random", "-o", &path], args].concat());
        path
    }

    fn small(&self) -> String {
        self.random("small.safetensors", SMALL)
    }

    /// A device that forgets what is written to it: one of its own, or that of the system where this user may make none and
    /// cannot replace it either.
    fn device(&self) -> String {
        let own = self.at("null");
        let made = Command::new("mknod").args([&own, "c", "1", "3"]).stderr(Stdio::null()).status();
        if made.is_ok_and(|s| s.success()) {
            own
        } else {
            "/dev/null".into()
        }
    }

    fn names(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.path()).expect("a folder").map(|f| f.expect("an entry").path()).collect()
    }
}
