//! What the vector unit, the matrix unit and the recurrence compute: `docs/hardware.md` §2 to §4 on whole vectors.
//!
//! Elements are 27-bit integers in `i32`, products and sums exact in `i64` or `i128`. Shifts are checked once, when a model is
//! built or read ([`crate::network::shifts`]), so that none leaves 0..=63 here.
#![deny(clippy::float_arithmetic)]

use crate::arithmetic::fixed::{clip, round_shift, sat, sh, Saturations, O, OPERAND_BITS, VEC_BITS};
use crate::arithmetic::norm::{NormConstants, NormShifts};
use crate::arithmetic::tables::{rsqrt, INPUT_BITS};
use crate::arithmetic::tensor::{groups, QMatrix, QVector, QWeights, GROUP_COLS, GROUP_ROWS};
use rayon::prelude::*;
use std::ops::Range;

/// What enters a table loses this many of its fraction bits: the tables take 14.
pub const TABLE_SHIFT: u32 = 2;
/// `rsqrt` has 17 fraction bits, and so has the product with the root of the number of elements before this shift.
pub const ROOT_SHIFT: u32 = 11;
/// The shift of `k0 · R` for exponent 0 in an L2 norm: R has 17 fraction bits, the result [`O`].
pub const L2_BASE: i32 = 17 - O;

/// Results clipped in one token, by unit; the RTL has the same three counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaturationCounts {
    pub mat: Saturations,
    pub vec: Saturations,
    pub wkv: Saturations,
}

/// A vector as the matrix unit or the recurrence takes it: `q · 2^e` in units of the vector's own fraction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand {
    pub q: Vec<i16>,
    pub e: u32,
}

/// `sat_27(f(i))` for i in 0..n.
#[inline(always)]
pub fn each(n: usize, count: &mut Saturations, f: impl Fn(usize) -> i64) -> Vec<i32> {
    (0..n).map(|i| sat(f(i), VEC_BITS, count)).collect()
}

/// `sat_27(round(a · p, shift))`.
pub fn mul_param(a: &[i32], p: &QVector, shift: i32, count: &mut Saturations) -> Vec<i32> {
    let s = sh(shift);
    each(a.len(), count, |i| round_shift(i64::from(a[i]) * i64::from(p.q[i]), s))
}

/// `sat_27(round(a · b, shift))`.
pub fn mul(a: &[i32], b: &[i32], shift: i32, count: &mut Saturations) -> Vec<i32> {
    let s = sh(shift);
    each(a.len(), count, |i| round_shift(i64::from(a[i]) * i64::from(b[i]), s))
}

/// `sat_27(a + b)`.
pub fn add(a: &[i32], b: &[i32], count: &mut Saturations) -> Vec<i32> {
    each(a.len(), count, |i| i64::from(a[i]) + i64::from(b[i]))
}

/// `sat_27(h + round((prev − h) · m, shift))`: the token shift.
pub fn mix(h: &[i32], prev: &[i32], m: &QVector, shift: i32, count: &mut Saturations) -> Vec<i32> {
    let s = sh(shift);
    each(h.len(), count, |i| {
        i64::from(h[i]) + round_shift((i64::from(prev[i]) - i64::from(h[i])) * i64::from(m.q[i]), s)
    })
}

/// `table(clip_19(round(a + (p << shift), 2)))` for a bias `(p, shift)`, a with Z fraction bits; tables such as that of tanh have no bias.
pub fn lut(a: &[i32], bias: Option<(&QVector, i32)>, table: fn(i32) -> i32) -> Vec<i32> {
    let bias = |i: usize| bias.map_or(0, |(p, shift)| i64::from(p.q[i]) << sh(shift));
    (0..a.len()).map(|i| table(clip(round_shift(i64::from(a[i]) + bias(i), TABLE_SHIFT), INPUT_BITS))).collect()
}

/// Mantissas `clip_16(round(v, s))` with `s = max(0, L − 15)`, L the significant bits of the OR of all `v ^ (v >> 26)`.
pub fn operand(v: &[i32]) -> Operand {
    operand_of(v, OPERAND_BITS)
}

/// [`operand`] with mantissas of `bits` bits, 4..=16, in the upper bits of 16: `clip_b(round(v, s_b)) << (s_b − s)`, `s_b = max(0, L − b + 1)`.
/// The exponent stays that of 16 bits, so that no shift after it changes.
pub fn operand_of(v: &[i32], bits: u32) -> Operand {
    let amax = v.iter().fold(0u32, |m, v| m | (v ^ (v >> 31)) as u32);
    let length = 32 - amax.leading_zeros();
    let e = length.saturating_sub(OPERAND_BITS - 1);
    let narrower = length.saturating_sub(bits - 1) - e;
    let q = v.iter().map(|v| (clip(round_shift(i64::from(*v), e + narrower), bits) << narrower) as i16);
    Operand { q: q.collect(), e }
}

/// Below this many products a matrix is not worth handing to other cores.
const PARALLEL_PRODUCTS: usize = 1 << 18;

/// `sat_27(round(m · Σ q·xq, max(0, shift + e_row − e_x)))` for each row; `shift = f_x + frac − f_y`.
pub fn matvec(w: &QMatrix, x: &Operand, shift: i32, count: &mut Saturations) -> Vec<i32> {
    matvec_rows(w, 0..w.rows, x, shift, count)
}

/// Computes [`matvec`] for some of the rows.
pub fn matvec_rows(w: &QMatrix, rows: Range<usize>, x: &Operand, shift: i32, count: &mut Saturations) -> Vec<i32> {
    let row = |r: usize| {
        let at = r * w.cols..(r + 1) * w.cols;
        let acc = match &w.q {
            QWeights::W4 { q, gs } => dot4(&q[at], &gs[r * groups(w.cols)..], &x.q),
            QWeights::W4Columns { q, gs } => dot4_columns(&q[at], &gs[r / GROUP_ROWS..], groups(w.rows), &x.q),
            QWeights::W8(q) => dot8(&q[at], &x.q),
            QWeights::W16(q) => dot16(&q[at], &x.q),
        };
        let s = w.scales[r];
        let mut count = Saturations(0);
        let y = sat(
            round_shift(acc * i64::from(s.m), sh((shift + i32::from(s.e) - x.e as i32).max(0))),
            VEC_BITS,
            &mut count,
        );
        (y, count.0)
    };
    let rows: Vec<(i32, u64)> = if rows.len() * w.cols >= PARALLEL_PRODUCTS {
        rows.into_par_iter().with_min_len(PARALLEL_PRODUCTS / 4 / w.cols.max(1)).map(row).collect()
    } else {
        rows.map(row).collect()
    };
    count.0 += rows.iter().map(|r| r.1).sum::<u64>();
    rows.into_iter().map(|r| r.0).collect()
}

/// Exact Σ gs · (Σ q·x over a group): a group's sum stays within 2^23, times gs within 2^31.
fn dot4(q: &[i8], gs: &[u8], x: &[i16]) -> i64 {
    let of_group = |(q, x): (&[i8], &[i16])| q.iter().zip(x).map(|(q, x)| i32::from(*q) * i32::from(*x)).sum::<i32>();
    let sums = q.chunks(GROUP_COLS).zip(x.chunks(GROUP_COLS)).map(of_group);
    sums.zip(gs).map(|(sum, gs)| i64::from(sum) * i64::from(*gs)).sum()
}

/// Exact Σ q · (gs·x), gs the first of every `stride` of `gs`: gs·x stays within 2^23, a product within 2^26.
fn dot4_columns(q: &[i8], gs: &[u8], stride: usize, x: &[i16]) -> i64 {
    let scaled = gs.iter().step_by(stride).zip(x).map(|(gs, x)| i32::from(*gs) * i32::from(*x));
    q.iter().zip(scaled).map(|(q, x)| i64::from(i32::from(*q) * x)).sum()
}

/// Exact Σ q·x: 256 products of 8 by 16 bits stay below 2^30 and are summed in 32 bits.
fn dot8(q: &[i8], x: &[i16]) -> i64 {
    q.chunks(256)
        .zip(x.chunks(256))
        .map(|(q, x)| i64::from(q.iter().zip(x).map(|(q, x)| i32::from(*q) * i32::from(*x)).sum::<i32>()))
        .sum()
}

/// Exact Σ q·x.
fn dot16(q: &[i16], x: &[i16]) -> i64 {
    q.iter().zip(x).map(|(q, x)| i64::from(i32::from(*q) * i32::from(*x))).sum()
}

/// Mean, scale and results of a norm over segments of `c.n` elements.
pub struct Norm {
    /// The mean of each segment.
    pub mean: Vec<i32>,
    /// The multiplier and the shift of each segment, interleaved.
    pub rstd: Vec<i32>,
    /// The normalised vector, frac [`crate::arithmetic::fixed::NORM`].
    pub n: Vec<i32>,
    /// The normalised vector times the gain.
    pub g: Vec<i32>,
    /// That product plus the bias: the result.
    pub h: Vec<i32>,
}

/// Computes a layer norm (one segment) or a group norm (one segment a head), gain and bias included.
pub fn norm(
    x: &[i32],
    c: &NormConstants,
    (gain, bias): (&QVector, &QVector),
    shifts: NormShifts,
    count: &mut Saturations,
) -> Norm {
    let mut mean = Vec::new();
    let mut rstd = Vec::new();
    let mut n = Vec::with_capacity(x.len());
    for segment in x.chunks(c.n as usize) {
        let sum: i64 = segment.iter().map(|x| i64::from(*x)).sum();
        let m = sat(round_shift(sum * c.inv_n, sh(c.q_n)), VEC_BITS, count);
        let u = segment.iter().fold(c.eps_int(), |u, x| {
            let d = i64::from(*x) - i64::from(m);
            u + (d * d) as u128
        });
        let (r, e) = rsqrt(u);
        let mult = round_shift(i64::from(r) * c.root_n, ROOT_SHIFT);
        let s = (c.rsq_base + e as i32).clamp(0, 63);
        n.extend(
            segment.iter().map(|x| sat(round_shift((i64::from(*x) - i64::from(m)) * mult, sh(s)), VEC_BITS, count)),
        );
        mean.push(m);
        rstd.extend([mult as i32, s]);
    }
    let g = mul_param(&n, gain, shifts.gain, count);
    let b = sh(shifts.bias);
    let h = each(x.len(), count, |i| i64::from(g[i]) + (i64::from(bias.q[i]) << b));
    Norm { mean, rstd, n, g, h }
}

/// Returns the multiplier and the shift of each head for kk = k0 / |k0|, interleaved.
pub fn l2(k0: &[i32], head_size: usize) -> Vec<i32> {
    k0.chunks(head_size)
        .flat_map(|head| {
            let u = head.iter().fold(0u128, |u, k| u + (i64::from(*k) * i64::from(*k)) as u128);
            let (r, e) = rsqrt(u);
            [r as i32, (L2_BASE + e as i32).clamp(0, 63)]
        })
        .collect()
}
