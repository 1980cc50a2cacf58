//! `anser chat`: lines from a pipe and from a terminal, commands, and the state between them.

use super::conversation::with_input;
use super::terminal::{on_a_terminal_with, screen};
use super::{text, Scratch};
use serde_json::Value;

/// Says `lines` to the model and gives the answers, one text a line that was said.
fn answers(args: &[&str], lines: &str) -> Vec<String> {
    let (status, out, said) = with_input(&[&["chat"], args, &["--json"]].concat(), lines.as_bytes());
    assert_eq!(status, Some(0), "{}{said}", text(&out));
    let record: Value = serde_json::from_slice(&out).expect("one object");
    let turns = record["turns"].as_array().expect("a list");
    turns.iter().map(|t| t["text"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn a_pipe_says_lines_and_the_state_is_kept() {
    let scratch = Scratch::new();
    let model = scratch.small();
    for backend in ["golden", "float"] {
        let args = [&model, "--backend", backend, "--tokens", "12", "--temperature", "1", "--seed", "2"];
        let both = answers(&args, "hello\n\nand you\r\n");
        assert_eq!(both.len(), 2, "an empty line says nothing");
        assert_eq!(both, answers(&args, "hello\nand you"));
        assert_ne!(both[1], answers(&args, "and you\n")[0], "it remembers what was said");
        // without --json the answers stand on standard output, a line end behind each
        let (_, out, said) = with_input(&[&["chat"], &args[..]].concat(), b"hello\nand you\n");
        assert_eq!(text(&out).replace('\u{fffd}', ""), format!("{}\n{}\n", both[0], both[1]).replace('\u{fffd}', ""));
        assert_eq!(said, "");
    }
}

#[test]
fn commands_reset_save_and_load() {
    let scratch = Scratch::new();
    let (model, state) = (scratch.small(), scratch.at("s"));
    let args = [model.as_str(), "--tokens", "12"];
    let one = answers(&args, "hello\nand you\n");
    let again = answers(&args, "hello\n/reset\nhello\nand you\n/quit\nnever said\n");
    assert_eq!(again, [one[0].clone(), one[0].clone(), one[1].clone()]);
    let saved = answers(&args, &format!("hello\n/save {state}\nsomething else\n/load {state}\nand you\n"));
    assert_eq!((&saved[0], &saved[2]), (&one[0], &one[1]));
    // a conversation goes on in another run of the program
    let kept = scratch.at("kept");
    answers(&[&args[..], &["--save-state", &kept]].concat(), "hello\n");
    assert_eq!(answers(&[&args[..], &["--state", &kept]].concat(), "and you\n"), one[1..]);
    // two slashes say one
    assert_eq!(answers(&args, "//help\n").len(), 1);
    // a script ends at a command that fails
    for (line, words) in [("/sing\n", "/sing"), ("/load\n", "which file"), ("/load none\n", "No such file")] {
        let (status, out, said) = with_input(&[&["chat"], &args[..]].concat(), line.as_bytes());
        assert!(status == Some(2) && out.is_empty() && said.contains(words) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn the_world_vocabulary_is_spoken_to_in_its_form() {
    let scratch = Scratch::new();
    let shape = ["--layers=1", "--embd=16", "--head-size=16", "--vocab=65536", "--ffn=16"];
    let model = scratch.random("w.safetensors", &shape);
    let prompts = |form: &[&str]| {
        let args = [&["chat", &model, "--tokens", "2", "--json"], form].concat();
        let (_, out, _) = with_input(&args, b"Hello world\nagain\n");
        let record: Value = serde_json::from_slice(&out).expect("one object");
        let of = |turn: usize| record["turns"][turn]["prompt_tokens"].as_array().expect("a list").len();
        (of(0), of(1))
    };
    let (plain, _) = prompts(&["--form", "plain"]);
    let (first, second) = prompts(&[]);
    assert!(first > plain && second > 1, "User:, the message, Assistant:");
}

#[test]
fn the_chip_talks() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let args = [model.as_str(), "--tokens", "3"];
    let golden = answers(&args, "a\n/reset\nb\n");
    assert_eq!(answers(&[&args[..], &["--backend", "rtl"]].concat(), "a\n/reset\nb\n"), golden);
}

#[test]
fn a_person_types_at_a_terminal() {
    let scratch = Scratch::new();
    let model = scratch.small();
    let args = ["chat", &model, "--tokens", "6"];
    // a key goes back over a letter; a command that fails ends nothing
    let seen = on_a_terminal_with(&args, b"hellp\x7fo\r/sing\rand you\r/quit\r");
    let (shown, one) = (screen(&seen).join("\n"), answers(&args[1..], "hello\nand you\n"));
    for words in ["> hello", "> and you", "/sing: there is no such command", "/help lists the commands"] {
        assert!(shown.contains(words), "`{words}` expected on\n{shown}");
    }
    let printable = |text: &str| text.chars().filter(|c| c.is_ascii_graphic()).collect::<String>();
    for answer in one {
        assert!(printable(&shown).contains(&printable(&answer)), "`{answer}` expected on\n{shown}");
    }
}
