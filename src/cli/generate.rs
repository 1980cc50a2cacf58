//! `generate`, `logits` and `cosim`: tokens through a backend.

use super::args::{Backend, Cosim, Generate, Logits, Prompt, Sampling};
use super::conversation::Conversation;
use super::engine::{fixed, side_by_side, Engine, EngineError};
use super::model::{check_tokens, encode, Model};
use super::print::{bar, note, Out, Text};
use super::{chip, npy, Error, CHECK_FAILED};
use golden_model::network::session::Session;
use golden_model::text::generate::Sampler;
use golden_model::text::stop::StopText;
use golden_model::text::tokenizer::Tokenizer;
use records::output::{check_file, write};
use records::run::{CosimRecord, Generated, LogitsFile, LogitsRecord};
use sim_harness::session::TokenOptions;
use std::io::Read;
use std::ops::ControlFlow;
use std::process::ExitCode;

/// The tokens of a prompt.
///
/// # Errors
/// No prompt, an empty one, a file that cannot be read, or a token outside the model's vocabulary.
pub fn prompt_tokens(prompt: &Prompt, model: &Model, tokenizer: &Tokenizer) -> Result<Vec<u32>, Error> {
    let (what, tokens) = match (&prompt.prompt, &prompt.prompt_file, &prompt.prompt_tokens) {
        (Some(text), ..) => ("--prompt".to_string(), tokenizer.encode(text)?),
        (_, Some(path), _) if path.as_os_str() == "-" => {
            let mut text = vec![];
            let read = std::io::stdin().lock().read_to_end(&mut text);
            read.map_err(|e| format!("--prompt-file -: standard input cannot be read: {e}"))?;
            let tokens = tokenizer.encode(text).map_err(|e| format!("--prompt-file -: {e}"))?;
            ("--prompt-file -".to_string(), tokens)
        }
        (_, Some(path), _) => (format!("--prompt-file {}", path.display()), encode(tokenizer, path)?),
        (_, _, Some(tokens)) => ("--prompt-tokens".to_string(), tokens.clone()),
        (None, None, None) => {
            return Err("no prompt, expected --prompt TEXT, --prompt-file FILE or --prompt-tokens 1,2,3".into())
        }
    };
    check_tokens(&what, &tokens, model.shape())?;
    Ok(tokens)
}

/// What the options ask of the sampling.
///
/// # Errors
/// A temperature or a share of the probability out of range.
pub fn sampler(a: &Sampling) -> Result<Sampler, Error> {
    Sampler::new(a.temperature, a.top_p, a.seed.unwrap_or(0))
        .map_err(|e| format!("--{} {}: expected {}", e.name.replace('_', "-"), e.value, e.expected).into())
}

/// An engine whose steps move the bar of a text, and which stops when nobody reads the text any more.
pub struct Counted<'a> {
    pub engine: &'a mut Engine,
    pub text: &'a Text<'a>,
}

impl Session for Counted<'_> {
    type Error = EngineError;
    fn vocab_size(&self) -> usize {
        self.engine.vocab_size()
    }
    fn step(&mut self, token: u32) -> Result<Vec<f64>, EngineError> {
        self.text.read(1);
        if !self.text.is_read() {
            return Err(EngineError::stopped());
        }
        self.engine.step(token)
    }
    fn prefill(&mut self, tokens: &[u32]) -> Result<Vec<f64>, EngineError> {
        let at_once = match &self.engine {
            // The bar moves after each piece, so a piece is as long as the engine takes at once.
            Engine::Golden { .. } => golden_model::fast::MAX_ROWS,
            Engine::Rtl(chip) => chip.config.sessions,
            Engine::Float { .. } => 1,
        };
        if at_once == 1 {
            return tokens.iter().try_fold(vec![], |_, token| self.step(*token));
        }
        let mut logits = vec![];
        let mut left = tokens.len();
        for tokens in tokens.chunks(at_once) {
            left -= tokens.len();
            logits = match &mut self.engine {
                Engine::Rtl(chip) => side_by_side(chip, tokens, left == 0)?,
                other => other.prefill(tokens)?,
            };
            self.text.read(tokens.len());
        }
        Ok(logits)
    }
}

/// Where a text ends before it has all its tokens.
pub struct End<'a> {
    tokenizer: &'a Tokenizer,
    pub stop: StopText,
    /// Why the text ended.
    pub reason: &'static str,
}

impl<'a> End<'a> {
    /// A text ends at the vocabulary's end of text, and before any of `stops`.
    pub fn new(tokenizer: &'a Tokenizer, stops: &[String]) -> Self {
        Self { tokenizer, stop: StopText::new(stops.iter().map(String::as_str)), reason: "tokens" }
    }

    /// Takes one more token. Returns the bytes that belong to the text for certain, and whether it goes on.
    pub fn push(&mut self, token: u32) -> (Vec<u8>, ControlFlow<()>) {
        if self.tokenizer.end_of_text() == Some(token) {
            self.reason = "end of text";
            return (vec![], ControlFlow::Break(()));
        }
        match self.stop.push(&self.tokenizer.decode(&[token])) {
            (bytes, true) => {
                self.reason = "stop text";
                (bytes, ControlFlow::Break(()))
            }
            (bytes, false) => (bytes, ControlFlow::Continue(())),
        }
    }
}

/// What a model said.
pub struct Answer {
    pub tokens: Vec<u32>,
    pub text: Vec<u8>,
    /// Somebody read it to its end, so the engine has read every token of it.
    pub whole: bool,
}

/// Reads `prompt` and writes an answer of up to `n` tokens to the text of `counted`, until `end`.
///
/// # Errors
/// A backend that cannot go on, or standard output that cannot be written to. That nobody reads the text any more is none.
pub fn say(
    counted: &mut Counted,
    conversation: &mut Conversation,
    prompt: &[u32],
    n: usize,
    sampler: &mut Sampler,
    end: &mut End,
) -> Result<Answer, Error> {
    let (mut tokens, mut said) = (vec![], vec![]);
    let text = counted.text;
    let logits = &mut conversation.logits;
    let done = golden_model::text::generate::generate(counted, logits, prompt, n, sampler, |token| {
        tokens.push(token);
        let (bytes, next) = end.push(token);
        text.write(&bytes);
        said.extend(bytes);
        next
    });
    let rest = end.stop.finish();
    if !rest.is_empty() {
        text.write(&rest);
        said.extend(rest);
    }
    conversation.tokens += (prompt.len() + tokens.len()) as u64;
    let whole = text.end()?;
    if whole {
        done?;
    }
    Ok(Answer { tokens, text: said, whole })
}

pub fn generate(a: &Generate, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    let tokenizer = model.tokenizer();
    // a conversation that is resumed may go on without more to read
    let prompt = match a.state.state.is_some() && a.prompt.is_none() {
        true => vec![],
        false => prompt_tokens(&a.prompt, &model, &tokenizer)?,
    };
    let (mut sampler, seed) = (sampler(&a.sampling)?, a.sampling.seed.unwrap_or(0));
    let mut engine = Engine::new(a.backend, &model, &a.numbers, &a.chip.with_state(&a.state), seed)?;
    let mut conversation = Conversation::begin(&a.state, &model, &mut engine)?;
    if prompt.is_empty() && conversation.logits.is_empty() {
        return Err(
            "the state holds no tokens yet, expected --prompt, --prompt-file or --prompt-tokens beside it".into()
        );
    }
    if let (None, Some(at)) = (a.sampling.seed, conversation.sampling) {
        sampler.resume(at);
    }
    let n = a.tokens as usize;
    let beginning = tokenizer.decode(&prompt);
    let text = out.text(&beginning, prompt.len(), n);
    let mut end = End::new(&tokenizer, &a.stop);
    let mut counted = Counted { engine: &mut engine, text: &text };
    let answer = say(&mut counted, &mut conversation, &prompt, n, &mut sampler, &mut end)?;
    if answer.whole {
        conversation.end(&a.state, &model, &mut engine, sampler.position())?;
    }
    let failed = engine.chip().is_some_and(|chip| chip::report_mismatch(chip, &a.chip, seed));
    let rtl = engine.chip().map(chip::on_chip);
    if let Some(rtl) = &rtl {
        note(format_args!(
            "{} tokens of prompt and text on {}, {} cycles, {} values compared with the golden model, {} mismatches",
            rtl.cycles_per_token.len(),
            rtl.config,
            engine.chip().map_or(0, |chip| chip.totals.cycles.iter().sum::<u64>()),
            rtl.values_checked,
            rtl.mismatches
        ));
    }
    let (tokens, text) = (answer.tokens, String::from_utf8_lossy(&answer.text).into_owned());
    let stopped = end.reason.into();
    let done = Generated { backend: a.backend.name().into(), prompt_tokens: prompt, tokens, text, stopped, rtl };
    if out.json {
        out.result(&done, String::new)?;
    }
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

pub fn logits(a: &Logits, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    check_tokens("--tokens", &a.tokens, model.shape())?;
    if let Some(path) = &a.output {
        check_file(path)?;
    }
    let mut engine = Engine::new(a.backend, &model, &a.numbers, &a.chip.with_state(&a.state), 0)?;
    let mut conversation = Conversation::begin(&a.state, &model, &mut engine)?;
    let mut file = None;
    let logits = match &a.output {
        None => engine.prefill(&a.tokens)?,
        Some(path) => {
            let bar = bar(a.tokens.len() as u64, "tokens");
            let rows = a.tokens.iter().map(|token| {
                bar.inc(1);
                engine.step(*token)
            });
            let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
            bar.finish_and_clear();
            write(path, npy::matrix(&rows))?;
            let shape = [rows.len(), engine.vocab_size()];
            file = Some(LogitsFile { file: path.display().to_string(), shape });
            rows.pop().unwrap_or_default()
        }
    };
    conversation.logits.clone_from(&logits);
    conversation.tokens += a.tokens.len() as u64;
    let at = conversation.sampling.unwrap_or_default();
    conversation.end(&a.state, &model, &mut engine, at)?;
    let failed = engine.chip().is_some_and(|chip| chip::report_mismatch(chip, &a.chip, 0));
    let argmax = golden_model::text::generate::first_largest(&logits);
    let done = LogitsRecord { backend: a.backend.name().into(), tokens: a.tokens.clone(), logits, argmax, file };
    out.result(&done, || match &done.file {
        Some(LogitsFile { file, shape: [rows, columns] }) => format!("{file}: {rows} x {columns} 32-bit floats"),
        None => done.logits.iter().enumerate().map(|(i, v)| format!("{i} {v}\n")).collect(),
    })?;
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

pub fn cosim(a: &Cosim, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    let tokenizer = model.tokenizer();
    let prompt = prompt_tokens(&a.prompt, &model, &tokenizer)?;
    let mut engine = Engine::new(Backend::Rtl, &model, &a.numbers, &a.chip.with_state(&a.state), a.seed)?;
    let mut conversation = Conversation::begin(&a.state, &model, &mut engine)?;
    let Some(chip) = engine.chip_mut() else { return Err("cosim runs the chip".into()) };
    let n = prompt.len() + a.tokens as usize;
    let bar = bar(n as u64, "tokens");
    let mut next = vec![0; chip.config.sessions];
    for i in 0..n {
        // Each session begins the prompt at another place, so that no two are alike.
        let read = |slot: usize| prompt[(i + slot) % prompt.len()];
        let tokens: Vec<_> = (next.iter().enumerate())
            .map(|(slot, next)| Some(if i < prompt.len() { read(slot) } else { *next }))
            .collect();
        let run = chip.pass(&tokens, TokenOptions { logits: true, timeline: false })?;
        // The golden model chooses the next token, so that a chip that went wrong is still compared with the right text.
        for (next, logits) in next.iter_mut().zip(&run.logits) {
            *next = golden_model::network::integer_step::argmax(logits) as u32;
        }
        conversation.logits = run.logits.first().map_or(vec![], |l| fixed(l, chip.golden().f.f_logits));
        conversation.tokens += 1;
        bar.inc(1);
        if chip.totals.outcome.mismatches > 0 {
            break;
        }
    }
    bar.finish_and_clear();
    let at = conversation.sampling.unwrap_or_default();
    conversation.end(&a.state, &model, &mut engine, at)?;
    let Some(chip) = engine.chip_mut() else { return Err("cosim runs the chip".into()) };
    chip.finish()?;
    let failed = chip::report_mismatch(chip, &a.chip, a.seed);
    let totals = &chip.totals;
    let done = CosimRecord {
        config: chip.config.name.clone(),
        tokens: totals.tokens.iter().sum(),
        seed: a.seed,
        stall: a.chip.stall,
        ops_checked: totals.outcome.ops_checked,
        values_checked: totals.outcome.values_checked,
        mismatches: totals.outcome.mismatches,
        cycles: totals.cycles.iter().sum(),
        cycles_per_token: totals.cycles.clone(),
        first_mismatch: totals.outcome.first.clone(),
    };
    out.result(&done, || {
        format!(
            "{} on {}: {} tokens, {} operations, {} values compared, {} mismatches, {} cycles (seed {}, stall {})",
            Backend::Rtl.name(),
            done.config,
            done.tokens,
            done.ops_checked,
            done.values_checked,
            done.mismatches,
            done.cycles,
            done.seed,
            done.stall
        )
    })?;
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}
