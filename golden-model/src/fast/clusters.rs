//! A head in clusters for one row: [`crate::network::clusters`].
#![deny(clippy::float_arithmetic)]

use super::isa::Isa;
use super::matmul::{multiply, Job};
use super::pool::Pool;
use super::row::Row;
use super::weights::{StreamMatrix, Weights};
use crate::network::clusters::{picked, Gathered, QClusters};

/// Logits of the row's `head` operand.
pub fn logits(pool: &mut Pool, isa: Isa, row: &mut Row, model: &Weights, c: &QClusters<StreamMatrix>) {
    let mut times = |row: &mut Row, (w, shift): (&StreamMatrix, i32), y: fn(&mut Row) -> &mut [i32]| {
        let job = Job { w, shift, x: |r: &Row| &r.head, y };
        multiply(pool, isa, std::slice::from_mut(row), &[job], |r| &r.mat_clipped);
    };
    let centroids = model.shifts.clusters.as_ref().map_or(0, |s| s.centroids);
    times(row, (&c.centroids, centroids), |r| &mut r.clusters.centroids[..]);
    let picked = picked(&row.clusters.centroids, c.form.visit as usize);
    let mut logits = std::mem::take(&mut row.logits);
    let mut gathered = Gathered::new(c, &mut logits);
    for i in &picked {
        times(row, (&model.head.part(c.form.rows_of(*i)), model.shifts.head.w), |r| &mut r.clusters.rows[..]);
        gathered.visited(*i, &row.clusters.rows);
    }
    gathered.rest(&row.clusters.centroids, &picked);
    row.logits = logits;
}
