//! How every verb turns a checkpoint into integers, as its arguments ask.

use super::args::{Head, Numbers, Round, Scales, Value, Weights as Format};
use super::files::encode;
use super::print::bar;
use super::Error;
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::{Checkpoint, Shape};
use golden_model::network::clusters::ClusterForm;
use golden_model::network::model::QModel;
use golden_model::network::recipe::{GroupScales, Rounding, TensorFormat};
use golden_model::quantise::calibrate::{calibrate, calibrate_operands, random_tokens, RANDOM_TOKENS};
use golden_model::quantise::gptq::Hessians;
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise_with;
use golden_model::quantise::scales::QuantError;
use golden_model::quantise::search::{candidates, least_bits, pick, Matrix, Picks, Space};
use golden_model::text::tokenizer::Tokenizer;

/// Longest calibration that is worth its time: ranges have settled by then.
pub const MAX_CALIBRATION_TOKENS: usize = 4096;
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
pub fn calibration(tokenizer: &Tokenizer, numbers: &Numbers, vocab_size: usize) -> Result<Vec<u32>, Error> {
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
    let mut space = Space::default().with_branches(options.branch);
    if let Some(round) = numbers.round {
        space.roundings = vec![rounding(round)];
    }
    // the rank given above is that of candidates, not of every matrix
    options.branch = 0;
    let least = least_bits(checkpoint.shape(), operands, options, &space);
    if budget(numbers) < least {
        let (asked, least) = (budget(numbers), (least * 100.0).ceil() / 100.0);
        return Err(format!("--budget {asked}: the smallest formats take {least} bits a weight with their scales, expected that or more").into());
    }
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
