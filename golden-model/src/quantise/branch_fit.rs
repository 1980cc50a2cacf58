//! Finds the low-rank branch that makes up best for an error of a matrix.
//!
//! Among all products U V of rank k, the one that minimises `‖(E − U V) X‖²` over the operands X of the calibration is `P Pᵀ E`, the columns of P
//! the leading eigenvectors of `E H Eᵀ`, H = Xᵀ X + λ I: the truncated singular value decomposition of E seen through its operands. They are found by
//! subspace iteration, which takes nothing but products with E and H; a library for decompositions would be ten times this file.

use crate::quantise::gptq::Gram;
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

/// Rounds of the iteration: errors of rounding have a flat spectrum, and then any further direction is about as good.
const ROUNDS: usize = 8;

/// V `(rank, cols)` and U `(rows, rank)`, row-major, for `error` `(rows, cols)`; the rank is at most that of a matrix of this size.
pub fn fit(error: &[f64], cols: usize, gram: &Gram, rank: usize) -> (Vec<f32>, Vec<f32>) {
    let rows = error.len() / cols.max(1);
    let rank = rank.min(rows).min(cols);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    // rank vectors of `rows` elements each
    let mut p: Vec<Vec<f64>> = (0..rank).map(|_| (0..rows).map(|_| rng.gen_range(-1.0..1.0)).collect()).collect();
    for _ in 0..ROUNDS {
        orthonormal(&mut p);
        p = p.par_iter().map(|p| times(error, &gram.apply(&transposed_times(error, cols, p)))).collect();
    }
    orthonormal(&mut p);
    let v = p.par_iter().flat_map_iter(|p| transposed_times(error, cols, p)).map(|v| v as f32).collect();
    let u = (0..rows).flat_map(|r| p.iter().map(move |p| p[r] as f32)).collect();
    (v, u)
}

/// E x.
fn times(e: &[f64], x: &[f64]) -> Vec<f64> {
    e.chunks(x.len()).map(|row| row.iter().zip(x).map(|(e, x)| e * x).sum()).collect()
}

/// Eᵀ x.
fn transposed_times(e: &[f64], cols: usize, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; cols];
    for (row, x) in e.chunks(cols).zip(x) {
        out.iter_mut().zip(row).for_each(|(o, e)| *o += e * x);
    }
    out
}

/// Gram–Schmidt, twice for its roundings. A vector that depends on those before it becomes zero: the matrix has no further rank.
fn orthonormal(p: &mut [Vec<f64>]) {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    for i in 0..p.len() {
        let (done, rest) = p.split_at_mut(i);
        let v = &mut rest[0];
        let before = dot(v, v);
        for _ in 0..2 {
            for d in done.iter() {
                let share = dot(d, v);
                v.iter_mut().zip(d).for_each(|(v, d)| *v -= share * d);
            }
        }
        let left = dot(v, v);
        let scale = if left > before * 1e-20 && left.is_normal() { 1.0 / left.sqrt() } else { 0.0 };
        v.iter_mut().for_each(|v| *v *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantise::gptq::Gram;

    fn random(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| rng.gen_range(-1.0..1.0)).collect()
    }

    /// Operands in which the first columns are large.
    fn gram(n: usize) -> Gram {
        let mut gram = Gram::new(n);
        for i in 0..200 {
            let x: Vec<f32> =
                random(n, 100 + i).iter().enumerate().map(|(c, x)| *x as f32 * 20.0 / (1.0 + c as f32)).collect();
            gram.add(&x);
        }
        gram
    }

    fn left(e: &[f64], cols: usize, gram: &Gram, (v, u): &(Vec<f32>, Vec<f32>)) -> f64 {
        let rank = v.len() / cols;
        let row = |(r, e): (usize, &[f64])| {
            let low =
                |c: usize| (0..rank).map(|k| f64::from(u[r * rank + k]) * f64::from(v[k * cols + c])).sum::<f64>();
            gram.quadratic(&e.iter().enumerate().map(|(c, e)| e - low(c)).collect::<Vec<_>>())
        };
        e.chunks(cols).enumerate().map(row).sum()
    }

    #[test]
    fn a_matrix_of_low_rank_is_found_whole() {
        let (rows, cols) = (40, 24);
        let (u, v) = (random(rows * 3, 1), random(3 * cols, 2));
        let e: Vec<f64> =
            (0..rows * cols).map(|i| (0..3).map(|k| u[i / cols * 3 + k] * v[k * cols + i % cols]).sum()).collect();
        let gram = gram(cols);
        let whole = left(&e, cols, &gram, &(vec![], vec![]));
        for rank in [3, 5] {
            let fitted = fit(&e, cols, &gram, rank);
            assert!(left(&e, cols, &gram, &fitted) < 1e-9 * whole, "rank {rank}");
        }
        assert!(left(&e, cols, &gram, &fit(&e, cols, &gram, 2)) > 1e-4 * whole);
    }

    /// It is the outputs' error that it takes away, so a branch for operands alike does worse.
    #[test]
    fn the_operands_decide() {
        let (rows, cols) = (32, 48);
        let e = random(rows * cols, 3);
        let gram = gram(cols);
        let mut alike = Gram::new(cols);
        (0..cols).for_each(|c| alike.add(&(0..cols).map(|i| f32::from(u8::from(i == c))).collect::<Vec<_>>()));
        let mut last = left(&e, cols, &gram, &(vec![], vec![]));
        for rank in [1, 2, 4, 8] {
            let (ours, plain) = (fit(&e, cols, &gram, rank), fit(&e, cols, &alike, rank));
            let (ours, plain) = (left(&e, cols, &gram, &ours), left(&e, cols, &gram, &plain));
            assert!(ours < last && ours < 0.8 * plain, "rank {rank}: {ours} {plain} {last}");
            last = ours;
        }
    }

    #[test]
    fn nothing_to_make_up_for() {
        let (v, u) = fit(&[0.0; 12], 4, &gram(4), 2);
        assert!(v.iter().chain(&u).all(|x| *x == 0.0) && (v.len(), u.len()) == (8, 6));
    }
}
