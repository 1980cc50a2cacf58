//! Text from logits: greedy, or sampled with temperature and top-p from a seed, the same on every machine.

use crate::session::Session;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Chooses the next token.
#[derive(Clone, Debug)]
pub struct Sampler {
    temperature: f64,
    top_p: f64,
    rng: ChaCha8Rng,
}

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
        Self { temperature: 0.0, top_p: 1.0, rng: ChaCha8Rng::seed_from_u64(0) }
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
        Ok(Self { temperature, top_p, rng: ChaCha8Rng::seed_from_u64(seed) })
    }

    /// The next token; `logits` has at least one entry.
    pub fn pick(&mut self, logits: &[f64]) -> u32 {
        if self.temperature == 0.0 {
            return first_largest(logits);
        }
        let mut candidates: Vec<(usize, f64)> =
            log_softmax(logits, 1.0 / self.temperature).into_iter().map(f64::exp).enumerate().collect();
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable: equal ones stay in the order of the tokens
        let mut sum = 0.0;
        let reached = candidates.iter().position(|c| {
            sum += c.1;
            sum >= self.top_p
        });
        let kept = reached.map_or(candidates.len(), |i| i + 1);
        candidates.truncate(kept);
        let mut left = self.rng.gen::<f64>() * candidates.iter().map(|c| c.1).sum::<f64>();
        for (token, p) in &candidates {
            left -= p;
            if left < 0.0 {
                return *token as u32;
            }
        }
        candidates[kept - 1].0 as u32
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

/// Feeds `prompt`, then `n` tokens that `sampler` chooses; `on_token` gets each as soon as it is known.
///
/// Every token of prompt and text is fed, the last one too, so that the session can go on.
///
/// # Errors
/// If the prompt is empty or a step fails.
pub fn generate<S: Session>(
    session: &mut S,
    prompt: &[u32],
    n: usize,
    sampler: &mut Sampler,
    mut on_token: impl FnMut(u32),
) -> Result<Vec<u32>, GenerateError<S::Error>> {
    let mut logits = session.prefill(prompt).map_err(GenerateError::Step)?;
    if prompt.is_empty() {
        return Err(GenerateError::EmptyPrompt);
    }
    let mut text = vec![];
    for _ in 0..n {
        let token = sampler.pick(&logits);
        on_token(token);
        text.push(token);
        logits = session.step(token).map_err(GenerateError::Step)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (1.0, 0.8, [0.625, 0.375, 0.0, 0.0]),
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
