//! The kernels for AVX2: pairs of columns as 16-bit words, multiplied and added in pairs, flushed every 256 columns.

use super::{by_count, Acc, Operand};
use std::arch::x86_64::*;

/// Columns between two flushes: 256 · 2^7 · 2^15 and 256 · 2^15 · 255 are both below 2^31.
const FLUSH: usize = 256;

/// # Safety
/// Needs the target feature; tiles hold `cols` groups, operands at least `cols` elements, `cols` is even.
#[target_feature(enable = "avx2")]
pub unsafe fn w8(tiles: [&[u8]; 2], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    by_count!(x, acc, w8_n(tiles, cols));
}

/// # Safety
/// As [`w8`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn w8_n<const T: usize>(tiles: [&[u8]; 2], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    for (h, tile) in tiles.iter().enumerate() {
        for start in (0..cols).step_by(FLUSH) {
            let mut sums = [[_mm256_setzero_si256(); 2]; T];
            for c in (start..cols.min(start + FLUSH)).step_by(2) {
                // SAFETY: the caller's promise on lengths; two groups of 16 bytes, two elements.
                unsafe {
                    let group = |c: usize| _mm256_cvtepi8_epi16(_mm_loadu_si128(tile.as_ptr().add(16 * c).cast()));
                    let (even, odd) = (group(c), group(c + 1));
                    let w = [_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd)];
                    for t in 0..T {
                        let pair = _mm256_set1_epi32(x[t].padded().as_ptr().add(c).cast::<i32>().read_unaligned());
                        for (sum, w) in sums[t].iter_mut().zip(w) {
                            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(w, pair));
                        }
                    }
                }
            }
            for (sums, acc) in sums.into_iter().zip(acc.iter_mut()) {
                for (half, sum) in sums.into_iter().enumerate() {
                    for (i, sum) in lanes(sum).into_iter().enumerate() {
                        // unpacking keeps each 128-bit half apart: rows 0-3, 8-11 and rows 4-7, 12-15
                        acc[16 * h + 4 * half + i / 4 * 8 + i % 4] += i64::from(sum);
                    }
                }
            }
        }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn lanes(v: __m256i) -> [i32; 8] {
    let mut out = [0; 8];
    // SAFETY: 8 elements of 32 bits are 256 bits.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), v) };
    out
}

/// # Safety
/// As [`w8`], for four tiles.
#[target_feature(enable = "avx2")]
pub unsafe fn w16(tiles: [&[u8]; 4], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    by_count!(x, acc, w16_n(tiles, cols));
}

/// # Safety
/// As [`w16`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn w16_n<const T: usize>(tiles: [&[u8]; 4], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    for (h, tile) in tiles.iter().enumerate() {
        for start in (0..cols).step_by(FLUSH) {
            let (mut lo, mut hi) = ([_mm256_setzero_si256(); T], [_mm256_setzero_si256(); T]);
            for c in (start..cols.min(start + FLUSH)).step_by(2) {
                // SAFETY: the caller's promise on lengths; two groups of 16 bytes, two elements.
                unsafe {
                    let group = |c: usize| _mm_loadu_si128(tile.as_ptr().add(16 * c).cast());
                    let (even, odd) = (group(c), group(c + 1));
                    let w = _mm256_set_m128i(_mm_unpackhi_epi16(even, odd), _mm_unpacklo_epi16(even, odd));
                    for t in 0..T {
                        let pair = |x: &[i16]| _mm256_set1_epi32(x.as_ptr().add(c).cast::<i32>().read_unaligned());
                        lo[t] = _mm256_add_epi32(lo[t], _mm256_madd_epi16(w, pair(x[t].lo16())));
                        hi[t] = _mm256_add_epi32(hi[t], _mm256_madd_epi16(w, pair(x[t].hi16())));
                    }
                }
            }
            for t in 0..T {
                for (i, (lo, hi)) in lanes(lo[t]).into_iter().zip(lanes(hi[t])).enumerate() {
                    acc[t][8 * h + i] += i64::from(lo) + 256 * i64::from(hi);
                }
            }
        }
    }
}
