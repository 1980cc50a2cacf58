//! Builds instructions one by one: encodes, orders them through the scheduler, and remembers which tap each one must equal.

use super::memory::Slot;
use super::schedule::{Footprint, Region, Scheduler, Space, Unit};
use super::CompileError;
use crate::isa::{self, acc_sel, c_sel, dest, dma_kind, m_sel, post, route, shift_sel, x_sel};

/// Part of a tap of the integer step, which a compare point must equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapRef {
    /// Layer of the tap; the head's taps belong to layer `n_layer`.
    pub layer: usize,
    pub name: String,
    /// First element of the tap this instruction covers.
    pub start: usize,
    /// Elements covered.
    pub len: usize,
}

/// One instruction as the harness and the reports see it.
#[derive(Clone, Debug)]
pub struct OpInfo {
    pub layer: usize,
    /// Name for people: the tap's name, or what the pass is for.
    pub name: String,
    /// The tap that the words, rows or elements written must equal; `None` where the words are only reduced.
    pub values: Option<TapRef>,
    /// The tap that the exponent of an operand must equal.
    pub exp: Option<TapRef>,
    /// What the scalar is, and the tap that it must equal.
    pub scalar: Option<(ScalarKind, TapRef)>,
    /// The taps of the state and of sa; only the recurrence has them.
    pub state: Option<(TapRef, TapRef)>,
    /// Weight bytes (without padding) the instruction consumes; 0 outside mat.
    pub weight_bytes: usize,
    /// Only the columns for which this tap, the operand, is not 0 are read.
    pub skips: Option<TapRef>,
    /// The one slot it is for, if it is not for all.
    pub only: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarKind {
    Mean,
    /// Multiplier and shift, which the tap interleaves.
    Rsq,
    Value,
}

/// A vector instruction under construction; the defaults read nothing and write nothing.
#[derive(Clone, Debug)]
pub struct VecOp {
    pub a: Option<Slot>,
    pub b: Option<Slot>,
    pub len: usize,
    /// Elements a segment; 0 for one segment.
    pub seg: usize,
    pub x: u64,
    pub m: u64,
    pub c: u64,
    pub pshift: i32,
    pub shift_sel: u64,
    pub shift: i32,
    pub lut: u64,
    pub lut_shift: i32,
    pub acc: u64,
    pub post: u64,
    pub k_const: i64,
    pub k_shift: i32,
    pub eps: (u32, u32),
    pub rsq_base: i32,
    /// Whether the largest magnitude is found; `Some(true)` keeps what earlier instructions found.
    pub amax: Option<bool>,
    pub out: Out,
    /// The one slot it is for, if it is not for all.
    pub only: Option<usize>,
    /// One of `isa::route`.
    pub route: u64,
}

#[derive(Clone, Copy, Debug)]
pub enum Out {
    None,
    Vmem(Slot),
    /// The words of a matrix operand and its exponent register.
    Xmem(Slot, u64),
    Wkv(u64),
    /// The next words of the state in memory.
    Store,
}

/// A block of the stream that goes through the parameter fifo; offset and length in 64 B units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// The vector instruction that consumes it.
    pub vec: usize,
    /// `isa::dma_kind`: PARAMS or SESSION.
    pub kind: u64,
    pub offset: usize,
    pub len: usize,
    /// The slot that a session vector belongs to.
    pub slot: usize,
}

/// The weights of a mat instruction in the stream; offset and length in 64 B units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightBlock {
    /// `isa::dma_kind`: WEIGHTS, or TOKEN_WEIGHTS for one of as many matrices as there are tokens, of which `offset` is the first.
    pub kind: u64,
    pub offset: usize,
    pub len: usize,
}

impl Default for VecOp {
    fn default() -> Self {
        VecOp {
            a: None,
            b: None,
            len: 0,
            seg: 0,
            x: x_sel::A,
            m: m_sel::ONE,
            c: c_sel::ZERO,
            pshift: 0,
            shift_sel: shift_sel::STATIC,
            shift: 0,
            lut: isa::lut::NONE,
            lut_shift: 0,
            acc: acc_sel::RESULT,
            post: post::NONE,
            k_const: 0,
            k_shift: 0,
            eps: (0, 0),
            rsq_base: 0,
            amax: None,
            out: Out::None,
            only: None,
            route: route::HERE,
        }
    }
}

/// The four programs under construction.
#[derive(Debug)]
pub struct Emitter {
    pub vlanes: usize,
    pub scheduler: Scheduler,
    pub mat: Vec<(Vec<(&'static str, i64)>, OpInfo)>,
    pub vec: Vec<(Vec<(&'static str, i64)>, OpInfo)>,
    pub wkv: Vec<(Vec<(&'static str, i64)>, OpInfo)>,
    /// Elements that each vec instruction works on.
    pub vec_elements: Vec<usize>,
    /// Parameter blocks in the order the vector unit consumes them.
    pub params: Vec<Param>,
    /// The weights of each mat instruction.
    pub weights: Vec<WeightBlock>,
    /// State blocks of the wkv instructions, if the state lies in memory: (offset from STATE_BASE, length) in 64 B units.
    pub states: Vec<(usize, usize)>,
    /// How many vec instructions each mat instruction waits for; the three lists below are the other waits. The order of the stream follows from them.
    pub mat_wait_vec: Vec<usize>,
    pub vec_wait_mat: Vec<usize>,
    pub vec_wait_wkv: Vec<usize>,
    pub wkv_wait_vec: Vec<usize>,
}

impl Emitter {
    pub fn new(vlanes: usize, vec_latency: usize) -> Self {
        Emitter {
            vlanes,
            scheduler: Scheduler::new(vec_latency),
            mat: vec![],
            vec: vec![],
            wkv: vec![],
            vec_elements: vec![],
            params: vec![],
            weights: vec![],
            states: vec![],
            mat_wait_vec: vec![],
            vec_wait_mat: vec![],
            vec_wait_wkv: vec![],
            wkv_wait_vec: vec![],
        }
    }

    fn region(&self, space: Space, slot: Slot) -> Region {
        Region::new(space, slot.word, slot.words(self.vlanes))
    }

    /// Appends a vector instruction. `params` is the block it consumes, if it uses params.
    pub fn vec(&mut self, op: VecOp, params: Option<(usize, usize)>, info: OpInfo) -> Result<(), CompileError> {
        let n_words = op.len.div_ceil(self.vlanes);
        let seg_words = if op.seg == 0 { n_words } else { op.seg / self.vlanes };
        let n_seg = n_words.div_ceil(seg_words);
        let mut f = Footprint { n_words, ..Default::default() };
        for s in [op.a, op.b].into_iter().flatten() {
            f.reads.push(self.region(Space::Vmem, Slot { word: s.word, len: op.len }));
        }
        if op.x == x_sel::A_MINUS_MEAN || op.m == m_sel::SCALAR || op.shift_sel == shift_sel::SCALAR {
            f.reads.push(Region::new(Space::Sreg, 0, n_seg));
        }
        if op.post != post::NONE {
            f.writes.push(Region::new(Space::Sreg, 0, n_seg));
        }
        if op.amax.is_some() {
            f.writes.push(Region::new(Space::Amax, 0, 1));
        }
        if op.shift_sel == shift_sel::AMAX {
            f.reads.push(Region::new(Space::Amax, 0, 1));
        }
        let (dest, d_addr, slot) = match op.out {
            Out::None => (dest::NONE, 0, 0),
            Out::Vmem(s) => {
                f.writes.push(self.region(Space::Vmem, Slot { word: s.word, len: op.len }));
                (dest::VMEM, s.word, 0)
            }
            Out::Xmem(s, exp) => {
                f.writes.push(self.region(Space::Xmem, Slot { word: s.word, len: op.len }));
                f.writes.push(Region::new(Space::Xexp, exp as usize, 1));
                (dest::XMEM, s.word, exp)
            }
            Out::Wkv(operand) => {
                f.writes.push(Region::new(Space::Operand, operand as usize, 1));
                (dest::WKV, 0, operand)
            }
            // the words go the way of those for vmem and turn off before it
            Out::Store => {
                f.writes.push(Region::new(Space::Store, 0, 1));
                (dest::VMEM, 0, 0)
            }
        };
        let order = self.scheduler.push(Unit::Vec, f).map_err(CompileError::Order)?;
        let tail = op.len - (n_words - 1) * self.vlanes;
        let word = |s: Option<Slot>| s.map_or(0, |s| s.word as i64);
        let fields = crate::isa::fields! {
            wait_mat: order.wait_mat, wait_wkv: order.wait_wkv, drain: order.drain, a_addr: word(op.a),
            b_addr: word(op.b), d_addr, n_words, tail, seg_words, x_sel: op.x, m_sel: op.m, c_sel: op.c,
            pshift: op.pshift, shift_sel: op.shift_sel, shift: op.shift, lut: op.lut, lut_shift: op.lut_shift,
            acc_sel: op.acc, post: op.post, amax: op.amax.is_some(), amax_keep: op.amax == Some(true), dest, slot,
            k_const: op.k_const, k_shift: op.k_shift, eps_m: op.eps.0, eps_s: op.eps.1, rsq_base: op.rsq_base,
            store: matches!(op.out, Out::Store), only: op.only.map_or(0, |slot| slot as i64 + 1), route: op.route,
        };
        if let Some((offset, len)) = params {
            let kind = if op.c == c_sel::SESSION { dma_kind::SESSION } else { dma_kind::PARAMS };
            self.params.push(Param { vec: self.vec.len(), kind, offset, len, slot: op.only.unwrap_or(0) });
        }
        self.vec_elements.push(op.len);
        self.vec_wait_mat.push(order.wait_mat);
        self.vec_wait_wkv.push(order.wait_wkv);
        self.vec.push((fields, info));
        Ok(())
    }

    /// Appends a matrix instruction that reads `x` (xmem) and writes `d` (vmem) or the logits (`None`).
    pub fn mat(
        &mut self,
        fields: Vec<(&'static str, i64)>,
        x: (Slot, u64),
        d: Option<Slot>,
        block: WeightBlock,
        info: OpInfo,
    ) -> Result<(), CompileError> {
        let mut f = Footprint::default();
        f.reads.push(self.region(Space::Xmem, x.0));
        f.reads.push(Region::new(Space::Xexp, x.1 as usize, 1));
        if let Some(d) = d {
            f.writes.push(self.region(Space::Vmem, d));
        }
        let order = self.scheduler.push(Unit::Mat, f).map_err(CompileError::Order)?;
        let mut all = vec![("wait_vec", order.wait_vec as i64), ("x_addr", x.0.word as i64), ("xexp", x.1 as i64)];
        all.extend(fields);
        self.weights.push(block);
        self.mat_wait_vec.push(order.wait_vec);
        self.mat.push((all, info));
        Ok(())
    }

    /// Appends the recurrence of one layer, writing `y`. `state` is where its S lies in memory, if it does: offset from STATE_BASE and
    /// length in 64 B units.
    pub fn wkv(
        &mut self,
        fields: Vec<(&'static str, i64)>,
        y: Slot,
        state: Option<(usize, usize)>,
        info: OpInfo,
    ) -> Result<(), CompileError> {
        let mut f = Footprint::default();
        f.reads.push(Region::new(Space::Operand, 0, 6));
        f.writes.push(self.region(Space::Vmem, y));
        f.writes.extend(state.map(|_| Region::new(Space::Store, 0, 1)));
        let order = self.scheduler.push(Unit::Wkv, f).map_err(CompileError::Order)?;
        let mut all = vec![("wait_vec", order.wait_vec as i64), ("y_addr", (y.word * self.vlanes) as i64)];
        all.extend(fields);
        self.wkv_wait_vec.push(order.wait_vec);
        self.states.extend(state);
        self.wkv.push((all, info));
        Ok(())
    }
}
