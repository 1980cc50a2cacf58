//! `quantize`: a checkpoint to an image.

use super::args::Quantize;
use super::eval::{disagreement, LEAST_AGREEMENT};
use super::inspect::tensors;
use super::integers::{calibration, quantise};
use super::model::Model;
use super::origin::origin;
use super::print::{bar, command_line, warn, warnings, with_error, Out};
use super::{Error, CHECK_FAILED};
use golden_model::checkpoint::weights::Weights;
use golden_model::image;
use golden_model::quantise::check::{check, CHECKED_TOKENS};
use golden_model::quantise::record::{self, Quantized};
use golden_model::quantise::Quantised;
use records::output::{check_file, write};
use std::process::ExitCode;

/// Tokens on which `quantize` compares the result with float in any case, to say if the network has lost its meaning.
const GLANCED_TOKENS: usize = 48;
/// Relative error of a tensor from which on it has lost its meaning: half of what it is.
const LARGEST_ERROR: f64 = 0.5;

pub fn quantize(a: &Quantize, out: &Out) -> Result<ExitCode, Error> {
    let (model, name) = Model::open(&a.model)?;
    let Model::Checkpoint(checkpoint) = &model else {
        return Err(format!("{name}: is an .anser image already, expected a checkpoint").into());
    };
    check_file(&a.output)?;
    if let Some(page) = &a.report {
        check_file(page)?;
        if a.numbers.calibrate.is_none() {
            let page = page.display();
            return Err(format!("--report {page} shows errors on a text, expected --calibrate FILE").into());
        }
    }
    let done = quantise(checkpoint, &model.tokenizer(), &a.numbers, a.report.is_some())?;
    let image_bytes = image::write(&done.model, &a.output)?;
    let figures = done.search.is_some() || a.report.is_some();
    let mut tokens = calibration(&model.tokenizer(), &a.numbers, model.shape().vocab_size)?;
    tokens.truncate(if figures || a.strict { CHECKED_TOKENS } else { GLANCED_TOKENS });
    let checking = bar(tokens.len() as u64, "checking");
    let weights = Weights::read(checkpoint)?;
    let checked = check(&weights, &done.model, &tokens, |n| checking.set_position(n as u64))?;
    checking.finish_and_clear();
    let top1_agreement = checked.as_ref().map(|c| c.top1_agreement);
    let quantised = Quantised { model: done.model, errors: done.errors };
    let calibration = checked.filter(|_| figures);
    let done = record::quantized(a.output.display().to_string(), image_bytes, quantised, done.search, calibration);
    let done = Quantized { top1_agreement, ..done };
    warn_of(&done, tokens.len().saturating_sub(1));
    if let Some(page) = &a.report {
        let record = record::formats(&done, &name, origin(command_line().join(" ")));
        write(page, reports::formats::formats_page(&record)?)?;
    }
    out.result(&done, || text(&done))?;
    Ok(if a.strict && !warnings().is_empty() { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

/// Warns if the network may have lost its meaning: by the errors of its tensors, and by the tokens it chooses, of which `n` were checked.
fn warn_of(done: &Quantized, n: usize) {
    for e in done.errors.iter().filter(|e| e.relative_rms.is_nan() || e.relative_rms >= LARGEST_ERROR) {
        let text = format!(
            "{}: its integers are off by {:.0} % of what it holds (largest error {:.4}); the network's ranges leave it too \
             coarse a format",
            e.tensor,
            e.relative_rms * 100.0,
            e.max_abs
        );
        warn("relative_error", text);
    }
    if let Some(top1) = done.top1_agreement.filter(|top1| *top1 < LEAST_AGREEMENT) {
        warn("top1_agreement", disagreement(top1, n));
    }
}

fn text(done: &Quantized) -> String {
    let worst = done.errors.iter().max_by(|a, b| a.relative_rms.total_cmp(&b.relative_rms));
    let worst =
        worst.map_or(String::new(), |w| format!("; largest relative error {:.4} in {}", w.relative_rms, w.tensor));
    let search = done.search.as_ref().map_or(String::new(), |s| {
        format!(
            "\n  formats: {} of {} bytes, expected divergence {:.6} nats; no choice of these has less than {:.6}",
            s.picks.bytes, s.budget_bytes, s.picks.cost, s.picks.bound
        )
    });
    let check = done.calibration.as_ref().map_or(String::new(), |c| {
        let loss = with_error(c.loss_bits_per_token, c.loss_bits_per_token_se, 4);
        format!(
            "\n  first {} tokens of the calibration text: {:.4} bits/token, {loss} more than float; divergence {} nats",
            c.tokens,
            c.golden_bits_per_token,
            with_error(c.kl, c.kl_se, 6)
        )
    });
    let recipe = done.recipe.as_ref().map_or(String::new(), tensors);
    format!("{}: {} bytes{worst}{search}{check}{recipe}", done.output, done.image_bytes)
}
