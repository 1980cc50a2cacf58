//! Element-wise arithmetic without branches, so that the compiler can use whole vector registers.
//!
//! The roundings and saturations are those of [`crate::arithmetic::fixed`], written for arguments that leave room for the half that is added;
//! the tests hold them against the originals.
#![deny(clippy::float_arithmetic)]

use crate::arithmetic::fixed::{sh, Saturations, VEC_BITS};
use crate::arithmetic::norm::{NormConstants, NormShifts};
use crate::arithmetic::tables::{element_rom, rsqrt, DECAY_ROW, INPUT_BITS, ONE};
use crate::arithmetic::tensor::QVector;
use crate::arithmetic::vector_ops::{L2_BASE, ROOT_SHIFT, TABLE_SHIFT};
use std::sync::OnceLock;

/// [`crate::arithmetic::fixed::round_shift`] for |x| < 2^29, shift ≤ 29.
#[inline(always)]
pub fn round(x: i32, shift: u32) -> i32 {
    let some = i32::from(shift != 0);
    (x + ((1 << shift) >> 1) - some + ((x >> shift) & some)) >> shift
}

/// [`crate::arithmetic::fixed::round_shift`] for |x| < 2^62; every product of the step is below 2^59.
#[inline(always)]
pub fn round64(x: i64, shift: u32) -> i64 {
    let some = i64::from(shift != 0);
    let half = ((1u64 << shift) >> 1) as i64;
    (x + half - some + ((x >> shift) & some)) >> shift
}

/// Clips as [`crate::arithmetic::fixed::sat`] does; `clipped` counts.
#[inline(always)]
pub fn sat(x: i64, bits: u32, clipped: &mut u64) -> i32 {
    let max = (1i64 << (bits - 1)) - 1;
    let y = x.clamp(-max - 1, max);
    *clipped += u64::from(x != y);
    y as i32
}

/// `out[i] = sat_27(f(i))`.
#[inline(always)]
pub fn each(out: &mut [i32], count: &mut Saturations, f: impl Fn(usize) -> i64) {
    let mut clipped = 0;
    for (i, out) in out.iter_mut().enumerate() {
        *out = sat(f(i), VEC_BITS, &mut clipped);
    }
    count.0 += clipped;
}

/// Computes `x += y`.
#[inline(always)]
pub fn add(x: &mut [i32], y: &[i32], count: &mut Saturations) {
    let mut clipped = 0;
    for (x, y) in x.iter_mut().zip(y) {
        *x = sat(i64::from(*x) + i64::from(*y), VEC_BITS, &mut clipped);
    }
    count.0 += clipped;
}

/// Computes `x = x + y`, x shifted right first.
#[inline(always)]
pub fn add_shifted(x: &mut [i32], shift: i32, y: &[i32], count: &mut Saturations) {
    let s = sh(shift);
    if s == 0 {
        return add(x, y, count); // every model whose residual stream has one format
    }
    let mut clipped = 0;
    for (x, y) in x.iter_mut().zip(y) {
        *x = sat(round64(i64::from(*x), s) + i64::from(*y), VEC_BITS, &mut clipped);
    }
    count.0 += clipped;
}

/// Computes `out = a · b`, shifted right.
#[inline(always)]
pub fn mul(out: &mut [i32], a: &[i32], b: &[i32], shift: i32, count: &mut Saturations) {
    let (s, n) = (sh(shift), out.len());
    let (a, b) = (&a[..n], &b[..n]);
    each(out, count, |i| round64(i64::from(a[i]) * i64::from(b[i]), s));
}

/// Computes `out = a · p`, shifted right.
#[inline(always)]
pub fn mul_param(out: &mut [i32], a: &[i32], p: &QVector, shift: i32, count: &mut Saturations) {
    let (s, n) = (sh(shift), out.len());
    let (a, p) = (&a[..n], &p.q[..n]);
    each(out, count, |i| round64(i64::from(a[i]) * i64::from(p[i]), s));
}

/// Computes `out = sat_27(h + round((prev − h) · m, shift))`, the token shift.
#[inline(always)]
pub fn mix(out: &mut [i32], h: &[i32], prev: &[i32], m: &QVector, shift: i32, count: &mut Saturations) {
    let (s, n) = (sh(shift), out.len());
    let (h, prev, m) = (&h[..n], &prev[..n], &m.q[..n]);
    each(out, count, |i| i64::from(h[i]) + round64((i64::from(prev[i]) - i64::from(h[i])) * i64::from(m[i]), s));
}

/// `Σ f(i)²`-like sums of terms below 2^55: 64 bits hold 128 of them, 128 bits any number.
#[inline(always)]
fn wide_sum(n: usize, f: impl Fn(usize) -> i64) -> u128 {
    let mut sum = 0;
    for start in (0..n).step_by(128) {
        sum += (start..n.min(start + 128)).map(&f).sum::<i64>() as u128;
    }
    sum
}

/// Computes a layer norm (one segment) or a group norm (one segment a head) with gain and bias into `h`.
#[inline(always)]
pub fn norm(
    h: &mut [i32],
    x: &[i32],
    c: &NormConstants,
    (gain, bias): (&QVector, &QVector),
    shifts: NormShifts,
    count: &mut Saturations,
) {
    let n = c.n as usize;
    let (s_g, s_b) = (sh(shifts.gain), sh(shifts.bias));
    let mut clipped = 0;
    for (((h, x), gain), bias) in
        h.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(gain.q.chunks_exact(n)).zip(bias.q.chunks_exact(n))
    {
        let sum: i64 = x.iter().map(|x| i64::from(*x)).sum();
        let mean = i64::from(sat(round64(sum * c.inv_n, sh(c.q_n)), VEC_BITS, &mut clipped));
        let u = c.eps_int()
            + wide_sum(n, |i| {
                let d = i64::from(x[i]) - mean;
                d * d
            });
        let (r, e) = rsqrt(u);
        let mult = round64(i64::from(r) * c.root_n, ROOT_SHIFT);
        let s = sh((c.rsq_base + e as i32).clamp(0, 63));
        for i in 0..n {
            // the product is below 2^52, so beyond 60 every shift gives 0 or −0
            let v = sat(round64((i64::from(x[i]) - mean) * mult, s.min(60)), VEC_BITS, &mut clipped);
            let g = sat(round64(i64::from(v) * i64::from(gain[i]), s_g), VEC_BITS, &mut clipped);
            h[i] = sat(i64::from(g) + (i64::from(bias[i]) << s_b), VEC_BITS, &mut clipped);
        }
    }
    count.0 += clipped;
}

/// Computes `kk = k0 / |k0|` head by head.
#[inline(always)]
pub fn l2_normalised(kk: &mut [i32], k0: &[i32], head_size: usize, count: &mut Saturations) {
    for (kk, k0) in kk.chunks_exact_mut(head_size).zip(k0.chunks_exact(head_size)) {
        let (r, e) = rsqrt(wide_sum(head_size, |i| i64::from(k0[i]) * i64::from(k0[i])));
        let s = (L2_BASE + e as i32).clamp(0, 63) as u32;
        each(kk, count, |i| round64(i64::from(k0[i]) * i64::from(r), s));
    }
}

/// The tables' coefficients in columns, in lengths that need no bounds check.
struct Columns {
    c0: [i32; 512],
    c1: [i32; 512],
    c2: [i32; 512],
}

fn columns() -> &'static Columns {
    static COLUMNS: OnceLock<Columns> = OnceLock::new();
    COLUMNS.get_or_init(|| {
        let column = |k: usize| std::array::from_fn(|i| element_rom().rows.get(i).map_or(0, |row| row[k] as i32));
        Columns { c0: column(0), c1: column(1), c2: column(2) }
    })
}

const LAST: i32 = (1 << (INPUT_BITS - 1)) - 1;

impl Columns {
    #[inline(always)]
    fn horner(&self, row: i32, t: i32) -> i32 {
        let row = row as usize & 511;
        let s1 = self.c1[row] + round(self.c2[row] * t, 11);
        self.c0[row] + round(s1 * t, 11)
    }

    #[inline(always)]
    fn sigmoid(&self, z: i32) -> i32 {
        let a = z.abs().min(LAST);
        let h = round(self.horner(a >> 11, a & 2047), 5);
        if z < 0 {
            ONE - h
        } else {
            h
        }
    }

    #[inline(always)]
    fn tanh(&self, z: i32) -> i32 {
        let a = (2 * z.abs()).min(LAST);
        let h = round(self.horner(a >> 11, a & 2047), 4) - ONE;
        if z < 0 {
            -h
        } else {
            h
        }
    }

    #[inline(always)]
    fn decay(&self, z: i32) -> i32 {
        let a = z + LAST + 1;
        round(self.horner(DECAY_ROW as i32 + (a >> 11), a & 2047), 5)
    }
}

/// The tables of [`crate::arithmetic::tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Sigmoid,
    Tanh,
    Decay,
}

/// Computes `v = table(v + (p << shift))` in place for a bias `(p, shift)`, v with Z fraction bits; tables such as that of tanh have no bias.
#[inline(always)]
pub fn lut(v: &mut [i32], bias: Option<(&QVector, i32)>, table: Table) {
    let c = columns();
    match bias {
        Some((p, shift)) => {
            let s = sh(shift);
            let q = &p.q[..v.len()];
            look_up(v, |v, i| i64::from(v) + (i64::from(q[i]) << s), table, c);
        }
        None => look_up(v, |v, _| i64::from(v), table, c),
    }
}

#[inline(always)]
fn look_up(v: &mut [i32], z: impl Fn(i32, usize) -> i64, table: Table, c: &Columns) {
    for (i, v) in v.iter_mut().enumerate() {
        *v = round64(z(*v, i), TABLE_SHIFT).clamp(i64::from(-LAST - 1), i64::from(LAST)) as i32;
    }
    match table {
        Table::Sigmoid => v.iter_mut().for_each(|v| *v = c.sigmoid(*v)),
        Table::Tanh => v.iter_mut().for_each(|v| *v = c.tanh(*v)),
        Table::Decay => v.iter_mut().for_each(|v| *v = c.decay(*v)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::fixed::{self, round_shift};
    use crate::arithmetic::tables;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn roundings_are_those_of_the_specification(x in -(1i64 << 62) + 1..1 << 62, cut in 0u32..62, s in 0u32..63) {
            let x = x >> cut;
            prop_assert_eq!(round64(x, s), round_shift(x, s));
            let (x, s) = (x as i32 >> 2, s % 30);
            prop_assert_eq!(i64::from(round(x, s)), round_shift(i64::from(x), s));
        }

        #[test]
        fn saturation_is_that_of_the_specification(x: i64, cut in 0u32..64, bits in 16u32..=32) {
            let (mut clipped, mut count) = (0, Saturations::default());
            prop_assert_eq!(sat(x >> cut, bits, &mut clipped), fixed::sat(x >> cut, bits, &mut count));
            prop_assert_eq!(clipped, count.0);
        }
    }

    #[test]
    fn ties_round_to_even() {
        for s in 1..20 {
            for k in -9i64..9 {
                for near in -1..=1 {
                    let x = (2 * k + 1) * (1 << (s - 1)) + near;
                    assert_eq!(round64(x, s), round_shift(x, s));
                    assert_eq!(i64::from(round(x as i32, s)), round_shift(x, s));
                }
            }
        }
    }

    #[test]
    fn every_input_of_every_table() {
        let c = columns();
        for z in -LAST - 1..=LAST {
            assert_eq!(c.sigmoid(z), tables::sigmoid(z));
            assert_eq!(c.tanh(z), tables::tanh(z));
            assert_eq!(c.decay(z), tables::decay(z));
        }
    }
}
