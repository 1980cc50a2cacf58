//! Where each tensor lies in the weight stream and how its bytes are arranged: `docs/hardware.md` §2, to the byte.
//!
//! All positions count units of 64 bytes from the start of the stream, which is what the chip's IMAGE_BASE points at. The bytes are the same
//! for every bus width. Blocks carry the checkpoint's names and follow each other without gaps: embedding, then for each layer its vectors and its
//! matrices in the order of use, then `ln_out` and `head`.

use crate::arithmetic::tensor::{QMatrix, QVector, QWeights, RowScale, WeightBits, GROUP_COLS, GROUP_ROWS};
use crate::checkpoint::names::RANK_S;
use crate::image::{nibble_columns, nibble_tiles, UNIT};
use crate::network::clusters::ClusterForm;
use crate::network::model::{is_own, QModel};
use crate::network::tensors::{Matrix, QTensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Row scales in a unit.
const SCALES_PER_UNIT: usize = UNIT / 2;
/// Bytes of a group: one column of one tile.
const GROUP: usize = 16;

/// Arrangement of a matrix in the stream; the values of the chip's `fmt` field, in order, then what the chip does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatrixFormat {
    /// Tiles of 16 rows of bytes.
    W8,
    /// Tiles of 8 rows of 16 bits.
    W16,
    /// Column by column, all tiles of a column together: columns can be skipped.
    W8Columns,
    /// Tiles of 16 rows of nibbles, with a gs for each row and 32 columns: [`nibble_tiles`].
    W4,
    /// Column by column as nibbles, with a gs for each 32 rows: [`nibble_columns`]. Golden only.
    W4Columns,
}

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Row `token` starts at `offset + token · stride_units`.
    Embedding {
        rows: u32,
        cols: u32,
        stride_units: u32,
    },
    Vector {
        len: u32,
    },
    Matrix {
        rows: u32,
        cols: u32,
        format: MatrixFormat,
    },
    /// Unsigned numbers of 32 bits.
    Order {
        len: u32,
    },
}

/// One tensor in the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub name: String,
    pub offset_units: u64,
    pub len_units: u64,
    pub frac: i32,
    pub kind: BlockKind,
}

impl BlockKind {
    /// The kind of tensor `name`.
    pub fn of<M: Matrix>(name: &str, tensor: &QTensor<M>, n_embd: usize) -> Self {
        match tensor {
            QTensor::Embedding(emb, _) => {
                let (rows, cols) = ((M::embedding_len(emb) / n_embd) as u32, n_embd as u32);
                BlockKind::Embedding { rows, cols, stride_units: (n_embd * 2).div_ceil(UNIT) as u32 }
            }
            QTensor::Vector(v) => BlockKind::Vector { len: v.q.len() as u32 },
            QTensor::Order(order) => BlockKind::Order { len: order.len() as u32 },
            QTensor::Matrix(m) => {
                let format = match m.bits() {
                    WeightBits::W8 if name.ends_with("ffn.value.weight") => MatrixFormat::W8Columns,
                    WeightBits::W4 => MatrixFormat::W4,
                    WeightBits::W4Columns => MatrixFormat::W4Columns,
                    WeightBits::W8 => MatrixFormat::W8,
                    WeightBits::W16 => MatrixFormat::W16,
                };
                BlockKind::Matrix { rows: m.rows() as u32, cols: m.cols() as u32, format }
            }
        }
    }

    /// Returns the bytes a token reads of the block without padding: one row of an embedding, all of anything else.
    pub fn bytes_read(&self) -> u64 {
        match *self {
            BlockKind::Embedding { cols, .. } => 2 * u64::from(cols),
            BlockKind::Vector { len } => 2 * u64::from(len),
            BlockKind::Order { len } => 4 * u64::from(len),
            BlockKind::Matrix { rows, cols, format } => {
                let (rows, cols) = (u64::from(rows), u64::from(cols));
                let weights = match format {
                    // nibbles, and a gs for each row and group
                    MatrixFormat::W4 => rows * (cols.div_ceil(2) + cols.div_ceil(GROUP_COLS as u64)),
                    MatrixFormat::W4Columns => cols * (rows.div_ceil(2) + rows.div_ceil(GROUP_ROWS as u64)),
                    MatrixFormat::W8 | MatrixFormat::W8Columns => rows * cols,
                    MatrixFormat::W16 => 2 * rows * cols,
                };
                weights + 2 * rows
            }
        }
    }

    /// Returns the units the block takes.
    pub fn units(&self) -> u64 {
        match *self {
            BlockKind::Embedding { rows, stride_units, .. } => u64::from(rows) * u64::from(stride_units),
            BlockKind::Vector { len } => (u64::from(len) * 2).div_ceil(UNIT as u64),
            BlockKind::Order { len } => (u64::from(len) * 4).div_ceil(UNIT as u64),
            BlockKind::Matrix { rows, cols, format } => {
                let w4_column = (nibble_columns::column_bytes(rows as usize) / UNIT) as u64;
                let w4_tile = (nibble_tiles::tile_bytes(cols as usize) / UNIT) as u64;
                let (rows, cols) = (u64::from(rows), u64::from(cols).next_multiple_of(4));
                let scales = rows.div_ceil(SCALES_PER_UNIT as u64);
                scales
                    + match format {
                        MatrixFormat::W4 => rows.div_ceil(16) * w4_tile,
                        MatrixFormat::W8 => rows.div_ceil(16) * (cols / 4),
                        MatrixFormat::W16 => rows.div_ceil(8) * (cols / 4),
                        MatrixFormat::W8Columns => cols * rows.div_ceil(16).div_ceil(4),
                        MatrixFormat::W4Columns => cols * w4_column,
                    }
            }
        }
    }
}

/// All blocks of a model's stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamLayout {
    blocks: Vec<Block>,
    by_name: BTreeMap<String, usize>,
}

impl StreamLayout {
    /// The layout of `model`.
    pub fn of<M: Matrix>(model: &QModel<M>) -> Self {
        let mut at = 0;
        let blocks = model.tensors().into_iter().map(|(name, tensor)| {
            let kind = BlockKind::of(&name, &tensor, model.shape.n_embd);
            let frac = tensor.frac();
            let block = Block { name, offset_units: at, len_units: kind.units(), frac, kind };
            at += block.len_units;
            block
        });
        Self::new(blocks.collect())
    }

    /// Makes the layout of a list of blocks as an image holds it.
    pub fn new(blocks: Vec<Block>) -> Self {
        let by_name = blocks.iter().enumerate().map(|(i, b)| (b.name.clone(), i)).collect();
        Self { blocks, by_name }
    }

    /// Returns the blocks in the order of the stream.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The block of tensor `name`, e.g. `blocks.0.att.key.weight`.
    pub fn block(&self, name: &str) -> Option<&Block> {
        self.by_name.get(name).map(|i| &self.blocks[*i])
    }

    /// Returns the number formats of the matrices, each once: `W16`, `W4`, `W8`.
    pub fn matrix_formats(&self) -> Vec<String> {
        let name = |b: &Block| match b.kind {
            BlockKind::Matrix { format, .. } => Some(format!("{format:?}").replace("Columns", "")),
            _ => None,
        };
        self.blocks.iter().filter_map(name).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    /// Returns the bytes one token reads without padding. Of the matrices of DeepEmbed it reads one a layer. Of a head in `clusters` it reads the centroids and the clusters that are visited.
    pub fn bytes_per_token(&self, clusters: Option<ClusterForm>) -> u64 {
        let of = |b: &Block| match clusters {
            Some(form) if b.name == "head.weight" || b.name == "head.order" => {
                b.kind.bytes_read() * u64::from(form.visit) / u64::from(form.clusters.max(1))
            }
            _ if is_own(&b.name) => {
                let BlockKind::Matrix { rows, .. } = b.kind else { return 0 };
                b.kind.bytes_read() * RANK_S as u64 / u64::from(rows.max(1))
            }
            _ => b.kind.bytes_read(),
        };
        self.blocks.iter().map(of).sum()
    }

    /// Returns the length of the stream in units.
    pub fn units(&self) -> u64 {
        self.blocks.last().map_or(0, |b| b.offset_units + b.len_units)
    }
}

/// The whole stream of `model`, as [`StreamLayout::of`] lays it out.
pub fn stream(model: &QModel) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(StreamLayout::of(model).units() as usize * UNIT);
    for (name, tensor) in model.tensors() {
        bytes.extend(encode(&name, &tensor, model.shape.n_embd));
    }
    bytes
}

/// The bytes of one tensor's block, a multiple of 64.
pub fn encode(name: &str, tensor: &QTensor, n_embd: usize) -> Vec<u8> {
    let kind = BlockKind::of(name, tensor, n_embd);
    let mut out = Vec::with_capacity(kind.units() as usize * UNIT);
    match tensor {
        QTensor::Embedding(emb, _) => emb.chunks(n_embd).for_each(|row| push16(&mut out, row)),
        QTensor::Vector(v) => push16(&mut out, &v.q),
        QTensor::Order(order) => {
            out.extend(order.iter().flat_map(|t| t.to_le_bytes()));
            out.resize(out.len().next_multiple_of(UNIT), 0);
        }
        QTensor::Matrix(m) => match &m.q {
            QWeights::W4 { q, gs } => {
                for first in (0..m.rows).step_by(nibble_tiles::TILE_ROWS) {
                    if first % SCALES_PER_UNIT == 0 {
                        push_scales(&mut out, m, first / SCALES_PER_UNIT);
                    }
                    nibble_tiles::push_tile(&mut out, first, (m.rows, m.cols), q, gs);
                }
            }
            QWeights::W4Columns { q, gs } => {
                (0..m.rows.div_ceil(SCALES_PER_UNIT)).for_each(|i| push_scales(&mut out, m, i));
                (0..m.cols.next_multiple_of(4))
                    .for_each(|c| nibble_columns::push_column(&mut out, c, (m.rows, m.cols), q, gs));
            }
            QWeights::W16(q) => {
                let row = |r: usize| &q[r * m.cols..(r + 1) * m.cols];
                push_tiles(&mut out, m, 8, |out, tile, c| {
                    for r in tile.clone() {
                        out.extend(if r < m.rows && c < m.cols { row(r)[c].to_le_bytes() } else { [0; 2] });
                    }
                });
            }
            QWeights::W8(q) => {
                let at = |r: usize, c: usize| if r < m.rows && c < m.cols { q[r * m.cols + c] as u8 } else { 0 };
                if matches!(kind, BlockKind::Matrix { format: MatrixFormat::W8Columns, .. }) {
                    (0..m.rows.div_ceil(SCALES_PER_UNIT)).for_each(|i| push_scales(&mut out, m, i));
                    let rows = m.rows.next_multiple_of(4 * GROUP);
                    for c in 0..m.cols.next_multiple_of(4) {
                        out.extend((0..rows).map(|r| at(r, c)));
                    }
                } else {
                    push_tiles(&mut out, m, 16, |out, tile, c| out.extend(tile.map(|r| at(r, c))));
                }
            }
        },
    }
    debug_assert_eq!(out.len(), kind.units() as usize * UNIT);
    out
}

/// 16-bit numbers, little-endian, padded to a unit.
fn push16(out: &mut Vec<u8>, values: &[i16]) {
    out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    out.resize(out.len().next_multiple_of(UNIT), 0);
}

/// Scale unit `i`: rows 32·i to 32·i + 31; rows that do not exist have scale 0.
fn push_scales(out: &mut Vec<u8>, m: &QMatrix, i: usize) {
    let scale = |r: usize| m.scales.get(r).map_or(0, |s| s.pack());
    out.extend((i * SCALES_PER_UNIT..(i + 1) * SCALES_PER_UNIT).flat_map(|r| scale(r).to_le_bytes()));
}

/// Tiles in order, a scale unit before each 32 rows, one group a column: `group(out, rows of the tile, column)`.
fn push_tiles(
    out: &mut Vec<u8>,
    m: &QMatrix,
    tile_rows: usize,
    group: impl Fn(&mut Vec<u8>, std::ops::Range<usize>, usize),
) {
    for first in (0..m.rows).step_by(tile_rows) {
        if first % SCALES_PER_UNIT == 0 {
            push_scales(out, m, first / SCALES_PER_UNIT);
        }
        for c in 0..m.cols.next_multiple_of(4) {
            group(out, first..first + tile_rows, c);
        }
    }
}

/// `n` 16-bit numbers from the start of `bytes`.
fn read16(bytes: &[u8], n: usize) -> Vec<i16> {
    bytes.chunks_exact(2).take(n).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()
}

/// Embedding rows, without their padding, from the bytes of their block.
pub fn decode_embedding(bytes: &[u8], cols: usize, stride_units: usize) -> Vec<i16> {
    bytes.chunks_exact((stride_units * UNIT).max(1)).flat_map(|row| read16(row, cols)).collect()
}

/// A vector from the bytes of its block.
pub fn decode_vector(bytes: &[u8], len: usize, frac: i32) -> QVector {
    QVector { q: read16(bytes, len), frac }
}

/// Numbers of 32 bits from the bytes of their block.
pub fn decode_order(bytes: &[u8], len: usize) -> Vec<u32> {
    bytes.chunks_exact(4).take(len).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// `f(row, column)` row by row.
fn gather<T>(rows: usize, cols: usize, f: impl Fn(usize, usize) -> T) -> Vec<T> {
    let mut out = Vec::with_capacity(rows * cols);
    for r in 0..rows {
        out.extend((0..cols).map(|c| f(r, c)));
    }
    out
}

/// A matrix from the bytes of its block, which must be `BlockKind::units()` long.
pub fn decode_matrix(bytes: &[u8], rows: usize, cols: usize, format: MatrixFormat, frac: i32) -> QMatrix {
    let padded = cols.next_multiple_of(4);
    // first byte of the tile that holds row r
    let tile_bytes = if format == MatrixFormat::W4 { nibble_tiles::tile_bytes(cols) } else { padded * GROUP };
    let tiled = |r: usize, tile_rows: usize| {
        let tile = r / tile_rows;
        let per_unit = SCALES_PER_UNIT / tile_rows;
        (tile / per_unit + 1) * UNIT + tile * tile_bytes
    };
    let column_bytes = rows.next_multiple_of(4 * GROUP);
    let scale_units = rows.div_ceil(SCALES_PER_UNIT);
    let scale_at = |r: usize| {
        let unit = r / SCALES_PER_UNIT;
        let before = match format {
            MatrixFormat::W4 | MatrixFormat::W8 => unit * 2 * tile_bytes,
            MatrixFormat::W16 => unit * 4 * tile_bytes,
            MatrixFormat::W8Columns | MatrixFormat::W4Columns => 0,
        };
        unit * UNIT + before + r % SCALES_PER_UNIT * 2
    };
    let q = match format {
        MatrixFormat::W4 => nibble_tiles::decode(bytes, rows, cols, |r| tiled(r, 16)),
        MatrixFormat::W4Columns => nibble_columns::decode(&bytes[scale_units * UNIT..], rows, cols),
        MatrixFormat::W8 => QWeights::W8(gather(rows, cols, |r, c| bytes[tiled(r, 16) + c * GROUP + r % 16] as i8)),
        MatrixFormat::W8Columns => {
            QWeights::W8(gather(rows, cols, |r, c| bytes[scale_units * UNIT + c * column_bytes + r] as i8))
        }
        MatrixFormat::W16 => QWeights::W16(gather(rows, cols, |r, c| {
            let at = tiled(r, 8) + c * GROUP + r % 8 * 2;
            i16::from_le_bytes([bytes[at], bytes[at + 1]])
        })),
    };
    let scale = |r: usize| RowScale::unpack(u16::from_le_bytes([bytes[scale_at(r)], bytes[scale_at(r) + 1]]));
    QMatrix { rows, cols, q, scales: (0..rows).map(scale).collect(), frac }
}

#[cfg(test)]
mod tests;
