//! `fpga overlay` and `fpga bus`: the Python package for a board drives the simulated chip. Its tests lie in `fpga/pynq/tests`.

use super::{anser, done, json, refused, text, Scratch};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The Python of `scripts/setup`, which has NumPy; `ANSER_PYTHON` names another one.
fn python() -> PathBuf {
    let named = std::env::var_os("ANSER_PYTHON").filter(|v| !v.is_empty()).map(PathBuf::from);
    let python = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".anser/venv/bin").join("python3"));
    let numpy = Command::new(&python).args(["-c", "import numpy"]).output();
    let works = numpy.as_ref().is_ok_and(|out| out.status.success());
    assert!(works, "{} has no numpy, expected one: run scripts/setup ({numpy:?})", python.display());
    python
}

/// A package for `config` with the model `checkpoint`, in a folder.
struct Package {
    folder: String,
    config: String,
    checkpoint: String,
}

impl Package {
    fn new(scratch: &Scratch, name: &str, config: &str, checkpoint: &str) -> Self {
        let folder = scratch.at(name);
        done(&["fpga", "overlay", checkpoint, "--board", "kv260", "--config", config, "-o", &folder]);
        Package { folder, config: config.into(), checkpoint: checkpoint.into() }
    }

    /// Runs the tests of a file, or some of them, such as `test_chip.Errors`.
    fn passes(&self, tests: &[&str], more: &[(&str, &str)]) {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(python());
        command.current_dir(here.join("fpga/pynq/tests")).args(["-B", "-m", "unittest"]).args(tests);
        command.env("PYTHONPATH", &self.folder).env("ANSER", env!("CARGO_BIN_EXE_anser"));
        command.env("ANSER_PYNQ_CONFIG", &self.config).env("ANSER_PYNQ_CHECKPOINT", &self.checkpoint);
        command.env("ANSER_PYNQ_MODEL", format!("{}/model", self.folder)).envs(more.iter().copied());
        let out = command.stdin(Stdio::null()).output().expect("Python starts");
        let said = text(&out.stderr);
        assert!(out.status.success(), "{tests:?} on {}\n{}{said}", self.config, text(&out.stdout));
        assert!(said.contains("OK") && !said.contains("Ran 0 tests"), "{said}");
    }
}

fn project(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file).display().to_string()
}

/// `nano` with some lines changed or added in front of its sections.
fn config(scratch: &Scratch, name: &str, lines: &str, limits: &str) -> String {
    let nano = std::fs::read_to_string(project("configs/nano.toml")).expect("a configuration");
    let (head, rest) = nano.split_once("[limits]").expect("a section");
    scratch.file(name, format!("{head}{lines}\n[limits]\n{limits}\n{rest}"))
}

/// The built-in model under random stalls, by interrupt and by polling. `ANSER_PYNQ_SEEDS` and `ANSER_PYNQ_TOKENS` make it longer.
#[test]
fn the_python_driver_writes_the_programs_text_on_the_simulated_chip() {
    let scratch = Scratch::new();
    Package::new(&scratch, "nano", "nano", &project("models/shakespeare.safetensors"))
        .passes(&["test_chip.Text.test_the_text_is_that_of_the_program_under_stalls"], &[]);
}

/// Everything else about tokens, on a small network: logits, sampling, conversations, and what is refused or goes wrong.
#[test]
fn the_python_driver_reads_logits_and_names_errors() {
    let scratch = Scratch::new();
    Package::new(&scratch, "nano", "nano", &scratch.small()).passes(&["test_chip"], &[("ANSER_PYNQ_TOKENS", "6")]);
}

#[test]
fn the_python_driver_works_with_sessions_and_states() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let cases = [
        ("port", "state_port = true", ""),
        ("memory", "state = \"memory\"", "state_fifo_beats = 64"),
        ("slots", "state = \"memory\"\nsessions = 2", "state_fifo_beats = 256"),
    ];
    for (name, lines, limits) in cases {
        let config = config(&scratch, &format!("{name}.toml"), lines, limits);
        Package::new(&scratch, name, &config, &model).passes(&["test_sessions"], &[]);
    }
}

#[test]
fn the_python_package_encodes_text_as_the_program_does() {
    let scratch = Scratch::new();
    let shape = ["--layers=1", "--embd=32", "--head-size=16", "--vocab=65536", "--ffn=48", "--ranks=8,9,10,11"];
    let world = scratch.random("world.safetensors", &shape);
    let package = Package::new(&scratch, "world", "nano", &world);
    let model = format!("{}/model", package.folder);
    let encodings = project("golden-model/tests/fixtures/world_encodings.json");
    package.passes(&["test_text"], &[("ANSER_PYNQ_WORLD", &model), ("ANSER_PYNQ_ENCODINGS", &encodings)]);
}

#[test]
fn an_overlay_is_written_or_refused() {
    let scratch = Scratch::new();
    let (out, model) = (scratch.at("out"), scratch.small());
    refused(&["fpga", "overlay", "--board", "zcu9", "-o", &out], &["zcu9", "expected kv260"]);
    refused(&["fpga", "overlay", "--config", "none-such", "-o", &out], &["none-such"]);
    refused(&["fpga", "overlay", &scratch.at("none.pth"), "-o", &out], &["none.pth"]);
    refused(&["fpga", "overlay", &model, "--value", "w4", "-o", &out], &["--value"]);
    assert!(!Path::new(&out).exists(), "nothing was written");
    let written = json(&["fpga", "overlay", &model, "--config", "nano", "-o", &out]);
    assert_eq!((&written["model"]["tokenizer"], &written["model"]["vocabulary"]), (&"bytes".into(), &256.into()));
    for file in written["package"].as_array().expect("a list") {
        assert!(Path::new(&out).join(file.as_str().expect("a name")).is_file(), "{file}");
    }
}

/// The protocol of `fpga bus`, from a program that makes mistakes.
#[test]
fn what_the_simulated_bus_cannot_do_is_said() {
    refused(&["fpga", "bus", "--config", "none-such"], &["none-such"]);
    let mut child = anser()
        .args(["fpga", "bus", "--config", "nano"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let (mut requests, mut answers) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let mut ask = |kind: u8, a: u64, b: u64, data: &[u8]| {
        let request = [&[kind], &a.to_le_bytes()[..], &b.to_le_bytes(), data].concat();
        requests.write_all(&request).expect("written");
        let mut head = [0; 9];
        answers.read_exact(&mut head).expect("an answer");
        let value = u64::from_le_bytes(head[1..].try_into().expect("eight bytes"));
        let mut said = vec![0; if head[0] == 2 || kind == b'G' { value as usize } else { 0 }];
        answers.read_exact(&mut said).expect("the rest");
        (head[0], value, text(&said))
    };
    assert_eq!(ask(b'R', 0, 0, b"").1, 0x414E_5352, "register ID");
    assert_eq!(ask(b'R', 0x7FC, 0, b"").0, 1, "no register is there, so the chip refuses");
    assert!(ask(b'R', 0x1_0000, 0, b"").2.contains("expected one of 12 bits"));
    let memory = ask(b'A', 100, 0, b"").1;
    assert!(memory > u64::from(u32::MAX) && memory % 4096 == 0, "{memory:#x}");
    assert_eq!(ask(b'P', memory + 4, 3, b"abc").0, 0);
    assert_eq!(ask(b'G', memory + 5, 2, b"").2, "bc");
    for (at, n) in [(memory - 1, 2), (memory + 127, 2), (memory + 4096, 1), (u64::MAX, 1), (memory, u64::MAX)] {
        assert!(ask(b'G', at, n, b"").2.contains("not within one piece"), "{at:#x} {n}");
    }
    for bytes in [0, u64::MAX, 1 << 40] {
        assert!(ask(b'A', bytes, 0, b"").2.contains("expected 1 to"), "{bytes}");
    }
    assert!(ask(b'?', 0, 0, b"").2.contains("'?'"));
    assert_eq!(ask(b'I', 100, 0, b"").1, 0, "no interrupt comes");
    drop((requests, answers));
    assert!(child.wait().expect("its status").success(), "it ends when nobody asks any more");
}
