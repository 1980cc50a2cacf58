//! Chooses the format of each matrix by a search over formats, with the error of the matrix' output as its measure.
//!
//! Every matrix whose operands a calibration has seen is rounded in every candidate format. The error of a candidate is
//! `‖(W − Ŵ) X‖² / ‖W X‖²`, noise over signal at the matrix' output. What that noise does to the network's predictions differs from matrix to
//! matrix (logits have a large part in common that no probability sees), so it is measured once for each: the network in floating point, this one matrix
//! rounded, against the exact network. The Kullback-Leibler divergence is quadratic in a small error, hence linear in the noise;
//! divergence over noise is the matrix' sensitivity, and sensitivity times noise the cost of a candidate, in nats a token.
//!
//! [`pick`] makes the sum of costs small within a budget of bytes: from the smallest candidates it goes on with the step that takes away most
//! cost for its bytes, which is the optimum of the problem in which a matrix may be split between formats. That optimum is reported, too, so everyone
//! sees how close a choice is.

use crate::arithmetic::tensor::WeightBits;
use crate::checkpoint::weights::Weights;
use crate::checkpoint::{Checkpoint, CheckpointError, Shape};
use crate::network::recipe::{Rounding, TensorFormat};
use crate::network::session::{FloatSession, Session};
use crate::quantise::approximate::{Approximation, Exact};
use crate::quantise::gptq::Hessians;
use crate::quantise::options::QuantOptions;
use crate::quantise::scales::matrix_frac;
use crate::text::generate::log_softmax;
use serde::Serialize;

/// Tokens of the calibration on which sensitivities are measured: each costs a run of the network for every matrix.
const PROBED_TOKENS: usize = 128;
/// Rows of a matrix that are tried, at most; of a larger one every n-th stands for n.
const MAX_ROWS: usize = 4096;

/// One format for one matrix.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Candidate {
    #[serde(flatten)]
    pub format: TensorFormat,
    /// In the stream, scales, padding and branch included.
    pub bytes: u64,
    /// `‖(W − Ŵ) X‖² / ‖W X‖²`.
    pub output_error: f64,
    /// What it is expected to do to the predictions: sensitivity · output_error, nats a token.
    pub cost: f64,
}

/// A matrix and its candidates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Matrix {
    pub tensor: String,
    pub weights: u64,
    /// Divergence from the exact network for an output error of 1, if that were small: nats a token.
    pub sensitivity: f64,
    pub candidates: Vec<Candidate>,
}

/// What was picked: a candidate for each matrix.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Picks {
    /// Index of the candidate of each matrix.
    pub picked: Vec<usize>,
    pub bytes: u64,
    /// Sum of the matrices' costs, nats a token.
    pub cost: f64,
    /// No choice within the budget has a smaller sum than this.
    pub bound: f64,
}

/// What to try.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    pub roundings: Vec<Rounding>,
    /// Ranks of branches.
    pub ranks: Vec<usize>,
}

impl Default for Space {
    /// Both roundings and no branches: what the chip runs.
    fn default() -> Self {
        Self { roundings: vec![Rounding::Plain, Rounding::Gptq], ranks: vec![] }
    }
}

impl Space {
    /// Tries branches too: of every rank that is a power of two from 2 to `rank`, and of `rank`.
    pub fn with_branches(self, rank: usize) -> Self {
        let powers = (1..usize::BITS).map(|p| 1 << p).take_while(|p| *p < rank);
        Self { ranks: if rank > 0 { powers.chain([rank]).collect() } else { vec![] }, ..self }
    }

    /// All formats for a matrix of this size: a branch that takes more than a quarter of the weights' own bytes is not tried.
    fn formats(&self, rows: usize, cols: usize) -> Vec<TensorFormat> {
        let four = |round, branch| TensorFormat { bits: WeightBits::W4, round, branch };
        let mut all: Vec<_> = self.roundings.iter().map(|r| four(*r, 0)).collect();
        let fits = |rank: &&usize| 2 * **rank * (rows + cols) <= rows * cols / 4;
        let best = self.roundings.last().copied().unwrap_or_default();
        all.extend(self.ranks.iter().filter(fits).map(|rank| four(best, *rank)));
        all.push(TensorFormat { bits: WeightBits::W8, round: Rounding::Plain, branch: 0 });
        all
    }
}

/// Rounds every matrix with known operands in every format, but those with a format of their own in `options`; sensitivities are measured on
/// `tokens`. `weights`, those of `checkpoint`, are the same afterwards. `progress` is called after each matrix.
///
/// # Errors
/// If a tensor cannot be read.
pub fn candidates(
    checkpoint: &Checkpoint,
    weights: &mut Weights,
    (operands, tokens): (&Hessians, &[u32]),
    options: &QuantOptions,
    space: &Space,
    mut progress: impl FnMut(usize),
) -> Result<Vec<Matrix>, CheckpointError> {
    let mut out = vec![];
    let tokens = &tokens[..tokens.len().min(PROBED_TOKENS)];
    let reference = predictions(weights, tokens);
    for (name, ..) in searched(checkpoint.shape(), operands, options) {
        let Some(gram) = operands.gram(&name) else { continue };
        let cols = gram.n();
        let all = checkpoint.read(&name)?;
        let rows = all.len() / cols;
        let every = rows.div_ceil(MAX_ROWS).max(1);
        let values: Vec<f32> = all.chunks(cols).step_by(every).flatten().copied().collect();
        let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
        let factor = gram.factor();
        let exact = Exact { values: &values, cols, gram: Some(gram), factor: Some(&factor) };
        let signal = exact.signal(gram);
        let mut sensitivity = None;
        let mut candidates = vec![];
        for format in space.formats(rows, cols) {
            let done = exact.approximate(format, options.scales, matrix_frac(max, format.bits));
            let error = done.squared_error(&exact, gram);
            let output_error = if signal > 0.0 { error / signal } else { 0.0 };
            // the coarsest candidate comes first and shows best what an error does
            let nats = *sensitivity.get_or_insert_with(|| {
                let kl = with_rows(weights, &name, every, &done, |w| divergence(&reference, &predictions(w, tokens)));
                // only one row in `every` was rounded
                if output_error > 0.0 {
                    kl * every as f64 / output_error
                } else {
                    0.0
                }
            });
            let bytes = format_bytes(rows, cols, format);
            candidates.push(Candidate { format, bytes, output_error, cost: nats * output_error });
        }
        let sensitivity = sensitivity.unwrap_or(0.0);
        out.push(Matrix { tensor: name, weights: (rows * cols) as u64, sensitivity, candidates });
        progress(out.len());
    }
    Ok(out)
}

/// The matrices whose format is searched for, `(name, rows, cols)`: those with known operands and no format of their own.
fn searched<'a>(
    shape: &'a Shape,
    operands: &'a Hessians,
    options: &'a QuantOptions,
) -> impl Iterator<Item = (String, usize, usize)> + 'a {
    shape.tensors().filter(|t| !options.tensors.contains_key(&t.name)).filter_map(|t| {
        let cols = operands.gram(&t.name)?.n();
        Some((t.name, t.shape.iter().product::<usize>() / cols, cols))
    })
}

/// The least number of bits a weight, in the mean over all matrices that [`candidates`] tries; scales and padding are part of it.
pub fn least_bits(shape: &Shape, operands: &Hessians, options: &QuantOptions, space: &Space) -> f64 {
    let (mut bytes, mut weights) = (0, 0);
    for (_, rows, cols) in searched(shape, operands, options) {
        bytes += space.formats(rows, cols).into_iter().map(|f| format_bytes(rows, cols, f)).min().unwrap_or(0);
        weights += rows * cols;
    }
    8.0 * bytes as f64 / weights.max(1) as f64
}

/// Log probabilities after each token, from an empty state.
fn predictions(weights: &Weights, tokens: &[u32]) -> Vec<Vec<f64>> {
    let mut session = FloatSession::new(weights);
    tokens.iter().filter_map(|t| session.step(*t).ok()).map(|logits| log_softmax(&logits, 1.0)).collect()
}

/// Mean Kullback-Leibler divergence of `exact` from `got`, nats a token.
fn divergence(exact: &[Vec<f64>], got: &[Vec<f64>]) -> f64 {
    let of = |(q, p): (&Vec<f64>, &Vec<f64>)| {
        q.iter().zip(p).map(|(q, p)| if q.is_finite() { q.exp() * (q - p) } else { 0.0 }).sum::<f64>()
    };
    let sum: f64 = exact.iter().zip(got).map(of).sum();
    (sum / exact.len().max(1) as f64).max(0.0)
}

/// Calls `f` with every `every`-th row of matrix `name` as `rounded` has it, and puts the rows back.
fn with_rows<T>(
    weights: &mut Weights,
    name: &str,
    every: usize,
    rounded: &Approximation,
    f: impl FnOnce(&Weights) -> T,
) -> T {
    let Some(matrix) = weights.matrix_mut(name) else { return f(weights) };
    let kept = matrix.clone();
    for (i, mut row) in matrix.rows_mut().into_iter().step_by(every).enumerate() {
        row.iter_mut().zip(rounded.row(i)).for_each(|(w, q)| *w = q as f32);
    }
    let result = f(weights);
    if let Some(matrix) = weights.matrix_mut(name) {
        *matrix = kept;
    }
    result
}

/// Bytes of a matrix `(rows, cols)` in the stream.
fn format_bytes(rows: usize, cols: usize, format: TensorFormat) -> u64 {
    use crate::image::layout::{BlockKind, MatrixFormat};
    use crate::image::UNIT;
    let units = |rows: usize, cols: usize, format| {
        BlockKind::Matrix { rows: rows as u32, cols: cols as u32, format }.units() * UNIT as u64
    };
    let main = match format.bits {
        WeightBits::W4 => MatrixFormat::W4,
        WeightBits::W4Columns => MatrixFormat::W4Columns,
        WeightBits::W8 => MatrixFormat::W8,
        WeightBits::W16 => MatrixFormat::W16,
    };
    let rank = format.branch;
    let branch = if rank > 0 { units(rank, cols, MatrixFormat::W16) + units(rows, rank, MatrixFormat::W16) } else { 0 };
    units(rows, cols, main) + branch
}

/// One step of a matrix to its next candidate on the lower hull of cost over bytes.
struct Step {
    matrix: usize,
    to: usize,
    bytes: u64,
    gain: f64,
}

/// The smallest cost within `budget` bytes, nearly: [`Picks::bound`] says how nearly. The smallest candidates are taken even if they exceed it.
pub fn pick(matrices: &[Matrix], budget: u64) -> Picks {
    let mut picked = vec![];
    let mut steps = vec![];
    for (i, m) in matrices.iter().enumerate() {
        let hull = hull(&m.candidates);
        picked.push(hull.first().copied().unwrap_or(0));
        steps.extend(hull.windows(2).map(|w| {
            let (from, to) = (m.candidates[w[0]], m.candidates[w[1]]);
            Step { matrix: i, to: w[1], bytes: to.bytes - from.bytes, gain: from.cost - to.cost }
        }));
    }
    let of = |picked: &[usize]| {
        let chosen = || matrices.iter().zip(picked).filter_map(|(m, p)| m.candidates.get(*p));
        (chosen().map(|c| c.bytes).sum::<u64>(), chosen().map(|c| c.cost).sum::<f64>())
    };
    let (mut bytes, mut cost) = of(&picked);
    let mut bound = None;
    // along a hull the gain for a byte falls, so each matrix' steps stay in order
    steps.sort_by(|a, b| (b.gain * a.bytes as f64).total_cmp(&(a.gain * b.bytes as f64)).then(a.matrix.cmp(&b.matrix)));
    let mut closed = vec![false; matrices.len()];
    for s in &steps {
        let left = budget.saturating_sub(bytes);
        if s.bytes > left && bound.is_none() {
            bound = Some(cost - s.gain * left as f64 / s.bytes as f64);
        }
        // a later step of a matrix starts where an earlier one ends
        if closed[s.matrix] || s.bytes > left {
            closed[s.matrix] = true;
            continue;
        }
        picked[s.matrix] = s.to;
        (bytes, cost) = (bytes + s.bytes, cost - s.gain);
    }
    let (bytes, cost) = of(&picked);
    Picks { picked, bytes, cost, bound: bound.unwrap_or(cost).min(cost) }
}

/// Candidates on the lower convex hull of cost over bytes, from the smallest up.
fn hull(candidates: &[Candidate]) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..candidates.len()).collect();
    let of = |i: usize| (candidates[i].bytes, candidates[i].cost);
    sorted.sort_by(|a, b| of(*a).0.cmp(&of(*b).0).then(of(*a).1.total_cmp(&of(*b).1)));
    let mut hull: Vec<usize> = vec![];
    for i in sorted {
        if hull.last().is_some_and(|l| of(*l).0 == of(i).0 || of(*l).1 <= of(i).1) {
            continue; // not smaller in cost than what takes no more bytes
        }
        while let [.., a, b] = hull[..] {
            let slope = |p: usize, q: usize| (of(q).1 - of(p).1) / (of(q).0 - of(p).0) as f64;
            if slope(a, b) < slope(b, i) {
                break;
            }
            hull.pop();
        }
        hull.push(i);
    }
    hull
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matrix(candidates: &[(u64, f64)]) -> Matrix {
        let format = TensorFormat { bits: WeightBits::W4, round: Rounding::Plain, branch: 0 };
        let candidate = |&(bytes, cost): &(u64, f64)| Candidate { format, bytes, output_error: 0.0, cost };
        Matrix {
            tensor: String::new(),
            weights: 1,
            sensitivity: 1.0,
            candidates: candidates.iter().map(candidate).collect(),
        }
    }

    /// The smallest cost of any choice within the budget.
    fn best(matrices: &[Matrix], budget: u64) -> Option<f64> {
        let Some((first, rest)) = matrices.split_first() else { return Some(0.0) };
        let with = |c: &Candidate| Some(c.cost + best(rest, budget.checked_sub(c.bytes)?)?);
        first.candidates.iter().filter_map(with).min_by(f64::total_cmp)
    }

    proptest! {
        #[test]
        fn close_to_the_best_and_never_beyond_the_bound(
            sizes in prop::collection::vec(prop::collection::vec((1u64..50, 0.0f64..1.0), 1..5), 1..6), budget in 1u64..200
        ) {
            let matrices: Vec<Matrix> = sizes.iter().map(|s| matrix(s)).collect();
            let got = pick(&matrices, budget);
            let chosen = || matrices.iter().zip(&got.picked).map(|(m, p)| m.candidates[*p]);
            prop_assert_eq!(got.bytes, chosen().map(|c| c.bytes).sum::<u64>());
            prop_assert!((got.cost - chosen().map(|c| c.cost).sum::<f64>()).abs() < 1e-9);
            match best(&matrices, budget) {
                Some(best) => {
                    prop_assert!(got.bytes <= budget);
                    prop_assert!(got.bound <= best + 1e-9 && best <= got.cost + 1e-9, "{got:?} best {best}");
                    // at most one matrix is worse off than in the optimum that may split one
                    let worst = matrices.iter().map(|m| {
                        let e = m.candidates.iter().map(|c| c.cost);
                        e.clone().fold(0.0, f64::max) - e.fold(1.0, f64::min)
                    }).fold(0.0, f64::max);
                    prop_assert!(got.cost <= got.bound + worst + 1e-9, "{got:?}");
                }
                None => prop_assert_eq!(got.bytes, matrices.iter().map(|m| m.candidates.iter().map(|c| c.bytes).min().unwrap()).sum::<u64>()),
            }
        }
    }

    #[test]
    fn more_bytes_go_where_they_help_most() {
        let matrices =
            [matrix(&[(10, 1.0), (20, 0.1)]), matrix(&[(10, 1.0), (20, 0.5)]), matrix(&[(10, 0.2), (20, 0.3)])];
        assert_eq!(pick(&matrices, 40).picked, [1, 0, 0]);
        assert_eq!(pick(&matrices, 60).picked, [1, 1, 0]);
        assert_eq!(pick(&matrices, 0).picked, [0, 0, 0]);
        let split = pick(&matrices, 45);
        assert!((split.bound - (0.1 + 0.75 + 0.2)).abs() < 1e-12 && split.bytes == 40, "{split:?}");
    }

    #[test]
    fn branches_are_tried_where_they_are_small() {
        let branches = |rank| Space::default().with_branches(rank).ranks;
        assert_eq!(
            (branches(0), branches(1), branches(6), branches(16)),
            (vec![], vec![1], vec![2, 4, 6], vec![2, 4, 8, 16])
        );
        let space = Space::default().with_branches(16);
        let ranks = |rows, cols| space.formats(rows, cols).iter().map(|f| f.branch).max();
        assert_eq!((ranks(128, 128), ranks(768, 768), ranks(16, 16)), (Some(8), Some(16), Some(0)));
    }
}
