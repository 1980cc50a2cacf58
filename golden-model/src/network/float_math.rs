//! What the float step is made of: products, norms, sigmoid. All slices of one call have the length the text says.

use rayon::prelude::*;

use crate::checkpoint::weights::{Matrix, Norm, Vector};
use crate::network::taps::NormTaps;

/// exp(-1/2): the decay is exp(-DECAY sigmoid(z)), so it never falls below exp(-exp(-1/2)) = 0.5452.
pub const DECAY: f32 = 0.606_530_66;
pub const L2_EPS: f32 = 1e-12;

/// From this many multiplications on, a matrix product is worth handing to other cores.
const PARALLEL: usize = 1 << 18;
const LANES: usize = 16;

pub fn sigmoid(z: f32) -> f32 {
    1.0 / (1.0 + (-z).exp())
}

/// Sum of products in f32, in 16 interleaved parts: fast, and the error grows with length / 16 only.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a16, b16) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = a16.remainder().iter().zip(b16.remainder()).map(|(a, b)| a * b).sum();
    let mut part = [0f32; LANES];
    for (a, b) in a16.zip(b16) {
        for l in 0..LANES {
            part[l] += a[l] * b[l];
        }
    }
    part.iter().map(|&p| f64::from(p)).sum::<f64>() as f32 + tail
}

/// `W x` for W `(out, in)`, x `(in)`.
pub fn matvec(w: &Matrix, x: &[f32]) -> Vec<f32> {
    let rows = w.as_slice().expect("weights are row-major");
    if rows.len() < PARALLEL {
        rows.chunks_exact(x.len()).map(|row| dot(row, x)).collect()
    } else {
        rows.par_chunks_exact(x.len()).with_min_len(PARALLEL / 4 / x.len() + 1).map(|row| dot(row, x)).collect()
    }
}

/// `x M` for x `(in)`, M `(in, out)`: half of a low-rank pair.
pub fn vecmat(x: &[f32], m: &Matrix) -> Vec<f32> {
    let mut sum = vec![0f64; m.ncols()];
    for (x, row) in x.iter().zip(m.rows()) {
        for (sum, m) in sum.iter_mut().zip(row) {
            *sum += f64::from(x * m);
        }
    }
    sum.into_iter().map(|s| s as f32).collect()
}

/// `h + (prev - h) * m`, all `(n)`.
pub fn mix(h: &[f32], prev: &[f32], m: &Vector) -> Vec<f32> {
    h.iter().zip(prev).zip(m).map(|((h, prev), m)| h + (prev - h) * m).collect()
}

/// `f(a_i, b_i)`.
pub fn map2(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}

/// `f(a_i, p_i)` with a parameter vector.
pub fn with(a: &[f32], p: &Vector, f: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    a.iter().zip(p).map(|(&a, &p)| f(a, p)).collect()
}

pub fn add(a: &[f32], b: &[f32]) -> Vec<f32> {
    map2(a, b, |a, b| a + b)
}

/// The stages of a norm, each `(D)`: normalised, times gain, plus bias.
pub struct Normed {
    pub n: Vec<f32>,
    pub g: Vec<f32>,
    pub h: Vec<f32>,
}

/// Normalises each group of `group` elements to mean 0 and variance 1, then applies gain and bias.
pub fn norm(x: &[f32], group: usize, p: &Norm, eps: f64) -> Normed {
    let mut n = Vec::with_capacity(x.len());
    for x in x.chunks_exact(group) {
        let count = group as f64;
        let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let var = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        let rstd = 1.0 / (var + eps).sqrt();
        n.extend(x.iter().map(|&x| ((f64::from(x) - mean) * rstd) as f32));
    }
    let g = with(&n, &p.weight, |n, g| n * g);
    let h = with(&g, &p.bias, |g, b| g + b);
    Normed { n, g, h }
}

/// `v / |v|`, v `(N)`.
pub fn normalized(v: &[f32]) -> Vec<f32> {
    let length = v.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt() as f32;
    v.iter().map(|v| v / length.max(L2_EPS)).collect()
}

/// What one token brings to the recurrence of one head, each `(N)`: `d` is 1 - w, `k` is modified by k_a, `b` is kk * a.
pub struct Head<'a> {
    pub r: &'a [f32],
    pub d: &'a [f32],
    pub k: &'a [f32],
    pub v: &'a [f32],
    pub kk: &'a [f32],
    pub b: &'a [f32],
}

impl Head<'_> {
    /// The generalised delta rule, `S = S diag(w) + sa b^T + v k^T` with `sa = -S kk`, then the readout `y = S r`.
    ///
    /// `s` is `(N, N)`: row i belongs to the value element v_i, column j to the key element k_j. `sa` and `y`, both
    /// `(N)`, are written.
    pub fn delta_rule(&self, s: &mut [f32], sa: &mut [f32], y: &mut [f32]) {
        let n = self.r.len();
        for (i, row) in s.chunks_exact_mut(n).enumerate() {
            sa[i] = -dot(row, self.kk);
            for (j, s) in row.iter_mut().enumerate() {
                *s += sa[i] * self.b[j] + self.v[i] * self.k[j] - *s * self.d[j];
            }
            y[i] = dot(row, self.r);
        }
    }
}

/// Receives every named value of a step: layer (`n_layer` for the head), name, values in row-major order.
pub trait Tap: FnMut(usize, &'static str, &[f32]) {}
impl<T: FnMut(usize, &'static str, &[f32])> Tap for T {}

/// A tap that takes nothing.
pub fn no_tap(_layer: usize, _name: &'static str, _values: &[f32]) {}

/// The taps of one layer.
pub struct Taps<'t, T> {
    pub layer: usize,
    pub tap: &'t mut T,
}

impl<T: Tap> Taps<'_, T> {
    pub fn show(&mut self, name: &'static str, values: &[f32]) {
        (self.tap)(self.layer, name, values);
    }

    /// Shows `values` and gives them back.
    pub fn pass(&mut self, name: &'static str, values: Vec<f32>) -> Vec<f32> {
        self.show(name, &values);
        values
    }

    /// Computes [`norm`] and shows its stages.
    pub fn norm(&mut self, names: NormTaps, x: &[f32], group: usize, p: &Norm, eps: f64) -> Vec<f32> {
        let norm = norm(x, group, p, eps);
        self.show(names.n, &norm.n);
        self.show(names.g, &norm.g);
        self.pass(names.h, norm.h)
    }
}
