//! The kernels for AVX2: pairs of columns as 16-bit words, multiplied and added in pairs, flushed every 256 columns.

use super::{
    by_count, prefetch, prefetch_ahead, prefetch_group, Acc, Columns, Nibbles, Operand, Wide, COLUMNS_AHEAD, LINE,
};
use crate::image::nibble_tiles::GROUP_BYTES;
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
/// The caller keeps the conditions of [`w8`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn w8_n<const T: usize>(tiles: [&[u8]; 2], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    for (h, tile) in tiles.iter().enumerate() {
        for start in (0..cols).step_by(FLUSH) {
            let mut sums = [[_mm256_setzero_si256(); 2]; T];
            for c in (start..cols.min(start + FLUSH)).step_by(2) {
                // SAFETY: the caller's promise on lengths; two groups of 16 bytes, two elements.
                unsafe {
                    if c.is_multiple_of(4) {
                        prefetch_ahead(tile.as_ptr().add(16 * c), 0);
                    }
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
/// The caller keeps the conditions of [`w8`], for four tiles.
#[target_feature(enable = "avx2")]
pub unsafe fn w16(tiles: [&[u8]; 4], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    by_count!(x, acc, w16_n(tiles, cols));
}

/// # Safety
/// The caller keeps the conditions of [`w16`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn w16_n<const T: usize>(tiles: [&[u8]; 4], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    for (h, tile) in tiles.iter().enumerate() {
        for start in (0..cols).step_by(FLUSH) {
            let (mut lo, mut hi) = ([_mm256_setzero_si256(); T], [_mm256_setzero_si256(); T]);
            for c in (start..cols.min(start + FLUSH)).step_by(2) {
                // SAFETY: the caller's promise on lengths; two groups of 16 bytes, two elements.
                unsafe {
                    if c.is_multiple_of(4) {
                        prefetch_ahead(tile.as_ptr().add(16 * c), 0);
                    }
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

/// 32-bit sums of 4-bit weights: `gs · Σ q·hi` is within 2^23 and `gs · Σ q·lo` within 2^24 a group.
const FLUSH_NIBBLES: usize = 64;

/// The products are split as with AVX-512: `q·x = 256 · (u·hi − 8·hi) + q·lo` with `u = q + 8`. The byte instruction adds pairs of products to 16 bits; a
/// group adds eight of them, 8 · 2 · 255 · 8 = 32,640 at most, and the instruction that multiplies by gs adds the last pairs.
///
/// # Safety
/// Needs the target feature; tiles hold `groups` groups of 32 columns with their gs, operands as many elements.
#[target_feature(enable = "avx2")]
pub unsafe fn w4(tiles: [&[u8]; 2], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    by_count!(x, acc, w4_n(tiles, groups));
}

/// # Safety
/// The caller keeps the conditions of [`w4`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn w4_n<const T: usize>(tiles: [&[u8]; 2], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    let zero = _mm256_setzero_si256();
    let (low, eight) = (_mm256_set1_epi8(15), _mm256_set1_epi8(8));
    // gs of rows 0-3 and 8-11, then 4-7 and 12-15, in both halves of 32 bits
    let gs_order = [0, 4].map(|first| {
        let word = |r: i32| 0x8000_8000u32 as i32 | (first + r) | (first + r) << 16;
        let half = [word(0), word(1), word(2), word(3)];
        let next = half.map(|w| w + 0x0008_0008);
        _mm256_setr_epi32(half[0], half[1], half[2], half[3], next[0], next[1], next[2], next[3])
    });
    for (h, tile) in tiles.iter().enumerate() {
        for start in (0..groups).step_by(FLUSH_NIBBLES) {
            let (mut lo, mut hi) = ([[zero; 2]; T], [[zero; 2]; T]);
            for g in start..groups.min(start + FLUSH_NIBBLES) {
                // SAFETY: the caller's promise on lengths; g < groups and 272 bytes, 4 `Nibbles` and one of `eighths` a group.
                unsafe {
                    let group = tile.as_ptr().add(GROUP_BYTES * g);
                    prefetch_group(group, g);
                    let (mut lo_g, mut hi_g) = ([[zero; 2]; T], [[zero; 2]; T]);
                    for k in 0..4 {
                        let load = |i: usize| _mm256_loadu_si256(group.add(16 + 64 * k + 32 * i).cast());
                        for (half, w) in rows_together(load(0), load(1)).into_iter().enumerate() {
                            let u_even = _mm256_and_si256(_mm256_xor_si256(w, eight), low);
                            let u_odd = _mm256_and_si256(_mm256_xor_si256(_mm256_srli_epi16::<4>(w), eight), low);
                            let q_even = _mm256_sub_epi8(u_even, eight);
                            let q_odd = _mm256_sub_epi8(u_odd, eight);
                            for t in 0..T {
                                let x: &Nibbles = x[t].nibbles().get_unchecked(4 * g + k);
                                let word = |word: u32| _mm256_set1_epi32(word as i32);
                                let (hi, lo) = (&mut hi_g[t][half], &mut lo_g[t][half]);
                                *hi = _mm256_add_epi16(*hi, _mm256_maddubs_epi16(u_even, word(x.hi_even)));
                                *hi = _mm256_add_epi16(*hi, _mm256_maddubs_epi16(u_odd, word(x.hi_odd)));
                                *lo = _mm256_add_epi16(*lo, _mm256_maddubs_epi16(word(x.lo_even), q_even));
                                *lo = _mm256_add_epi16(*lo, _mm256_maddubs_epi16(word(x.lo_odd), q_odd));
                            }
                        }
                    }
                    let gs = _mm256_broadcastsi128_si256(_mm_loadu_si128(group.cast()));
                    for half in 0..2 {
                        let gs = _mm256_shuffle_epi8(gs, gs_order[half]);
                        let gs32 = _mm256_srli_epi32::<16>(gs);
                        for t in 0..T {
                            let eighths = _mm256_set1_epi32(*x[t].eighths().get_unchecked(g));
                            let (hi, lo) = (&mut hi[t][half], &mut lo[t][half]);
                            *lo = _mm256_add_epi32(*lo, _mm256_madd_epi16(lo_g[t][half], gs));
                            *hi = _mm256_add_epi32(*hi, _mm256_madd_epi16(hi_g[t][half], gs));
                            *hi = _mm256_add_epi32(*hi, _mm256_mullo_epi32(gs32, eighths));
                        }
                    }
                }
            }
            for t in 0..T {
                for half in 0..2 {
                    for (i, (lo, hi)) in lanes(lo[t][half]).into_iter().zip(lanes(hi[t][half])).enumerate() {
                        acc[t][16 * h + 4 * half + i / 4 * 8 + i % 4] += i64::from(lo) + 256 * i64::from(hi);
                    }
                }
            }
        }
    }
}

/// Four bytes a row, of pairs 0 2 1 3 of columns, from pairs 0 1 and 2 3 of 16 rows each: rows 0-3 and 8-11, then rows 4-7 and 12-15.
#[target_feature(enable = "avx2")]
#[inline]
fn rows_together(ab: __m256i, cd: __m256i) -> [__m256i; 2] {
    let (first, second) = (_mm256_unpacklo_epi8(ab, cd), _mm256_unpackhi_epi8(ab, cd));
    let (ac, bd) = (_mm256_permute2x128_si256::<0x20>(first, second), _mm256_permute2x128_si256::<0x31>(first, second));
    [_mm256_unpacklo_epi16(ac, bd), _mm256_unpackhi_epi16(ac, bd)]
}

/// # Safety
/// Needs the target feature; the number of columns is even, at most 64, and operands have at least as many elements.
#[target_feature(enable = "avx2")]
pub unsafe fn columns(columns: &[&[u8; LINE]], x: &[&Operand], acc: &mut [Wide]) {
    by_count!(x, acc, columns_n(columns));
}

/// # Safety
/// The caller keeps the conditions of [`columns`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn columns_n<const T: usize>(columns: &[&[u8; LINE]], x: &[&Operand], acc: &mut [Wide]) {
    for first in (0..LINE).step_by(16) {
        let mut sums = [[_mm256_setzero_si256(); 2]; T];
        for (c, two) in columns.chunks_exact(2).enumerate() {
            // SAFETY: a column has 64 bytes, first + 16 is at most 64; the caller's promise on operands.
            unsafe {
                let group = |i: usize| _mm256_cvtepi8_epi16(_mm_loadu_si128(two[i].as_ptr().add(first).cast()));
                let (even, odd) = (group(0), group(1));
                let w = [_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd)];
                for t in 0..T {
                    let pair = _mm256_set1_epi32(x[t].padded().as_ptr().add(2 * c).cast::<i32>().read_unaligned());
                    for (sum, w) in sums[t].iter_mut().zip(w) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(w, pair));
                    }
                }
            }
        }
        for (sums, acc) in sums.into_iter().zip(acc.iter_mut()) {
            for (half, sum) in sums.into_iter().enumerate() {
                for (i, sum) in lanes(sum).into_iter().enumerate() {
                    acc[first + 4 * half + i / 4 * 8 + i % 4] += i64::from(sum);
                }
            }
        }
    }
}

/// Lines of a column whose sums stay in the first cache.
const LINES: usize = 16;

/// # Safety
/// Needs the target feature; all of `used`, not empty, are columns of `weights`, which have `acc.len()` lines.
#[target_feature(enable = "avx2")]
pub unsafe fn column_run(weights: &Columns<'_>, used: &[u16], x: &[i16], acc: &mut [Wide]) {
    for (block, acc) in acc.chunks_mut(LINES).enumerate() {
        for start in (0..used.len()).step_by(FLUSH) {
            let mut sums = [[_mm256_setzero_si256(); 8]; LINES];
            for c in (start..used.len().min(start + FLUSH)).step_by(2) {
                let next = x.get(c + 1).copied().unwrap_or(0);
                let pair = _mm256_set1_epi32(i32::from(x[c]) & 0xffff | i32::from(next) << 16);
                // SAFETY: columns and lines are those of `weights` by the caller's promise.
                unsafe {
                    // where there is no column left the last one stands in, its operand is 0
                    let column = |i: usize| weights.at(used[i.min(used.len() - 1)], block * LINES);
                    let now = [column(c), column(c + 1)];
                    let ahead = [column(c + COLUMNS_AHEAD), column(c + COLUMNS_AHEAD + 1)];
                    for (l, sums) in sums[..acc.len()].iter_mut().enumerate() {
                        ahead.iter().for_each(|column| prefetch(column.wrapping_add(64 * l)));
                        for (quarter, sums) in sums.chunks_exact_mut(2).enumerate() {
                            let rows = |column: *const u8| {
                                _mm256_cvtepi8_epi16(_mm_loadu_si128(column.add(64 * l + 16 * quarter).cast()))
                            };
                            let (even, odd) = (rows(now[0]), rows(now[1]));
                            let w = [_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd)];
                            for (sum, w) in sums.iter_mut().zip(w) {
                                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(w, pair));
                            }
                        }
                    }
                }
            }
            for (sums, acc) in sums.into_iter().zip(acc.iter_mut()) {
                for (k, sum) in sums.into_iter().enumerate() {
                    for (i, sum) in lanes(sum).into_iter().enumerate() {
                        acc[k / 2 * 16 + k % 2 * 4 + i / 4 * 8 + i % 4] += i64::from(sum);
                    }
                }
            }
        }
    }
}
