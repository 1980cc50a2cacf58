//! The bytes of a W4 matrix in the weight stream: `docs/hardware.md` §2, fmt 3.
//!
//! A tile is 16 rows. For each group of 32 columns it holds 16 bytes of gs, one a row, then 16 groups of 16 bytes, each with columns 2c (low
//! nibble) and 2c + 1 (high nibble) of the 16 rows. Columns beyond the matrix are 0; a tile is padded to 64 bytes.

use crate::arithmetic::tensor::{groups, QWeights, GROUP_COLS};
use crate::image::UNIT;

/// Rows of a tile.
pub const TILE_ROWS: usize = 16;
/// Bytes of 32 columns of a tile: gs, then nibbles.
pub const GROUP_BYTES: usize = 16 + 16 * GROUP_COLS / 2;

/// Bytes of a tile of a matrix with `cols` columns, a multiple of 64.
pub fn tile_bytes(cols: usize) -> usize {
    (groups(cols) * GROUP_BYTES).next_multiple_of(UNIT)
}

/// Appends the tile whose first row is `first`; `q` and `gs` are those of a matrix `(rows, cols)`.
pub fn push_tile(out: &mut Vec<u8>, first: usize, (rows, cols): (usize, usize), q: &[i8], gs: &[u8]) {
    let end = out.len() + tile_bytes(cols);
    let tile = first..first + TILE_ROWS;
    let nibble = |r: usize, c: usize| if r < rows && c < cols { q[r * cols + c] as u8 & 15 } else { 0 };
    for g in 0..groups(cols) {
        out.extend(tile.clone().map(|r| if r < rows { gs[r * groups(cols) + g] } else { 0 }));
        for c in (g * GROUP_COLS..(g + 1) * GROUP_COLS).step_by(2) {
            out.extend(tile.clone().map(|r| nibble(r, c) | nibble(r, c + 1) << 4));
        }
    }
    out.resize(end, 0);
}

/// Weights of a matrix from the bytes of its block; `tile(r)` is where the tile of row r starts.
pub fn decode(bytes: &[u8], rows: usize, cols: usize, tile: impl Fn(usize) -> usize) -> QWeights {
    let mut q = Vec::with_capacity(rows * cols);
    let mut gs = Vec::with_capacity(rows * groups(cols));
    for r in 0..rows {
        let tile = &bytes[tile(r)..][..tile_bytes(cols)];
        let lane = r % TILE_ROWS;
        gs.extend((0..groups(cols)).map(|g| tile[g * GROUP_BYTES + lane]));
        q.extend((0..cols).map(|c| {
            let byte = tile[c / GROUP_COLS * GROUP_BYTES + 16 + c % GROUP_COLS / 2 * 16 + lane];
            (if c % 2 == 0 { byte << 4 } else { byte }) as i8 >> 4
        }));
    }
    QWeights::W4 { q, gs }
}
