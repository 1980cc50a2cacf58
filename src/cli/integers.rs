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
use golden_model::quantise::auto::{Auto, Chosen};
use golden_model::quantise::calibrate::{calibrate, calibrate_operands, random_tokens, RANDOM_TOKENS};
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise_with;
use golden_model::quantise::scales::QuantError;
use golden_model::quantise::search::Space;
use golden_model::text::tokenizer::Tokenizer;

/// Longest calibration that is worth its time: ranges have settled by then.
pub const MAX_CALIBRATION_TOKENS: usize = 4096;
/// Bits a weight for `--weights auto`: what 4 bits take with their scales, and room for the matrices that need more.
const DEFAULT_BUDGET: f64 = 5.0;

/// A checkpoint as integers, and how it came about.
pub struct Done {
    pub model: QModel,
    pub errors: Vec<(String, QuantError)>,
    pub search: Option<Chosen>,
}

/// Quantises `checkpoint` as `numbers` say; with `errors` the recipe holds every matrix' error on the calibration text.
pub fn quantise(
    checkpoint: &Checkpoint,
    tokenizer: &Tokenizer,
    numbers: &Numbers,
    errors: bool,
) -> Result<Done, Error> {
    let shape = checkpoint.shape();
    let mut options = options(numbers, shape)?;
    let auto_wanted = numbers.weights == Some(Format::Auto);
    let operands_wanted = [
        (auto_wanted, "--weights auto"),
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
        Some(operands) if auto_wanted => {
            let auto = auto(numbers, &options);
            let searching = bar(auto.n_matrices(operands, &options) as u64, "trying formats");
            let progress = |n| searching.set_position(n as u64);
            let chosen = auto.choose(checkpoint, &mut weights, (operands, &tokens), &mut options, progress)?;
            searching.finish_and_clear();
            Some(chosen)
        }
        _ => None,
    };
    drop(weights);
    let mut done = quantise_with(checkpoint, &ranges, operands.as_ref(), &options)?;
    if let (Some(recipe), true) = (&mut done.model.f.recipe, auto_wanted) {
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

/// What the arguments ask of an automatic choice.
fn auto(numbers: &Numbers, options: &QuantOptions) -> Auto {
    let mut space = Space::default().with_branches(options.branch);
    if let Some(round) = numbers.round {
        space.roundings = vec![rounding(round)];
    }
    Auto { bits: budget(numbers), space }
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
