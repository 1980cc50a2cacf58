//! The kernels for AVX-512 with VBMI and VNNI.
//!
//! A 16-bit operand is taken as two bytes, `x = 256 · (hi − 128) + lo` with hi and lo unsigned, because the byte instruction multiplies
//! unsigned by signed: `Σ w·x = 256 · (Σ w·hi − Σ w·128) + Σ w·lo`. The widest row (65,532 columns) of the largest bytes stays
//! below 2^31: 65,532 · 255 · 128 = 2,138,964,480, so nothing is flushed on the way.
//! 16-bit weights take pairs of columns, with `x = 256 · hi + lo`, hi signed and lo unsigned in 16 bits each; 256 columns stay below 2^31 and are then flushed.

use super::{
    by_count, prefetch, prefetch_ahead, prefetch_group, Acc, Columns, Nibbles, Operand, Wide, AHEAD, COLUMNS_AHEAD,
    LINE,
};
use crate::image::nibble_tiles::GROUP_BYTES;
use std::arch::x86_64::*;

/// Groups of 4 columns between two flushes of 16-bit weights: 256 · 2^15 · 255 < 2^31.
const FLUSH_GROUPS: usize = 64;

/// # Safety
/// Needs the target features; tiles hold `cols` groups, operands at least `cols` elements, `cols` is a multiple of 4.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub unsafe fn w8(tiles: [&[u8]; 2], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    by_count!(x, acc, w8_n(tiles, cols / 4));
}

/// # Safety
/// The caller keeps the conditions of [`w8`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
#[inline]
unsafe fn w8_n<const T: usize>(tiles: [&[u8]; 2], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    // byte 4r + k of the result is row r of column k: four columns of a row side by side
    let mut order = [0u8; 64];
    (0..64).for_each(|i| order[i] = (i % 4 * 16 + i / 4) as u8);
    // SAFETY: every load stays within the lengths the caller promises: g < groups, and 64 bytes or 4 elements a group.
    unsafe {
        let order = _mm512_loadu_si512(order.as_ptr().cast());
        let bias = _mm512_set1_epi8(128u8 as i8);
        let zero = _mm512_setzero_si512();
        let bytes: [(*const u8, *const u8); T] = std::array::from_fn(|t| (x[t].lo().as_ptr(), x[t].hi().as_ptr()));
        // tile by tile, as memory has them, although two could share the operands: one stream is what it delivers fastest
        for (h, tile) in tiles.iter().enumerate() {
            let (mut lo, mut hi, mut sum) = ([zero; T], [zero; T], zero);
            for g in 0..groups {
                let group = tile.as_ptr().add(64 * g);
                prefetch_ahead(group, 0);
                let w = _mm512_permutexvar_epi8(order, _mm512_loadu_si512(group.cast()));
                sum = _mm512_dpbusd_epi32(sum, bias, w);
                for t in 0..T {
                    let x_lo = _mm512_set1_epi32(bytes[t].0.add(4 * g).cast::<i32>().read_unaligned());
                    let x_hi = _mm512_set1_epi32(bytes[t].1.add(4 * g).cast::<i32>().read_unaligned());
                    lo[t] = _mm512_dpbusd_epi32(lo[t], x_lo, w);
                    hi[t] = _mm512_dpbusd_epi32(hi[t], x_hi, w);
                }
            }
            for t in 0..T {
                add(&mut acc[t], 16 * h, lo[t], _mm512_sub_epi32(hi[t], sum));
            }
        }
    }
}

/// `acc[first..first + 16] += 256 · hi + lo`.
#[target_feature(enable = "avx512f")]
#[inline]
fn add(acc: &mut [i64], first: usize, lo: __m512i, hi: __m512i) {
    let halves = |v: __m512i| {
        [_mm512_cvtepi32_epi64(_mm512_castsi512_si256(v)), _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64::<1>(v))]
    };
    for (i, (lo, hi)) in halves(lo).into_iter().zip(halves(hi)).enumerate() {
        let part: &mut [i64] = &mut acc[first + 8 * i..first + 8 * i + 8];
        let sum = _mm512_add_epi64(lo, _mm512_slli_epi64::<8>(hi));
        // SAFETY: `part` has 8 elements.
        unsafe {
            let before = _mm512_loadu_si512(part.as_ptr().cast());
            _mm512_storeu_si512(part.as_mut_ptr().cast(), _mm512_add_epi64(before, sum));
        }
    }
}

/// # Safety
/// The caller keeps the conditions of [`w8`], for four tiles.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub unsafe fn w16(tiles: [&[u8]; 4], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    by_count!(x, acc, w16_n(tiles, cols / 4));
}

/// # Safety
/// The caller keeps the conditions of [`w16`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
#[inline]
unsafe fn w16_n<const T: usize>(tiles: [&[u8]; 4], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    // word 2r + k of the result is row r of column first + k; rows 8..16 come from the second tile
    let order = |first: usize| {
        let mut order = [0u16; 32];
        (0..32).for_each(|i| order[i] = (i / 16 * 32 + (first + i % 2) * 8 + i / 2 % 8) as u16);
        order
    };
    // SAFETY: every load stays within the lengths the caller promises: g < groups, and 64 bytes or 4 elements a group.
    unsafe {
        let orders = [order(0), order(2)].map(|o| _mm512_loadu_si512(o.as_ptr().cast()));
        let words: [(*const i16, *const i16); T] =
            std::array::from_fn(|t| (x[t].lo16().as_ptr(), x[t].hi16().as_ptr()));
        let zero = _mm512_setzero_si512();
        for h in 0..2 {
            let tile = [tiles[2 * h].as_ptr(), tiles[2 * h + 1].as_ptr()];
            let tile_bytes = 64 * groups; // behind each tile comes the other one, which is on its way already
            for start in (0..groups).step_by(FLUSH_GROUPS) {
                let (mut lo, mut hi) = ([zero; T], [zero; T]);
                for g in start..groups.min(start + FLUSH_GROUPS) {
                    let jump = if 64 * g + AHEAD < tile_bytes { 0 } else { tile_bytes };
                    let both = tile.map(|t| {
                        prefetch_ahead(t.add(64 * g), jump);
                        _mm512_loadu_si512(t.add(64 * g).cast())
                    });
                    for (pair, order) in orders.iter().enumerate() {
                        let w = _mm512_permutex2var_epi16(both[0], *order, both[1]);
                        let at = 4 * g + 2 * pair;
                        for t in 0..T {
                            let x_lo = _mm512_set1_epi32(words[t].0.add(at).cast::<i32>().read_unaligned());
                            let x_hi = _mm512_set1_epi32(words[t].1.add(at).cast::<i32>().read_unaligned());
                            lo[t] = _mm512_dpwssd_epi32(lo[t], w, x_lo);
                            hi[t] = _mm512_dpwssd_epi32(hi[t], w, x_hi);
                        }
                    }
                }
                for t in 0..T {
                    add(&mut acc[t], 16 * h, lo[t], hi[t]);
                }
            }
        }
    }
}

/// 32-bit sums of 4-bit weights: `gs · Σ q·hi` is within 2^23 and `gs · Σ q·lo` within 2^24 a group.
const FLUSH_NIBBLES: usize = 64;

/// A group's nibbles are taken as `u = q + 8`, unsigned, and as q, signed: `q·x = 256 · (u·hi − 8·hi) + q·lo` with hi signed and lo
/// unsigned, each product one byte instruction. `Σ 8·hi` is the operand's, the same for all rows.
///
/// # Safety
/// Needs the target features; tiles hold `groups` groups of 32 columns with their gs, operands as many elements.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub unsafe fn w4(tiles: [&[u8]; 2], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    by_count!(x, acc, w4_n(tiles, groups));
}

/// # Safety
/// The caller keeps the conditions of [`w4`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
#[inline]
unsafe fn w4_n<const T: usize>(tiles: [&[u8]; 2], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    // byte 4r + k of the result is row r of pairs 0 2 1 3 of columns, the order of `Nibbles`
    let mut order = [0u8; 64];
    (0..64).for_each(|i| order[i] = ([0, 2, 1, 3][i % 4] * 16 + i / 4) as u8);
    // SAFETY: every load stays within the lengths the caller promises: g < groups, and 272 bytes, 4 `Nibbles` and one of `eighths` a group.
    unsafe {
        let order = _mm512_loadu_si512(order.as_ptr().cast());
        let (low, eight) = (_mm512_set1_epi8(15), _mm512_set1_epi8(8));
        let zero = _mm512_setzero_si512();
        let operands: [(*const Nibbles, *const i32); T] =
            std::array::from_fn(|t| (x[t].nibbles().as_ptr(), x[t].eighths().as_ptr()));
        for (h, tile) in tiles.iter().enumerate() {
            for start in (0..groups).step_by(FLUSH_NIBBLES) {
                let (mut lo, mut hi) = ([zero; T], [zero; T]);
                for g in start..groups.min(start + FLUSH_NIBBLES) {
                    let group = tile.as_ptr().add(GROUP_BYTES * g);
                    prefetch_group(group, g);
                    let (mut lo_g, mut hi_g) = ([zero; T], [zero; T]);
                    for t in 0..T {
                        hi_g[t] = _mm512_set1_epi32(*operands[t].1.add(g));
                    }
                    for k in 0..4 {
                        let w = _mm512_loadu_si512(group.add(16 + 64 * k).cast());
                        let w = _mm512_permutexvar_epi8(order, w);
                        // q + 8 is q with its highest bit turned
                        let u_even = _mm512_and_si512(_mm512_xor_si512(w, eight), low);
                        let u_odd = _mm512_and_si512(_mm512_xor_si512(_mm512_srli_epi16::<4>(w), eight), low);
                        let q_even = _mm512_sub_epi8(u_even, eight);
                        let q_odd = _mm512_sub_epi8(u_odd, eight);
                        for t in 0..T {
                            let x = &*operands[t].0.add(4 * g + k);
                            let word = |word: u32| _mm512_set1_epi32(word as i32);
                            hi_g[t] = _mm512_dpbusd_epi32(hi_g[t], u_even, word(x.hi_even));
                            lo_g[t] = _mm512_dpbusd_epi32(lo_g[t], word(x.lo_even), q_even);
                            hi_g[t] = _mm512_dpbusd_epi32(hi_g[t], u_odd, word(x.hi_odd));
                            lo_g[t] = _mm512_dpbusd_epi32(lo_g[t], word(x.lo_odd), q_odd);
                        }
                    }
                    let gs = _mm512_cvtepu8_epi32(_mm_loadu_si128(group.cast()));
                    for t in 0..T {
                        lo[t] = _mm512_add_epi32(lo[t], _mm512_mullo_epi32(lo_g[t], gs));
                        hi[t] = _mm512_add_epi32(hi[t], _mm512_mullo_epi32(hi_g[t], gs));
                    }
                }
                for t in 0..T {
                    add(&mut acc[t], 16 * h, lo[t], hi[t]);
                }
            }
        }
    }
}

/// # Safety
/// Needs the target features; the number of columns is a multiple of 4, at most 64, and operands have at least as many elements.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub unsafe fn columns(columns: &[&[u8; LINE]], x: &[&Operand], acc: &mut [Wide]) {
    by_count!(x, acc, columns_n(columns));
}

/// # Safety
/// The caller keeps the conditions of [`columns`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
#[inline]
unsafe fn columns_n<const T: usize>(columns: &[&[u8; LINE]], x: &[&Operand], acc: &mut [Wide]) {
    let bias = _mm512_set1_epi8(128u8 as i8);
    let zero = _mm512_setzero_si512();
    let mut sums = [[zero; 4]; T];
    // 128-bit lane j of `sums[t][k]` has rows 16j + 4k to 16j + 4k + 3; two of the four k at a time, or registers do not suffice
    for half in 0..2 {
        let (mut lo, mut hi, mut sum) = ([[zero; 2]; T], [[zero; 2]; T], [zero; 2]);
        for (g, four) in columns.chunks_exact(4).enumerate() {
            // SAFETY: a column has 64 bytes; the caller's promise on operands, of which 4 elements a group are read.
            unsafe {
                let column = |i: usize| _mm512_loadu_si512(four[i].as_ptr().cast());
                let pair = |a, b| match half {
                    0 => _mm512_unpacklo_epi8(a, b),
                    _ => _mm512_unpackhi_epi8(a, b),
                };
                let pairs = [pair(column(0), column(1)), pair(column(2), column(3))];
                let w = [_mm512_unpacklo_epi16(pairs[0], pairs[1]), _mm512_unpackhi_epi16(pairs[0], pairs[1])];
                for k in 0..2 {
                    sum[k] = _mm512_dpbusd_epi32(sum[k], bias, w[k]);
                }
                for t in 0..T {
                    let word = |b: &[u8]| _mm512_set1_epi32(b.as_ptr().add(4 * g).cast::<i32>().read_unaligned());
                    let (x_lo, x_hi) = (word(x[t].lo()), word(x[t].hi()));
                    for k in 0..2 {
                        lo[t][k] = _mm512_dpbusd_epi32(lo[t][k], x_lo, w[k]);
                        hi[t][k] = _mm512_dpbusd_epi32(hi[t][k], x_hi, w[k]);
                    }
                }
            }
        }
        for t in 0..T {
            for k in 0..2 {
                // 64 · 2^7 · 2^15 fit 32 bits
                let hi = _mm512_slli_epi32::<8>(_mm512_sub_epi32(hi[t][k], sum[k]));
                sums[t][2 * half + k] = _mm512_add_epi32(lo[t][k], hi);
            }
        }
    }
    for (sums, acc) in sums.into_iter().zip(acc) {
        for (j, rows) in lanes_to_rows(sums).into_iter().enumerate() {
            add(acc, 16 * j, rows, zero);
        }
    }
}

/// Lines of a column whose sums stay in the first cache.
const LINES: usize = 16;

/// # Safety
/// Needs the target features; all of `used`, not empty, are columns of `weights`, which have `acc.len()` lines.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub unsafe fn column_run(weights: &Columns<'_>, used: &[u16], x: &[i16], acc: &mut [Wide]) {
    let bias = _mm512_set1_epi8(128u8 as i8);
    for (block, acc) in acc.chunks_mut(LINES).enumerate() {
        // Σ w·lo, Σ w·hi and Σ w·128; lanes as in `columns_n`
        let mut sums = [[[_mm512_setzero_si512(); 4]; 3]; LINES];
        for (g, _) in used.iter().enumerate().step_by(4) {
            let x: [i16; 4] = std::array::from_fn(|i| x.get(g + i).copied().unwrap_or(0));
            let word = |byte: fn(i16) -> i16| _mm512_set1_epi32(i32::from_le_bytes(x.map(|x| byte(x) as u8)));
            let operands = [word(|x| x), word(|x| (x >> 8) ^ 0x80), bias];
            // SAFETY: columns and lines are those of `weights` by the caller's promise.
            unsafe {
                // where there is no column left the last one stands in, its operand is 0
                let column = |i: usize| weights.at(used[i.min(used.len() - 1)], block * LINES);
                let (now, ahead) =
                    ([0, 1, 2, 3].map(|i| column(g + i)), [0, 1, 2, 3].map(|i| column(g + i + COLUMNS_AHEAD)));
                for (l, sums) in sums[..acc.len()].iter_mut().enumerate() {
                    ahead.iter().for_each(|column| prefetch(column.wrapping_add(64 * l)));
                    let w = now.map(|column| _mm512_loadu_si512(column.add(64 * l).cast()));
                    let (ab, ab_high) = (_mm512_unpacklo_epi8(w[0], w[1]), _mm512_unpackhi_epi8(w[0], w[1]));
                    let (cd, cd_high) = (_mm512_unpacklo_epi8(w[2], w[3]), _mm512_unpackhi_epi8(w[2], w[3]));
                    let w = [
                        _mm512_unpacklo_epi16(ab, cd),
                        _mm512_unpackhi_epi16(ab, cd),
                        _mm512_unpacklo_epi16(ab_high, cd_high),
                        _mm512_unpackhi_epi16(ab_high, cd_high),
                    ];
                    for (sums, x) in sums.iter_mut().zip(operands) {
                        for (sum, w) in sums.iter_mut().zip(w) {
                            *sum = _mm512_dpbusd_epi32(*sum, x, w);
                        }
                    }
                }
            }
        }
        for ([lo, mut hi, sum], acc) in sums.into_iter().zip(acc) {
            hi.iter_mut().zip(sum).for_each(|(hi, sum)| *hi = _mm512_sub_epi32(*hi, sum));
            for (j, (lo, hi)) in lanes_to_rows(lo).into_iter().zip(lanes_to_rows(hi)).enumerate() {
                add(acc, 16 * j, lo, hi);
            }
        }
    }
}

/// Lane j of the k-th result is lane k of the j-th of `v`.
#[target_feature(enable = "avx512f")]
#[inline]
fn lanes_to_rows(v: [__m512i; 4]) -> [__m512i; 4] {
    // lanes 0 1 of both, lanes 2 3 of both
    let [a, b, c, d] = v;
    let (ab, cd) = (_mm512_shuffle_i32x4::<0x44>(a, b), _mm512_shuffle_i32x4::<0x44>(c, d));
    let (ab_high, cd_high) = (_mm512_shuffle_i32x4::<0xee>(a, b), _mm512_shuffle_i32x4::<0xee>(c, d));
    [
        _mm512_shuffle_i32x4::<0x88>(ab, cd),
        _mm512_shuffle_i32x4::<0xdd>(ab, cd),
        _mm512_shuffle_i32x4::<0x88>(ab_high, cd_high),
        _mm512_shuffle_i32x4::<0xdd>(ab_high, cd_high),
    ]
}
