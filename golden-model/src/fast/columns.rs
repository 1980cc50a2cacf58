//! Products with a matrix stored by columns, `ffn.value`: columns whose operand is zero are not read.
//!
//! One row: tasks are runs of the columns that are needed, each with sums of its own, which are added up at the end. Every column is read in
//! one piece. Several rows: tasks are lines of all columns, so that the sums of one task fit the first cache.
#![deny(clippy::float_arithmetic)]

use super::isa::{versions, Isa};
use super::kernels::{self, prefetch, Acc, Columns, Wide, COLUMNS, LINE, PANEL};
use super::matmul::{finish, Job, SHARED_BYTES};
use super::operand::Operand;
use super::pool::Pool;
use super::weights::StreamMatrix;
use super::MAX_ROWS;
use crate::image::layout::MatrixFormat;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows of a block at a time that share one piece of weights in the first cache: the kernels take four.
const TOGETHER: usize = 4;
/// Tasks a thread, so that a thread that was held up does not hold up the others.
const TASKS_A_THREAD: usize = 2;
/// Bytes of columns that several rows take one after another while they are in the second cache.
const CACHED_BYTES: usize = 256 << 10;

/// What one row's product works in; made once.
#[derive(Debug, Default)]
pub struct Scratch {
    used: Used,
    /// sums of each task, rows padded to whole lines
    sums: Vec<i64>,
}

/// The columns that a row needs: fewer than 2^16 exist.
#[derive(Debug, Default)]
struct Used {
    columns: Vec<u16>,
    /// their elements of the operand
    x: Vec<i16>,
}

impl Used {
    /// Those of `all` columns from `first` on that do not meet a zero.
    fn choose(&mut self, first: usize, all: &[i16]) {
        self.columns.resize(all.len(), 0);
        self.x.resize(all.len(), 0);
        let mut n = 0;
        for (c, x) in all.iter().enumerate() {
            // every other column may be needed: nothing to predict for a branch
            self.columns[n] = (first + c) as u16;
            self.x[n] = *x;
            n += usize::from(*x != 0);
        }
        self.columns.truncate(n);
        self.x.truncate(n);
    }
}

/// Rows of a line of 64 bytes.
fn line_rows(w: &StreamMatrix) -> usize {
    match w.format {
        MatrixFormat::W4Columns => 2 * LINE,
        _ => LINE,
    }
}

/// Adds the products of the columns `used` with `x` to `sums`, the rows of `lines`.
fn run(isa: Isa, w: &StreamMatrix, lines: std::ops::Range<usize>, used: &[u16], x: &[i16], sums: &mut [i64]) {
    let (bytes, stride) = w.columns();
    match w.format {
        MatrixFormat::W4Columns => kernels::nibble_run(isa, bytes, w.rows, lines.start, used, x, sums),
        _ => {
            let weights = Columns { bytes: bytes.get(lines.start * LINE..).unwrap_or(&[]), stride };
            kernels::column_run(isa, &weights, used, x, sums.as_chunks_mut().0);
        }
    }
}

/// [`super::matmul::multiply`] for one job whose matrix is stored by columns; gives the columns that were left out, none for several rows.
pub fn multiply<R: Sync>(
    pool: &mut Pool,
    isa: Isa,
    rows: &mut [R],
    job: &Job<'_, R>,
    scratch: &mut Scratch,
    clipped: fn(&R) -> &AtomicU64,
) -> usize {
    match rows {
        [row] => one_row(pool, isa, row, job, scratch, clipped),
        rows => {
            several_rows(pool, isa, rows, job, clipped);
            0
        }
    }
}

/// Pointers to what tasks write.
struct Results<const N: usize, T>([*mut T; N]);

// SAFETY: tasks write disjoint ranges of what the pointers point to, see where they are used.
unsafe impl<const N: usize, T: Send> Sync for Results<N, T> {}

fn one_row<R>(
    pool: &mut Pool,
    isa: Isa,
    row: &mut R,
    job: &Job<'_, R>,
    scratch: &mut Scratch,
    clipped: fn(&R) -> &AtomicU64,
) -> usize {
    let (w, x) = (job.w, (job.x)(row));
    let Scratch { used, sums } = scratch;
    used.choose(0, x.mantissas());
    let (n, shift) = (used.columns.len(), job.shift - x.e());
    let lines = w.rows.div_ceil(line_rows(w));
    let padded = lines * line_rows(w);
    let shared = pool.threads() > 1 && n * w.columns().1 >= SHARED_BYTES;
    let tasks = if shared { TASKS_A_THREAD * pool.threads() } else { 1 };
    // whole fours, as the kernels take them
    let each = n.div_ceil(tasks).next_multiple_of(4);
    sums.resize(tasks * padded, 0);
    let first = Results([sums.as_mut_ptr()]);
    pool.run(tasks, &|i| {
        let first = &first;
        // SAFETY: each task has its own part of `sums`, which is as long as all of them and not used otherwise until the run ends.
        let sums = unsafe { std::slice::from_raw_parts_mut(first.0[0].add(i * padded), padded) };
        sums.fill(0);
        let part = (i * each).min(n)..((i + 1) * each).min(n);
        run(isa, w, 0..lines, &used.columns[part.clone()], &used.x[part], sums);
    });
    let (sums, others) = sums.split_at_mut(padded);
    others.chunks_exact(padded).for_each(|other| add(isa, sums, other));
    let mut count = 0;
    for (p, y) in (job.y)(row)[..w.rows].chunks_mut(PANEL).enumerate() {
        let mut acc: Acc = [0; PANEL];
        acc.copy_from_slice(&sums[p * PANEL..(p + 1) * PANEL]);
        count += finish(isa, &acc, w.scale_unit(p), shift, y);
    }
    clipped(row).fetch_add(count, Ordering::Relaxed);
    w.cols - n
}

versions! {
    fn add(to: &mut [i64], other: &[i64]) {
        to.iter_mut().zip(other).for_each(|(to, other)| *to += other);
    }
}

fn several_rows<R: Sync>(pool: &mut Pool, isa: Isa, rows: &mut [R], job: &Job<'_, R>, clipped: fn(&R) -> &AtomicU64) {
    assert!(rows.len() <= MAX_ROWS);
    let (w, n) = (job.w, rows.len());
    let mut results = Results([std::ptr::null_mut(); MAX_ROWS]);
    for (row, result) in rows.iter_mut().zip(&mut results.0) {
        let y = (job.y)(row);
        assert!(y.len() >= w.rows);
        *result = y.as_mut_ptr();
    }
    let (rows, results) = (&*rows, &results);
    let lines = w.rows.div_ceil(line_rows(w));
    let each = lines.div_ceil(pool.threads());
    let Some(last) = rows.first().map(job.x) else { return };
    pool.run(lines.div_ceil(each.max(1)), &|i| {
        let lines = i * each..lines.min((i + 1) * each);
        let mut x = [last; MAX_ROWS];
        x.iter_mut().zip(rows).for_each(|(x, row)| *x = (job.x)(row));
        let put = |t: usize, first_row: usize, sums: &[i64]| {
            for (p, sums) in sums.chunks_exact(PANEL).enumerate() {
                let first = first_row + p * PANEL;
                let Some(n @ 1..) = w.rows.checked_sub(first).map(|n| n.min(PANEL)) else { break };
                let mut acc: Acc = [0; PANEL];
                acc.copy_from_slice(sums);
                // SAFETY: `y` of this row of the block has `w.rows` elements and nobody else touches rows first.. of it: lines are disjoint,
                // and `rows` is not used through any other path but `x` until the run ends.
                let y = unsafe { std::slice::from_raw_parts_mut(results.0[t].add(first), n) };
                let n = finish(isa, &acc, w.scale_unit(first / PANEL), job.shift - x[t].e(), y);
                if n > 0 {
                    clipped(&rows[t]).fetch_add(n, Ordering::Relaxed);
                }
            }
        };
        let mut scratch = SEVERAL.with(|s| s.take());
        match w.format {
            MatrixFormat::W4Columns => row_after_row(isa, w, lines, &x[..n], &mut scratch, put),
            _ => together(isa, w, lines, &x[..n], &mut scratch, put),
        }
        SEVERAL.with(|s| s.replace(scratch));
    });
}

/// Some columns after another, each time for one row after the other: each reads what it needs, most of it from the cache.
fn row_after_row(
    isa: Isa,
    w: &StreamMatrix,
    lines: std::ops::Range<usize>,
    x: &[&Operand],
    scratch: &mut Several,
    put: impl Fn(usize, usize, &[i64]),
) {
    let (padded, first_row) = (lines.len() * line_rows(w), lines.start * line_rows(w));
    let Several { used, sums, .. } = scratch;
    sums.clear();
    sums.resize(x.len() * padded, 0);
    let at_once = (CACHED_BYTES / (LINE * (lines.len() + 1))).next_multiple_of(4);
    for first in (0..w.cols).step_by(at_once) {
        for (x, sums) in x.iter().zip(sums.chunks_exact_mut(padded)) {
            used.choose(first, &x.mantissas()[first..w.cols.min(first + at_once)]);
            run(isa, w, lines.clone(), &used.columns, &used.x, sums);
        }
    }
    sums.chunks_exact(padded).enumerate().for_each(|(t, sums)| put(t, first_row, sums));
}

/// 64 columns at a time for all rows: those whose operand is 0 in every row of the block are not read.
fn together(
    isa: Isa,
    w: &StreamMatrix,
    lines: std::ops::Range<usize>,
    x: &[&Operand],
    scratch: &mut Several,
    put: impl Fn(usize, usize, &[i64]),
) {
    let (weights, stride) = w.columns();
    let at = |c: u16, line: usize| -> &[u8; LINE] {
        weights[usize::from(c) * stride + line * LINE..].first_chunk().unwrap_or(&[0; LINE])
        // columns are whole lines
    };
    scratch.choose(w.cols, x, lines.len());
    let Several { used, x: parts, acc, .. } = scratch;
    let used = &used.columns[..];
    for (i, now) in used.chunks(COLUMNS).enumerate() {
        for (x, part) in x.iter().zip(&mut *parts) {
            let q = x.mantissas();
            part.gather(now.len(), |i| q[usize::from(now[i])]);
        }
        // the columns after these are asked for meanwhile, each as a whole
        let next = &used[used.len().min((i + 1) * COLUMNS)..used.len().min((i + 2) * COLUMNS)];
        let mut ahead = next.iter().flat_map(|c| lines.clone().map(move |line| (*c, line)));
        for (l, line) in lines.clone().enumerate() {
            // up to a multiple of 4, whose operand is 0
            let mut pieces = [&[0; LINE]; COLUMNS];
            for (piece, c) in pieces.iter_mut().zip(now) {
                *piece = at(*c, line);
            }
            ahead.by_ref().take(next.len()).for_each(|(c, line)| prefetch(at(c, line).as_ptr()));
            let acc = &mut acc[l * x.len()..][..x.len()];
            for (x, acc) in parts[..x.len()].chunks(TOGETHER).zip(acc.chunks_mut(TOGETHER)) {
                let mut refs = [&x[0]; TOGETHER];
                refs.iter_mut().zip(x).for_each(|(r, x)| *r = x);
                kernels::columns(isa, &pieces[..now.len().next_multiple_of(4)], &refs[..x.len()], acc);
            }
        }
    }
    for (l, line) in lines.enumerate() {
        for (t, wide) in acc[l * x.len()..][..x.len()].iter().enumerate() {
            put(t, line * LINE, wide);
        }
    }
}

/// What several rows work in: one a thread, grown once.
#[derive(Default)]
struct Several {
    /// OR of the operands' mantissas
    any: Vec<i16>,
    used: Used,
    /// a piece of each row's operand
    x: Vec<Operand>,
    acc: Vec<Wide>,
    sums: Vec<i64>,
}

impl Several {
    /// Finds the columns that `x` needs, and makes room for `lines` lines of results.
    fn choose(&mut self, cols: usize, x: &[&Operand], lines: usize) {
        self.any.clear();
        self.any.resize(cols, 0);
        for x in x {
            self.any.iter_mut().zip(x.mantissas()).for_each(|(any, q)| *any |= q);
        }
        self.used.choose(0, &self.any);
        if self.x.len() < x.len() {
            self.x.resize(x.len(), Operand::new(COLUMNS));
        }
        self.acc.clear();
        self.acc.resize(x.len() * lines, [0; LINE]);
    }
}

thread_local! {
    static SEVERAL: std::cell::RefCell<Several> = std::cell::RefCell::default();
}
