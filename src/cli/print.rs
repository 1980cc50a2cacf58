//! Where output goes: with `--json` one object on standard output and nothing else there.

use super::Error;
use golden_model::text::stop::begun_character;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use records::run::{Failed, Warned, Warning};
use serde::Serialize;
use std::cell::Cell;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

pub struct Out {
    pub json: bool,
}

/// Whether the result stands on standard output already.
static HAS_RESULT: AtomicBool = AtomicBool::new(false);
/// What [`warn`] was given so far.
static WARNINGS: Mutex<Vec<Warning>> = Mutex::new(vec![]);

/// The error of a command with `--json` as the one object on standard output, unless a result stands there already.
pub fn failed(error: &str) {
    if !HAS_RESULT.swap(true, Ordering::Relaxed) {
        let failed = Failed { error: error.into(), status: 2 };
        let text = serde_json::to_string(&failed).unwrap_or_default();
        let _ = print(format!("{text}\n").as_bytes()); // standard output may be closed; standard error says it too
    }
}

/// Says once on standard error, and in the result with `--json`, that the result may mean less than it seems to. `kind` is for programs.
pub fn warn(kind: &str, text: String) {
    let warning = Warning { kind: kind.into(), text };
    let mut all = WARNINGS.lock().unwrap_or_else(|e| e.into_inner());
    if !all.contains(&warning) {
        note(format_args!("warning: {}", warning.text));
        all.push(warning);
    }
}

/// The warnings so far.
pub fn warnings() -> Vec<Warning> {
    WARNINGS.lock().unwrap_or_else(|e| e.into_inner()).clone()
}

impl Out {
    /// The result as JSON, or as `text` for people.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Error> {
        let mut text = match self.json {
            true => serde_json::to_string(&Warned { result: value, warnings: warnings() })?,
            false => text(),
        };
        HAS_RESULT.store(true, Ordering::Relaxed);
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        print(text.as_bytes())?;
        Ok(())
    }

    /// Begins a text that is written as it is generated: `prompt`, which the model reads first, then up to `n_tokens` tokens.
    pub fn text<'a>(&self, prompt: &'a [u8], n_prompt: usize, n_tokens: usize) -> Text<'a> {
        let shown = !self.json;
        let shared = shown && std::io::stdout().is_terminal();
        let bar = match shared {
            true => bar(n_prompt as u64, "reading the prompt"),
            false => bar((n_prompt + n_tokens) as u64, "tokens"),
        };
        let (begun, outcome) = (Cell::default(), Cell::new(Ok(true)));
        Text { prompt: Cell::new(Some(prompt)), shown, shared, bar, begun, outcome }
    }
}

/// A text on standard output, and the bar on standard error that shows how far it is.
///
/// Where both go to the same terminal, the bar stands there only while the model reads the prompt: it is cleared before the first
/// letter, because a bar that is drawn again would wipe out the line that is being written. Elsewhere the bar counts every token.
pub struct Text<'a> {
    /// The prompt until it is written, with the first token.
    prompt: Cell<Option<&'a [u8]>>,
    shown: bool,
    shared: bool,
    bar: ProgressBar,
    /// The beginning of a character whose other bytes have not come.
    begun: Cell<Vec<u8>>,
    /// `Ok(false)`: nobody reads any more.
    outcome: Cell<Result<bool, Error>>,
}

impl Text<'_> {
    /// Moves the bar by `n` tokens that the model has read.
    pub fn read(&self, n: usize) {
        self.bar.inc(n as u64);
    }

    /// Whether somebody still reads the text.
    pub fn is_read(&self) -> bool {
        let outcome = self.outcome.replace(Ok(true));
        let read = matches!(outcome, Ok(true));
        self.outcome.set(outcome);
        read
    }

    /// Writes the bytes of one more token, after the prompt if it is the first. A character is held back until it is whole. Returns whether
    /// somebody still reads.
    pub fn write(&self, bytes: &[u8]) -> bool {
        let mut outcome = self.outcome.replace(Ok(true));
        if matches!(outcome, Ok(true)) && self.shown {
            if self.shared {
                self.bar.finish_and_clear();
            }
            let mut text = [self.prompt.take().unwrap_or_default(), &self.begun.take(), bytes].concat();
            self.begun.set(text.split_off(text.len() - begun_character(&text)));
            outcome = print(&if self.shared { visible(&text) } else { text });
        }
        self.outcome.set(outcome);
        self.is_read()
    }

    /// Clears the bar and ends the text, if it has begun, with a new line. Returns whether somebody read it to the end.
    ///
    /// # Errors
    /// Standard output that could not be written to.
    pub fn end(&self) -> Result<bool, Error> {
        self.bar.finish_and_clear();
        if self.prompt.get().is_none() {
            // a character that never became whole goes out as it is
            self.write(b"\n");
        }
        self.outcome.replace(Ok(true))
    }
}

/// `text` as a terminal may show it: a control character, which an untrained model writes now and then, would move the cursor
/// or change the colours, so the replacement character stands for it.
fn visible(text: &[u8]) -> Vec<u8> {
    let shown = |byte: &u8| match byte {
        b'\n' | b'\r' | b'\t' => vec![*byte],
        byte if byte.is_ascii_control() => "\u{fffd}".into(),
        byte => vec![*byte],
    };
    text.iter().flat_map(shown).collect()
}

/// Writes to standard output. A reader that has left, as `head` does, is no error: the answer is false.
fn print(bytes: &[u8]) -> Result<bool, Error> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(format!("standard output: {e}").into()),
    }
}

/// `value ± error` with so many digits; without a standard error, as for a single value, only `value`.
pub fn with_error(value: f64, error: Option<f64>, digits: usize) -> String {
    let error = error.map_or(String::new(), |e| format!(" ± {e:.digits$}"));
    format!("{value:.digits$}{error}")
}

/// The bars on standard error: several may move at once, and lines of text go above them.
pub fn screen() -> &'static MultiProgress {
    static SCREEN: OnceLock<MultiProgress> = OnceLock::new();
    SCREEN.get_or_init(MultiProgress::new)
}

/// A line on standard error, which may be closed.
pub fn note(text: impl std::fmt::Display) {
    screen().suspend(|| {
        let _ = writeln!(std::io::stderr(), "anser: {text}");
    });
}

/// The command line that was given, fit for a shell.
pub fn command_line() -> Vec<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+.,:/@%".contains(c);
    let quoted = |word: String| match !word.is_empty() && word.chars().all(plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    std::iter::once("anser".into())
        .chain(std::env::args_os().skip(1).map(|w| quoted(w.to_string_lossy().into())))
        .collect()
}

/// A bar on standard error for work that may take over two seconds; invisible when standard error is no terminal.
pub fn bar(len: u64, what: &'static str) -> ProgressBar {
    let bar = screen().add(ProgressBar::new(len));
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_message(what);
    bar
}
