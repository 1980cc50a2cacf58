//! Compiles a quantised model into the four programs of the chip.
//!
//! `layer` writes one token as a sequential list of operations made of `passes`, `schedule` derives from the memory each one touches what
//! waits for what, `stream` puts the weights and parameters in the order they are read, `memory` says where vectors live.
//! The result also names, for every instruction, the tap of the integer step that its output must equal.

pub mod deep_embed;
pub mod emit;
pub mod layer;
pub mod memory;
pub mod model;
pub mod passes;
pub mod schedule;
mod session;
pub mod state;
pub mod stream;

use crate::config::Config;
use crate::isa::{self, mat_fmt};
use emit::{Emitter, OpInfo};
use golden_model::arithmetic::fixed::OPERAND_BITS;
use golden_model::arithmetic::tensor::{groups, GROUP_COLS};
use golden_model::image::{nibble_tiles, UNIT};
use golden_model::network::formats::{LayerFormats, NetFormats};
use golden_model::network::shifts::{LayerShifts, NetShifts};
use memory::Dims;
use state::StateLayout;
use std::collections::BTreeMap;

/// Why a model cannot be compiled for a configuration.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    #[error("the model needs {limit} = {needed}, configuration {config} has {available}")]
    Limit { config: String, limit: &'static str, needed: usize, available: usize },
    #[error("the model has head_size {head_size}, configuration {config} needs a multiple of {vlanes}, up to 240")]
    HeadSize { config: String, head_size: usize, vlanes: usize },
    #[error("the model has n_embd {n_embd}; configuration {config}, with the state in memory, needs a multiple of 16")]
    SessionVector { config: String, n_embd: usize },
    #[error("{0} has a low-rank branch, which only the golden backend computes so far; expected a model quantised without --branch")]
    Branch(String),
    #[error("the head is in clusters, which only the golden backend computes so far; expected a model quantised without --head clustered")]
    Clusters,
    #[error("{0} has 4-bit weights by columns, which only the golden backend computes so far; expected a model quantised without --value w4")]
    ColumnNibbles(String),
    #[error("the model has DeepEmbed (RWKV-7a), whose matrices differ from session to session; configuration {config} has sessions = {sessions}, expected 1")]
    DeepEmbed { config: String, sessions: usize },
    #[error("the model's matrix operands have {0} bits, which only the golden backend computes; expected 16")]
    OperandBits(u32),
    #[error("{0}")]
    Encode(String),
    #[error("schedule: {0}")]
    Order(String),
    #[error("the image has no {kind} called {name}")]
    MissingBlock { kind: &'static str, name: String },
}

/// A vector parameter in the image; offset and length in 64 B units.
#[derive(Clone, Copy, Debug)]
pub struct ParamBlock {
    pub offset: usize,
    pub len: usize,
}

/// A matrix in the image.
#[derive(Clone, Copy, Debug)]
pub struct MatrixBlock {
    pub offset: usize,
    pub len: usize,
    pub rows: usize,
    pub cols: usize,
    /// One of `isa::mat_fmt`.
    pub fmt: u64,
}

/// Some rows of a matrix: where they are in the stream and how many tiles they make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub offset: usize,
    pub len: usize,
    pub tiles: usize,
}

impl MatrixBlock {
    /// Returns the bytes of one row with its scales, without padding.
    pub fn row_bytes(&self) -> usize {
        let weights = match self.fmt {
            mat_fmt::W16 => 2 * self.cols,
            mat_fmt::W4 => self.cols.div_ceil(2) + groups(self.cols),
            _ => self.cols,
        };
        weights + 2
    }

    /// Returns the columns with padding: the `cols` of an instruction.
    pub fn padded_cols(&self) -> usize {
        self.cols.next_multiple_of(if self.fmt == mat_fmt::W4 { GROUP_COLS } else { 4 })
    }

    /// Returns the part that holds `rows`, which start at a multiple of 32, where a scale unit is.
    pub fn rows_block(&self, rows: std::ops::Range<usize>) -> Result<Part, CompileError> {
        let tile_units = match self.fmt {
            mat_fmt::W4 => nibble_tiles::tile_bytes(self.cols) / UNIT,
            _ => self.cols.div_ceil(4), // 16 bytes a column
        };
        let units = |rows: usize| match self.fmt {
            mat_fmt::W16 => rows.div_ceil(32) + rows.div_ceil(8) * tile_units,
            _ => rows.div_ceil(32) + rows.div_ceil(16) * tile_units,
        };
        if self.fmt == mat_fmt::W8_COLUMNS {
            if rows != (0..self.rows) {
                return Err(CompileError::Order(format!("rows {rows:?} of a matrix stored by columns")));
            }
            return Ok(Part { offset: self.offset, len: self.len, tiles: self.rows.div_ceil(16) });
        }
        if !rows.start.is_multiple_of(32) {
            return Err(CompileError::Order(format!(
                "a piece of a matrix starts at row {}, expected a multiple of 32",
                rows.start
            )));
        }
        let offset = self.offset + units(rows.start);
        let len = units(rows.len());
        let tile = if self.fmt == mat_fmt::W16 { 8 } else { 16 };
        Ok(Part { offset, len, tiles: rows.len().div_ceil(tile) })
    }
}

/// What the compiler needs of a quantised model: dimensions, formats, and where each tensor lies in the image.
#[derive(Clone, Debug)]
pub struct Model {
    pub dims: Dims,
    pub net: NetFormats,
    pub layers: Vec<LayerFormats>,
    /// The shifts of each layer and of what is outside the layers.
    pub shifts: Vec<LayerShifts>,
    pub net_shifts: NetShifts,
    pub params: BTreeMap<String, ParamBlock>,
    pub matrices: BTreeMap<String, MatrixBlock>,
    /// Offset of row 0 and units a row.
    pub embedding: (usize, usize),
    /// Units of the whole stream of the image.
    pub image_units: usize,
    /// Whether only those columns of `ffn.value` are read that meet an operand other than 0. The result is the same in fewer cycles, whose number
    /// then depends on the values.
    pub skip_columns: bool,
}

impl Model {
    pub fn param(&self, name: &str) -> Result<ParamBlock, CompileError> {
        self.params
            .get(name)
            .copied()
            .ok_or_else(|| CompileError::MissingBlock { kind: "parameter vector", name: name.into() })
    }

    pub fn matrix(&self, name: &str) -> Result<MatrixBlock, CompileError> {
        self.matrices.get(name).copied().ok_or_else(|| CompileError::MissingBlock { kind: "matrix", name: name.into() })
    }
}

/// The four programs, and what each instruction must produce.
#[derive(Clone, Debug)]
pub struct Program {
    /// Encoded instructions, one `Vec<u32>` each, in the order of `isa::FORMATS`.
    pub code: [Vec<Vec<u32>>; 4],
    /// Tokens of the vocabulary: what register TOKEN_LIMIT is set to.
    pub tokens: usize,
    pub mat: Vec<OpInfo>,
    pub vec: Vec<OpInfo>,
    pub wkv: Vec<OpInfo>,
    pub stream: Vec<stream::Piece>,
    /// Instructions of each unit, in the order of `isa::FORMATS`, that come before the last norm and the head.
    pub body: [usize; 4],
    /// Units of 64 B that each mat instruction takes from the weight fifo.
    pub mat_units: Vec<usize>,
    /// The vec instructions that take parameters, in order, and the units of 64 B of each.
    pub param_blocks: Vec<(usize, usize)>,
    /// Where a session's state lies in memory, if it does; a pass moves that of every slot at work.
    pub state: Option<StateLayout>,
    /// First vmem element of each layer's `att_x_prev` and `ffn_x_prev`, where the state lies on the chip.
    pub session_vectors: Vec<[usize; 2]>,
    /// Weight and parameter bytes of one pass without any padding, and those of every slot's state in memory read and written: what a
    /// perfect memory would have to transfer.
    pub useful_bytes: usize,
}

impl Program {
    /// Units of 64 B that a pass moves if all of `sessions` slots work and no column is skipped: what is read, and the state in memory that
    /// is written again.
    pub fn moved_units(&self, sessions: usize) -> usize {
        // one piece of the stream brings the S of every slot
        let read = |p: &stream::Piece| p.len * if p.kind == isa::dma_kind::STATE { sessions } else { 1 };
        let written = self.state.map_or(0, |s| sessions * s.units());
        self.stream.iter().map(read).sum::<usize>() + written
    }
}

/// Compiles `model` for `config`.
///
/// Fails if the model exceeds a limit of the configuration (the message names it) or if the image lacks a tensor.
pub fn compile(config: &Config, model: &Model) -> Result<Program, CompileError> {
    if model.net.clusters.is_some() {
        return Err(CompileError::Clusters);
    }
    let branched = model.layers.iter().enumerate().find_map(|(l, f)| Some((l, f.f_t.keys().next()?)));
    if let Some((layer, name)) = branched {
        return Err(CompileError::Branch(format!("blocks.{layer}.{name}")));
    }
    if model.net.f_t_head.is_some() {
        return Err(CompileError::Branch("head.weight".into()));
    }
    if let Some((name, _)) = model.matrices.iter().find(|(_, m)| m.fmt == crate::isa::W4_COLUMNS) {
        return Err(CompileError::ColumnNibbles(name.clone()));
    }
    if model.dims.deep_embed && config.sessions > 1 {
        return Err(CompileError::DeepEmbed { config: config.name.clone(), sessions: config.sessions });
    }
    if model.net.operand_bits != OPERAND_BITS {
        return Err(CompileError::OperandBits(model.net.operand_bits));
    }
    let dims = model.dims;
    let (v, x) = memory::plan(config, &dims)?;
    let emitter = Emitter::new(config.vlanes(), crate::blocks::vec::latency(config));
    let state = config.streams_state().then(|| StateLayout::of(&dims));
    let (slots, wkv_lanes) = (config.sessions, config.wkv_lanes());
    let of = |vectors: &[memory::Slot], layer: usize| vectors[layer].word * config.vlanes();
    let session_vectors = (0..dims.n_layer).map(|l| [of(&v.att_prev, l), of(&v.ffn_prev, l)]).collect();
    let mut sequence = passes::Sequence { e: emitter, model, dims, v, x, slots, wkv_lanes, layer: 0, state };
    sequence.embedding()?;
    for l in 0..dims.n_layer {
        sequence.layer(l)?;
    }
    let body = [sequence.e.mat.len(), sequence.e.vec.len(), sequence.e.wkv.len()];
    let body_params = sequence.e.params.len();
    sequence.head()?;
    let e = sequence.e;
    let (stream, body_pieces) = stream::order(&e, model.embedding, (body[0], body_params), config)?;
    let body = [body_pieces, body[0], body[1], body[2]];
    let useful_bytes = useful_bytes(model, &e, slots) + state.map_or(0, |s| slots * 2 * s.useful_bytes());

    let dma: Vec<_> = stream
        .iter()
        .map(|p| {
            let mut fields = vec![("kind", p.kind as i64), ("addr", p.offset as i64), ("len", p.len as i64)];
            if p.slot > 0 {
                fields.push(("slot", p.slot as i64));
            }
            if let Some(c) = p.columns {
                fields[2].1 = (p.len / c.cols) as i64;
                fields.extend([("wait_vec", c.wait_vec as i64), ("x_addr", c.x_word as i64), ("cols", c.cols as i64)]);
            }
            if p.kind == isa::dma_kind::STATE && slots > 1 {
                fields[2].1 = (p.len / dims.n_head()) as i64;
                fields.push(("cols", dims.n_head() as i64));
            }
            fields
        })
        .collect();
    let code = [
        encode(config, isa::DMA, "dma_program", config.limits.dma_program, dma, body[0])?,
        encode(
            config,
            isa::MAT,
            "mat_program",
            config.limits.mat_program,
            e.mat.iter().map(|i| i.0.clone()).collect(),
            body[1],
        )?,
        encode(
            config,
            isa::VEC,
            "vec_program",
            config.limits.vec_program,
            e.vec.iter().map(|i| i.0.clone()).collect(),
            body[2],
        )?,
        encode(
            config,
            isa::WKV,
            "wkv_program",
            config.limits.wkv_program,
            e.wkv.iter().map(|i| i.0.clone()).collect(),
            body[3],
        )?,
    ];
    let mut param_blocks: Vec<_> = (0..config.sessions).map(|slot| (slot, model.embedding.1)).collect();
    param_blocks.extend(e.params.iter().map(|p| (p.vec, p.len)));
    Ok(Program {
        code,
        tokens: dims.vocab_size,
        mat_units: e.weights.iter().map(|w| w.len).collect(),
        param_blocks,
        mat: e.mat.into_iter().map(|i| i.1).collect(),
        vec: e.vec.into_iter().map(|i| i.1).collect(),
        wkv: e.wkv.into_iter().map(|i| i.1).collect(),
        stream,
        state,
        session_vectors,
        body,
        useful_bytes,
    })
}

fn useful_bytes(model: &Model, e: &Emitter, slots: usize) -> usize {
    let weights: usize = e.mat.iter().map(|i| i.1.weight_bytes).sum();
    // a vector instruction takes a 16-bit number an element of its parameter block; so does that of an embedding row
    let params = e.params.iter().filter(|p| p.kind == isa::dma_kind::PARAMS).map(|p| e.vec_elements[p.vec]);
    weights + (params.sum::<usize>() + slots * model.dims.n_embd) * 2
}

fn encode(
    config: &Config,
    format: isa::Format,
    limit: &'static str,
    available: usize,
    mut list: Vec<Vec<(&'static str, i64)>>,
    body: usize,
) -> Result<Vec<Vec<u32>>, CompileError> {
    if list.len() > available {
        return Err(CompileError::Limit { config: config.name.clone(), limit, needed: list.len(), available });
    }
    if let Some(last) = list.last_mut() {
        last.push(("last", 1));
    }
    if let Some(last) = body.checked_sub(1).and_then(|at| list.get_mut(at)) {
        last.push(("last_body", 1));
    }
    list.iter().map(|fields| format.encode(fields).map_err(CompileError::Encode)).collect()
}
