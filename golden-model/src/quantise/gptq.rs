//! Error-compensated rounding: what rounding one weight does to a matrix' output is made up for by the weights that follow in its row.
//!
//! The idea of GPTQ (Frantar et al., 2022). For a row w and operands X of calibration, the error of the output is `δᵀ H δ` with
//! `δ = w − ŵ` and `H = Xᵀ X`. Columns are rounded in natural order; after column c the remaining ones take the values that are best
//! given its error: `w_j −= (w_c − ŵ_c) · U_cj / U_cc` for j > c, with `H⁻¹ = Uᵀ U`, U upper triangular. All in f64.

use crate::checkpoint::Shape;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Most memory the sums may take, bytes.
pub const MAX_BYTES: usize = 4 << 30;
/// Added to the diagonal of H, as a share of its mean: the calibration text does not know every direction.
const DAMPING: f64 = 0.01;

/// The matrices whose rounding is compensated, and the tap that is their operand.
const OPERANDS: [(&str, &str); 5] = [
    ("att.xk", "att.key.weight"),
    ("att.xv", "att.value.weight"),
    ("att.xr", "att.receptance.weight"),
    ("att.yg", "att.output.weight"),
    ("ffn.xk", "ffn.key.weight"),
];

/// The operand and the matrix `ffn.value`, whose sums take `dim_ffn²` and are kept only where it has 4 bits.
const VALUE: &str = "ffn.value.weight";
/// The tap that is its operand, without and with DeepEmbed.
const VALUE_OPERANDS: [&str; 2] = ["ffn.r2", "ffn.r2g"];

/// The tap that is the operand of a matrix of a layer with this name there.
pub fn operand_of(leaf: &str) -> Option<&'static str> {
    OPERANDS.iter().find(|(_, weight)| *weight == leaf).map(|(tap, _)| *tap)
}

/// `Xᵀ X` of one operand, lower triangle, row-major `(n, n)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gram {
    n: usize,
    sums: Vec<f64>,
}

impl Gram {
    /// Elements of the operand.
    pub fn n(&self) -> usize {
        self.n
    }

    /// `dᵀ Xᵀ X d`: the squared error of an output whose row is off by `d`.
    pub fn quadratic(&self, d: &[f64]) -> f64 {
        let row = |(i, d_i): (usize, &f64)| {
            let sums = &self.sums[i * self.n..][..=i];
            let below: f64 = sums[..i].iter().zip(d).map(|(s, d)| s * d).sum();
            d_i * (2.0 * below + sums[i] * d_i)
        };
        d.iter().enumerate().map(row).sum()
    }

    /// `(Xᵀ X + λ I) x`, λ as in [`Factor`].
    pub fn apply(&self, x: &[f64]) -> Vec<f64> {
        let damping = DAMPING * self.mean();
        let mut out: Vec<f64> = x.iter().map(|x| x * damping).collect();
        for i in 0..self.n {
            let sums = &self.sums[i * self.n..][..=i];
            out[i] += sums.iter().zip(x).map(|(s, x)| s * x).sum::<f64>();
            out[..i].iter_mut().zip(sums).for_each(|(o, s)| *o += s * x[i]);
        }
        out
    }

    /// Coordinates in which the squared distance of two rows is the squared difference of their outputs, λ included.
    pub fn whitened(&self) -> impl Fn(&[f32]) -> Vec<f64> {
        let (n, r) = (self.n, root(self.n, &self.sums));
        move |w| (0..n).map(|j| r[j * n..][..=j].iter().zip(w).map(|(r, w)| r * f64::from(*w)).sum()).collect()
    }

    /// Mean of the diagonal.
    fn mean(&self) -> f64 {
        (0..self.n).map(|i| self.sums[i * self.n + i]).sum::<f64>() / self.n.max(1) as f64
    }

    /// The factor for error-compensated rounding.
    pub fn factor(&self) -> Factor {
        Factor::new(self.n, &self.sums)
    }

    /// Nothing seen yet of an operand of `n` elements.
    pub(crate) fn new(n: usize) -> Self {
        Self { n, sums: vec![0.0; n * n] }
    }

    pub(crate) fn add(&mut self, x: &[f32]) {
        let row = |(r, sums): (usize, &mut [f64])| {
            let scale = f64::from(x[r]);
            if scale != 0.0 {
                sums[..=r].iter_mut().zip(x).for_each(|(s, x)| *s += scale * f64::from(*x));
            }
        };
        if self.n >= 512 {
            self.sums.par_chunks_mut(self.n).with_min_len(64).enumerate().for_each(row);
        } else {
            self.sums.chunks_mut(self.n).enumerate().for_each(row);
        }
    }
}

/// The calibration does not fit in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the operands of this model need {needed} bytes, expected at most {MAX_BYTES}: use plain rounding without branches"
)]
pub struct TooLarge {
    pub needed: usize,
}

/// What calibration saw of every matrix' operand.
#[derive(Clone, Debug, PartialEq)]
pub struct Hessians {
    n_layer: usize,
    value_operand: &'static str,
    by_name: BTreeMap<String, Gram>,
}

impl Hessians {
    /// Nothing seen yet; the operands of `ffn.value` are wanted only with `value`.
    ///
    /// # Errors
    /// If the sums would take more than [`MAX_BYTES`].
    pub fn new(shape: &Shape, value: bool) -> Result<Self, TooLarge> {
        let (n, n_value) = (shape.n_embd, if value { shape.dim_ffn } else { 0 });
        let sums = |n: usize, matrices: usize| n.saturating_mul(n).saturating_mul(8 * matrices);
        let needed = sums(n, OPERANDS.len() * shape.n_layer + 1).saturating_add(sums(n_value, shape.n_layer));
        if needed > MAX_BYTES {
            return Err(TooLarge { needed });
        }
        let in_layer = |l: usize| OPERANDS.map(|(_, leaf)| (format!("blocks.{l}.{leaf}"), Gram::new(n)));
        let mut by_name: BTreeMap<_, _> = (0..shape.n_layer).flat_map(in_layer).collect();
        if value {
            by_name.extend((0..shape.n_layer).map(|l| (format!("blocks.{l}.{VALUE}"), Gram::new(n_value))));
        }
        by_name.insert("head.weight".into(), Gram::new(n));
        let value_operand = VALUE_OPERANDS[usize::from(shape.deep_embed)];
        Ok(Self { n_layer: shape.n_layer, value_operand, by_name })
    }

    /// Takes a tap of the float step in; others than operands of these matrices are ignored.
    pub fn observe(&mut self, layer: usize, tap: &str, values: &[f32]) {
        let name = match OPERANDS.iter().chain([&(self.value_operand, VALUE)]).find(|(t, _)| *t == tap) {
            Some((_, leaf)) => format!("blocks.{layer}.{leaf}"),
            None if tap == "ln_out.h" && layer == self.n_layer => "head.weight".into(),
            None => return,
        };
        if let Some(gram) = self.by_name.get_mut(&name) {
            gram.add(values);
        }
    }

    /// What was seen of the operand of matrix `name`.
    pub fn gram(&self, name: &str) -> Option<&Gram> {
        self.by_name.get(name)
    }

    /// The matrices whose operands are observed, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}

/// R of `Xᵀ X + λ I = R Rᵀ`, upper triangular, from the lower triangle of `Xᵀ X`; what is returned is Rᵀ, row-major.
fn root(n: usize, sums: &[f64]) -> Vec<f64> {
    let mean = (0..n).map(|i| sums[i * n + i]).sum::<f64>() / n.max(1) as f64;
    let usable = mean > 0.0 && sums.iter().all(|s| s.is_finite());
    let damping = if usable { DAMPING * mean } else { 1.0 };
    // from the last column to the first; rows of r are columns of R
    let mut r = vec![0f64; n * n];
    let mut known = vec![0f64; n];
    for j in (0..n).rev() {
        // Σ_k r_ki · r_kj, row by row as memory has them
        known[..=j].fill(0.0);
        for row in r.chunks_exact(n).skip(j + 1) {
            let r_kj = row[j];
            known[..=j].iter_mut().zip(row).for_each(|(known, r_ki)| *known += r_ki * r_kj);
        }
        for i in (0..=j).rev() {
            let h = if usable { sums[j * n + i] } else { 0.0 };
            let left = h - known[i];
            // damping keeps the pivots well above the rounding of f64
            r[j * n + i] = if i == j { (left + damping).max(damping * 1e-3).sqrt() } else { left / r[j * n + j] };
        }
    }
    r
}

/// U of `H⁻¹ = Uᵀ U`.
#[derive(Clone, Debug)]
pub struct Factor {
    n: usize,
    /// `(n, n)` row-major, upper triangle
    u: Vec<f64>,
}

impl Factor {
    /// From the lower triangle of `Xᵀ X` `(n, n)`; an operand that was always zero makes no difference, and neither does one not finite.
    fn new(n: usize, sums: &[f64]) -> Self {
        let r = root(n, sums);
        // U = R⁻¹, row by row: U_cc = 1 / R_cc, U_cj = −(Σ_{c ≤ k < j} U_ck R_kj) / R_jj
        let mut u = vec![0f64; n * n];
        u.par_chunks_mut(n.max(1)).enumerate().for_each(|(c, row)| {
            row[c] = 1.0 / r[c * n + c];
            for j in c + 1..n {
                let sum: f64 = row[c..j].iter().zip(&r[j * n + c..j * n + j]).map(|(u, r)| u * r).sum();
                row[j] = -sum / r[j * n + j];
            }
        });
        Self { n, u }
    }

    /// What a squared error of column `c` costs once the columns after it have made up for what they can.
    pub fn importance(&self, c: usize) -> f64 {
        self.u[c * self.n + c].powi(-2)
    }

    /// Column `c` of `row` became `rounded`: the columns after it take the error over.
    pub fn compensate(&self, row: &mut [f64], c: usize, rounded: f64) {
        let u = &self.u[c * self.n..(c + 1) * self.n];
        let error = (row[c] - rounded) / u[c];
        row[c + 1..].iter_mut().zip(&u[c + 1..]).for_each(|(w, u)| *w -= error * u);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::tensor::{QMatrix, QWeights, WeightBits};
    use crate::network::recipe::GroupScales;
    use crate::quantise::scales::matrix_frac;
    use rand::{Rng, SeedableRng};

    /// Operands whose columns depend on each other, as those of a network do.
    fn operands(n: usize, count: usize, rng: &mut impl Rng) -> Vec<Vec<f32>> {
        let mixing: Vec<f32> = (0..n * n).map(|_| rng.gen_range(-1f32..1.0)).collect();
        let one = |rng: &mut dyn rand::RngCore| {
            let z: Vec<f32> = (0..n / 4).map(|_| rng.gen_range(-1f32..1.0)).collect();
            (0..n)
                .map(|c| {
                    z.iter().enumerate().map(|(k, z)| z * mixing[c * n + k]).sum::<f32>()
                        + 0.1 * rng.gen_range(-1f32..1.0)
                })
                .collect()
        };
        (0..count).map(|_| one(rng)).collect()
    }

    fn gram(n: usize, x: &[Vec<f32>]) -> Gram {
        let mut gram = Gram::new(n);
        x.iter().for_each(|x| gram.add(x));
        gram
    }

    #[test]
    fn the_factor_is_that_of_the_inverse() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let n = 24;
        let gram = gram(n, &operands(n, 100, &mut rng));
        let f = Factor::new(n, &gram.sums);
        let mean = (0..n).map(|i| gram.sums[i * n + i]).sum::<f64>() / n as f64;
        let h = |i: usize, j: usize| gram.sums[i.max(j) * n + i.min(j)] + if i == j { DAMPING * mean } else { 0.0 };
        let inverse = |i: usize, j: usize| (0..=i.min(j)).map(|k| f.u[k * n + i] * f.u[k * n + j]).sum::<f64>();
        for i in 0..n {
            for j in 0..n {
                let got: f64 = (0..n).map(|k| h(i, k) * inverse(k, j)).sum();
                assert!((got - f64::from(u8::from(i == j))).abs() < 1e-9, "({i}, {j}): {got}");
            }
        }
    }

    /// The error of the output, which is what counts, falls; that of the weights alone may rise.
    #[test]
    fn compensation_lowers_the_error_of_the_output() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(2);
        let (rows, n) = (16, 96);
        let x = operands(n, 500, &mut rng);
        let factor = Factor::new(n, &gram(n, &x).sums);
        let w: Vec<f32> = (0..rows * n).map(|_| rng.gen_range(-1f32..1.0)).collect();
        let frac = matrix_frac(1.0, WeightBits::W4);
        let fresh = operands(n, 1, &mut rand_chacha::ChaCha8Rng::seed_from_u64(3));
        assert_ne!(fresh[0], x[0]);
        let error = |factor: Option<&Factor>| {
            let (m, _) = QMatrix::quantise_groups(&w, n, frac, GroupScales::Search, factor);
            let QWeights::W4 { gs, .. } = &m.q else { panic!("not 4 bits") };
            let value = |r: usize, c: usize| {
                f64::from(m.at(r, c)) * f64::from(gs[r * n.div_ceil(32) + c / 32]) * m.scales[r].value(m.frac)
            };
            let dot = |r: usize, x: &[f32]| {
                (0..n).map(|c| (value(r, c) - f64::from(w[r * n + c])) * f64::from(x[c])).sum::<f64>()
            };
            x.iter().map(|x| (0..rows).map(|r| dot(r, x).powi(2)).sum::<f64>()).sum::<f64>()
        };
        let (plain, compensated) = (error(None), error(Some(&factor)));
        eprintln!("squared error of the output: plain {plain:.3}, compensated {compensated:.3}");
        assert!(compensated < 0.6 * plain, "{compensated} {plain}");
    }

    #[test]
    fn operands_that_say_nothing_change_nothing() {
        let n = 40;
        let w: Vec<f32> = (0..2 * n).map(|i| (i as f32 * 0.7).sin()).collect();
        let plain = QMatrix::quantise_groups(&w, n, 12, GroupScales::Search, None);
        for sums in [vec![0.0; n * n], vec![f64::NAN; n * n]] {
            assert_eq!(QMatrix::quantise_groups(&w, n, 12, GroupScales::Search, Some(&Factor::new(n, &sums))), plain);
        }
    }

    #[test]
    fn a_model_too_large_is_refused() {
        let shape = crate::checkpoint::random::official_shape(61, 16384, 64, 256);
        if let Ok(shape) = shape {
            let error = Hessians::new(&shape, false).unwrap_err();
            assert_eq!(error.needed, 8 * 16384 * 16384 * (5 * 61 + 1));
        }
    }
}
