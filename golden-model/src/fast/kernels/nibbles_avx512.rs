//! 4-bit weights by columns for AVX-512 with VNNI: [`super::nibbles`].

use super::nibble_columns::{four, NibbleColumns};
use super::prefetch;
use crate::image::nibble_columns::UNIT_ROWS;
use std::arch::x86_64::*;

/// Lines of 128 rows whose sums stay in the first cache: 16 times 24 registers.
const LINES: usize = 16;
/// Eights of columns after which the sums of p, up to 2^26 each, go to 64 bits.
const FLUSH: usize = 16;

/// # Safety
/// Needs the target features; all of `used`, not empty, are columns of `w`, and `acc` has no more lines than they.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
pub unsafe fn nibble_run(w: &NibbleColumns<'_>, used: &[u16], x: &[i16], acc: &mut [[i64; UNIT_ROWS]]) {
    for (block, acc) in acc.chunks_mut(LINES).enumerate() {
        let first = w.first_line + block * LINES;
        // SAFETY: the caller's promise; the block's lines are among those of `acc`.
        unsafe { run(w, first, used, x, acc) }
    }
}

/// # Safety
/// The caller keeps the conditions of [`nibble_run`]; `acc` has at most [`LINES`] lines, the first of which is line `first` of a column.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
#[inline]
unsafe fn run(w: &NibbleColumns<'_>, first: usize, used: &[u16], x: &[i16], acc: &mut [[i64; UNIT_ROWS]]) {
    let zero = _mm512_setzero_si512();
    // for each line and digit: four times rows of even and of odd numbers
    let mut sums = [[[zero; 8]; 3]; LINES];
    // Σ p of each group, and what of it has not gone there yet
    let mut p_sums = [0i64; 4 * LINES];
    let mut p_part = [[0i32; 16]; LINES / 4];
    // of both fours of columns, line by line
    let mut p_digits = [[zero; LINES]; 2];
    for i in (0..used.len()).step_by(8) {
        let fours = [four(w, used, i), four(w, used, i + 4)];
        for (half, ([now, ahead], p_digits)) in fours.iter().zip(&mut p_digits).enumerate() {
            let x: [i32; 4] = std::array::from_fn(|k| x.get(i + 4 * half + k).map_or(0, |x| i32::from(*x)));
            for (j, (part, lines)) in
                p_part.iter_mut().zip(p_digits.chunks_exact_mut(4)).enumerate().take(acc.len().div_ceil(4))
            {
                let at = 4 * first + 16 * j;
                ahead.iter().for_each(|column| prefetch(column.wrapping_add(at)));
                // SAFETY: gs are padded to 64 bytes, those of 16 lines of nibbles; a part has 16 sums.
                unsafe {
                    let (digits, p) = digits_of(now.map(|column| column.add(at)), x);
                    lines.copy_from_slice(&digits);
                    let before = _mm512_loadu_si512(part.as_ptr().cast());
                    _mm512_storeu_si512(part.as_mut_ptr().cast(), _mm512_add_epi32(before, p));
                }
            }
        }
        for (l, sums) in sums[..acc.len()].iter_mut().enumerate() {
            let at = w.gs_bytes + 64 * (first + l);
            let (mut weights, mut digits) = ([[zero; 4]; 2], [[zero; 3]; 2]);
            for (half, [now, ahead]) in fours.iter().enumerate() {
                ahead.iter().for_each(|column| prefetch(column.wrapping_add(at)));
                // SAFETY: a column has this line.
                weights[half] = turned(now.map(|column| unsafe { _mm512_loadu_si512(column.add(at).cast()) }));
                let d = p_digits[half][l];
                digits[half] =
                    [_mm512_shuffle_epi32::<0x00>(d), _mm512_shuffle_epi32::<0x55>(d), _mm512_shuffle_epi32::<0xaa>(d)];
            }
            for k in 0..4 {
                let mut now: [[__m512i; 2]; 3] =
                    std::array::from_fn(|digit| [sums[digit][2 * k], sums[digit][2 * k + 1]]);
                for (weights, digits) in weights.iter().zip(&digits) {
                    let even = _mm512_and_si512(weights[k], _mm512_set1_epi8(15));
                    let odd = _mm512_and_si512(_mm512_srli_epi16::<4>(weights[k]), _mm512_set1_epi8(15));
                    for (now, digit) in now.iter_mut().zip(digits) {
                        now[0] = _mm512_dpbusd_epi32(now[0], even, *digit);
                        now[1] = _mm512_dpbusd_epi32(now[1], odd, *digit);
                    }
                }
                for (sums, now) in sums.iter_mut().zip(now) {
                    [sums[2 * k], sums[2 * k + 1]] = now;
                }
            }
        }
        if i / 8 % FLUSH == FLUSH - 1 {
            flush(&mut p_part, &mut p_sums);
        }
    }
    flush(&mut p_part, &mut p_sums);
    for ((acc, sums), p) in acc.iter_mut().zip(&sums).zip(p_sums.chunks_exact(4)) {
        add(acc, sums, p);
    }
}

/// A line of four columns with u = q + 8 in place of q. Lane j has group j; the k-th result has bytes 4k to 4k + 3 of each lane, the four columns of
/// a byte side by side.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
#[inline]
fn turned(w: [__m512i; 4]) -> [__m512i; 4] {
    let (ab, ab_high) = (_mm512_unpacklo_epi8(w[0], w[1]), _mm512_unpackhi_epi8(w[0], w[1]));
    let (cd, cd_high) = (_mm512_unpacklo_epi8(w[2], w[3]), _mm512_unpackhi_epi8(w[2], w[3]));
    let w = [
        _mm512_unpacklo_epi16(ab, cd),
        _mm512_unpackhi_epi16(ab, cd),
        _mm512_unpacklo_epi16(ab_high, cd_high),
        _mm512_unpackhi_epi16(ab_high, cd_high),
    ];
    // q + 8 is q with its highest bit turned
    w.map(|w| _mm512_xor_si512(w, _mm512_set1_epi8(0x88u8 as i8)))
}

fn flush(part: &mut [[i32; 16]; LINES / 4], sums: &mut [i64; 4 * LINES]) {
    for (sum, part) in sums.iter_mut().zip(part.as_flattened_mut()) {
        *sum += i64::from(std::mem::take(part));
    }
}

/// The digits of `p = gs · x` of 16 groups of four columns, and `Σ p` over the columns. Lane j of the e-th result has group 4e + j: digits l, m
/// and h of the four columns side by side.
///
/// # Safety
/// Each of `gs` points to 16 bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
#[inline]
unsafe fn digits_of(gs: [*const u8; 4], x: [i32; 4]) -> ([__m512i; 4], __m512i) {
    // element 4j + e gets group 4e + j
    let order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    let back = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    let half = _mm512_set1_epi32(0x8080);
    let mut sum = _mm512_setzero_si512();
    let mut digits = [sum; 4];
    for ((gs, x), digits) in gs.into_iter().zip(x).zip(&mut digits) {
        // SAFETY: the caller's promise.
        let gs = unsafe { _mm_loadu_si128(gs.cast()) };
        let gs = _mm512_cvtepu8_epi32(_mm_shuffle_epi8(gs, order));
        // the upper 16 bits of gs are 0, those of x do not matter
        let p = _mm512_madd_epi16(gs, _mm512_set1_epi32(x));
        sum = _mm512_add_epi32(sum, p);
        *digits = _mm512_xor_si512(_mm512_add_epi32(p, half), half);
    }
    let [a, b, c, d] = digits;
    let (ab, ab_high) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
    let (cd, cd_high) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
    let digits = [
        _mm512_unpacklo_epi16(ab, cd),
        _mm512_unpackhi_epi16(ab, cd),
        _mm512_unpacklo_epi16(ab_high, cd_high),
        _mm512_unpackhi_epi16(ab_high, cd_high),
    ];
    (digits, _mm512_permutexvar_epi32(back, sum))
}

/// Adds what the sums of a line make to its rows; `p` is Σ p of its four groups.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
#[inline]
fn add(acc: &mut [i64; UNIT_ROWS], sums: &[[__m512i; 8]; 3], p: &[i64]) {
    // rows of even and of odd numbers by turns, of the lower and of the upper lane
    let turns = [_mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15)];
    for k in 0..4 {
        for lanes in 0..2 {
            let [even, odd] = [2 * k, 2 * k + 1].map(|v| {
                let [l, m, h] = [0, 1, 2].map(|digit| {
                    let sum: __m512i = sums[digit][v];
                    _mm512_cvtepi32_epi64(match lanes {
                        0 => _mm512_castsi512_si256(sum),
                        _ => _mm512_extracti64x4_epi64::<1>(sum),
                    })
                });
                _mm512_add_epi64(_mm512_add_epi64(l, _mm512_slli_epi64::<8>(m)), _mm512_slli_epi64::<16>(h))
            });
            for (lane, turns) in turns.into_iter().enumerate() {
                let group = 2 * lanes + lane;
                let rows = _mm512_permutex2var_epi64(even, turns, odd);
                let rows = _mm512_sub_epi64(rows, _mm512_set1_epi64(8 * p[group]));
                let acc: &mut [i64] = &mut acc[32 * group + 8 * k..][..8];
                // SAFETY: `acc` has 8 elements.
                unsafe {
                    let before = _mm512_loadu_si512(acc.as_ptr().cast());
                    _mm512_storeu_si512(acc.as_mut_ptr().cast(), _mm512_add_epi64(before, rows));
                }
            }
        }
    }
}
