//! `eval`: how well a backend predicts a text.

use super::args::{Backend, Eval};
use super::conversation::Conversation;
use super::engine::Engine;
use super::model::{check_tokens, encode, held_out_text, read, Model};
use super::print::{bar, warn, with_error, Out};
use super::{chip, Error, CHECK_FAILED};
use golden_model::arithmetic::tensor::groups;
use golden_model::image::layout::{MatrixFormat, StreamLayout};
use golden_model::network::session::Session;
use golden_model::text::eval::{evaluate, Against};
use records::run::{BytesRead, EvalRecord};
use std::process::ExitCode;

/// What the golden backend read in the mean of `steps` single steps; other backends do not say.
fn read_bytes(engine: &Engine, steps: usize) -> Option<BytesRead> {
    let Engine::Golden { runner, .. } = engine else { return None };
    let weights = runner.weights();
    let (n, shape) = (steps.max(1) as f64, &weights.shape);
    let columns = runner.skipped_columns();
    // without the padding of a column to 64 rows
    let skipped: f64 =
        weights.layers.iter().zip(columns).map(|(l, c)| *c as f64 * column(l.ffn.value.format, shape.n_embd)).sum();
    let layout = StreamLayout::of(&**weights);
    Some(BytesRead {
        bytes_per_token: layout.bytes_per_token(weights.f.clusters) as f64 - skipped / n,
        skipped_bytes_per_token: skipped / n,
        zero_columns: columns.iter().map(|c| *c as f64 / n / shape.dim_ffn as f64).collect(),
    })
}

/// Bytes of a column that is not read when it is skipped.
fn column(format: MatrixFormat, rows: usize) -> f64 {
    match format {
        MatrixFormat::W8Columns => rows as f64,
        MatrixFormat::W4Columns => (rows.div_ceil(2) + groups(rows)) as f64,
        MatrixFormat::W4 | MatrixFormat::W8 | MatrixFormat::W16 => 0.0,
    }
}

/// Share of tokens below which integers that choose float's token have lost its meaning.
pub const LEAST_AGREEMENT: f64 = 0.5;

/// The sentence for a top-1 agreement of `top1` over `n` tokens, which is below [`LEAST_AGREEMENT`].
pub fn disagreement(top1: f64, n: usize) -> String {
    format!(
        "the integers choose float's token in {:.1} % of {n} cases only: their formats do not fit this network; see the relative errors of \
         quantize, and --calibrate with text of its kind",
        top1 * 100.0
    )
}

pub fn eval(a: &Eval, out: &Out) -> Result<ExitCode, Error> {
    let (model, _) = Model::open(&a.model)?;
    let tokenizer = model.tokenizer();
    let mut tokens = match (&a.text, &a.token_file) {
        (_, Some(path)) => numbers(&read(path)?)
            .ok_or_else(|| format!("{}: expected token numbers separated by blanks or commas", path.display()))?,
        (Some(path), None) => encode(&tokenizer, path)?,
        (None, None) if !tokenizer.is_text() => {
            let vocab_size = model.shape().vocab_size;
            return Err(format!("a vocabulary of {vocab_size} has no tokenizer, expected --token-file").into());
        }
        (None, None) => tokenizer.encode(held_out_text()?)?,
    };
    if let Some(max) = a.max_tokens {
        tokens.truncate(max as usize);
    }
    let what = a.token_file.as_ref().or(a.text.as_ref()).map_or("the text".into(), |p| p.display().to_string());
    check_tokens(&what, &tokens, model.shape())?;
    if tokens.len() < 2 {
        return Err(format!("{what}: one token, expected at least 2: one to start with and one to predict").into());
    }
    let mut engine = Engine::new(a.backend, &model, &a.numbers, &a.chip.with_state(&a.state), 0)?;
    let mut conversation = Conversation::begin(&a.state, &model, &mut engine)?;
    // an image has no float twin to compare with, nor has a conversation in integers
    let resumed = conversation.sampling.is_some();
    let twin = matches!(model, Model::Checkpoint(_)) && a.backend != Backend::Float && !resumed;
    let mut float = if twin { Some(Engine::new(Backend::Float, &model, &a.numbers, &a.chip, 0)?) } else { None };
    if let (Some(float), Some(initial)) = (&mut float, &a.state.state) {
        Conversation::load(initial, &model, float)?;
    }
    let bar = bar(tokens.len() as u64 - 1, "tokens");
    let is_text = tokenizer.is_text();
    let bytes_of = |token: u32| is_text.then(|| tokenizer.decode(&[token]).len());
    let score = evaluate(&mut engine, float.as_mut(), &tokens, bytes_of, |n| bar.set_position(n as u64))?;
    bar.finish_and_clear();
    if a.state.save_state.is_some() {
        // what is scored is never read to its end, because nothing follows the last token
        conversation.logits = engine.step(tokens[tokens.len() - 1])?;
    }
    conversation.tokens += tokens.len() as u64;
    let at = conversation.sampling.unwrap_or_default();
    conversation.end(&a.state, &model, &mut engine, at)?;
    if let Some(top1) = score.against.as_ref().map(|a| a.top1_agreement).filter(|top1| *top1 < LEAST_AGREEMENT) {
        warn("top1_agreement", disagreement(top1, score.n_tokens));
    }
    let failed = engine.chip().is_some_and(|c| chip::report_mismatch(c, &a.chip, 0));
    // float agrees with itself
    let own = (a.backend == Backend::Float).then(Against::of_itself);
    let against = score.against.or(own);
    let done = EvalRecord {
        backend: a.backend.name().into(),
        n_tokens: score.n_tokens,
        bits_per_token: score.bits_per_token,
        bits_per_token_se: score.bits_per_token_se,
        bits_per_byte: score.bits_per_byte,
        top1_agreement: against.as_ref().map(|a| a.top1_agreement),
        top1_agreement_se: against.as_ref().and_then(|a| a.top1_agreement_se),
        loss_bits_per_token: against.as_ref().map(|a| a.loss_bits_per_token),
        loss_bits_per_token_se: against.as_ref().and_then(|a| a.loss_bits_per_token_se),
        kl: against.as_ref().map(|a| a.kl),
        kl_se: against.as_ref().and_then(|a| a.kl_se),
        read: read_bytes(&engine, score.n_tokens),
    };
    out.result(&done, || {
        let per_byte = done.bits_per_byte.map_or(String::new(), |b| format!(", {b:.4} bits/byte"));
        let against = against.filter(|_| twin).map_or(String::new(), |a| {
            let top1 = with_error(a.top1_agreement * 100.0, a.top1_agreement_se.map(|e| e * 100.0), 2);
            let loss = with_error(a.loss_bits_per_token, a.loss_bits_per_token_se, 4);
            let kl = with_error(a.kl, a.kl_se, 6);
            format!("; against float: {loss} bits/token more, top-1 agreement {top1} %, KL {kl} nats")
        });
        let read = done.read.as_ref().map_or(String::new(), |r| {
            format!("; {:.0} bytes read a token, {:.0} skipped", r.bytes_per_token, r.skipped_bytes_per_token)
        });
        format!(
            "{} over {} tokens: {} bits/token{per_byte}{against}{read}",
            done.backend,
            done.n_tokens,
            with_error(done.bits_per_token, done.bits_per_token_se, 4)
        )
    })?;
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

fn numbers(text: &[u8]) -> Option<Vec<u32>> {
    let text = std::str::from_utf8(text).ok()?;
    text.split([' ', '\n', '\r', '\t', ',']).filter(|w| !w.is_empty()).map(|w| w.parse().ok()).collect()
}
