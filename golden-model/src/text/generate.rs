//! Text from logits: greedy, or sampled with temperature and top-p from a seed, the same on every machine.

use crate::network::session::Session;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::ControlFlow;

/// Where the random numbers of a sampler are, so that another one can go on from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub seed: u64,
    /// Random numbers drawn so far: one a token, none where the likeliest is taken.
    pub draws: u64,
}

/// Chooses the next token.
#[derive(Clone, Debug)]
pub struct Sampler {
    at: Position,
    temperature: f64,
    top_p: f64,
    rng: ChaCha8Rng,
    /// probabilities and tokens, kept so that a token costs no allocation
    candidates: Vec<(f64, u32)>,
}

/// 32-bit words of the generator that one random `f64` takes.
const WORDS_A_DRAW: u128 = 2;

/// Why text cannot be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError<E: std::error::Error> {
    #[error("the prompt is empty, expected at least one token")]
    EmptyPrompt,
    #[error(transparent)]
    Step(E),
}

/// A sampling parameter out of range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{name} = {value}, expected {expected}")]
pub struct SamplingError {
    pub name: &'static str,
    pub value: f64,
    pub expected: &'static str,
}

impl Sampler {
    /// Always the first largest logit, like the chip's argmax.
    pub fn greedy() -> Self {
        let rng = ChaCha8Rng::seed_from_u64(0);
        Self { at: Position::default(), temperature: 0.0, top_p: 1.0, rng, candidates: vec![] }
    }

    /// `temperature` 0 is greedy; `top_p` keeps the likeliest tokens whose probabilities first add up to it.
    ///
    /// # Errors
    /// If `temperature` is negative or not finite, or `top_p` is not in (0, 1].
    pub fn new(temperature: f64, top_p: f64, seed: u64) -> Result<Self, SamplingError> {
        if !(temperature.is_finite() && temperature >= 0.0) {
            return Err(SamplingError { name: "temperature", value: temperature, expected: "0 or more" });
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            return Err(SamplingError { name: "top_p", value: top_p, expected: "above 0, up to 1" });
        }
        let at = Position { seed, draws: 0 };
        Ok(Self { at, temperature, top_p, rng: ChaCha8Rng::seed_from_u64(seed), candidates: vec![] })
    }

    /// Where its random numbers are.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Goes on where another sampler's random numbers were.
    pub fn resume(&mut self, at: Position) {
        self.rng = ChaCha8Rng::seed_from_u64(at.seed);
        self.rng.set_word_pos(u128::from(at.draws) * WORDS_A_DRAW);
        self.at = at;
    }

    /// The next token; `logits` has at least one entry.
    pub fn pick(&mut self, logits: &[f64]) -> u32 {
        if self.temperature == 0.0 {
            return first_largest(logits);
        }
        let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weight = |v: &f64| ((v - max) / self.temperature).exp();
        let total: f64 = logits.iter().map(weight).sum();
        // Where tokens are left out, none below this can stay: with all others that are not likelier it makes less than what is left out.
        let others = logits.len().saturating_sub(1).max(1) as f64;
        // The likeliest, whose weight is 1, always does.
        let least = if self.top_p < 1.0 { ((1.0 - self.top_p) / others * 0.999).min(1.0 / total) } else { 0.0 };
        let candidates = &mut self.candidates;
        candidates.clear();
        let all = logits.iter().enumerate().map(|(token, v)| (weight(v) / total, token as u32));
        candidates.extend(all.filter(|(p, _)| *p >= least));
        let mut kept: f64 = candidates.iter().map(|c| c.0).sum();
        if self.top_p < 1.0 {
            // equal ones stay in the order of the tokens
            candidates.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let mut sum = 0.0;
            let reached = candidates.iter().position(|c| {
                sum += c.0;
                sum >= self.top_p
            });
            if let Some(i) = reached {
                candidates.truncate(i + 1);
                kept = sum;
            }
        }
        self.at.draws += 1;
        let mut left = self.rng.gen::<f64>() * kept;
        for (p, token) in &*candidates {
            left -= p;
            if left < 0.0 {
                return *token;
            }
        }
        // rounding has left a little over: the last token that can be chosen at all
        candidates.iter().rev().find(|c| c.0 > 0.0).map_or_else(|| first_largest(logits), |c| c.1)
    }
}

/// Index of the first largest value.
pub fn first_largest(logits: &[f64]) -> u32 {
    let mut best = 0;
    for (i, v) in logits.iter().enumerate() {
        if *v > logits[best] {
            best = i;
        }
    }
    best as u32
}

/// Natural logarithms of the probabilities that `logits · scale` stand for.
pub fn log_softmax(logits: &[f64], scale: f64) -> Vec<f64> {
    let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = logits.iter().map(|v| ((v - max) * scale).exp()).sum::<f64>().ln();
    logits.iter().map(|v| (v - max) * scale - total).collect()
}

/// Feeds `prompt`, then up to `n` tokens that `sampler` chooses; `on_token` gets each as soon as it is known and says whether to go on.
///
/// Every token of prompt and text is fed, the last one too, so that the session can go on: `logits` holds those after the last token, and
/// with an empty prompt those that the first token of the text is chosen from.
///
/// # Errors
/// If prompt and logits are both empty, or a step fails.
pub fn generate<S: Session>(
    session: &mut S,
    logits: &mut Vec<f64>,
    prompt: &[u32],
    n: usize,
    sampler: &mut Sampler,
    mut on_token: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<(), GenerateError<S::Error>> {
    if !prompt.is_empty() {
        *logits = session.prefill(prompt).map_err(GenerateError::Step)?;
    } else if logits.is_empty() {
        return Err(GenerateError::EmptyPrompt);
    }
    for _ in 0..n {
        let token = sampler.pick(logits);
        let next = on_token(token);
        *logits = session.step(token).map_err(GenerateError::Step)?;
        if next.is_break() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frequencies(mut s: Sampler, logits: &[f64]) -> Vec<f64> {
        let mut counts = vec![0.0; logits.len()];
        for _ in 0..20_000 {
            counts[s.pick(logits) as usize] += 1.0 / 20_000.0;
        }
        counts
    }

    #[test]
    fn sampling_follows_the_probabilities() {
        let logits = [0.5f64, 0.3, 0.0, 0.2].map(|p| if p > 0.0 { p.ln() } else { -1e9 });
        for (temperature, top_p, expected) in [
            (1.0, 1.0, [0.5, 0.3, 0.0, 0.2]),
            (1.0, 0.799, [0.625, 0.375, 0.0, 0.0]),
            (1.0, 0.81, [0.5, 0.3, 0.0, 0.2]),
            (1.0, 1e-9, [1.0, 0.0, 0.0, 0.0]),
            (0.5, 1.0, [0.25 / 0.38, 0.09 / 0.38, 0.0, 0.04 / 0.38]),
            (0.0, 1.0, [1.0, 0.0, 0.0, 0.0]),
        ] {
            let got = frequencies(Sampler::new(temperature, top_p, 3).unwrap(), &logits);
            for (g, e) in got.iter().zip(expected) {
                assert!(
                    (g - e).abs() < 0.015,
                    "temperature {temperature} top_p {top_p}: {got:?}, expected {expected:?}"
                );
            }
        }
    }

    proptest! {
        /// Any logits, temperature, top_p and seed: frequencies follow the probabilities, found here by a full sort, and nothing outside
        /// the likeliest tokens is ever chosen.
        #[test]
        fn samples_follow_any_distribution(
            logits in prop::collection::vec(-8f64..8.0, 1..60), temperature in 0.05f64..3.0, top_p in 0.01f64..=1.0, whole: bool, seed: u64,
        ) {
            const N: usize = 4000;
            let top_p = if whole { 1.0 } else { top_p };
            let mut order: Vec<usize> = (0..logits.len()).collect();
            order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
            let p: Vec<f64> = log_softmax(&logits, 1.0 / temperature).into_iter().map(f64::exp).collect();
            let (mut expected, mut sum) = (vec![0.0; logits.len()], 0.0);
            for token in order {
                if sum < top_p - 1e-9 {
                    expected[token] = p[token];
                    sum += p[token];
                }
            }
            let mut sampler = Sampler::new(temperature, top_p, seed).unwrap();
            let mut counts = vec![0; logits.len()];
            (0..N).for_each(|_| counts[sampler.pick(&logits) as usize] += 1);
            for (count, e) in counts.into_iter().zip(expected) {
                let e = e / sum;
                let deviation = (e * (1.0 - e) / N as f64).sqrt();
                // seven standard deviations, and two tokens where they are too few for that
                let far = (count as f64 / N as f64 - e).abs() > 7.0 * deviation + 2.0 / N as f64;
                prop_assert!(!far && (e > 0.0 || count == 0), "{count} of {N}, expected {e}");
            }
        }
    }

    #[test]
    fn a_seed_gives_one_text_and_a_tie_the_first_token() {
        let logits: Vec<f64> = (0..50).map(|i| f64::from(i % 7)).collect();
        let run = |seed| {
            let mut s = Sampler::new(1.0, 0.9, seed).unwrap();
            (0..20).map(|_| s.pick(&logits)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert_eq!(Sampler::greedy().pick(&logits), 6);
    }

    #[test]
    fn a_sampler_that_is_resumed_draws_what_the_first_would_have_drawn() {
        let logits: Vec<f64> = (0..50).map(|i| f64::from(i % 7)).collect();
        let mut whole = Sampler::new(1.0, 0.9, 5).unwrap();
        for _ in 0..40 {
            let mut resumed = Sampler::new(1.0, 0.9, 0).unwrap();
            resumed.resume(whole.position());
            assert_eq!(resumed.pick(&logits), whole.pick(&logits));
            assert_eq!(resumed.position(), whole.position());
        }
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        for (t, p, name) in [
            (-0.1, 1.0, "temperature"),
            (f64::NAN, 1.0, "temperature"),
            (1.0, 0.0, "top_p"),
            (1.0, 1.1, "top_p"),
            (1.0, f64::NAN, "top_p"),
        ] {
            assert_eq!(Sampler::new(t, p, 0).unwrap_err().name, name);
        }
    }
}
