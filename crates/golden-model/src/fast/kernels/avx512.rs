//! The kernels for AVX-512 with VBMI and VNNI.
//!
//! A 16-bit operand is taken as two bytes, `x = 256 · (hi − 128) + lo` with hi and lo unsigned, because the byte instruction multiplies
//! unsigned by signed: `Σ w·x = 256 · (Σ w·hi − Σ w·128) + Σ w·lo`. The widest row (65,532 columns) of the largest bytes stays
//! below 2^31: 65,532 · 255 · 128 = 2,138,964,480, so nothing is flushed on the way.
//! 16-bit weights take pairs of columns, with `x = 256 · hi + lo`, hi signed and lo unsigned in 16 bits each; 256 columns stay below 2^31 and are then flushed.

use super::{by_count, Acc, Operand};
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
/// As [`w8`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
#[inline]
unsafe fn w8_n<const T: usize>(tiles: [&[u8]; 2], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    // byte 4r + k of the result is row r of column k: four columns of a row side by side
    let mut order = [0u8; 64];
    (0..64).for_each(|i| order[i] = (i % 4 * 16 + i / 4) as u8);
    // SAFETY (all loads): the caller's promise on lengths; g < groups and 64 bytes or 4 elements a group.
    unsafe {
        let order = _mm512_loadu_si512(order.as_ptr().cast());
        let bias = _mm512_set1_epi8(128u8 as i8);
        let zero = _mm512_setzero_si512();
        let (mut lo, mut hi, mut sum) = ([[zero; 2]; T], [[zero; 2]; T], [zero; 2]);
        let bytes: [(*const u8, *const u8); T] = std::array::from_fn(|t| (x[t].lo().as_ptr(), x[t].hi().as_ptr()));
        let tile = tiles.map(<[u8]>::as_ptr);
        for g in 0..groups {
            let w: [__m512i; 2] =
                std::array::from_fn(|h| _mm512_permutexvar_epi8(order, _mm512_loadu_si512(tile[h].add(64 * g).cast())));
            for h in 0..2 {
                sum[h] = _mm512_dpbusd_epi32(sum[h], bias, w[h]);
            }
            for t in 0..T {
                let x_lo = _mm512_set1_epi32(bytes[t].0.add(4 * g).cast::<i32>().read_unaligned());
                let x_hi = _mm512_set1_epi32(bytes[t].1.add(4 * g).cast::<i32>().read_unaligned());
                for h in 0..2 {
                    lo[t][h] = _mm512_dpbusd_epi32(lo[t][h], x_lo, w[h]);
                    hi[t][h] = _mm512_dpbusd_epi32(hi[t][h], x_hi, w[h]);
                }
            }
        }
        for t in 0..T {
            for h in 0..2 {
                add(&mut acc[t], 16 * h, lo[t][h], _mm512_sub_epi32(hi[t][h], sum[h]));
            }
        }
    }
}

/// `acc[first..first + 16] += 256 · hi + lo`.
#[target_feature(enable = "avx512f")]
#[inline]
fn add(acc: &mut Acc, first: usize, lo: __m512i, hi: __m512i) {
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
/// As [`w8`], for four tiles.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub unsafe fn w16(tiles: [&[u8]; 4], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    by_count!(x, acc, w16_n(tiles, cols / 4));
}

/// # Safety
/// As [`w16`]; `x` and `acc` have T entries.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
#[inline]
unsafe fn w16_n<const T: usize>(tiles: [&[u8]; 4], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    // word 2r + k of the result is row r of column first + k; rows 8..16 come from the second tile
    let order = |first: usize| {
        let mut order = [0u16; 32];
        (0..32).for_each(|i| order[i] = (i / 16 * 32 + (first + i % 2) * 8 + i / 2 % 8) as u16);
        order
    };
    // SAFETY (all loads): the caller's promise on lengths; g < groups and 64 bytes or 4 elements a group.
    unsafe {
        let orders = [order(0), order(2)].map(|o| _mm512_loadu_si512(o.as_ptr().cast()));
        let words: [(*const i16, *const i16); T] =
            std::array::from_fn(|t| (x[t].lo16().as_ptr(), x[t].hi16().as_ptr()));
        let zero = _mm512_setzero_si512();
        for h in 0..2 {
            let tile = [tiles[2 * h].as_ptr(), tiles[2 * h + 1].as_ptr()];
            for start in (0..groups).step_by(FLUSH_GROUPS) {
                let (mut lo, mut hi) = ([zero; T], [zero; T]);
                for g in start..groups.min(start + FLUSH_GROUPS) {
                    let both = tile.map(|t| _mm512_loadu_si512(t.add(64 * g).cast()));
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
