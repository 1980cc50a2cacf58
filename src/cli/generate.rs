//! `generate`, `logits` and `cosim`: tokens through a backend.

use super::args::{Backend, Cosim, Generate, Logits, Prompt, Sampling};
use super::engine::{side_by_side, Engine, EngineError};
use super::model::{check_tokens, Model};
use super::print::{bar, note, Out, Text};
use super::{chip, Error, CHECK_FAILED};
use golden_model::network::session::Session;
use golden_model::text::generate::Sampler;
use golden_model::text::tokenizer::Tokenizer;
use records::run::{CosimRecord, Generated, GeneratedOnChip, LogitsRecord};
use sim_harness::session::TokenOptions;
use std::process::ExitCode;

/// The tokens of a prompt.
///
/// # Errors
/// An empty prompt, or a token outside the model's vocabulary.
pub fn prompt_tokens(prompt: &Prompt, model: &Model, tokenizer: &Tokenizer) -> Result<Vec<u32>, Error> {
    let tokens = match (&prompt.prompt, &prompt.prompt_tokens) {
        (Some(text), _) => tokenizer.encode(text)?,
        (None, Some(tokens)) => tokens.clone(),
        (None, None) => vec![],
    };
    check_tokens(if prompt.prompt.is_some() { "--prompt" } else { "--prompt-tokens" }, &tokens, model.shape())?;
    Ok(tokens)
}

/// An engine whose steps move the bar of a text, and which stops when nobody reads the text any more.
struct Counted<'a> {
    engine: &'a mut Engine,
    text: &'a Text<'a>,
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

pub fn generate(a: &Generate, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    let tokenizer = model.tokenizer();
    let prompt = prompt_tokens(&a.prompt, &model, &tokenizer)?;
    let Sampling { temperature, top_p, seed } = a.sampling;
    let mut sampler = Sampler::new(temperature, top_p, seed)
        .map_err(|e| format!("--{} {}: expected {}", e.name.replace('_', "-"), e.value, e.expected))?;
    let mut engine = Engine::new(a.backend, &model, &a.numbers, &a.chip, seed)?;
    let n = a.tokens as usize;
    let beginning = tokenizer.decode(&prompt);
    let text = out.text(&beginning, prompt.len(), n);
    let mut tokens = vec![];
    let mut counted = Counted { engine: &mut engine, text: &text };
    let done = golden_model::text::generate::generate(&mut counted, &prompt, n, &mut sampler, |token| {
        tokens.push(token);
        text.write(&tokenizer.decode(&[token]));
    });
    if text.end()? {
        done?;
    }
    let mut failed = false;
    let rtl = engine.chip().map(|chip| {
        failed = chip::report_mismatch(chip, &a.chip, seed);
        GeneratedOnChip {
            config: chip.config.name.clone(),
            cycles_per_token: chip.totals.a_token(&chip.totals.cycles),
            bytes_per_token: chip.totals.a_token(&chip.totals.bytes),
            skipped_columns: chip.totals.a_token(&chip.totals.skipped_columns),
            mismatches: chip.totals.outcome.mismatches,
            values_checked: chip.totals.outcome.values_checked,
        }
    });
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
    let text = String::from_utf8_lossy(&tokenizer.decode(&tokens)).into_owned();
    let done = Generated { backend: a.backend.name().into(), prompt_tokens: prompt, tokens, text, rtl };
    if out.json {
        out.result(&done, String::new)?;
    }
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

pub fn logits(a: &Logits, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    check_tokens("--tokens", &a.tokens, model.shape())?;
    let mut engine = Engine::new(a.backend, &model, &a.numbers, &a.chip, 0)?;
    let logits = engine.prefill(&a.tokens)?;
    let failed = engine.chip().is_some_and(|chip| chip::report_mismatch(chip, &a.chip, 0));
    let argmax = golden_model::text::generate::first_largest(&logits);
    let done = LogitsRecord { backend: a.backend.name().into(), tokens: a.tokens.clone(), logits, argmax };
    out.result(&done, || done.logits.iter().enumerate().map(|(i, v)| format!("{i} {v}\n")).collect())?;
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

pub fn cosim(a: &Cosim, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    let tokenizer = model.tokenizer();
    let prompt = prompt_tokens(&a.prompt, &model, &tokenizer)?;
    let mut chip = chip::build(&model, &a.numbers, &a.chip, a.seed)?;
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
        bar.inc(1);
        if chip.totals.outcome.mismatches > 0 {
            break;
        }
    }
    bar.finish_and_clear();
    chip.finish()?;
    let failed = chip::report_mismatch(&chip, &a.chip, a.seed);
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
