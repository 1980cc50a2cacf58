//! Rounds one matrix to one format, with a branch if it is to have one, and measures how far its outputs are from the exact ones.

use crate::arithmetic::tensor::{QMatrix, WeightBits};
use crate::image::layout::BlockKind;
use crate::image::UNIT;
use crate::network::recipe::{GroupScales, Rounding, TensorFormat};
use crate::network::tensors::QTensor;
use crate::quantise::branch_fit::fit;
use crate::quantise::gptq::{Factor, Gram};
use crate::quantise::scales::{matrix_frac, ErrorSum, QuantError};
use rayon::prelude::*;

/// A matrix `(rows, cols)` as floats, and what it multiplies.
#[derive(Clone, Copy)]
pub struct Exact<'a> {
    /// row-major
    pub values: &'a [f32],
    pub cols: usize,
    /// Sums over the operands of a calibration, if there was one.
    pub gram: Option<&'a Gram>,
    /// The factor of the same sums, made by [`Gram::factor`].
    pub factor: Option<&'a Factor>,
}

/// The integers that stand for a matrix: the matrix itself and `(V, U)` of its branch.
#[derive(Clone, Debug)]
pub struct Approximation {
    pub main: QMatrix,
    pub branch: Option<(QMatrix, QMatrix)>,
}

impl Exact<'_> {
    fn rows(&self) -> usize {
        self.values.len() / self.cols
    }

    /// Rounds to `format` with the given frac. A branch needs `gram`; without it there is none.
    pub fn approximate(&self, format: TensorFormat, scales: GroupScales, frac: i32) -> Approximation {
        let plain = self.round(self.values, format, scales, frac);
        let (Some(gram), rank @ 1..) = (self.gram, format.branch) else {
            return Approximation { main: plain, branch: None };
        };
        // either the branch takes the error of 4 bits, or the largest parts of W before there is any; twice around helps, more does not
        let starts = [self.values.par_iter().map(|v| f64::from(*v)).collect(), self.error(&plain)];
        let from = |start: Vec<f64>| {
            let (v, u) = branch(&start, self.cols, gram, rank);
            let rest: Vec<f32> = self
                .values
                .par_chunks(self.cols)
                .enumerate()
                .flat_map_iter(|(r, row)| {
                    let low = product_row(&v, &u, r);
                    row.iter().zip(low).map(|(w, l)| (f64::from(*w) - l) as f32).collect::<Vec<_>>()
                })
                .collect();
            let main = self.round(&rest, format, scales, frac);
            let (v, u) = branch(&self.error(&main), self.cols, gram, rank);
            let done = Approximation { main, branch: Some((v, u)) };
            (done.squared_error(self, gram), done)
        };
        let [a, b] = starts.map(from);
        if a.0 <= b.0 {
            a.1
        } else {
            b.1
        }
    }

    /// Rounds `values` without a branch.
    fn round(&self, values: &[f32], format: TensorFormat, scales: GroupScales, frac: i32) -> QMatrix {
        let factor = self.factor.filter(|_| format.round == Rounding::Gptq);
        match format.bits {
            WeightBits::W4 => return QMatrix::quantise_groups(values, self.cols, frac, scales, factor).0,
            WeightBits::W4Columns => return QMatrix::quantise_columns(values, self.cols, frac, scales, factor).0,
            WeightBits::W8 | WeightBits::W16 => {}
        }
        let row = |r: usize| &values[r * self.cols..(r + 1) * self.cols];
        QMatrix::quantise(self.rows(), self.cols, row, format.bits, frac).0
    }

    /// Returns the error of `main`, weight by weight, `(rows, cols)`.
    fn error(&self, main: &QMatrix) -> Vec<f64> {
        let row = |(r, row): (usize, &[f32])| {
            row.iter().enumerate().map(|(c, w)| f64::from(*w) - main.value(r, c)).collect::<Vec<_>>()
        };
        self.values.par_chunks(self.cols).enumerate().flat_map_iter(row).collect()
    }

    /// Returns `‖W X‖²`.
    pub fn signal(&self, gram: &Gram) -> f64 {
        let row = |row: &[f32]| gram.quadratic(&row.iter().map(|w| f64::from(*w)).collect::<Vec<_>>());
        self.values.par_chunks(self.cols).map(row).sum()
    }
}

impl Approximation {
    /// Returns row `r` of the numbers that the integers stand for.
    pub fn row(&self, r: usize) -> Vec<f64> {
        let mut row: Vec<f64> = (0..self.main.cols).map(|c| self.main.value(r, c)).collect();
        if let Some((v, u)) = &self.branch {
            row.iter_mut().zip(product_row(v, u, r)).for_each(|(w, l)| *w += l);
        }
        row
    }

    /// Returns `‖(W − Ŵ) X‖²`.
    pub fn squared_error(&self, exact: &Exact, gram: &Gram) -> f64 {
        let row = |(r, row): (usize, &[f32])| {
            let d: Vec<f64> = row.iter().zip(self.row(r)).map(|(w, q)| f64::from(*w) - q).collect();
            gram.quadratic(&d)
        };
        exact.values.par_chunks(exact.cols).enumerate().map(row).sum()
    }

    /// Returns the bytes in the stream, the branch included.
    pub fn bytes(&self) -> u64 {
        let matrix = |m: &QMatrix| BlockKind::of("", &QTensor::Matrix(m), m.cols).units() * UNIT as u64;
        matrix(&self.main) + self.branch.as_ref().map_or(0, |(v, u)| matrix(v) + matrix(u))
    }

    /// Returns the error of the weights themselves.
    pub fn weight_error(&self, exact: &Exact) -> QuantError {
        let mut sum = ErrorSum::default();
        for (r, row) in exact.values.chunks(exact.cols).enumerate() {
            row.iter().zip(self.row(r)).for_each(|(w, q)| sum.add(f64::from(*w), q));
        }
        sum.finish()
    }
}

/// Returns the branch `(V, U)` of 16 bits that makes up best for `error`.
fn branch(error: &[f64], cols: usize, gram: &Gram, rank: usize) -> (QMatrix, QMatrix) {
    let (v, u) = fit(error, cols, gram, rank);
    let rows = error.len() / cols;
    let rank = u.len() / rows;
    (sixteen(rank, cols, &v), sixteen(rows, rank, &u))
}

fn sixteen(rows: usize, cols: usize, values: &[f32]) -> QMatrix {
    let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
    let frac = matrix_frac(max, WeightBits::W16);
    QMatrix::quantise(rows, cols, |r| &values[r * cols..(r + 1) * cols], WeightBits::W16, frac).0
}

/// Returns row `r` of U V.
fn product_row(v: &QMatrix, u: &QMatrix, r: usize) -> Vec<f64> {
    let mut row = vec![0.0; v.cols];
    for k in 0..v.rows {
        let scale = u.value(r, k);
        row.iter_mut().enumerate().for_each(|(c, w)| *w += scale * v.value(k, c));
    }
    row
}
