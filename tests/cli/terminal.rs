//! What a person sees: the program runs in a pseudo-terminal, and a terminal emulator tells what stands on the screen at the end.

use super::{anser, json, text, Scratch};
use rustix::pty::{grantpt, openpt, ptsname, unlockpt, OpenptFlags};
use rustix::termios::{tcsetwinsize, Winsize};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Stdio;

const ROWS: NonZeroU16 = NonZeroU16::new(40).unwrap();
const COLUMNS: NonZeroU16 = NonZeroU16::new(100).unwrap();

/// Runs `args` to exit status 0 with standard output and standard error on one terminal. Returns all bytes the terminal got.
fn on_a_terminal(args: &[&str]) -> Vec<u8> {
    on_a_terminal_with(args, b"")
}

/// Runs as [`on_a_terminal`] does, with `keys` typed there if there are any.
pub fn on_a_terminal_with(args: &[&str], keys: &[u8]) -> Vec<u8> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("its other side");
    let name = ptsname(&master, vec![]).expect("a name").into_string().expect("UTF-8");
    let size = Winsize { ws_row: ROWS.get(), ws_col: COLUMNS.get(), ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).expect("a size");
    let open = || Stdio::from(File::options().read(true).write(true).open(&name).expect("the terminal"));
    let mut command = anser();
    command.args(args).env("TERM", "xterm").stdout(open()).stderr(open());
    if !keys.is_empty() {
        command.stdin(open());
    }
    let mut child = command.spawn().expect("the program starts");
    drop(command); // or this process would keep the terminal open
    (&File::from(master.try_clone().expect("the terminal once more"))).write_all(keys).expect("a terminal takes keys");
    let (mut master, mut bytes, mut some) = (File::from(master), vec![], [0; 4096]);
    // reading fails when the program, the last to hold the other side, has ended
    while let Ok(n @ 1..) = master.read(&mut some) {
        bytes.extend(&some[..n]);
    }
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0), "anser {args:?}\n{}", text(&bytes));
    bytes
}

/// The lines of a screen after `bytes`.
pub fn screen(bytes: &[u8]) -> Vec<String> {
    let mut terminal = vt100::Parser::new(ROWS, COLUMNS, 0);
    terminal.process(bytes);
    terminal.screen().contents().lines().map(str::to_string).collect()
}

/// The bytes in a record's list `name`, which are tokens.
fn bytes_of(record: &Value, name: &str) -> Vec<u8> {
    record[name].as_array().expect("a list").iter().map(|t| t.as_u64().expect("a byte") as u8).collect()
}

/// Asserts that the screen after `args` begins with `prompt` and the tokens of the same run with `--json`, undisturbed.
fn shows_all(args: &[&str], prompt: &str) {
    let record = json(args);
    let mut whole = [prompt.as_bytes().to_vec(), bytes_of(&record, "tokens")].concat();
    whole.retain(|b| !b.is_ascii_control() || *b == b'\n');
    let whole = text(&whole).replace('\n', "\r\n");
    let seen = on_a_terminal(args);
    // what an untrained model writes may hold control characters, which are shown as one sign
    let shown: Vec<String> = screen(&seen).iter().map(|line| line.replace('\u{fffd}', "")).collect();
    let expected: Vec<String> = screen(whole.as_bytes()).iter().map(|line| line.replace('\u{fffd}', "")).collect();
    let raw = text(&seen).escape_debug().to_string();
    assert!(shown.starts_with(&expected), "anser {args:?}\nexpected {expected:#?}\nshown {shown:#?}\nwritten {raw}");
}

#[test]
fn software_writes_its_text_undisturbed() {
    for backend in ["golden", "float"] {
        let args = ["generate", "--backend", backend, "--prompt", "ROMEO:", "--tokens", "160"];
        shows_all(&args, "ROMEO:");
    }
}

#[test]
fn the_simulated_chip_writes_its_text_undisturbed() {
    let scratch = Scratch::new();
    let model = scratch.small();
    shows_all(&["generate", &model, "--backend", "rtl", "--prompt", "The", "--tokens", "24"], "The");
}

#[test]
fn the_simulated_board_writes_its_text_undisturbed() {
    let scratch = Scratch::new();
    let model = scratch.small();
    shows_all(&["fpga", "simulate", &model, "--prompt", "The", "--tokens", "6"], "The");
}

#[test]
fn the_bar_stands_on_the_terminal_while_the_prompt_is_read_and_elsewhere_to_the_end() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let args = ["generate", &model, "--backend", "rtl", "--prompt", "The", "--tokens", "3"];
    assert!(text(&on_a_terminal(&args)).contains("reading the prompt"));
    assert!(text(&on_a_terminal(&[&args[..], &["--json"]].concat())).contains("tokens ░"));
}
