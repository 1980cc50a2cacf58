//! Tensors where they lie in the file.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rayon::prelude::*;
use serde::Serialize;

/// Number formats a weight may have in a file; little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Dtype {
    F32,
    F16,
    #[serde(rename = "BF16")]
    Bf16,
}

impl Dtype {
    /// Bytes of one number.
    pub fn size(self) -> usize {
        match self {
            Dtype::F32 => 4,
            Dtype::F16 | Dtype::Bf16 => 2,
        }
    }
}

/// One tensor of a checkpoint under its official name and in its official orientation, still in the file.
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    pub name: &'a str,
    pub dtype: Dtype,
    /// One or two sizes, outermost first.
    pub shape: &'a [usize],
    /// Distance of neighbours along each axis, in numbers. Row-major unless the file stores the matrix transposed.
    pub strides: &'a [usize],
    /// From the first number to the last. Not aligned.
    pub bytes: &'a [u8],
}

/// Numbers converted at a time: fits the first-level cache.
const CHUNK: usize = 4096;

impl TensorView<'_> {
    /// How many numbers the tensor has.
    #[allow(clippy::len_without_is_empty)] // every size is at least 1
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the numbers lie in row-major order without gaps.
    pub fn is_contiguous(&self) -> bool {
        self.bytes.len() == self.len() * self.dtype.size()
            && self.strides.last().is_none_or(|&s| s == 1 || self.shape.last() == Some(&1))
    }

    /// All numbers as f32, row-major. Every f16 and bf16 is exact in f32.
    pub fn to_f32(&self) -> Vec<f32> {
        let mut out = vec![0f32; self.len()];
        if self.is_contiguous() {
            let size = self.dtype.size();
            out.par_chunks_mut(CHUNK)
                .zip(self.bytes.par_chunks(CHUNK * size))
                .for_each(|(out, bytes)| self.convert(bytes, out));
        } else {
            // only low-rank matrices of rwkv.cpp files and tensors saved as views come here: small
            let columns = self.shape.last().copied().unwrap_or(1);
            let at = |i: usize| match self.strides {
                [s0, s1] => i / columns * s0 + i % columns * s1,
                [s0] => i * s0,
                _ => i,
            };
            let size = self.dtype.size();
            for (i, out) in out.iter_mut().enumerate() {
                let start = at(i) * size;
                *out = self.number(&self.bytes[start..start + size]);
            }
        }
        out
    }

    /// Index of the first NaN or infinity of `values` (as [`Self::to_f32`] gives them), written `[row, column]`.
    pub fn first_not_finite(&self, values: &[f32]) -> Option<(String, f32)> {
        let i = values.par_chunks(CHUNK).position_first(|c| !c.iter().all(|v| v.is_finite()))?;
        let i = i * CHUNK + values[i * CHUNK..].iter().position(|v| !v.is_finite())?;
        let index = match self.shape {
            [_, columns] => format!("[{}, {}]", i / columns, i % columns),
            _ => format!("[{i}]"),
        };
        Some((index, values[i]))
    }

    /// `bytes` holds `out.len()` numbers, at most [`CHUNK`].
    fn convert(&self, bytes: &[u8], out: &mut [f32]) {
        match self.dtype {
            Dtype::F32 => {
                for (b, out) in bytes.chunks_exact(4).zip(out) {
                    *out = self.number(b);
                }
            }
            // half converts whole slices with the machine's instruction where there is one
            Dtype::F16 => {
                let mut halves = [f16::ZERO; CHUNK];
                for (b, h) in bytes.chunks_exact(2).zip(&mut halves) {
                    *h = f16::from_le_bytes([b[0], b[1]]);
                }
                halves[..out.len()].convert_to_f32_slice(out);
            }
            Dtype::Bf16 => {
                for (b, out) in bytes.chunks_exact(2).zip(out) {
                    *out = self.number(b);
                }
            }
        }
    }

    /// One number; `b` holds its bytes.
    #[inline(always)]
    fn number(&self, b: &[u8]) -> f32 {
        match self.dtype {
            Dtype::F32 => f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            Dtype::F16 => f16::from_le_bytes([b[0], b[1]]).to_f32(),
            Dtype::Bf16 => bf16::from_le_bytes([b[0], b[1]]).to_f32(),
        }
    }
}
