//! Every named value of the integer step beside its floating-point twin: ranges, saturations, and how far the two are apart.

use super::score::Point;
use super::spread::{Spread, Summary};
use super::tap_formats::{tap_format, Format};
use super::{Progress, Source, StudyError};
use crate::arithmetic::vector_ops::SaturationCounts;
use crate::network::float_step::{self, FloatState};
use crate::network::integer_step::{self, IntState};
use crate::network::model::QModel;
use std::collections::HashMap;

/// One tap of one layer over all tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct TapRange {
    /// `n_layer` for the head.
    pub layer: usize,
    pub name: &'static str,
    pub format: Format,
    /// How the floating-point values spread.
    pub values: Summary,
    /// Integer values at one of the format's ends: clipped, or as large as if they were.
    pub at_rail: u64,
    /// RMS of the difference over RMS of the floating-point values; 0 for a tap of zeros.
    pub relative_error: f64,
    /// Largest difference.
    pub max_error: f64,
}

/// What [`taps`] found.
#[derive(Clone, Debug)]
pub struct Taps {
    pub n_tokens: usize,
    /// In the order in which the step computes them.
    pub taps: Vec<TapRange>,
    /// The integer step's own counters.
    pub saturations: SaturationCounts,
}

/// A tap while tokens go by.
struct Seen {
    layer: usize,
    name: &'static str,
    format: Format,
    /// This token's floating-point values.
    exact: Vec<f32>,
    spread: Spread,
    at_rail: u64,
    sums: Point,
    max_error: f64,
}

/// Runs both steps over `tokens` from an empty state, each with its own state, as they would run alone.
///
/// # Errors
/// If there are no tokens or one is outside the vocabulary.
pub fn taps(source: &Source<'_>, model: &QModel, tokens: &[u32], progress: Progress<'_>) -> Result<Taps, StudyError> {
    source.check(tokens, 1)?;
    let mut seen: Vec<Seen> = vec![];
    let mut index: HashMap<(usize, &'static str), usize> = HashMap::new();
    let (mut float, mut int) = (FloatState::new(&source.weights.shape), IntState::new(model));
    let mut saturations = SaturationCounts::default();
    for token in tokens {
        float_step::step(source.weights, *token, &mut float, &mut |layer, name, values: &[f32]| {
            let at = index.get(&(layer, name)).copied();
            let at = at.or_else(|| {
                let format = tap_format(model, layer, name)?;
                let (exact, spread, sums) = (vec![], Spread::default(), Point::default());
                seen.push(Seen { layer, name, format, exact, spread, at_rail: 0, sums, max_error: 0.0 });
                index.insert((layer, name), seen.len() - 1);
                Some(seen.len() - 1)
            });
            if let Some(at) = at {
                seen[at].exact.clear();
                seen[at].exact.extend_from_slice(values);
                seen[at].spread.add(values);
            }
        });
        integer_step::step(model, *token as usize, &mut int, &mut saturations, &mut |layer, name, values: &[i32]| {
            if let Some(at) = index.get(&(layer, name)) {
                seen[*at].compare(values);
            }
        });
        progress(1);
    }
    let taps = seen.into_iter().map(Seen::finish).collect();
    Ok(Taps { n_tokens: tokens.len(), taps, saturations })
}

impl Seen {
    fn compare(&mut self, values: &[i32]) {
        let one = self.format.step();
        for (v, exact) in values.iter().zip(&self.exact) {
            let exact = f64::from(*exact);
            let error = f64::from(*v) * one - exact;
            self.sums.error += error * error;
            self.sums.signal += exact * exact;
            self.max_error = self.max_error.max(error.abs());
            self.at_rail += u64::from(self.format.is_rail(*v));
        }
    }

    fn finish(self) -> TapRange {
        let Point { error, signal, .. } = self.sums;
        TapRange {
            layer: self.layer,
            name: self.name,
            format: self.format,
            values: self.spread.summary(),
            at_rail: self.at_rail,
            relative_error: if signal > 0.0 { (error / signal).sqrt() } else { 0.0 },
            max_error: self.max_error,
        }
    }
}
