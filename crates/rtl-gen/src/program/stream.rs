//! The order in which memory is read: weights as mat wants them, parameters early enough to be there when vec wants them.
//!
//! Both kinds share one in-order stream. Parameters must come before the weights of any matrix that waits for a vector
//! instruction using them, or the stream would stand still behind weights that nobody can consume; beyond that they are
//! pulled forward as far as the parameter fifo holds them, so that a norm never waits for its gain.

use super::emit::Emitter;
use super::CompileError;
use crate::config::Config;
use crate::isa::dma_kind;

/// One piece of the stream; offset and length in 64 B units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub kind: u64,
    pub offset: usize,
    pub len: usize,
    /// Of a matrix by columns: which of them are read. `len` counts all.
    pub columns: Option<Columns>,
}

/// The operand whose zeros are columns that are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Vector instructions that must be finished: then the operand is complete.
    pub wait_vec: usize,
    /// First word of the operand in xmem.
    pub x_word: usize,
    /// Columns of the matrix, as many as the operand has elements.
    pub cols: usize,
}

impl Piece {
    fn whole(kind: u64, offset: usize, len: usize) -> Self {
        Piece { kind, offset, len, columns: None }
    }
}

/// Orders the stream. `embedding` is (offset of row 0, units a row).
pub fn order(e: &Emitter, embedding: (usize, usize), config: &Config) -> Result<Vec<Piece>, CompileError> {
    let beats = 64 / config.beat_bytes();
    let capacity = config.limits.param_fifo_beats / beats;
    let mut pieces = vec![Piece::whole(dma_kind::EMBEDDING, embedding.0, embedding.1)];
    // (vec instruction, units) in stream order; the embedding belongs to vec instruction 0
    let mut blocks = vec![(0, embedding.1)];
    blocks.extend(e.params.iter().map(|&(op, _, len)| (op, len)));
    if let Some(&(_, len)) = blocks.iter().max_by_key(|b| b.1).filter(|b| b.1 > capacity) {
        return Err(CompileError::Limit {
            config: config.name.clone(),
            limit: "param_fifo_beats",
            needed: len * beats,
            available: config.limits.param_fifo_beats,
        });
    }
    let consumed = |done: usize| blocks.iter().filter(|(op, _)| *op < done).map(|b| b.1).sum::<usize>();
    let mut sent = 1;
    let mut sent_units = embedding.1;
    let mut finished_before = 0;
    for (mat, offset, len) in &e.weights {
        let needed = e.mat_wait_vec[*mat];
        while sent < blocks.len()
            && (blocks[sent].0 < needed || sent_units + blocks[sent].1 <= consumed(finished_before) + capacity)
        {
            let (_, offset, len) = e.params[sent - 1];
            push(&mut pieces, Piece::whole(dma_kind::PARAMS, offset, len));
            sent_units += len;
            sent += 1;
        }
        match columns(e, *mat) {
            None => push(&mut pieces, Piece::whole(dma_kind::WEIGHTS, *offset, *len)),
            Some(columns) => {
                // the scales need not wait for the operand
                let scales = field(e, *mat, "rows").div_ceil(32);
                push(&mut pieces, Piece::whole(dma_kind::WEIGHTS, *offset, scales));
                let (kind, offset, len) = (dma_kind::COLUMNS, offset + scales, len - scales);
                pieces.push(Piece { kind, offset, len, columns: Some(columns) });
            }
        }
        finished_before = needed;
    }
    debug_assert_eq!(sent, blocks.len(), "parameters after the last matrix");
    check_no_deadlock(e, &pieces, &blocks, capacity)?;
    Ok(pieces)
}

/// The operand of mat instruction `mat`, if it skips columns.
fn columns(e: &Emitter, mat: usize) -> Option<Columns> {
    (field(e, mat, "skip") == 1).then(|| Columns {
        wait_vec: e.mat_wait_vec[mat],
        x_word: field(e, mat, "x_addr"),
        cols: field(e, mat, "cols"),
    })
}

fn field(e: &Emitter, mat: usize, name: &str) -> usize {
    e.mat[mat].0.iter().find(|f| f.0 == name).map_or(0, |f| f.1 as usize)
}

/// Joins what is adjacent and of one kind, except the embedding.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    const MAX_UNITS: usize = (1 << 24) - 1; // dma.len
    if let Some(last) = pieces.last_mut() {
        if last.kind == piece.kind && last.offset + last.len == piece.offset && last.len + piece.len <= MAX_UNITS {
            last.len += piece.len;
            return;
        }
    }
    pieces.push(piece);
}

/// Walks the stream with units that run as far as they can and finds a standstill, if there is one.
///
/// The parameter fifo takes units while it has room; weights are taken only by the mat instruction whose turn it is (the
/// weight fifo only shortens waits, so the walk does without it).
fn check_no_deadlock(
    e: &Emitter,
    pieces: &[Piece],
    blocks: &[(usize, usize)],
    capacity: usize,
) -> Result<(), CompileError> {
    let (mut mat, mut vec, mut wkv) = (0, 0, 0);
    let mut fifo = 0; // units
    let mut next_block = 0; // of the consumer
    let mut mat_got = 0; // units of the current mat instruction
    let advance = |fifo: &mut usize, next_block: &mut usize, vec: &mut usize, wkv: &mut usize, mat: usize| loop {
        let mut moved = false;
        if *vec < e.vec.len() && e.vec_wait_mat[*vec] <= mat && e.vec_wait_wkv[*vec] <= *wkv {
            let needs = blocks.get(*next_block).filter(|b| b.0 == *vec).map_or(0, |b| b.1);
            if needs <= *fifo {
                *fifo -= needs;
                *next_block += usize::from(needs > 0);
                *vec += 1;
                moved = true;
            }
        }
        if *wkv < e.wkv.len() && e.wkv_wait_vec[*wkv] <= *vec {
            *wkv += 1;
            moved = true;
        }
        if !moved {
            break;
        }
    };
    for p in pieces {
        for _ in 0..p.len {
            advance(&mut fifo, &mut next_block, &mut vec, &mut wkv, mat);
            if p.kind == dma_kind::WEIGHTS || p.kind == dma_kind::COLUMNS {
                if e.mat_wait_vec[mat] > vec {
                    return Err(CompileError::Order(format!(
                        "the stream stands still at mat instruction {mat}: it waits for vec instruction {}",
                        e.mat_wait_vec[mat] - 1
                    )));
                }
                mat_got += 1;
                if mat_got == e.weights[mat].2 {
                    mat += 1;
                    mat_got = 0;
                }
            } else if fifo == capacity {
                return Err(CompileError::Order(format!(
                    "the parameter fifo is full and vec instruction {vec} cannot go on"
                )));
            } else {
                fifo += 1;
            }
        }
    }
    advance(&mut fifo, &mut next_block, &mut vec, &mut wkv, mat);
    if (mat, vec, wkv) == (e.mat.len(), e.vec.len(), e.wkv.len()) {
        Ok(())
    } else {
        Err(CompileError::Order(format!("the stream ends with instructions left: mat {mat}, vec {vec}, wkv {wkv}")))
    }
}
