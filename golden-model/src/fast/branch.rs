//! The low-rank branch of a matrix for a block of rows: [`crate::network::branch`].
#![deny(clippy::float_arithmetic)]

use super::element;
use super::kernels::Isa;
use super::matmul::{multiply, Job};
use super::operand::Operand;
use super::pool::Pool;
use super::step::Row;
use super::weights::{StreamMatrix, Weights};
use crate::arithmetic::fixed::Saturations;
use crate::network::branch::QBranch;
use crate::network::qmodel::Matrix;
use std::sync::atomic::AtomicU64;

/// What one row needs for the largest branch of its model.
#[derive(Debug, Default)]
pub struct Scratch {
    t: Vec<i32>, // (rank), zeros after it
    tq: Operand,
    u: Vec<i32>, // (rows)
}

impl Scratch {
    pub fn new(model: &Weights) -> Self {
        let all = || model.layers.iter().flat_map(|l| l.branches.values()).chain(&model.head_branch);
        let largest = |of: fn(&StreamMatrix) -> usize| all().map(|b| of(&b.u)).max().unwrap_or(0);
        let (rank, rows) = (largest(StreamMatrix::cols), largest(StreamMatrix::rows));
        Self { t: vec![0; rank], tq: Operand::with_bits(rank, model.f.operand_bits), u: vec![0; rows] }
    }
}

/// `y = sat_27(y + U (V x))` for every row, from `f_in` to `f_out` fraction bits.
pub fn add(
    pool: &mut Pool,
    isa: Isa,
    rows: &mut [Row],
    b: &QBranch<StreamMatrix>,
    (f_in, f_out): (i32, i32),
    x: fn(&Row) -> &Operand,
    y: fn(&mut Row) -> &mut [i32],
) {
    let clipped: fn(&Row) -> &AtomicU64 = |r| &r.mat_clipped;
    // a longer branch was here before: what is left of it must not decide on the exponent
    rows.iter_mut().for_each(|r| r.branch.t.fill(0));
    let job = Job { w: &b.v, shift: f_in + b.v.frac - b.f_t, x, y: |r: &mut Row| &mut r.branch.t[..] };
    multiply(pool, isa, rows, &[job], clipped);
    rows.iter_mut().for_each(|r| r.branch.tq.set(&r.branch.t));
    let shift = b.f_t + b.u.frac - f_out;
    let job = Job { w: &b.u, shift, x: |r: &Row| &r.branch.tq, y: |r: &mut Row| &mut r.branch.u[..] };
    multiply(pool, isa, rows, &[job], clipped);
    for row in rows {
        let u = std::mem::take(&mut row.branch.u);
        let mut count = Saturations(0);
        element::add(y(row), &u[..b.u.rows], &mut count);
        row.sat.vec.0 += count.0;
        row.branch.u = u;
    }
}
