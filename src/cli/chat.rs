//! `chat`: a conversation that one types, on any backend. The state is kept from line to line.

use super::args::{Chat, Chip as ChipArgs, Form};
use super::chip::{on_chip, report_mismatch};
use super::conversation::Conversation;
use super::engine::Engine;
use super::generate::{sampler, say, Counted, End};
use super::model::{check_tokens, Model};
use super::print::{note, Out};
use super::{Error, CHECK_FAILED};
use golden_model::text::generate::Sampler;
use golden_model::text::tokenizer::Tokenizer;
use records::run::{ChatRecord, Turn};
use rustyline::error::ReadlineError;
use rustyline::DefaultEditor;
use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "/reset        begin anew
/save FILE    save the conversation
/load FILE    go on with a saved conversation, or begin with a state of state tuning
/help         these lines
/quit         end; so does the end of the input
//...         a line that begins with one /
Anything else is said to the model.";

/// What ends an answer unless the user says otherwise.
const BLANK_LINE: &str = "\n\n";

/// Where lines come from.
enum Lines {
    /// A person at a terminal, with history and keys to edit.
    Terminal(Box<DefaultEditor>),
    /// Anything else, a line after the other.
    Plain,
}

impl Lines {
    fn open(out: &Out) -> Result<Self, Error> {
        let person = !out.json && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        match person {
            true => Ok(Lines::Terminal(Box::new(DefaultEditor::new()?))),
            false => Ok(Lines::Plain),
        }
    }

    /// The next line without its end; `None` at the end of the input.
    fn next(&mut self) -> Result<Option<String>, Error> {
        match self {
            Lines::Terminal(editor) => loop {
                match editor.readline("> ") {
                    Ok(line) => {
                        editor.add_history_entry(&line)?;
                        return Ok(Some(line));
                    }
                    Err(ReadlineError::Eof) => return Ok(None),
                    Err(ReadlineError::Interrupted) => note("/quit ends the conversation"),
                    Err(e) => return Err(format!("the terminal cannot be read: {e}").into()),
                }
            },
            Lines::Plain => {
                let mut line = vec![];
                let n = std::io::stdin().lock().read_until(b'\n', &mut line);
                if n.map_err(|e| format!("standard input cannot be read: {e}"))? == 0 {
                    return Ok(None);
                }
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let text = std::str::from_utf8(line).map_err(|e| format!("standard input is no UTF-8: {e}"))?;
                Ok(Some(text.to_owned()))
            }
        }
    }
}

/// A model and the conversation with it.
struct Talk<'a> {
    a: &'a Chat,
    out: &'a Out,
    model: &'a Model,
    tokenizer: Tokenizer,
    form: Form,
    engine: Engine,
    sampler: Sampler,
    conversation: Conversation,
    /// The last answer ended with the blank line that the next message needs before it.
    ended: bool,
    turns: Vec<Turn>,
}

pub fn chat(a: &Chat, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    let tokenizer = model.tokenizer();
    let usual = if tokenizer.end_of_text().is_some() { Form::World } else { Form::Plain };
    let mut lines = Lines::open(out)?;
    let (sampler, seed) = (sampler(&a.sampling)?, a.sampling.seed.unwrap_or(0));
    // a line may ask for the state at any time
    let chip = ChipArgs { state_wanted: true, ..a.chip.with_state(&a.state) };
    let mut engine = Engine::new(a.backend, &model, &a.numbers, &chip, seed)?;
    let conversation = Conversation::begin(&a.state, &model, &mut engine)?;
    let form = a.form.unwrap_or(usual);
    let mut talk =
        Talk { a, out, model: &model, tokenizer, form, engine, sampler, conversation, ended: false, turns: vec![] };
    talk.resume();
    if let Lines::Terminal(_) = lines {
        note("/help lists the commands, /quit ends");
    }
    while let Some(line) = lines.next()? {
        match talk.line(&line) {
            Ok(true) => {}
            Ok(false) => break,
            // a person can try again; a script must not go on as if nothing had happened
            Err(e) if matches!(lines, Lines::Terminal(_)) => note(e),
            Err(e) => return Err(e),
        }
    }
    let at = talk.sampler.position();
    talk.conversation.end(&a.state, &model, &mut talk.engine, at)?;
    let failed = talk.engine.chip().is_some_and(|chip| report_mismatch(chip, &a.chip, seed));
    let rtl = talk.engine.chip().map(on_chip);
    if out.json {
        let done = ChatRecord { backend: a.backend.name().into(), turns: talk.turns, rtl };
        out.result(&done, String::new)?;
    }
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

impl Talk<'_> {
    /// Carries out a command or says a line. Returns whether the conversation goes on.
    fn line(&mut self, line: &str) -> Result<bool, Error> {
        let message = match line.strip_prefix('/') {
            None => line,
            Some(message) if message.starts_with('/') => message,
            Some(command) => return self.command(command),
        };
        if message.trim().is_empty() {
            return Ok(true);
        }
        self.say(message)
    }

    fn command(&mut self, command: &str) -> Result<bool, Error> {
        let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let file = || match rest.trim() {
            "" => Err(format!("/{name}: which file? expected /{name} FILE")),
            path => Ok(Path::new(path)),
        };
        match name {
            "quit" => return Ok(false),
            "help" => note(HELP),
            "reset" => {
                self.engine.reset()?;
                (self.conversation, self.ended) = (Conversation::default(), false);
            }
            "save" => {
                let (path, at) = (file()?, self.sampler.position());
                self.conversation.save(path, self.model, &mut self.engine, at)?;
                note(format_args!("saved after {} tokens", self.conversation.tokens));
            }
            "load" => {
                self.conversation = Conversation::load(file()?, self.model, &mut self.engine)?;
                self.resume();
                note(format_args!("goes on after {} tokens", self.conversation.tokens));
            }
            _ => {
                return Err(format!("/{name}: there is no such command, expected one of those that /help lists").into())
            }
        }
        Ok(true)
    }

    /// Takes the sampling up where the conversation's was, unless the user gave a seed.
    fn resume(&mut self) {
        self.ended = false;
        if let (None, Some(at)) = (self.a.sampling.seed, self.conversation.sampling) {
            self.sampler.resume(at);
        }
    }

    /// Puts `message` to the model and writes its answer. Returns whether somebody read it.
    fn say(&mut self, message: &str) -> Result<bool, Error> {
        let text = match self.form {
            Form::Plain => format!("{message}\n"),
            Form::World => {
                let before = if self.ended || self.conversation.tokens == 0 { "" } else { BLANK_LINE };
                format!("{before}User: {}\n\nAssistant:", message.trim())
            }
        };
        let prompt = self.tokenizer.encode(&text)?;
        check_tokens("the line", &prompt, self.model.shape())?;
        let stops = if self.a.stop.is_empty() { vec![BLANK_LINE.to_string()] } else { self.a.stop.clone() };
        let mut end = End::new(&self.tokenizer, &stops);
        let n = self.a.tokens as usize;
        let shown = self.out.text(&[], prompt.len(), n);
        let mut counted = Counted { engine: &mut self.engine, text: &shown };
        let answer = say(&mut counted, &mut self.conversation, &prompt, n, &mut self.sampler, &mut end)?;
        self.ended = end.reason == "stop text" && stops.iter().any(|s| s == BLANK_LINE);
        let (tokens, text) = (answer.tokens, String::from_utf8_lossy(&answer.text).into_owned());
        self.turns.push(Turn { prompt_tokens: prompt, tokens, text, stopped: end.reason.into() });
        Ok(answer.whole)
    }
}
