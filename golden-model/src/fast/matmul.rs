//! Matrices times all rows of a block at once, shared among the threads of the pool.
//!
//! A weight is read once for all rows. Tasks are runs of panels (32 rows of the matrix) long enough to be worth handing over; the tasks
//! of several matrices that do not depend on each other go into one run, because each run costs a meeting of the threads.
#![deny(clippy::float_arithmetic)]

use super::element::{round64, sat};
use super::isa::{versions, Isa};
use super::kernels::{w16, w4, w8, Acc, PANEL};
use super::operand::Operand;
use super::pool::Pool;
use super::weights::StreamMatrix;
use super::MAX_ROWS;
use crate::arithmetic::fixed::VEC_BITS;
use crate::arithmetic::tensor::groups;
use crate::image::layout::MatrixFormat;
use std::sync::atomic::{AtomicU64, Ordering};

/// A matrix in tiles or by columns and, for each row R of the block, where its operand is and where the result goes.
pub struct Job<'a, R> {
    pub w: &'a StreamMatrix,
    /// The static shift of the product, from [`crate::network::shifts`].
    pub shift: i32,
    pub x: fn(&R) -> &Operand,
    /// at least `w.rows` long
    pub y: fn(&mut R) -> &mut [i32],
}

/// Bytes of weights in a task, at least; and in a run that is shared at all.
const TASK_BYTES: usize = 128 << 10;
pub(super) const SHARED_BYTES: usize = 96 << 10;
/// Matrices in one run, at most.
const MAX_JOBS: usize = 8;

/// The result of one job: one pointer a row of the block.
struct Results([*mut i32; MAX_ROWS]);

// SAFETY: tasks write disjoint ranges of what the pointers point to, see `multiply`.
unsafe impl Sync for Results {}

/// How a job is cut into tasks.
#[derive(Clone, Copy, Default)]
struct Cut {
    first_task: usize,
    pieces: usize,
    pieces_a_task: usize,
}

/// Matrices in tiles; `columns` has those by columns. Computes `y = sat_27(round(m · Σ q·xq, max(0, shift + e_row − e_x)))` for every job and row; `clipped(row)` counts what was clipped.
pub fn multiply<R: Sync>(
    pool: &mut Pool,
    isa: Isa,
    rows: &mut [R],
    jobs: &[Job<'_, R>],
    clipped: fn(&R) -> &AtomicU64,
) {
    assert!(rows.len() <= MAX_ROWS && jobs.len() <= MAX_JOBS && !jobs.iter().any(|j| j.w.by_columns()));
    let mut results: [Results; MAX_JOBS] = std::array::from_fn(|_| Results([std::ptr::null_mut(); MAX_ROWS]));
    for (job, results) in jobs.iter().zip(&mut results) {
        for (row, result) in rows.iter_mut().zip(&mut results.0) {
            let y = (job.y)(row);
            assert!(y.len() >= job.w.rows);
            *result = y.as_mut_ptr();
        }
    }
    let rows = &*rows;
    let bytes: usize = jobs.iter().map(|j| j.w.bytes().len()).sum();
    let threads = if bytes * rows.len() < SHARED_BYTES { 1 } else { pool.threads() };
    let mut cuts = [Cut::default(); MAX_JOBS];
    let mut tasks = 0;
    for (job, cut) in jobs.iter().zip(&mut cuts) {
        let pieces = job.w.rows.div_ceil(PANEL); // a piece is a panel
        let per_task = if threads == 1 { pieces } else { TASK_BYTES / job.w.panel_bytes() };
        *cut = Cut { first_task: tasks, pieces, pieces_a_task: per_task.max(1) };
        tasks += pieces.div_ceil(per_task.max(1));
    }
    let task = |i: usize| {
        let j = (0..jobs.len()).rev().find(|j| cuts[*j].first_task <= i).unwrap_or(0);
        let (job, cut) = (&jobs[j], cuts[j]);
        let first = (i - cut.first_task) * cut.pieces_a_task;
        let pieces = first..cut.pieces.min(first + cut.pieces_a_task);
        let mut x = [None; MAX_ROWS];
        for (x, row) in x.iter_mut().zip(rows) {
            *x = Some((job.x)(row));
        }
        let fallback = x[0];
        let x: [&Operand; MAX_ROWS] = match fallback {
            Some(first) => x.map(|x| x.unwrap_or(first)),
            None => return, // a block without rows
        };
        let put = |t: usize, first_row: usize, acc: &Acc, unit: &[u8]| {
            let n = PANEL.min(job.w.rows - first_row);
            // SAFETY: `y` of this job and row of the block has `w.rows` elements and nobody else touches rows first_row.. of it: pieces
            // are disjoint, jobs have different results, and `rows` is not used through any other path but `x` until the run ends.
            let y = unsafe { std::slice::from_raw_parts_mut(results[j].0[t].add(first_row), n) };
            let n = finish(isa, acc, unit, job.shift - x[t].e(), y);
            if n > 0 {
                clipped(&rows[t]).fetch_add(n, Ordering::Relaxed);
            }
        };
        pieces.for_each(|p| panel(isa, job.w, p, &x[..rows.len()], put));
    };
    if threads == 1 {
        (0..tasks).for_each(task);
    } else {
        pool.run(tasks, &task);
    }
}

versions! {
    /// Scales and rounds a panel's sums; gives how many were clipped.
    pub fn finish(acc: &Acc, unit: &[u8], shift: i32, y: &mut [i32]) -> u64 {
        let (mut scales, mut out) = ([0i64; PANEL], [0i64; PANEL]);
        for (scale, bytes) in scales.iter_mut().zip(unit.chunks_exact(2)) {
            *scale = i64::from(u16::from_le_bytes([bytes[0], bytes[1]]));
        }
        for ((out, scale), acc) in out.iter_mut().zip(&scales).zip(acc) {
            let s = (i64::from(shift) + (scale >> 12)).max(0);
            *out = round64(acc * (scale & 0xfff), s as u32 & 63); // formats keep it below 64
        }
        let mut clipped = 0;
        for (y, out) in y.iter_mut().zip(&out) {
            *y = sat(*out, VEC_BITS, &mut clipped);
        }
        clipped
    }
}

/// Rows of a block at a time that share one piece of weights in the first cache: the kernels take four.
const TOGETHER: usize = 4;

/// Rows 32·p to 32·p + 31 of a matrix in tiles.
fn panel(isa: Isa, w: &StreamMatrix, p: usize, x: &[&Operand], put: impl Fn(usize, usize, &Acc, &[u8])) {
    let cols = w.padded_cols();
    let unit = w.scale_unit(p);
    let tiles = &w.bytes()[p * w.panel_bytes() + unit.len()..];
    let tiles = &tiles[..tiles.len().min(w.panel_bytes() - unit.len())];
    // the last panel may have fewer tiles: any other stands in, its results are not used
    let n = w.tile_bytes();
    let tile = |i: usize| tiles.get(i * n..(i + 1) * n).unwrap_or(&tiles[..n]);
    for (i, x) in x.chunks(TOGETHER).enumerate() {
        let mut acc = [[0; PANEL]; TOGETHER];
        let acc = &mut acc[..x.len()];
        match w.format {
            MatrixFormat::W4 => w4(isa, [tile(0), tile(1)], groups(w.cols), x, acc),
            MatrixFormat::W16 => w16(isa, [tile(0), tile(1), tile(2), tile(3)], cols, x, acc),
            _ => w8(isa, [tile(0), tile(1)], cols, x, acc),
        }
        for (t, acc) in acc.iter().enumerate() {
            put(i * TOGETHER + t, p * PANEL, acc, unit);
        }
    }
}
