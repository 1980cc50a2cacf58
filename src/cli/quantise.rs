//! `quantize`: a checkpoint to an image.

use super::args::Quantize;
use super::formats::{self, Quantized};
use super::inspect::tensors;
use super::integers::{calibration, quantise};
use super::model::Model;
use super::print::{bar, Out};
use super::Error;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::Checkpoint;
use golden_model::fast::{self, Runner};
use golden_model::image;
use golden_model::network::model::QModel;
use golden_model::network::session::{FloatSession, Session};
use golden_model::text::generate::log_softmax;
use records::model::{Check, QuantizedImage, TensorError};
use records::output::{check_file, write};
use std::process::ExitCode;
use std::sync::Arc;

/// Tokens of the calibration text on which `quantize` compares the result with float.
const CHECKED_TOKENS: usize = 512;

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
    let errors = done
        .errors
        .into_iter()
        .map(|(tensor, e)| TensorError { tensor, relative_rms: e.relative_rms, max_abs: e.max_abs })
        .collect();
    let calibration = match done.search.is_some() || a.report.is_some() {
        true => Some(check(
            checkpoint,
            &done.model,
            &calibration(&model.tokenizer(), &a.numbers, model.shape().vocab_size)?,
        )?),
        false => None,
    };
    let done = QuantizedImage {
        output: a.output.display().to_string(),
        image_bytes,
        bytes_per_token: image::Image::open(&a.output)?.layout().bytes_per_token(done.model.f.clusters),
        recipe: done.model.f.recipe,
        errors,
        search: done.search,
        calibration,
    };
    if let Some(page) = &a.report {
        write(page, formats::page(&done, &name)?)?;
    }
    out.result(&done, || text(&done))?;
    Ok(ExitCode::SUCCESS)
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
        format!(
            "\n  first {} tokens of the calibration text: {:.4} bits/token, float {:.4}, divergence {:.6} nats",
            c.tokens, c.golden_bits_per_token, c.float_bits_per_token, c.kl
        )
    });
    let recipe = done.recipe.as_ref().map_or(String::new(), tensors);
    format!("{}: {} bytes{worst}{search}{check}{recipe}", done.output, done.image_bytes)
}

/// Float and integers side by side.
fn check(checkpoint: &Checkpoint, model: &QModel, tokens: &[u32]) -> Result<Check, Error> {
    let tokens = &tokens[..tokens.len().min(CHECKED_TOKENS)];
    let weights = Weights::read(checkpoint)?;
    let mut float = FloatSession::new(&weights);
    let mut runner = Runner::new(Arc::new(fast::from_model(model)?), fast::default_threads());
    let mut session = runner.session();
    let one = 2f64.powi(-model.f.f_logits);
    let bits = |log_p: &[f64], next: u32| -log_p[next as usize] / std::f64::consts::LN_2;
    let checking = bar(tokens.len() as u64, "checking");
    let (mut exact, mut golden, mut kl) = (0.0, 0.0, 0.0);
    for pair in tokens.windows(2) {
        let q = log_softmax(&float.step(pair[0])?, 1.0);
        let logits: Vec<f64> = runner.step(&mut session, pair[0])?.iter().map(|l| f64::from(*l) * one).collect();
        let p = log_softmax(&logits, 1.0);
        exact += bits(&q, pair[1]);
        golden += bits(&p, pair[1]);
        kl += q.iter().zip(&p).map(|(q, p)| q.exp() * (q - p)).sum::<f64>();
        checking.inc(1);
    }
    checking.finish_and_clear();
    let n = tokens.len().saturating_sub(1);
    let mean = |sum: f64| sum / n.max(1) as f64;
    Ok(Check { tokens: n, float_bits_per_token: mean(exact), golden_bits_per_token: mean(golden), kl: mean(kl) })
}
