//! `report accuracy`: what integers cost against floating point, for every width a designer can choose.

use super::args::Accuracy;
use super::integers::MAX_CALIBRATION_TOKENS;
use super::model::{check_tokens, encode, held_out_text, Model};
use super::origin::origin;
use super::print::{bar, command_line, note, Out};
use super::Error;
use golden_model::checkpoint::weights::Weights;
use golden_model::study::accuracy::{Study, Text};
use records::accuracy::AccuracyRecord;
use records::output::{check_file, write};
use std::process::ExitCode;

pub fn accuracy(a: &Accuracy, out: &Out) -> Result<ExitCode, Error> {
    if let Some(path) = &a.output {
        check_file(path)?;
    }
    let record = measure(a, command_line().join(" "))?;
    if let Some(path) = &a.output {
        write(path, reports::accuracy::accuracy_page(&record)?)?;
        note(format_args!("report written to {}", path.display()));
    }
    out.result(&record, || lines(&record))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the study and writes nothing.
pub fn measure(a: &Accuracy, command: String) -> Result<AccuracyRecord, Error> {
    let (model, name) = Model::open(&a.model)?;
    let Model::Checkpoint(checkpoint) = &model else {
        return Err(
            "an .anser image holds integers only; the report compares with float and needs the checkpoint".into()
        );
    };
    let text = text(a, &model)?;
    let calibration = match &a.calibrate {
        Some(path) => {
            let mut tokens = encode(&model.tokenizer(), path)?;
            check_tokens(&path.display().to_string(), &tokens, model.shape())?;
            tokens.truncate(MAX_CALIBRATION_TOKENS);
            Some((path.display().to_string(), tokens))
        }
        None => None,
    };
    let calibration = calibration.as_ref().map(|(name, tokens)| (&name[..], &tokens[..]));
    let weights = Weights::read(checkpoint)?;
    let study = Study::new((&name, checkpoint, &weights), &text, a.max_tokens as usize, calibration)
        .map_err(|e| format!("{}: {e}", text.name))?;
    let bar = bar(study.total(), "reading networks");
    let record = study.run(origin(command), &|n| bar.inc(n))?;
    bar.finish_and_clear();
    Ok(record)
}

/// The text that is read: the one that was given, or the held-out part of the project's own.
fn text(a: &Accuracy, model: &Model) -> Result<Text, Error> {
    let tokenizer = model.tokenizer();
    let vocab_size = model.shape().vocab_size;
    if !tokenizer.is_text() {
        return Err(format!("a vocabulary of {vocab_size} has no tokenizer, expected a model that reads text").into());
    }
    let (name, tokens) = match &a.text {
        Some(path) => (path.display().to_string(), encode(&tokenizer, path)?),
        None => ("the held-out text of the project's own model".into(), tokenizer.encode(held_out_text()?)?),
    };
    check_tokens(&name, &tokens, model.shape())?;
    let bytes = tokens.iter().map(|t| tokenizer.decode(&[*t]).len()).collect();
    Ok(Text { name, tokens, bytes })
}

/// What a person sees without a page.
fn lines(r: &AccuracyRecord) -> String {
    let mut text = format!("{:10}{:>9}{:>7}{:>18}{:>21}{:>9}\n", "weights", "operands", "state", "loss", "KL", "top-1");
    for p in &r.grid {
        text += &format!(
            "{:10}{:>9}{:>7}{:>+8.3} ± {:.3} %{:>10.2e} ± {:.1e}{:>7.2} %\n",
            p.setting.weights,
            p.setting.operand_bits,
            p.setting.state_bits,
            p.loss_percent,
            p.loss_percent_se,
            p.kl,
            p.kl_se,
            p.top1_agreement * 100.0
        );
    }
    for run in &r.drift.runs {
        let Some(fit) = &run.state_fit else { continue };
        let verdict = if fit.grows() { "drifts" } else { "does not drift" };
        text += &format!(
            "state of {} bits {verdict}: its error changes by {:+.2} % ± {:.2} % a doubling of the position, to {}\n",
            run.setting.state_bits,
            fit.slope_per_doubling * 100.0,
            fit.slope_se * 100.0,
            r.drift.n_tokens
        );
    }
    text
}
