//! The integer operations against a plain restatement of `docs/hardware.md` §2 to §4 in exact rational arithmetic.

use golden_model::arithmetic::fixed::{clip, round_shift, round_shift_wide, sat, Saturations};
use golden_model::arithmetic::norm::{Eps, NormConstants, NormShifts};
use golden_model::arithmetic::recurrence::{Wkv, WkvShifts};
use golden_model::arithmetic::tables;
use golden_model::arithmetic::tensor::{QMatrix, QVector, QWeights, RowScale};
use golden_model::arithmetic::vector_ops::{l2, lut, matvec, mix, norm, operand, operand_of, Operand};
use proptest::prelude::*;

const MAX27: i32 = (1 << 26) - 1;

/// x / 2^shift to the nearest integer, ties to even, by division.
fn rounded(x: i128, shift: u32) -> i128 {
    let one = 1i128 << shift;
    let (floor, twice_rest) = (x.div_euclid(one), 2 * x.rem_euclid(one));
    match twice_rest.cmp(&one) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + (floor & 1),
    }
}

/// Clipped to `bits` bits, and whether it had to be.
fn clipped(x: i128, bits: u32) -> (i128, u64) {
    let max = (1i128 << (bits - 1)) - 1;
    let y = x.clamp(-max - 1, max);
    (y, u64::from(y != x))
}

/// 27-bit elements of all sizes, ends included.
fn element() -> impl Strategy<Value = i32> {
    prop_oneof![
        4 => (any::<i32>(), 5u32..32).prop_map(|(v, s)| v >> s),
        1 => prop_oneof![Just(MAX27), Just(-MAX27 - 1), Just(0), Just(1), Just(-1)],
    ]
}

fn param() -> impl Strategy<Value = i16> {
    prop_oneof![4 => any::<i16>(), 1 => prop_oneof![Just(i16::MIN), Just(i16::MAX), Just(0)]]
}

proptest! {
    #[test]
    fn rounding_is_to_nearest_even(x in any::<i64>(), near in -3i64..4, shift in 0u32..=62) {
        for x in [x, x >> 20, x >> 40, (x >> (shift + 1)).wrapping_shl(shift).wrapping_add(near), (1i64 << shift >> 1) + near] {
            prop_assert_eq!(i128::from(round_shift(x, shift)), rounded(x.into(), shift), "{} >> {}", x, shift);
        }
        let wide = i128::from(x) << 40;
        prop_assert_eq!(round_shift_wide(wide + i128::from(near), shift + 30), rounded(wide + i128::from(near), shift + 30));
        let big = round_shift(x, 63);
        prop_assert_eq!(i128::from(big), rounded(x.into(), 63));
    }

    #[test]
    fn saturation_clips_and_counts(x in any::<i64>(), s in 0u32..64, bits in 2u32..=32) {
        let x = x >> s;
        let mut count = Saturations(0);
        let y = sat(x, bits, &mut count);
        prop_assert_eq!((i128::from(y), count.0), clipped(x.into(), bits));
        prop_assert_eq!(clip(x, bits), y);
    }

    #[test]
    fn operands_keep_15_bits_of_the_largest(v in prop::collection::vec(element(), 1..30), small in 0u32..27) {
        let v: Vec<i32> = v.iter().map(|v| v >> small).collect();
        let o = operand(&v);
        // L: bits of the largest of v (v ≥ 0) and −v − 1 (v < 0); the OR has the length of its longest part
        let bits = v.iter().map(|v| 32 - (if *v < 0 { -1 - v } else { *v }).leading_zeros()).max().unwrap();
        prop_assert_eq!(o.e, bits.saturating_sub(15));
        prop_assert!(o.e <= 11);
        for (q, v) in o.q.iter().zip(&v) {
            prop_assert_eq!(i128::from(*q), clipped(rounded((*v).into(), o.e), 16).0);
        }
    }

    #[test]
    fn narrower_operands_keep_fewer_bits_of_the_largest(
        v in prop::collection::vec(element(), 1..30), small in 0u32..27, bits in 4u32..=16
    ) {
        let v: Vec<i32> = v.iter().map(|v| v >> small).collect();
        let (o, full) = (operand_of(&v, bits), operand(&v));
        prop_assert_eq!(o.e, full.e);
        let length = v.iter().map(|v| 32 - (if *v < 0 { -1 - v } else { *v }).leading_zeros()).max().unwrap();
        let s = length.saturating_sub(bits - 1);
        for (q, v) in o.q.iter().zip(&v) {
            prop_assert_eq!(i128::from(*q) << o.e, clipped(rounded((*v).into(), s), bits).0 << s);
        }
    }

    #[test]
    fn matrix_rows_are_exact(
        rows in 1usize..20, cols in 1usize..700, seed in any::<u64>(), wide: bool, shift in 12i32..=48, full: bool, e_x in 0u32..=11
    ) {
        let mut s = seed | 1;
        let mut next = |bits: u32| {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            // extremes, so that sums grow as large as they can
            if full { ((1i64 << (bits - 1)) - 1) as i32 } else { ((s >> 32) as i64 % (1i64 << (bits - 1))) as i32 }
        };
        let q = if wide {
            QWeights::W16((0..rows * cols).map(|_| next(16) as i16).collect())
        } else {
            QWeights::W8((0..rows * cols).map(|_| next(8) as i8).collect())
        };
        let scales = (0..rows).map(|_| RowScale { m: 2048 + (next(12) as u16 & 2047), e: (next(5) as u8) & 15 }).collect();
        let m = QMatrix { rows, cols, q, scales, frac: 0 };
        let x = Operand { q: (0..cols).map(|_| next(16) as i16).collect(), e: e_x };
        let mut count = Saturations(0);
        let y = matvec(&m, &x, shift, &mut count);
        let mut expected_count = 0;
        for (r, got) in y.iter().enumerate() {
            let acc: i128 = (0..cols).map(|c| i128::from(m.at(r, c)) * i128::from(x.q[c])).sum();
            let s = (shift + i32::from(m.scales[r].e) - e_x as i32).max(0) as u32;
            let (want, clipped) = clipped(rounded(acc * i128::from(m.scales[r].m), s), 27);
            prop_assert_eq!(i128::from(*got), want);
            expected_count += clipped;
        }
        prop_assert_eq!(count.0, expected_count);
    }

    #[test]
    fn token_shift(h in element(), prev in element(), m in param(), f in 0i32..=22) {
        let mut count = Saturations(0);
        let got = mix(&[h], &[prev], &QVector { q: vec![m], frac: f }, f, &mut count)[0];
        let want = i128::from(h) + rounded((i128::from(prev) - i128::from(h)) * i128::from(m), f as u32);
        prop_assert_eq!((i128::from(got), count.0), clipped(want, 27));
    }

    #[test]
    fn table_inputs_are_rounded_and_clipped(a in element(), p in param(), f in 0i32..=16) {
        let got = lut(&[a], Some((&QVector { q: vec![p], frac: f }, 16 - f)), |z| z)[0];
        let z = i128::from(a) + (i128::from(p) << (16 - f));
        prop_assert_eq!(i128::from(got), clipped(rounded(z, 2), 19).0);
        prop_assert_eq!(lut(&[a], None, tables::tanh)[0], tables::tanh(clip(round_shift(a.into(), 2), 19)));
    }

    /// Within the error of rsqrt and of the roundings of mean and result of the true norm, for any input.
    #[test]
    fn norms_normalise(x in prop::collection::vec(element(), 64), small in 0u32..14, n in prop_oneof![Just(16usize), Just(32), Just(64)], f_x in 0i32..22) {
        let x: Vec<i32> = x.iter().map(|v| v >> small).collect();
        let eps = if n == 64 { Eps::default().ln } else { Eps::default().ln_x };
        let c = NormConstants::new(n, eps, f_x);
        let unit = QVector { q: vec![1 << 14; 64], frac: 14 };
        let none = QVector { q: vec![0; 64], frac: 14 };
        let mut count = Saturations(0);
        let got = norm(&x, &c, (&unit, &none), NormShifts { gain: 14, bias: 6 }, &mut count);
        prop_assert_eq!((got.mean.len(), got.rstd.len()), (64 / n, 128 / n));
        for (seg, values) in x.chunks(n).enumerate() {
            let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n as f64;
            prop_assert!((f64::from(got.mean[seg]) - mean).abs() <= 0.5 + mean.abs() / f64::from(1 << 16));
            let integer_mean = f64::from(got.mean[seg]);
            let u = values.iter().map(|v| (f64::from(*v) - integer_mean).powi(2)).sum::<f64>() + c.eps_int() as f64;
            let rstd = (n as f64 / u).sqrt();
            for (i, v) in values.iter().enumerate() {
                let want = (f64::from(*v) - integer_mean) * rstd * f64::from(1 << 20);
                // for u below 64 the shift is clamped at 0 and small results stay small
                let tolerance = want.abs() / 60_000.0 + 0.51;
                let n_i = f64::from(got.n[seg * n + i]);
                prop_assert!(u < 64.0 || (n_i - want).abs() <= tolerance, "{} expected {}", n_i, want);
            }
        }
        prop_assert_eq!(&got.n, &got.h);
    }

    #[test]
    fn l2_gives_unit_vectors(k in prop::collection::vec(element(), 32), small in 0u32..20) {
        let k: Vec<i32> = k.iter().map(|v| v >> small).collect();
        let scalars = l2(&k, 16);
        for (head, k) in k.chunks(16).enumerate() {
            let length = k.iter().map(|k| f64::from(*k).powi(2)).sum::<f64>().sqrt();
            for v in k {
                let got = round_shift(i64::from(*v) * i64::from(scalars[2 * head]), scalars[2 * head + 1] as u32);
                let want = if length > 0.0 { f64::from(*v) / length * 65536.0 } else { 0.0 };
                prop_assert!((got as f64 - want).abs() <= 0.51 + want.abs() / 60_000.0, "{} of {}: {} expected {}", v, length, got, want);
            }
        }
    }

    #[test]
    fn recurrence_of_one_head(
        operands in prop::collection::vec((param(), 0i16..=29803, param(), param(), param(), param()), 4),
        s in prop::collection::vec(any::<i32>(), 16), small in 0u32..31, state_bits in 16u32..=32, e in prop::collection::vec(0u32..=11, 5),
        shifts in (0i32..40, 0i32..40, 0i32..50, 0i32..50)
    ) {
        let pick = |f: fn(&(i16, i16, i16, i16, i16, i16)) -> i16, e: u32| Operand { q: operands.iter().map(f).collect(), e };
        let (r, k, v) = (pick(|o| o.0, e[0]), pick(|o| o.2, e[1]), pick(|o| o.3, e[2]));
        let (d, kk, b) = (pick(|o| o.1, 0), pick(|o| o.4, e[3]), pick(|o| o.5, e[4]));
        let (sh_sa, sh_b, sh_vk, sh_y) = shifts;
        let old: Vec<i32> = s.iter().map(|s| s >> (32 - state_bits).max(small)).collect();
        let mut new = old.clone();
        let mut count = Saturations(0);
        let shifts = WkvShifts { sa: sh_sa, b: sh_b, vk: sh_vk, y: sh_y };
        let wkv = Wkv { r: &r, d: &d, k: &k, v: &v, kk: &kk, b: &b, head_size: 4, state_bits, shifts };
        let (sa, y) = wkv.step(&mut new, &mut count);
        let less = |sh: i32, e: u32| (sh - e as i32).max(0) as u32;
        fn w(x: impl Into<i128>) -> i128 {
            x.into()
        }
        let mut clips = 0;
        for i in 0..4 {
            let sum: i128 = (0..4).map(|j| w(old[4 * i + j]) * w(kk.q[j])).sum();
            let (sa_i, c) = clipped(rounded(-sum, less(sh_sa, kk.e)), state_bits);
            clips += c;
            prop_assert_eq!(w(sa[i]), sa_i);
            let mut y_i = 0;
            for j in 0..4 {
                let s_ij = w(old[4 * i + j]);
                let next = s_ij - rounded(s_ij * w(d.q[j]), 16) + rounded(sa_i * w(b.q[j]), less(sh_b, b.e))
                    + rounded(w(v.q[i]) * w(k.q[j]), less(sh_vk, v.e + k.e));
                let (next, c) = clipped(next, state_bits);
                clips += c;
                prop_assert_eq!(w(new[4 * i + j]), next);
                y_i += next * w(r.q[j]);
            }
            let (y_i, c) = clipped(rounded(y_i, less(sh_y, r.e)), 27);
            clips += c;
            prop_assert_eq!(w(y[i]), y_i);
        }
        prop_assert_eq!(count.0, clips);
    }
}
