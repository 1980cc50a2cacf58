//! The low-rank branch of a matrix for a block of rows: [`crate::network::branch`].
#![deny(clippy::float_arithmetic)]

use super::element;
use super::isa::Isa;
use super::matmul::{multiply, Job};
use super::operand::Operand;
use super::pool::Pool;
use super::row::Row;
use super::weights::StreamMatrix;
use crate::arithmetic::fixed::Saturations;
use crate::network::branch::QBranch;
use crate::network::shifts::BranchShifts;
use std::sync::atomic::AtomicU64;

/// Computes `y = sat_27(y + U (V x))` for every row.
pub fn add(
    pool: &mut Pool,
    isa: Isa,
    rows: &mut [Row],
    b: &QBranch<StreamMatrix>,
    shifts: BranchShifts,
    x: fn(&Row) -> &Operand,
    y: fn(&mut Row) -> &mut [i32],
) {
    let clipped: fn(&Row) -> &AtomicU64 = |r| &r.mat_clipped;
    // a longer branch was here before: what is left of it must not decide on the exponent
    rows.iter_mut().for_each(|r| r.branch.t.fill(0));
    let job = Job { w: &b.v, shift: shifts.v, x, y: |r: &mut Row| &mut r.branch.t[..] };
    multiply(pool, isa, rows, &[job], clipped);
    rows.iter_mut().for_each(|r| r.branch.tq.set(&r.branch.t));
    let job = Job { w: &b.u, shift: shifts.u, x: |r: &Row| &r.branch.tq, y: |r: &mut Row| &mut r.branch.u[..] };
    multiply(pool, isa, rows, &[job], clipped);
    for row in rows {
        let u = std::mem::take(&mut row.branch.u);
        let mut count = Saturations(0);
        element::add(y(row), &u[..b.u.rows], &mut count);
        row.sat.vec.0 += count.0;
        row.branch.u = u;
    }
}
