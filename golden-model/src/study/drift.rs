//! Error by position in the text: does the integer state drift away from the floating-point one?

use super::score::{compare, mean_and_error, relative_error, Point};
use super::{Progress, Reference, Source, StudyError};
use crate::fast::{self, Runner};
use crate::network::float_step::{no_tap, step, FloatState};
use crate::network::integer_step::IntState;
use crate::network::session::TokenError;
use rayon::prelude::*;
use std::sync::Arc;

/// The state is looked at every so many tokens, and at the powers of two before that.
const SAMPLE: usize = 256;
/// Where a fit begins: the state has filled by then.
pub const SETTLED: usize = 256;
/// Most floats of logits in flight between the floating-point network and the others.
const CHUNK_FLOATS: usize = 1 << 24;

/// A network in integers, token by token.
pub trait Run: Send {
    /// Logits after `token`, frac [`Run::frac_logits`].
    fn step(&mut self, token: u32) -> Result<&[i32], TokenError>;
    fn state(&self) -> &IntState;
    fn frac_logits(&self) -> i32;
    /// frac of S of each layer.
    fn frac_state(&self) -> Vec<i32>;
    /// Results clipped since the start, in all units.
    fn clipped(&self) -> u64;
}

/// The fast step on one thread.
pub struct Golden {
    runner: Runner,
    session: fast::Session,
}

impl Golden {
    pub fn new(weights: fast::Weights) -> Self {
        let runner = Runner::new(Arc::new(weights), 1);
        Self { session: runner.session(), runner }
    }

    /// Returns the state, so that a test can spoil it on purpose.
    pub fn state_mut(&mut self) -> &mut IntState {
        &mut self.session.state
    }
}

impl Run for Golden {
    fn step(&mut self, token: u32) -> Result<&[i32], TokenError> {
        self.runner.step(&mut self.session, token)
    }

    fn state(&self) -> &IntState {
        &self.session.state
    }

    fn frac_logits(&self) -> i32 {
        self.runner.weights().f.f_logits
    }

    fn frac_state(&self) -> Vec<i32> {
        self.runner.weights().layers.iter().map(|l| l.f.f_s).collect()
    }

    fn clipped(&self) -> u64 {
        let s = &self.session.saturations;
        s.mat.0 + s.vec.0 + s.wkv.0
    }
}

/// S after `position` tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct StateError {
    pub position: usize,
    /// RMS of the difference over RMS of the floating-point state, all layers together.
    pub relative_error: f64,
    /// The relative error of each layer.
    pub by_layer: Vec<f64>,
}

/// Predictions `from..to` (0 is the one after the first token).
#[derive(Clone, Debug, PartialEq)]
pub struct Bin {
    pub from: usize,
    pub to: usize,
    pub kl: f64,
    pub kl_se: f64,
    pub logit_error: f64,
    pub top1_agreement: f64,
    /// Results clipped while these positions were read.
    pub clipped: u64,
}

/// A straight line through an error over log2 of the position, from [`SETTLED`] on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    pub n_points: usize,
    /// Mean of what is fitted.
    pub mean: f64,
    /// Growth with every doubling of the position, as a share of the mean, and its standard error.
    pub slope_per_doubling: f64,
    pub slope_se: f64,
}

impl Fit {
    /// Whether the error grows beyond what two standard errors explain.
    pub fn grows(&self) -> bool {
        self.slope_per_doubling > 2.0 * self.slope_se
    }
}

/// One network over a long text.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    pub n_tokens: usize,
    pub bins: Vec<Bin>,
    pub states: Vec<StateError>,
    /// The fit of the state's relative error, and below it that of the logits'; none if the text ends before there are enough points.
    pub state_fit: Option<Fit>,
    pub logit_fit: Option<Fit>,
}

/// What the floating-point network made of some consecutive tokens.
struct Chunk {
    first: usize,
    logits: Vec<f32>,
    /// S of every layer after so many tokens.
    states: Vec<(usize, Vec<Vec<f32>>)>,
}

/// Feeds `tokens` to the floating-point network and to every one of `runs`, which start from an empty state; gives each one's [`Drift`] and
/// the floating-point logits of the first `keep` tokens. The floating-point network is one chunk ahead, on another core.
///
/// # Errors
/// If there are fewer than two tokens, one is outside the vocabulary, or there are too many logits to keep.
pub fn drift<R: Run>(
    source: &Source<'_>,
    runs: &mut [R],
    tokens: &[u32],
    keep: usize,
    progress: Progress<'_>,
) -> Result<(Vec<Drift>, Reference), StudyError> {
    source.check(tokens, 2)?;
    let vocab_size = source.weights.shape.vocab_size;
    let mut kept = Reference::with_room(vocab_size, keep.min(tokens.len()))?;
    let chunk_len = (CHUNK_FLOATS / vocab_size).clamp(1, 4 * SAMPLE);
    let mut state = FloatState::new(&source.weights.shape);
    let mut ahead = |first: usize| {
        let of = &tokens[first..tokens.len().min(first + chunk_len)];
        let mut chunk = Chunk { first, logits: Vec::with_capacity(of.len() * vocab_size), states: vec![] };
        for (i, token) in of.iter().enumerate() {
            chunk.logits.extend(step(source.weights, *token, &mut state, &mut no_tap));
            if is_sample(first + i + 1) {
                chunk.states.push((first + i + 1, state.layers.iter().map(|l| l.s.clone()).collect()));
            }
            progress(1);
        }
        chunk
    };
    let mut logs: Vec<Log> = runs.iter().map(|_| Log::default()).collect();
    let mut chunk = ahead(0);
    loop {
        let next = chunk.first + chunk_len;
        let (following, done) = rayon::join(
            || (next < tokens.len()).then(|| ahead(next)),
            || {
                let feed = |(run, log): (&mut R, &mut Log)| log.take(run, &chunk, tokens, vocab_size, progress);
                runs.par_iter_mut().zip(&mut logs).try_for_each(feed)
            },
        );
        done?;
        let wanted = keep.saturating_sub(chunk.first).min(chunk.logits.len() / vocab_size);
        kept.logits.extend_from_slice(&chunk.logits[..wanted * vocab_size]);
        match following {
            Some(following) => chunk = following,
            None => break,
        }
    }
    Ok((logs.into_iter().map(|log| log.finish(tokens.len())).collect(), kept))
}

fn is_sample(position: usize) -> bool {
    position.is_multiple_of(SAMPLE) || position < SAMPLE && position.is_power_of_two()
}

#[derive(Default)]
struct Log {
    points: Vec<Point>,
    /// clipped so far, after each point
    clipped: Vec<u64>,
    states: Vec<StateError>,
}

impl Log {
    fn take<R: Run>(
        &mut self,
        run: &mut R,
        chunk: &Chunk,
        tokens: &[u32],
        vocab_size: usize,
        progress: Progress<'_>,
    ) -> Result<(), StudyError> {
        let (frac, fracs) = (run.frac_logits(), run.frac_state());
        let mut states = chunk.states.iter().peekable();
        for (i, exact) in chunk.logits.chunks_exact(vocab_size).enumerate() {
            let at = chunk.first + i;
            let token = tokens[at];
            let logits = run.step(token).map_err(|_| StudyError::Token { token, vocab_size })?;
            if let Some(next) = tokens.get(at + 1) {
                self.points.push(compare(exact, logits, frac, *next as usize));
                self.clipped.push(run.clipped());
            }
            if let Some((position, exact)) = states.next_if(|(position, _)| *position == at + 1) {
                self.states.push(state_error(*position, exact, run.state(), &fracs));
            }
            progress(1);
        }
        Ok(())
    }

    fn bin(&self, from: usize, to: usize) -> Bin {
        let points = &self.points[from..to];
        let (kl, kl_se) = mean_and_error(points.iter().map(|p| p.kl));
        let (top1_agreement, _) = mean_and_error(points.iter().map(|p| f64::from(u8::from(p.agrees))));
        let before = if from > 0 { self.clipped[from - 1] } else { 0 };
        let clipped = self.clipped[to - 1] - before;
        Bin { from, to, kl, kl_se, logit_error: relative_error(points.iter()), top1_agreement, clipped }
    }

    fn finish(self, n_tokens: usize) -> Drift {
        let bins = edges(self.points.len()).windows(2).map(|w| self.bin(w[0], w[1])).collect();
        let of_states = self.states.iter().filter(|s| s.position >= SETTLED);
        let state_fit = fit(&of_states.map(|s| (s.position as f64, s.relative_error)).collect::<Vec<_>>());
        let settled = self.points.chunks_exact(SAMPLE).enumerate().skip(SETTLED / SAMPLE);
        let middle = |i: usize| (i * SAMPLE + SAMPLE / 2) as f64;
        let logit_fit = fit(&settled.map(|(i, p)| (middle(i), relative_error(p.iter()))).collect::<Vec<_>>());
        Drift { n_tokens, bins, states: self.states, state_fit, logit_fit }
    }
}

fn state_error(position: usize, exact: &[Vec<f32>], state: &IntState, fracs: &[i32]) -> StateError {
    let (mut error, mut signal) = (0.0, 0.0);
    let mut by_layer = Vec::with_capacity(exact.len());
    let ratio = |error: f64, signal: f64| if signal > 0.0 { (error / signal).sqrt() } else { 0.0 };
    for ((exact, layer), frac) in exact.iter().zip(&state.layers).zip(fracs) {
        let one = 2f64.powi(-frac);
        let (mut e, mut s) = (0.0, 0.0);
        for (exact, got) in exact.iter().zip(&layer.s) {
            let exact = f64::from(*exact);
            e += (f64::from(*got) * one - exact).powi(2);
            s += exact * exact;
        }
        by_layer.push(ratio(e, s));
        error += e;
        signal += s;
    }
    StateError { position, relative_error: ratio(error, signal), by_layer }
}

/// 0, 16, then two bins an octave, up to `n`.
fn edges(n: usize) -> Vec<usize> {
    let steps = (0..).map(|i| (16.0 * 2f64.powf(f64::from(i) / 2.0)).round() as usize);
    let mut edges: Vec<usize> = std::iter::once(0).chain(steps.take_while(|e| *e < n)).collect();
    // a last bin too short for a mean joins the one before
    if edges.len() > 2 && edges.last().is_some_and(|e| n - e < e / 8) {
        edges.pop();
    }
    edges.push(n);
    edges
}

/// Least squares of y over log2 x. The standard error is the jackknife's over 16 runs of consecutive points, because neighbours share
/// their text and most of their state. None with fewer than 16 points.
fn fit(points: &[(f64, f64)]) -> Option<Fit> {
    const GROUPS: usize = 16;
    if points.len() < GROUPS {
        return None;
    }
    let group = |i: usize| i * GROUPS / points.len();
    let slope = |leave_out: Option<usize>| {
        let kept =
            || points.iter().enumerate().filter(|(i, _)| Some(group(*i)) != leave_out).map(|(_, p)| (p.0.log2(), p.1));
        let n = kept().count() as f64;
        let (mx, my) = kept().fold((0.0, 0.0), |m, p| (m.0 + p.0 / n, m.1 + p.1 / n));
        let (sxy, sxx) = kept().fold((0.0, 0.0), |s, p| (s.0 + (p.0 - mx) * (p.1 - my), s.1 + (p.0 - mx).powi(2)));
        (sxy / sxx, my)
    };
    let (b, mean) = slope(None);
    let left: Vec<f64> = (0..GROUPS).map(|g| slope(Some(g)).0).collect();
    let g = GROUPS as f64;
    let middle = left.iter().sum::<f64>() / g;
    let variance = left.iter().map(|b| (b - middle).powi(2)).sum::<f64>() * (g - 1.0) / g;
    let share = |v: f64| if mean > 0.0 { v / mean } else { 0.0 };
    Some(Fit { n_points: points.len(), mean, slope_per_doubling: share(b), slope_se: share(variance.sqrt()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};

    #[test]
    fn bins_cover_every_position_once() {
        for n in [1, 5, 16, 17, 18, 31, 100, 1000, 32767] {
            let edges = edges(n);
            assert!(edges[0] == 0 && *edges.last().unwrap() == n, "{edges:?}");
            assert!(edges.windows(2).all(|w| w[0] < w[1]), "{edges:?}");
        }
        assert_eq!(edges(100), [0, 16, 23, 32, 45, 64, 100]);
    }

    #[test]
    fn a_fit_finds_growth_and_its_absence() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let mut line = |slope: f64| {
            let y = |x: f64| 2.0 + slope * (x.log2() - 12.0);
            let points: Vec<_> =
                (1..128).map(|i| f64::from(i) * 256.0).map(|x| (x, y(x) * rng.gen_range(0.9..1.1))).collect();
            fit(&points).unwrap()
        };
        let (flat, rising, falling) = (line(0.0), line(0.2), line(-0.2));
        assert!(flat.slope_per_doubling.abs() < 3.0 * flat.slope_se && flat.slope_se < 0.02, "{flat:?}");
        assert!(rising.grows() && (rising.slope_per_doubling * rising.mean - 0.2).abs() < 0.05, "{rising:?}");
        assert!(!falling.grows() && falling.slope_per_doubling < 0.0, "{falling:?}");
        assert_eq!(fit(&[(1.0, 1.0); 15]), None);
        // exact points of a line: the slope itself, no uncertainty
        let exact = fit(&(1..33).map(|i| (2f64.powi(i), f64::from(i))).collect::<Vec<_>>()).unwrap();
        assert!((exact.slope_per_doubling * exact.mean - 1.0).abs() < 1e-12 && exact.slope_se < 1e-12);
    }
}
