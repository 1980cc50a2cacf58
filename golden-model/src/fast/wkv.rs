//! The delta-rule recurrence of one layer for all rows of a block: heads are independent, the rows of one session follow each other.
#![deny(clippy::float_arithmetic)]

use super::element::{round64, sat};
use super::isa::{versions, Isa};
use super::kernels::prefetch;
use super::operand::Mantissas;
use super::pool::Pool;
use super::MAX_ROWS;
use crate::arithmetic::fixed::{sh, VEC_BITS};
use crate::arithmetic::recurrence::WkvShifts;
use std::sync::atomic::{AtomicU64, Ordering};

/// The operands of one row, each `(n_head · head_size)`.
#[derive(Clone, Debug, Default)]
pub struct WkvRow {
    pub r: Mantissas,
    pub d: Mantissas,
    pub k: Mantissas,
    pub v: Mantissas,
    pub kk: Mantissas,
    pub b: Mantissas,
}

impl WkvRow {
    pub fn new(n_embd: usize) -> Self {
        let m = || Mantissas::new(n_embd);
        Self { r: m(), d: m(), k: m(), v: m(), kk: m(), b: m() }
    }
}

/// What does not change from row to row.
#[derive(Clone, Copy, Debug)]
pub struct Constants {
    pub head_size: usize,
    pub state_bits: u32,
    pub shifts: WkvShifts,
}

/// Largest head_size of a model.
const MAX_HEAD: usize = 256;
/// State elements below which the heads are not shared among threads.
const SHARED_ELEMENTS: usize = 16 << 10;

/// The state, and the result of each row of the block.
struct Pointers {
    s: *mut i32,
    y: [*mut i32; MAX_ROWS],
}

// SAFETY: tasks use disjoint ranges of what the pointers point to, see `run`.
unsafe impl Sync for Pointers {}

/// How `run` finds its way in a row R of the block.
pub struct Access<R> {
    pub operands: fn(&R) -> &WkvRow,
    pub y: fn(&mut R) -> &mut [i32],
    pub clipped: fn(&R) -> &AtomicU64,
}

/// Takes `rows`, consecutive tokens of the session with state `s` `(n_head, head_size, head_size)`, through the recurrence. There is much to compute
/// and little to read: meanwhile the memory is asked for `ahead`.
pub fn run<R: Sync>(
    pool: &mut Pool,
    isa: Isa,
    c: Constants,
    s: &mut [i32],
    rows: &mut [R],
    access: &Access<R>,
    ahead: &[u8],
) {
    let n = c.head_size;
    let n_head = s.len() / (n * n);
    assert!(rows.len() <= MAX_ROWS);
    let mut pointers = Pointers { s: s.as_mut_ptr(), y: [std::ptr::null_mut(); MAX_ROWS] };
    for (row, pointer) in rows.iter_mut().zip(&mut pointers.y) {
        let y = (access.y)(row);
        assert!(y.len() >= n_head * n);
        *pointer = y.as_mut_ptr();
    }
    let (rows, pointers) = (&*rows, &pointers);
    let task = |head: usize| {
        // SAFETY: heads have disjoint parts of `s`, which is as long as all of them; it is borrowed until the run ends.
        let s = unsafe { std::slice::from_raw_parts_mut(pointers.s.add(head * n * n), n * n) };
        let each = ahead.len().div_ceil(n_head);
        let mut ahead = ahead.get(head * each..ahead.len().min((head + 1) * each)).unwrap_or(&[]);
        for (row, y) in rows.iter().zip(pointers.y) {
            // SAFETY: heads have disjoint parts of `y`, whose length is asserted above; `operands` does not reach it.
            let y = unsafe { std::slice::from_raw_parts_mut(y.add(head * n), n) };
            let clipped = step(isa, c, head * n, s, (access.operands)(row), y, std::mem::take(&mut ahead));
            if clipped > 0 {
                (access.clipped)(row).fetch_add(clipped, Ordering::Relaxed);
            }
        }
    };
    if s.len() * rows.len() < SHARED_ELEMENTS {
        (0..n_head).for_each(task);
    } else {
        pool.run(n_head, &task);
    }
}

versions! {
    /// One head, one token; gives how many results were clipped. `first` is the head's first column.
    fn step(c: Constants, first: usize, s: &mut [i32], p: &WkvRow, y: &mut [i32], ahead: &[u8]) -> u64 {
        let n = c.head_size;
        let mut ahead = ahead.chunks(ahead.len().div_ceil(n).max(1));
        let sh_sa = sh((c.shifts.sa - p.kk.e).max(0));
        let sh_b = sh((c.shifts.b - p.b.e).max(0));
        let sh_vk = sh((c.shifts.vk - p.v.e - p.k.e).max(0));
        let sh_y = sh((c.shifts.y - p.r.e).max(0));
        let of_head = |m: &Mantissas| -> [i32; MAX_HEAD] {
            let mut wide = [0; MAX_HEAD];
            wide.iter_mut().zip(&m.q[first..first + n]).for_each(|(w, q)| *w = i32::from(*q));
            wide
        };
        let (r, d, k) = (of_head(&p.r), of_head(&p.d), of_head(&p.k));
        let (kk, b) = (of_head(&p.kk), of_head(&p.b));
        let v = &p.v.q[first..first + n];
        let (max, mut clipped) = ((1i64 << (c.state_bits - 1)) - 1, 0);
        let mut news = [0i64; MAX_HEAD];
        for ((s, v), y) in s.chunks_exact_mut(n).zip(v).zip(y) {
            ahead.next().unwrap_or_default().iter().step_by(64).for_each(|line| prefetch(line));
            let v = i64::from(*v);
            let (r, d, k, kk, b) = (&r[..n], &d[..n], &k[..n], &kk[..n], &b[..n]);
            let news = &mut news[..n];
            let sum: i64 = s.iter().zip(kk).map(|(s, kk)| i64::from(*s) * i64::from(*kk)).sum();
            let sa = i64::from(sat(round64(-sum, sh_sa), c.state_bits, &mut clipped));
            let (mut out, mut changed) = (0i64, 0i64);
            for j in 0..n {
                let old = i64::from(s[j]);
                let new = old - round64(old * i64::from(d[j]), 16)
                    + round64(sa * i64::from(b[j]), sh_b)
                    + round64(v * i64::from(k[j]), sh_vk);
                let kept = new.min(max).max(-max - 1);
                news[j] = new;
                changed |= new ^ kept;
                s[j] = kept as i32;
                out += kept * i64::from(r[j]);
            }
            if changed != 0 {
                // rare, so counting stays out of the loop above
                clipped += news.iter().filter(|new| !(-max - 1..=max).contains(*new)).count() as u64;
            }
            *y = sat(round64(out, sh_y), VEC_BITS, &mut clipped);
        }
        clipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::fixed::{Saturations, O};
    use crate::arithmetic::recurrence::Wkv;
    use crate::arithmetic::vector_ops::Operand;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};

    struct Row {
        operands: WkvRow,
        y: Vec<i32>,
        clipped: AtomicU64,
    }

    proptest! {
        /// Every instruction set, several heads, several tokens, tame and saturating states, against [`Wkv::step`].
        #[test]
        fn the_recurrence_is_that_of_the_specification(
            head_size in 1usize..70, n_head in 1usize..4, n_rows in 1usize..4, state_bits in 16u32..=32, sh_vk in 22i32..40, sh_y in 11i32..40, tame in 0u32..16, seed: u64,
        ) {
            let shifts = WkvShifts { sa: O, b: O, vk: sh_vk, y: sh_y };
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let n = head_size * n_head;
            let first: Vec<i32> = (0..n * head_size).map(|_| rng.gen::<i32>() >> (32 - state_bits)).collect();
            let mut operand = |max_e: u32| {
                let q = (0..n).map(|_| if rng.gen_bool(0.1) { i16::MIN } else { rng.gen::<i16>() >> tame }).collect();
                Operand { q, e: rng.gen_range(0..=max_e) }
            };
            let rows: Vec<[Operand; 6]> = (0..n_rows).map(|_| [11, 0, 11, 11, 2, 2].map(&mut operand)).collect();
            let mut want_s = first.clone();
            let want: Vec<_> = rows.iter().map(|[r, d, k, v, kk, b]| {
                let wkv = Wkv { r, d, k, v, kk, b, head_size, state_bits, shifts };
                let mut count = Saturations::default();
                let (_, y) = wkv.step(&mut want_s, &mut count);
                (y, count.0)
            }).collect();
            for isa in Isa::all() {
                for threads in [1, 2] {
                    let mut s = first.clone();
                    let mut block: Vec<Row> = rows.iter().map(|row| {
                        let [r, d, k, v, kk, b] = row.clone().map(|o| Mantissas { q: o.q, e: o.e as i32 });
                        Row { operands: WkvRow { r, d, k, v, kk, b }, y: vec![0; n], clipped: AtomicU64::new(0) }
                    }).collect();
                    let c = Constants { head_size, state_bits, shifts };
                    let access = Access { operands: |r: &Row| &r.operands, y: |r: &mut Row| &mut r.y[..], clipped: |r: &Row| &r.clipped };
                    run(&mut Pool::new(threads), isa, c, &mut s, &mut block, &access, &[7; 999]);
                    prop_assert_eq!(&s, &want_s, "state, {}", isa.name());
                    for (row, (y, count)) in block.iter().zip(&want) {
                        prop_assert_eq!(&row.y, y, "y, {}", isa.name());
                        prop_assert_eq!(row.clipped.load(Ordering::Relaxed), *count);
                    }
                }
            }
        }
    }
}
