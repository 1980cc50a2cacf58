//! The bytes of a matrix of 4 bits stored by columns: `docs/hardware.md` §2, W4_COLUMNS.
//!
//! A column is complete in itself: one gs for each 32 rows, padded to 64 bytes, then nibbles, byte i holding rows 2i (low) and 2i + 1 (high), padded
//! to 64 bytes. So 16 bytes of nibbles share a gs. Rows beyond the matrix are 0.

use crate::arithmetic::tensor::{groups, QWeights, GROUP_ROWS};
use crate::image::UNIT;

/// Rows in a unit of nibbles.
pub const UNIT_ROWS: usize = 2 * UNIT;

/// Bytes of a column before its nibbles.
pub fn gs_bytes(rows: usize) -> usize {
    groups(rows).next_multiple_of(UNIT)
}

/// Bytes of a column of `rows` weights, a multiple of 64.
pub fn column_bytes(rows: usize) -> usize {
    gs_bytes(rows) + rows.div_ceil(UNIT_ROWS) * UNIT
}

/// Appends column `c` of a matrix `(rows, cols)`; one that does not exist is zeros.
pub fn push_column(out: &mut Vec<u8>, c: usize, (rows, cols): (usize, usize), q: &[i8], gs: &[u8]) {
    let start = out.len();
    if c < cols {
        let n = groups(rows);
        out.extend(&gs[c * n..(c + 1) * n]);
        out.resize(start + gs_bytes(rows), 0);
        let nibble = |r: usize| if r < rows { q[r * cols + c] as u8 & 15 } else { 0 };
        out.extend((0..rows).step_by(2).map(|r| nibble(r) | nibble(r + 1) << 4));
    }
    out.resize(start + column_bytes(rows), 0);
}

/// Weights of a matrix from its columns, which start at the first of `bytes`.
pub fn decode(bytes: &[u8], rows: usize, cols: usize) -> QWeights {
    let (first, stride) = (gs_bytes(rows), column_bytes(rows));
    let gs = (0..cols).flat_map(|c| bytes[c * stride..][..rows.div_ceil(GROUP_ROWS)].iter().copied()).collect();
    let mut q = Vec::with_capacity(rows * cols);
    for r in 0..rows {
        q.extend((0..cols).map(|c| {
            let byte = bytes[c * stride + first + r / 2];
            (if r % 2 == 0 { byte << 4 } else { byte }) as i8 >> 4
        }));
    }
    QWeights::W4Columns { q, gs }
}
