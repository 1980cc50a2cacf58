//! Tensors where they lie in the file.

use super::blocks::decode;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use rayon::prelude::*;

/// Number formats a weight may have in a file; little-endian. Those with a Q are ggml's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(non_camel_case_types)] // the names are ggml's
pub enum Dtype {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

/// The name in file formats: `BF16`, `Q4_K`.
impl std::fmt::Display for Dtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Dtype::Bf16 => f.write_str("BF16"),
            Dtype::Q4K => f.write_str("Q4_K"),
            Dtype::Q5K => f.write_str("Q5_K"),
            Dtype::Q6K => f.write_str("Q6_K"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl Dtype {
    /// Numbers and bytes of one block; 1 number if each stands alone.
    pub fn block(self) -> (usize, usize) {
        match self {
            Dtype::F32 => (1, 4),
            Dtype::F16 | Dtype::Bf16 => (1, 2),
            Dtype::Q4_0 => (32, 18),
            Dtype::Q4_1 => (32, 20),
            Dtype::Q5_0 => (32, 22),
            Dtype::Q5_1 => (32, 24),
            Dtype::Q8_0 => (32, 34),
            Dtype::Q4K => (256, 144),
            Dtype::Q5K => (256, 176),
            Dtype::Q6K => (256, 210),
        }
    }

    /// Bytes of `n` numbers; `None` if they are no whole number of blocks or more than a file can hold.
    pub fn bytes(self, n: usize) -> Option<usize> {
        let (numbers, bytes) = self.block();
        n.is_multiple_of(numbers).then(|| (n / numbers).checked_mul(bytes)).flatten()
    }

    /// The type with number `code` of ggml, or its name, or its number, if it is none that a weight may have here.
    pub(super) fn of_ggml(code: u32) -> Result<Self, String> {
        const REST: &[(u32, &str)] = &[
            (9, "Q8_1"),
            (10, "Q2_K"),
            (11, "Q3_K"),
            (15, "Q8_K"),
            (24, "I8"),
            (25, "I16"),
            (26, "I32"),
            (27, "I64"),
            (28, "F64"),
        ];
        Ok(match code {
            0 => Dtype::F32,
            1 => Dtype::F16,
            2 => Dtype::Q4_0,
            3 => Dtype::Q4_1,
            6 => Dtype::Q5_0,
            7 => Dtype::Q5_1,
            8 => Dtype::Q8_0,
            12 => Dtype::Q4K,
            13 => Dtype::Q5K,
            14 => Dtype::Q6K,
            30 => Dtype::Bf16,
            _ => {
                let known = REST.iter().find(|(c, _)| *c == code);
                return Err(known.map_or(format!("ggml type {code}"), |(_, name)| (*name).to_owned()));
            }
        })
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

/// Numbers converted at a time: fits the first-level cache, whole blocks of every format.
const CHUNK: usize = 4096;

impl TensorView<'_> {
    /// How many numbers the tensor has.
    #[allow(clippy::len_without_is_empty)] // every size is at least 1
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the numbers lie in row-major order without gaps.
    pub fn is_contiguous(&self) -> bool {
        Some(self.bytes.len()) == self.dtype.bytes(self.len())
            && self.strides.last().is_none_or(|&s| s == 1 || self.shape.last() == Some(&1))
    }

    /// All numbers as f32, row-major. Every f16 and bf16 is exact in f32; blocks are decoded as ggml does.
    pub fn to_f32(&self) -> Vec<f32> {
        let stored = self.stored();
        if self.is_contiguous() {
            return stored;
        }
        // only low-rank matrices and tensors saved as views come here: small
        let columns = self.shape.last().copied().unwrap_or(1);
        let at = |i: usize| match self.strides {
            [s0, s1] => i / columns * s0 + i % columns * s1,
            [s0] => i * s0,
            _ => i,
        };
        (0..self.len()).map(|i| stored[at(i)]).collect()
    }

    /// The numbers from the first to the last, in the order of the file.
    fn stored(&self) -> Vec<f32> {
        let (numbers, bytes) = self.dtype.block();
        let mut out = vec![0f32; self.bytes.len() / bytes * numbers];
        out.par_chunks_mut(CHUNK)
            .zip(self.bytes.par_chunks(CHUNK / numbers * bytes))
            .for_each(|(out, bytes)| self.convert(bytes, out));
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
                    *out = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
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
                    *out = bf16::from_le_bytes([b[0], b[1]]).to_f32();
                }
            }
            blocks => {
                let (numbers, size) = blocks.block();
                for (b, out) in bytes.chunks_exact(size).zip(out.chunks_exact_mut(numbers)) {
                    decode(blocks, b, out);
                }
            }
        }
    }
}
