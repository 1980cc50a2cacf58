//! Quality over widths: weights, matrix operands, state.

use super::score::{compare, mean_and_error, relative_error, Point};
use super::{Progress, Reference, Source, StudyError};
use crate::arithmetic::vector_ops::SaturationCounts;
use crate::fast::{self, Runner};
use crate::quantise::options::QuantOptions;
use rayon::prelude::*;
use std::sync::Arc;

/// Networks that differ only in the width of their matrix operands, so that their weights are quantised once.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub options: QuantOptions,
    /// In place of `options.operand_bits`.
    pub operand_bits: Vec<u32>,
}

/// What one network made of a text. Means are over tokens, `…_se` their standard errors ([`mean_and_error`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    pub options: QuantOptions,
    /// Predictions: one less than tokens.
    pub n_tokens: usize,
    /// Mean −log2 of the probability given to the token that came.
    pub bits_per_token: f64,
    /// Bits per token less those of floating point, token by token.
    pub loss_bits: f64,
    pub loss_bits_se: f64,
    /// Kullback-Leibler divergence from floating point, nats.
    pub kl: f64,
    pub kl_se: f64,
    /// Share of positions at which both find the same token likeliest.
    pub top1_agreement: f64,
    /// RMS of the difference of the logits over RMS of the logits.
    pub logit_error: f64,
    pub saturations: SaturationCounts,
}

/// Runs every network of `groups` over `tokens` from an empty state and compares with `reference`, which must hold all tokens but the last.
/// Networks are spread over the machine's cores; results are in the order of the groups.
///
/// # Errors
/// If a network cannot be quantised that way, or there are fewer than two tokens.
pub fn grid(
    source: &Source<'_>,
    reference: &Reference,
    tokens: &[u32],
    groups: &[Group],
    progress: Progress<'_>,
) -> Result<Vec<Quality>, StudyError> {
    source.check(tokens, 2)?;
    let of_group = |group: &Group| {
        let weights = source.fast(&group.options)?;
        let one = |bits: &u32| {
            let mut weights = weights.clone(); // the matrices are shared
            weights.f.operand_bits = *bits;
            let options = QuantOptions { operand_bits: *bits, ..group.options.clone() };
            quality(weights, options, reference, tokens, progress)
        };
        group.operand_bits.par_iter().map(one).collect::<Result<Vec<_>, _>>()
    };
    let all: Vec<Vec<Quality>> = groups.par_iter().map(of_group).collect::<Result<_, StudyError>>()?;
    Ok(all.into_iter().flatten().collect())
}

fn quality(
    weights: fast::Weights,
    options: QuantOptions,
    reference: &Reference,
    tokens: &[u32],
    progress: Progress<'_>,
) -> Result<Quality, StudyError> {
    let (vocab_size, frac) = (weights.shape.vocab_size, weights.f.f_logits);
    let mut runner = Runner::new(Arc::new(weights), 1);
    let mut session = runner.session();
    let mut points = Vec::with_capacity(tokens.len() - 1);
    for (i, pair) in tokens.windows(2).enumerate() {
        let unknown = |_| StudyError::Token { token: pair[0], vocab_size };
        let logits = runner.step(&mut session, pair[0]).map_err(unknown)?;
        points.push(compare(reference.logits(i), logits, frac, pair[1] as usize));
        progress(1);
    }
    Ok(summary(options, &points, session.saturations))
}

/// `points` as one network's quality.
pub fn summary(options: QuantOptions, points: &[Point], saturations: SaturationCounts) -> Quality {
    let bits = |nats: f64| nats / std::f64::consts::LN_2;
    let mean = |f: fn(&Point) -> f64| mean_and_error(points.iter().map(f));
    let (loss, loss_se) = mean(|p| p.nats - p.reference_nats);
    let (kl, kl_se) = mean(|p| p.kl);
    Quality {
        options,
        n_tokens: points.len(),
        bits_per_token: bits(mean(|p| p.nats).0),
        loss_bits: bits(loss),
        loss_bits_se: bits(loss_se),
        kl,
        kl_se,
        top1_agreement: mean(|p| f64::from(u8::from(p.agrees))).0,
        logit_error: relative_error(points.iter()),
        saturations,
    }
}
