//! The matrices of DeepEmbed: what a token's own matrix becomes when everything that makes it is known.
//!
//! `S[t] = s_emb[t] + s_emb_x · emb[t]` has no input but the token, so the quantiser computes it for every token: `s_emb_x` is folded in as ln0 is
//! folded into the embedding. A block of tokens at a time is in memory as floats, beside the tensors of one layer.

use crate::arithmetic::tensor::{QMatrix, QWeights, RowScale, WeightBits};
use crate::checkpoint::names::RANK_S;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::quantise::scales::{ErrorSum, QuantError};
use rayon::prelude::*;

/// Tokens computed together: what they share of `s_emb_x` is read once.
const TOGETHER: usize = 16;
/// Numbers of a matrix computed together: with those of [`TOGETHER`] tokens they fit the first-level cache.
const PART: usize = 128;
/// Numbers of a token's matrix.
const SIZE: usize = RANK_S * RANK_S;

/// What the matrices of one layer are made of.
pub struct OwnMatrices<'a> {
    /// After ln0, `(vocab_size, n_embd)`.
    emb: &'a [f32],
    s_emb: Vec<f32>, // (vocab_size, 32 · 32)
    /// Transposed, `(n_embd, 32 · 32)`.
    s_emb_x: Vec<f32>,
}

impl<'a> OwnMatrices<'a> {
    /// Reads those of layer `l`; `emb` is the embedding after ln0, `(vocab_size, n_embd)`.
    ///
    /// # Errors
    /// If a tensor cannot be read.
    pub fn read(checkpoint: &Checkpoint, l: usize, emb: &'a [f32]) -> Result<Self, CheckpointError> {
        let s_emb = checkpoint.read(&format!("blocks.{l}.ffn.s_emb.weight"))?;
        let x = checkpoint.read(&format!("blocks.{l}.ffn.s_emb_x.weight"))?;
        let n = x.len() / SIZE;
        let s_emb_x = (0..n * SIZE).map(|i| x[i % SIZE * n + i / SIZE]).collect();
        Ok(Self { emb, s_emb, s_emb_x })
    }

    /// Returns the largest |number| of all matrices; infinity if one is beyond floating point.
    pub fn max(&self) -> f64 {
        let of_tokens =
            |s: Vec<f32>| s.iter().fold(0f32, |m, v| if v.is_finite() { m.max(v.abs()) } else { f32::INFINITY });
        self.blocks().map(of_tokens).reduce(|| 0.0, f32::max).into()
    }

    /// Returns the matrices transposed, `(out, in)` as every matrix, one below the other, and how far they are from the exact ones.
    pub fn quantise(&self, bits: WeightBits, frac: i32) -> (QMatrix, QuantError) {
        let of_tokens = |s: Vec<f32>| {
            let row =
                |r: usize| -> [f32; RANK_S] { std::array::from_fn(|c| s[r / RANK_S * SIZE + c * RANK_S + r % RANK_S]) };
            QMatrix::quantise_rows(s.len() / RANK_S, row, bits, frac)
        };
        // the order of the blocks is that of the tokens
        let parts: Vec<(QWeights, Vec<RowScale>, ErrorSum)> = self.blocks().map(of_tokens).collect();
        let rows = self.s_emb.len() / RANK_S;
        let mut errors = ErrorSum::default();
        let (mut scales, mut w8, mut w16) = (Vec::with_capacity(rows), vec![], vec![]);
        match bits {
            WeightBits::W16 => w16.reserve_exact(self.s_emb.len()),
            _ => w8.reserve_exact(self.s_emb.len()),
        }
        for (q, of_rows, error) in parts {
            match q {
                QWeights::W16(q) => w16.extend(q),
                QWeights::W8(q) | QWeights::W4 { q, .. } | QWeights::W4Columns { q, .. } => w8.extend(q),
            }
            scales.extend(of_rows);
            errors.merge(&error);
        }
        let q = if bits == WeightBits::W16 { QWeights::W16(w16) } else { QWeights::W8(w8) };
        (QMatrix { rows, cols: RANK_S, q, scales, frac }, errors.finish())
    }

    /// The matrices of [`TOGETHER`] tokens after the other, row-major.
    fn blocks(&self) -> impl IndexedParallelIterator<Item = Vec<f32>> + '_ {
        let n = self.s_emb_x.len() / SIZE;
        self.s_emb.par_chunks(TOGETHER * SIZE).zip(self.emb.par_chunks(TOGETHER * n)).map(move |(s_emb, emb)| {
            let mut s = vec![0f32; s_emb.len()];
            for part in (0..SIZE).step_by(PART) {
                for (i, row) in self.s_emb_x.chunks_exact(SIZE).enumerate() {
                    let row = &row[part..part + PART];
                    for (s, emb) in s.chunks_exact_mut(SIZE).zip(emb.chunks_exact(n)) {
                        let x = emb[i];
                        s[part..part + PART].iter_mut().zip(row).for_each(|(s, w)| *s += x * w);
                    }
                }
            }
            s.iter_mut().zip(s_emb).for_each(|(s, own)| *s += own);
            s
        })
    }
}
