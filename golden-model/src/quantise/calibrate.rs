//! Ranges of all values of the float step, found by running it: what [`crate::quantise::formats`] sizes the integers by.

use crate::checkpoint::weights::Weights;
use crate::network::float_step::{step, FloatState};
use crate::quantise::formats::Ranges;
use crate::quantise::gptq::{Hessians, TooLarge};
use rand::{Rng, SeedableRng};

/// Tokens enough to fill the state when there is no text to calibrate with.
pub const RANDOM_TOKENS: usize = 256;

/// Largest |value| of every tap over `tokens`, fed from an empty state; `progress` is called after each token.
/// Tokens beyond the vocabulary are skipped.
pub fn calibrate(weights: &Weights, tokens: &[u32], progress: impl FnMut(usize)) -> Ranges {
    let mut ranges = Ranges::new(weights.shape.n_layer);
    run(weights, tokens, progress, |layer, name, values| ranges.observe(layer, name, values));
    ranges
}

/// [`calibrate`] that also sums up what every matrix multiplies, `ffn.value` only with `value`.
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

/// The float step over `tokens` from an empty state.
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

/// The same pseudo-random tokens on every machine, for networks without a text.
pub fn random_tokens(vocab_size: usize, n: usize) -> Vec<u32> {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    (0..n).map(|_| rng.gen_range(0..vocab_size as u32)).collect()
}
