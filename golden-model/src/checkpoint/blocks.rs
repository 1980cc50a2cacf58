//! Block-quantised numbers as ggml stores them: blocks of 32 or 256 numbers with their own scales, little-endian.
//!
//! The layouts are those of ggml's `block_q4_0` and the like; every number comes out with the same roundings in f32 as ggml's.

use half::f16;

use super::Dtype;

fn half(b: &[u8]) -> f32 {
    f16::from_le_bytes([b[0], b[1]]).to_f32()
}

/// Decodes one block of `dtype`; `block` and `out` have the lengths of [`Dtype::block`].
pub(super) fn decode(dtype: Dtype, block: &[u8], out: &mut [f32]) {
    match dtype {
        Dtype::F32 | Dtype::F16 | Dtype::Bf16 => {}
        Dtype::Q8_0 => {
            let d = half(block);
            for (out, q) in out.iter_mut().zip(&block[2..]) {
                *out = f32::from(*q as i8) * d;
            }
        }
        Dtype::Q4_0 => nibbles(out, &block[2..], &[0; 4], half(block), -8.0, 0.0),
        Dtype::Q4_1 => nibbles(out, &block[4..], &[0; 4], half(block), 0.0, half(&block[2..])),
        Dtype::Q5_0 => nibbles(out, &block[6..], &block[2..6], half(block), -16.0, 0.0),
        Dtype::Q5_1 => nibbles(out, &block[8..], &block[4..8], half(block), 0.0, half(&block[2..])),
        Dtype::Q4K => q4_k(block, &block[16..], None, out),
        Dtype::Q5K => q4_k(block, &block[48..], Some(&block[16..48]), out),
        Dtype::Q6K => q6_k(block, out),
    }
}

/// 32 numbers `(q + offset) d + m`: the low nibbles of 16 bytes, then the high ones, with a fifth bit each in `high`.
fn nibbles(out: &mut [f32], q: &[u8], high: &[u8], d: f32, offset: f32, m: f32) {
    let high = u32::from_le_bytes([high[0], high[1], high[2], high[3]]);
    for (i, out) in out.iter_mut().enumerate() {
        let nibble = if i < 16 { q[i] & 15 } else { q[i - 16] >> 4 };
        let fifth = (high >> i & 1) as u8;
        *out = (f32::from(nibble | fifth << 4) + offset) * d + m;
    }
}

/// The 6-bit scale and minimum of sub-block `j` of 8, packed in 12 bytes.
fn scale_and_min(j: usize, s: &[u8]) -> (f32, f32) {
    let (scale, min) = if j < 4 {
        (s[j] & 63, s[j + 4] & 63)
    } else {
        (s[j + 4] & 15 | s[j - 4] >> 6 << 4, s[j + 4] >> 4 | s[j] >> 6 << 4)
    };
    (scale.into(), min.into())
}

/// Q4_K, and Q5_K with its fifth bits in `high`: 8 sub-blocks of 32 numbers `q d - m`; two sub-blocks share 32 bytes.
fn q4_k(block: &[u8], q: &[u8], high: Option<&[u8]>, out: &mut [f32]) {
    let (d, dmin) = (half(block), half(&block[2..]));
    for (j, out) in out.chunks_exact_mut(32).enumerate() {
        let (scale, min) = scale_and_min(j, &block[4..16]);
        let (d, m) = (d * scale, dmin * min);
        for (i, out) in out.iter_mut().enumerate() {
            let nibble = q[j / 2 * 32 + i] >> (j % 2 * 4) & 15;
            let fifth = high.map_or(0, |h| h[i] >> j & 1);
            *out = d * f32::from(nibble | fifth << 4) - m;
        }
    }
}

/// Q6_K: 16 sub-blocks of 16 numbers `d scale (q - 32)`; `q` has 4 bits in the first 128 bytes and 2 in the next 64.
fn q6_k(block: &[u8], out: &mut [f32]) {
    let d = half(&block[208..]);
    for (i, out) in out.iter_mut().enumerate() {
        let (part, quarter, l) = (i / 128, i % 128 / 32, i % 32);
        let low = block[part * 64 + quarter % 2 * 32 + l] >> (quarter / 2 * 4) & 15;
        let high = block[128 + part * 32 + l] >> (quarter * 2) & 3;
        let scale = block[192 + i / 16] as i8;
        *out = d * f32::from(scale) * (f32::from(low | high << 4) - 32.0);
    }
}
