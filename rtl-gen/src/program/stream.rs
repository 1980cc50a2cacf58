//! The order in which memory is read: weights as mat wants them, parameters early enough to be there when vec wants them.
//!
//! Both kinds share one in-order stream. Parameters must come before the weights of any matrix that waits for a vector
//! instruction using them, or the stream would stand still behind weights that nobody can consume. Beyond that they are pulled
//! forward, so that a norm never waits for its gain, but only to where mat waits for vec anyway: there, in front of weights that cannot
//! be used yet, their beats cost nothing (`gaps`).
//!
//! When the state lies in memory there is a third kind: the S of a layer, which only the recurrence consumes. It comes behind every matrix that
//! does not depend on what follows the recurrence's start, so that the recurrence has begun when its first beat arrives, and
//! before the others, which hide what the vector unit makes of y. Session vectors are parameters that lie elsewhere.

use super::emit::{Emitter, WeightBlock};
use super::CompileError;
use crate::config::Config;
use crate::isa::{dest, dma_kind};

/// One piece of the stream; offset and length in 64 B units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub kind: u64,
    pub offset: usize,
    pub len: usize,
    /// The operand that decides which columns of a matrix stored by columns are read; `len` counts all columns.
    pub columns: Option<Columns>,
    /// The slot whose embedding row or session vector it is. State is read for every slot at work, `len` units for each.
    pub slot: usize,
}

/// The operand whose zeros are columns that are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Vector instructions that must be finished: those before the one that writes the operand, whose words are looked at as they come.
    pub wait_vec: usize,
    /// First word of the operand in xmem.
    pub x_word: usize,
    /// Columns of the matrix, as many as the operand has elements.
    pub cols: usize,
}

impl Piece {
    fn whole(kind: u64, offset: usize, len: usize) -> Self {
        Piece { kind, offset, len, columns: None, slot: 0 }
    }
}

/// Orders the stream; gives its pieces and how many of them come before the head. `embedding` is (offset of row 0, units a row), `body`
/// how many of the matrices and of the parameter blocks belong to the layers: a token that ends before the head must leave nothing of
/// it in a fifo, so those of the head come after the last weights of the layers.
pub fn order(
    e: &Emitter,
    embedding: (usize, usize),
    body: (usize, usize),
    config: &Config,
) -> Result<(Vec<Piece>, usize), CompileError> {
    let beats = 64 / config.beat_bytes();
    let capacity = config.limits.param_fifo_beats / beats;
    let slots = config.sessions;
    let row = |slot| Piece { slot, ..Piece::whole(dma_kind::EMBEDDING, embedding.0, embedding.1) };
    let mut pieces: Vec<_> = (0..slots).map(row).collect();
    // (vec instruction, units) in stream order; the embedding rows belong to the first vec instructions
    let mut blocks: Vec<_> = (0..slots).map(|slot| (slot, embedding.1)).collect();
    blocks.extend(e.params.iter().map(|p| (p.vec, p.len)));
    if let Some(&(_, len)) = blocks.iter().max_by_key(|b| b.1).filter(|b| b.1 > capacity) {
        return Err(CompileError::Limit {
            config: config.name.clone(),
            limit: "param_fifo_beats",
            needed: len * beats,
            available: config.limits.param_fifo_beats,
        });
    }
    let consumed = |done: usize| blocks.iter().filter(|(op, _)| *op < done).map(|b| b.1).sum::<usize>();
    let mut sent = slots;
    let mut sent_units = slots * embedding.1;
    let mut body_pieces = 0;
    // parameters that the first `needed` vector instructions take, and as many more as fit when `finished` of them are done
    let mut parameters = |pieces: &mut Vec<Piece>, needed: usize, horizon: usize, finished: usize, sendable: usize| {
        let room = consumed(finished) + capacity;
        let wanted = |(op, units): (usize, usize), sent_units: usize| op < horizon && sent_units + units <= room;
        while sent < sendable && (blocks[sent].0 < needed || wanted(blocks[sent], sent_units)) {
            let p = e.params[sent - slots];
            push(pieces, Piece { slot: p.slot, ..Piece::whole(p.kind, p.offset, p.len) });
            sent_units += p.len;
            sent += 1;
        }
        sent
    };
    let mut states = e.states.iter().zip(&e.wkv_wait_vec).peekable();
    let mut finished_before = 0;
    let ahead = gaps(e);
    for (mat, &WeightBlock { kind, offset, len }) in e.weights.iter().enumerate() {
        let needed = e.mat_wait_vec[mat];
        let sendable = if mat < body.0 { slots + body.1 } else { blocks.len() };
        if mat == body.0 {
            body_pieces = pieces.len();
        }
        while let Some((&(offset, len), &start)) = states.next_if(|(_, start)| **start < needed) {
            parameters(&mut pieces, start, ahead[mat], finished_before, sendable);
            push(&mut pieces, Piece::whole(dma_kind::STATE, offset, len));
            finished_before = start;
        }
        parameters(&mut pieces, needed, ahead[mat], finished_before, sendable);
        match columns(e, mat)? {
            None => push(&mut pieces, Piece::whole(kind, offset, len)),
            Some(columns) => {
                // the scales need not wait for the operand
                let scales = field(e, mat, "rows").div_ceil(32);
                push(&mut pieces, Piece::whole(kind, offset, scales));
                let (kind, offset, len) = (dma_kind::COLUMNS, offset + scales, len - scales);
                pieces.push(Piece { kind, offset, len, columns: Some(columns), slot: 0 });
            }
        }
        finished_before = needed;
    }
    debug_assert_eq!(parameters(&mut pieces, 0, 0, 0, blocks.len()), blocks.len(), "parameters after the last matrix");
    debug_assert!(states.next().is_none(), "state after the last matrix");
    check_no_deadlock(e, &pieces, &blocks, capacity)?;
    Ok((pieces, body_pieces))
}

/// For each mat instruction how far ahead of it parameters are read: those of the vector instructions that run before the next gap.
///
/// A gap is where mat waits for what the vector unit makes of the matrix just finished: nothing hides that, the weight fifo
/// fills and the bus stands still. Parameters in front of those weights come in that time; anywhere else they would take the bus from weights.
fn gaps(e: &Emitter) -> Vec<usize> {
    let in_gap = |mat: usize| e.vec_wait_mat[..e.mat_wait_vec[mat]].contains(&mat);
    let gaps: Vec<usize> = (0..e.mat.len()).filter(|mat| in_gap(*mat)).collect();
    let horizon = |mat: usize| {
        let next = gaps.partition_point(|gap| *gap <= mat);
        gaps.get(next).map_or(e.vec.len(), |gap| e.mat_wait_vec[*gap])
    };
    (0..e.mat.len()).map(horizon).collect()
}

/// The operand of mat instruction `mat`, if it skips columns.
///
/// The column skip follows the words written to xmem, so it must know those of the operand from others: the last write
/// before them is to another operand, and the next one comes when the matrix is done.
fn columns(e: &Emitter, mat: usize) -> Result<Option<Columns>, CompileError> {
    if field(e, mat, "skip") == 0 {
        return Ok(None);
    }
    let x_word = field(e, mat, "x_addr");
    let wait_vec = e.mat_wait_vec[mat].saturating_sub(1);
    let vec_field = |op: usize, name| e.vec[op].0.iter().find(|f| f.0 == name).map_or(0, |f| f.1);
    let mut writers = (0..e.vec.len()).filter(|op| vec_field(*op, "dest") == dest::XMEM as i64);
    let of_operand = |op: &usize| vec_field(*op, "d_addr") == x_word as i64;
    let before = writers.by_ref().take_while(|op| *op < wait_vec).last();
    let alone = !before.as_ref().is_some_and(of_operand) && vec_field(wait_vec, "dest") == dest::XMEM as i64;
    let after = writers.next().is_none_or(|op| e.vec_wait_mat[op] > mat);
    if !(alone && of_operand(&wait_vec) && after) {
        return Err(CompileError::Order(format!(
            "mat instruction {mat} skips columns; vec instruction {wait_vec} must write its operand, and alone"
        )));
    }
    Ok(Some(Columns { wait_vec, x_word, cols: field(e, mat, "cols") }))
}

fn field(e: &Emitter, mat: usize, name: &str) -> usize {
    e.mat[mat].0.iter().find(|f| f.0 == name).map_or(0, |f| f.1 as usize)
}

/// Joins what is adjacent and of one kind, except what is read by token.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    const MAX_UNITS: usize = (1 << 24) - 1; // dma.len
    if let Some(last) = pieces.last_mut() {
        let same = last.kind == piece.kind && last.slot == piece.slot && piece.kind != dma_kind::TOKEN_WEIGHTS;
        if same && last.offset + last.len == piece.offset && last.len + piece.len <= MAX_UNITS {
            last.len += piece.len;
            return;
        }
    }
    pieces.push(piece);
}

/// Walks the stream with units that run as far as they can and finds a standstill, if there is one.
///
/// The parameter fifo takes units while it has room; weights are taken only by the mat instruction whose turn it is (the
/// weight fifo only shortens waits, so the walk does without it), state only by the wkv instruction whose turn it is. What a token writes
/// to memory leaves it without waiting for anything that is read.
fn check_no_deadlock(
    e: &Emitter,
    pieces: &[Piece],
    blocks: &[(usize, usize)],
    capacity: usize,
) -> Result<(), CompileError> {
    let mut at = Walk { e, blocks, mat: 0, vec: 0, wkv: 0, fifo: 0, next_block: 0, state: 0 };
    let mut mat_got = 0; // units of the current mat instruction
    for p in pieces {
        for _ in 0..p.len {
            at.advance();
            match p.kind {
                dma_kind::WEIGHTS | dma_kind::COLUMNS | dma_kind::TOKEN_WEIGHTS => {
                    let needed = e.mat_wait_vec[at.mat];
                    if needed > at.vec {
                        return Err(CompileError::Order(format!(
                            "the stream stands still at mat instruction {}: it waits for vec instruction {}",
                            at.mat,
                            needed - 1
                        )));
                    }
                    mat_got += 1;
                    if mat_got == e.weights[at.mat].len {
                        at.mat += 1;
                        mat_got = 0;
                    }
                }
                dma_kind::STATE => {
                    let needed = e.wkv_wait_vec[at.wkv];
                    if needed > at.vec {
                        return Err(CompileError::Order(format!(
                            "the stream stands still at wkv instruction {}: it waits for vec instruction {}",
                            at.wkv,
                            needed - 1
                        )));
                    }
                    at.state += 1;
                }
                _ if at.fifo == capacity => {
                    return Err(CompileError::Order(format!(
                        "the parameter fifo is full and vec instruction {} cannot go on",
                        at.vec
                    )));
                }
                _ => at.fifo += 1,
            }
        }
    }
    at.advance();
    if (at.mat, at.vec, at.wkv) == (e.mat.len(), e.vec.len(), e.wkv.len()) {
        Ok(())
    } else {
        let Walk { mat, vec, wkv, .. } = at;
        Err(CompileError::Order(format!("the stream ends with instructions left: mat {mat}, vec {vec}, wkv {wkv}")))
    }
}

/// How far each unit has come in [`check_no_deadlock`].
struct Walk<'a> {
    e: &'a Emitter,
    blocks: &'a [(usize, usize)],
    /// Instructions finished.
    mat: usize,
    vec: usize,
    wkv: usize,
    /// Units in the parameter fifo, and whose turn it is to take some.
    fifo: usize,
    next_block: usize,
    /// Units of state that came for the present wkv instruction.
    state: usize,
}

impl Walk<'_> {
    /// Lets vec and wkv run as far as they can.
    fn advance(&mut self) {
        let e = self.e;
        loop {
            let before = (self.vec, self.wkv);
            if self.vec < e.vec.len() && e.vec_wait_mat[self.vec] <= self.mat && e.vec_wait_wkv[self.vec] <= self.wkv {
                let needs = self.blocks.get(self.next_block).filter(|b| b.0 == self.vec).map_or(0, |b| b.1);
                if needs <= self.fifo {
                    self.fifo -= needs;
                    self.next_block += usize::from(needs > 0);
                    self.vec += 1;
                }
            }
            let state = e.states.get(self.wkv).map_or(0, |s| s.1);
            if self.wkv < e.wkv.len() && e.wkv_wait_vec[self.wkv] <= self.vec && state <= self.state {
                self.state -= state;
                self.wkv += 1;
            }
            if before == (self.vec, self.wkv) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::emit::{OpInfo, Out, VecOp, WeightBlock};
    use super::super::memory::Slot;
    use super::*;

    const LEN: usize = 64;

    fn slot(i: usize) -> Slot {
        Slot { word: i * LEN, len: LEN }
    }

    fn info(name: &str) -> OpInfo {
        let (layer, weight_bytes) = (0, 0);
        let name = name.into();
        OpInfo {
            layer,
            name,
            values: None,
            exp: None,
            scalar: None,
            state: None,
            weight_bytes,
            skips: None,
            only: None,
        }
    }

    /// A chain of `n` matrices: a vector instruction with a parameter block makes the operand of each from the result of the last one.
    fn chain(n: usize, skip: i64) -> Emitter {
        let mut e = Emitter::new(4, 10);
        for i in 0..n {
            let op = VecOp { a: Some(slot(i)), len: LEN, out: Out::Xmem(slot(i), i as u64), ..Default::default() };
            e.vec(op, Some((10 * i, 2)), info("operand")).unwrap();
            let fields = vec![("rows", 32), ("cols", LEN as i64), ("skip", skip)];
            let block = WeightBlock { kind: dma_kind::WEIGHTS, offset: 1000 + 100 * i, len: 65 };
            e.mat(fields, (slot(i), i as u64), Some(slot(i + 1)), block, info("matrix")).unwrap();
        }
        e
    }

    fn nano() -> Config {
        Config::load(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/nano.toml")).unwrap()
    }

    #[test]
    fn parameters_come_no_earlier_than_the_gap_before_they_are_needed() {
        let e = chain(4, 0);
        let (pieces, _) = order(&e, (0, 2), (4, 4), &nano()).unwrap();
        let kinds: Vec<_> = pieces.iter().map(|p| p.kind).collect();
        let (p, w) = (dma_kind::PARAMS, dma_kind::WEIGHTS);
        assert_eq!(kinds[1..], [p, p, w, p, w, p, w, w], "each block a matrix before the one that waits for it");
    }

    #[test]
    fn columns_start_before_their_operand_is_complete_and_only_if_it_can_be_told() {
        let mut e = chain(2, 1);
        let (pieces, _) = order(&e, (0, 2), (2, 2), &nano()).unwrap();
        let waits: Vec<_> = pieces.iter().filter_map(|p| p.columns).map(|c| c.wait_vec).collect();
        assert_eq!(waits, [0, 1], "all vector instructions but the one that writes it");
        // another operand is written while the first one is still looked at
        let op = VecOp { a: Some(slot(9)), len: LEN, out: Out::Xmem(slot(7), 7), ..Default::default() };
        e.vec(op, None, info("stray")).unwrap();
        assert!(matches!(order(&e, (0, 2), (2, 2), &nano()), Err(CompileError::Order(_))));
    }
}
