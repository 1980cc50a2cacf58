//! `quantize`, and how every verb turns a checkpoint into integers.

use super::args::{Head, Numbers, Quantize, Round, Scales, Value, Weights as Format};
use super::inspect::tensors;
use super::model::{encode, Model};
use super::print::{bar, check_file, write_file, Out};
use super::{formats, Error};
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Shape};
use golden_model::fast::{self, Runner};
use golden_model::image;
use golden_model::network::clusters::ClusterForm;
use golden_model::network::model::QModel;
use golden_model::network::recipe::{GroupScales, Recipe, Rounding, TensorFormat};
use golden_model::network::session::{FloatSession, Session};
use golden_model::quantise::calibrate::{calibrate, calibrate_operands, random_tokens, RANDOM_TOKENS};
use golden_model::quantise::gptq::Hessians;
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise_with;
use golden_model::quantise::scales::QuantError;
use golden_model::quantise::search::{candidates, pick, Matrix, Picks, Space};
use golden_model::text::generate::log_softmax;
use golden_model::text::tokenizer::Tokenizer;
use records::model::{Check, QuantizedImage, TensorError};
use std::process::ExitCode;
use std::sync::Arc;

/// Longest calibration that is worth its time: ranges have settled by then.
pub const MAX_CALIBRATION_TOKENS: usize = 4096;
/// Tokens of the calibration text on which `quantize` compares the result with float.
const CHECKED_TOKENS: usize = 512;
/// Bits a weight for `--weights auto`: what 4 bits take with their scales, and room for the matrices that need more.
const DEFAULT_BUDGET: f64 = 5.0;

/// A checkpoint as integers, and how it came about.
pub struct Done {
    pub model: QModel,
    pub errors: Vec<(String, QuantError)>,
    pub search: Option<Search>,
}

/// What `--weights auto` tried and picked.
pub type Search = records::model::Search<Vec<Matrix>, Picks>;
/// The record of `quantize`.
pub type Quantized = QuantizedImage<Recipe, Vec<Matrix>, Picks>;

/// Quantises `checkpoint` as `numbers` say; with `errors` the recipe tells every matrix' error on the calibration text.
pub fn quantise(
    checkpoint: &Checkpoint,
    tokenizer: &Tokenizer,
    numbers: &Numbers,
    errors: bool,
) -> Result<Done, Error> {
    let shape = checkpoint.shape();
    let mut options = options(numbers, shape)?;
    let auto = numbers.weights == Some(Format::Auto);
    let operands_wanted = [
        (auto, "--weights auto"),
        (options.round == Rounding::Gptq, "--round gptq"),
        (options.branch > 0, "--branch"),
        // clusters do without, and are better with
        (options.clusters.is_some() && numbers.calibrate.is_some(), "--head clustered"),
        (errors, "--report"),
    ];
    let wanted = operands_wanted.iter().find_map(|(wanted, option)| wanted.then_some(option));
    if let (Some(option), None) = (wanted, &numbers.calibrate) {
        return Err(format!("{option} needs text to calibrate with, expected --calibrate FILE").into());
    }
    let tokens = calibration(tokenizer, numbers, shape.vocab_size)?;
    let calibrating = bar(tokens.len() as u64, "calibrating");
    let mut weights = Weights::read(checkpoint)?;
    let progress = |n| calibrating.set_position(n as u64);
    let (ranges, operands) = if wanted.is_some() {
        let (ranges, operands) = calibrate_operands(&weights, &tokens, options.value.is_some(), progress)?;
        (ranges, Some(operands))
    } else {
        (calibrate(&weights, &tokens, progress), None)
    };
    calibrating.finish_and_clear();
    let search = match &operands {
        Some(operands) if auto => Some(search(checkpoint, &mut weights, (operands, &tokens), numbers, &mut options)?),
        _ => None,
    };
    drop(weights);
    let mut done = quantise_with(checkpoint, &ranges, operands.as_ref(), &options)?;
    if let (Some(recipe), true) = (&mut done.model.f.recipe, auto) {
        recipe.budget = Some(budget(numbers));
    }
    Ok(Done { model: done.model, errors: done.errors, search })
}

/// The tokens that set the ranges: the beginning of the text that was given, or pseudo-random ones.
fn calibration(tokenizer: &Tokenizer, numbers: &Numbers, vocab_size: usize) -> Result<Vec<u32>, Error> {
    let Some(path) = &numbers.calibrate else { return Ok(random_tokens(vocab_size, RANDOM_TOKENS)) };
    let mut tokens = encode(tokenizer, path)?;
    if tokens.is_empty() {
        return Err(format!("{}: is empty, expected text to calibrate with", path.display()).into());
    }
    tokens.truncate(MAX_CALIBRATION_TOKENS);
    Ok(tokens)
}

fn budget(numbers: &Numbers) -> f64 {
    numbers.budget.unwrap_or(DEFAULT_BUDGET)
}

/// Finds a format for every matrix and puts it into `options`.
fn search(
    checkpoint: &Checkpoint,
    exact: &mut Weights,
    (operands, tokens): (&Hessians, &[u32]),
    numbers: &Numbers,
    options: &mut QuantOptions,
) -> Result<Search, Error> {
    let mut space = Space::default();
    if let Some(rank) = numbers.branch {
        space.ranks = if rank > 0 { vec![rank as usize] } else { vec![] };
    }
    if let Some(round) = numbers.round {
        space.roundings = vec![rounding(round)];
    }
    // the ranks given above are those of the candidates, not of every matrix
    options.branch = 0;
    let n = operands.names().filter(|n| !options.tensors.contains_key(*n)).count();
    let searching = bar(n as u64, "trying formats");
    let progress = |n| searching.set_position(n as u64);
    let matrices = candidates(checkpoint, exact, (operands, tokens), options, &space, progress)?;
    searching.finish_and_clear();
    let weights: u64 = matrices.iter().map(|m| m.weights).sum();
    let budget_bytes = (weights as f64 * budget(numbers) / 8.0) as u64;
    let picks = pick(&matrices, budget_bytes);
    for (m, p) in matrices.iter().zip(&picks.picked) {
        options.tensors.insert(m.tensor.clone(), m.candidates[*p].format);
    }
    Ok(Search { budget_bytes, matrices, picks })
}

fn rounding(round: Round) -> Rounding {
    match round {
        Round::Plain => Rounding::Plain,
        Round::Gptq => Rounding::Gptq,
    }
}

/// What the arguments ask of the quantiser.
fn options(numbers: &Numbers, shape: &Shape) -> Result<QuantOptions, Error> {
    let defaults = QuantOptions::default();
    let format = numbers.weights.unwrap_or(Format::W8);
    let auto = format == Format::Auto;
    let clustered = numbers.head == Some(Head::Clustered);
    let mut options = QuantOptions {
        bits: if format == Format::W8 { WeightBits::W8 } else { WeightBits::W4 },
        head: numbers.head.map(|h| if h == Head::W4 { WeightBits::W4 } else { WeightBits::W8 }),
        scales: if numbers.scales == Some(Scales::Max) { GroupScales::Max } else { GroupScales::Search },
        value: (numbers.value == Some(Value::W4)).then_some(WeightBits::W4Columns),
        round: numbers.round.map_or(Rounding::Plain, rounding),
        branch: numbers.branch.unwrap_or(0) as usize,
        state_bits: numbers.state_bits.unwrap_or(defaults.state_bits),
        operand_bits: numbers.operand_bits.unwrap_or(defaults.operand_bits),
        ..defaults
    };
    if clustered {
        options.clusters = Some(cluster_form(numbers, shape.vocab_size));
    }
    if options.head.is_some() {
        // what was asked for is not searched for
        let head = options.tensor("head.weight");
        options.tensors.insert("head.weight".into(), head);
    }
    if auto && options.value.is_some() {
        for name in (0..shape.n_layer).map(|l| format!("blocks.{l}.ffn.value.weight")) {
            // the search picks the better rounding for all others; so does this
            let best = TensorFormat { round: numbers.round.map_or(Rounding::Gptq, rounding), ..options.tensor(&name) };
            options.tensors.insert(name, best);
        }
    }
    Ok(options)
}

fn cluster_form(numbers: &Numbers, vocab_size: usize) -> ClusterForm {
    let clusters = numbers.clusters.map_or(2 * vocab_size.isqrt(), |n| n as usize);
    let form = ClusterForm::new(vocab_size, clusters, 1);
    let visit = numbers.visit.map_or(form.clusters.div_ceil(4), |n| n);
    ClusterForm { visit: visit.clamp(1, form.clusters), ..form }
}

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
        write_file(page, formats::page(&done, &name)?.as_bytes())?;
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
