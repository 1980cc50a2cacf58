//! 4-bit weights by columns for AVX2: [`super::nibbles`], half a line at a time.

use super::nibble_columns::{digits, four, NibbleColumns};
use super::prefetch;
use crate::image::nibble_columns::UNIT_ROWS;
use std::arch::x86_64::*;

/// Lines of 128 rows whose sums stay in the first cache.
const LINES: usize = 8;
/// Bytes of half a line: two groups.
const HALF: usize = 32;

/// # Safety
/// Needs the target feature; all of `used`, not empty, are columns of `w`, and `acc` has no more lines than they.
#[target_feature(enable = "avx2")]
pub unsafe fn nibble_run(w: &NibbleColumns<'_>, used: &[u16], x: &[i16], acc: &mut [[i64; UNIT_ROWS]]) {
    let low = _mm256_set1_epi8(15);
    for (block, acc) in acc.chunks_mut(LINES).enumerate() {
        let first = w.first_line + block * LINES;
        // for each half of a line and digit: four times rows of even and of odd numbers
        let mut sums = [[[_mm256_setzero_si256(); 8]; 3]; 2 * LINES];
        let mut p_sums = [0i64; 4 * LINES];
        for i in (0..used.len()).step_by(4) {
            let [now, ahead] = four(w, used, i);
            let x: [i32; 4] = std::array::from_fn(|k| x.get(i + k).map_or(0, |x| i32::from(*x)));
            for (half, sums) in sums[..2 * acc.len()].iter_mut().enumerate() {
                let (at, gs_at) = (w.gs_bytes + 64 * first + HALF * half, 4 * first + 2 * half);
                ahead.iter().for_each(|column| prefetch(column.wrapping_add(at)));
                if half == 0 {
                    ahead.iter().for_each(|column| prefetch(column.wrapping_add(gs_at)));
                }
                // words of digits l, m and h, four columns side by side, of both groups
                let mut words = [[0i32; 2]; 3];
                for group in 0..2 {
                    // SAFETY: a column has this group.
                    let p: [i32; 4] = std::array::from_fn(|k| i32::from(unsafe { *now[k].add(gs_at + group) }) * x[k]);
                    p_sums[2 * half + group] += p.iter().map(|p| i64::from(*p)).sum::<i64>();
                    let bytes = p.map(|p| digits(p).to_le_bytes());
                    for (digit, words) in words.iter_mut().enumerate() {
                        words[group] = i32::from_le_bytes(bytes.map(|b| b[digit]));
                    }
                }
                let words = words.map(|[a, b]| _mm256_setr_epi32(a, a, a, a, b, b, b, b));
                // SAFETY: a column has this half of a line.
                let w = now.map(|column| unsafe { _mm256_loadu_si256(column.add(at).cast()) });
                // lane j has group j; a register has bytes 4k to 4k + 3 of each lane, four columns of a byte side by side
                let (ab, ab_high) = (_mm256_unpacklo_epi8(w[0], w[1]), _mm256_unpackhi_epi8(w[0], w[1]));
                let (cd, cd_high) = (_mm256_unpacklo_epi8(w[2], w[3]), _mm256_unpackhi_epi8(w[2], w[3]));
                let w = [
                    _mm256_unpacklo_epi16(ab, cd),
                    _mm256_unpackhi_epi16(ab, cd),
                    _mm256_unpacklo_epi16(ab_high, cd_high),
                    _mm256_unpackhi_epi16(ab_high, cd_high),
                ];
                for (k, w) in w.into_iter().enumerate() {
                    // stored as q: q + 8 is q with its highest bit turned
                    let turned = _mm256_xor_si256(w, _mm256_set1_epi8(0x88u8 as i8));
                    let even = _mm256_and_si256(turned, low);
                    let odd = _mm256_and_si256(_mm256_srli_epi16::<4>(turned), low);
                    for (sums, word) in sums.iter_mut().zip(words) {
                        sums[2 * k] = _mm256_add_epi32(sums[2 * k], four_products(even, word));
                        sums[2 * k + 1] = _mm256_add_epi32(sums[2 * k + 1], four_products(odd, word));
                    }
                }
            }
        }
        for (half, sums) in sums[..2 * acc.len()].iter().enumerate() {
            let acc = &mut acc[half / 2][half % 2 * 64..][..64];
            add(acc, sums, &p_sums[2 * half..]);
        }
    }
}

/// Sums of four neighbouring products of unsigned by signed bytes; two of at most 15 · 128 fit 16 bits.
#[target_feature(enable = "avx2")]
#[inline]
fn four_products(u: __m256i, digits: __m256i) -> __m256i {
    _mm256_madd_epi16(_mm256_maddubs_epi16(u, digits), _mm256_set1_epi16(1))
}

/// Adds what the sums of half a line make to its 64 rows; `p` is Σ p of its two groups.
#[target_feature(enable = "avx2")]
#[inline]
fn add(acc: &mut [i64], sums: &[[__m256i; 8]; 3], p: &[i64]) {
    let lanes = |v: &__m256i| {
        let mut lanes = [0i32; 8];
        // SAFETY: 8 elements of 32 bits are 256 bits.
        unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), *v) };
        lanes.map(i64::from)
    };
    let [l, m, h] = sums;
    for (v, ((l, m), h)) in l.iter().zip(m).zip(h).enumerate() {
        let (l, m, h) = (lanes(l), lanes(m), lanes(h));
        for i in 0..8 {
            let (group, k, parity) = (i / 4, v / 2, v % 2);
            acc[32 * group + 8 * k + 2 * (i % 4) + parity] += (h[i] << 16) + (m[i] << 8) + l[i] - 8 * p[group];
        }
    }
}
