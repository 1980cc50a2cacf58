//! Ranges of all values of the float step, found by running it: what [`crate::quantise::choose_formats`] sizes the integers by.

use crate::checkpoint::weights::Weights;
use crate::network::float_step::{step, FloatState};
use crate::quantise::gptq::{Hessians, TooLarge};
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;

/// Largest |value| of every tap, one map a layer and one for the head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges(pub Vec<BTreeMap<&'static str, f64>>);

impl Ranges {
    pub fn new(n_layer: usize) -> Self {
        Self(vec![BTreeMap::new(); n_layer + 1])
    }

    /// Takes a tap's values in. A value that is not finite counts as infinite.
    pub fn observe(&mut self, layer: usize, name: &'static str, values: &[f32]) {
        let max = values.iter().fold(0f64, |m, v| if v.is_nan() { f64::INFINITY } else { m.max(f64::from(v.abs())) });
        let entry = self.0[layer].entry(name).or_insert(0.0);
        *entry = entry.max(max);
    }

    /// Returns a tap that overflowed, if there is one, and its layer.
    pub fn first_infinite(&self) -> Option<(usize, &'static str)> {
        let of = |(l, m): (usize, &BTreeMap<&'static str, f64>)| {
            m.iter().find(|(_, v)| v.is_infinite()).map(|(name, _)| (l, *name))
        };
        self.0.iter().enumerate().find_map(of)
    }

    /// Returns the largest |value| of a tap; 0 for one never seen.
    pub fn get(&self, layer: usize, name: &str) -> f64 {
        self.0[layer].get(name).copied().unwrap_or(0.0)
    }
}

/// Tokens enough to fill the state when there is no text to calibrate with.
pub const RANDOM_TOKENS: usize = 256;

/// Largest |value| of every tap over `tokens`, fed from an empty state; `progress` is called after each token.
/// Tokens beyond the vocabulary are skipped.
pub fn calibrate(weights: &Weights, tokens: &[u32], progress: impl FnMut(usize)) -> Ranges {
    let mut ranges = Ranges::new(weights.shape.n_layer);
    run(weights, tokens, progress, |layer, name, values| ranges.observe(layer, name, values));
    ranges
}

/// Does what [`calibrate`] does and also sums up what every matrix multiplies, `ffn.value` only with `value`.
///
/// # Errors
/// If the sums do not fit in memory.
pub fn calibrate_operands(
    weights: &Weights,
    tokens: &[u32],
    value: bool,
    progress: impl FnMut(usize),
) -> Result<(Ranges, Hessians), TooLarge> {
    let mut ranges = Ranges::new(weights.shape.n_layer);
    let mut operands = Hessians::new(&weights.shape, value)?;
    run(weights, tokens, progress, |layer, name, values| {
        ranges.observe(layer, name, values);
        operands.observe(layer, name, values);
    });
    Ok((ranges, operands))
}

/// Runs the float step over `tokens` from an empty state.
fn run(
    weights: &Weights,
    tokens: &[u32],
    mut progress: impl FnMut(usize),
    mut tap: impl FnMut(usize, &'static str, &[f32]),
) {
    let mut state = FloatState::new(&weights.shape);
    for (i, token) in tokens.iter().filter(|t| (**t as usize) < weights.shape.vocab_size).enumerate() {
        step(weights, *token, &mut state, &mut tap);
        progress(i + 1);
    }
}

/// Returns `n` pseudo-random tokens, the same on every machine, for networks without a text.
pub fn random_tokens(vocab_size: usize, n: usize) -> Vec<u32> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    (0..n).map(|_| rng.gen_range(0..vocab_size as u32)).collect()
}
