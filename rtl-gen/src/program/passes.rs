//! The parts of a token's sequence: each method appends one instruction or a short chain of them.

use super::emit::{Emitter, OpInfo, Out, ScalarKind, TapRef, VecOp, WeightBlock};
use super::memory::{Dims, Slot, Vmem, Xmem};
use super::state::StateLayout;
use super::{CompileError, Model};
use crate::isa::{acc_sel, c_sel, dma_kind, m_sel, mat_dest, mat_fmt, post, shift_sel, x_sel};
use golden_model::arithmetic::norm::{NormConstants, NormShifts};
use golden_model::arithmetic::vector_ops::{ROOT_SHIFT, TABLE_SHIFT};
use golden_model::network::model::is_own;

/// Everything the sequence needs to know while it is written.
pub struct Sequence<'a> {
    pub e: Emitter,
    pub model: &'a Model,
    pub dims: Dims,
    pub v: Vmem,
    pub x: Xmem,
    /// Sessions side by side.
    pub slots: usize,
    /// State elements a cycle of the recurrence.
    pub wkv_lanes: usize,
    /// Layer the next operations belong to; `n_layer` is the head.
    pub layer: usize,
    /// Where the state lies in memory, if it does.
    pub state: Option<StateLayout>,
}

/// A quantised operand: where it is, its exponent register, its tap.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    pub slot: Slot,
    pub exp: u64,
}

pub(super) type R = Result<(), CompileError>;

impl<'a> Sequence<'a> {
    // ------------------------------------------------------------------ names

    pub(super) fn tap(&self, name: &str, len: usize) -> TapRef {
        TapRef { layer: self.layer, name: name.to_string(), start: 0, len }
    }

    pub(super) fn info(&self, name: &str) -> OpInfo {
        OpInfo {
            layer: self.layer,
            name: name.into(),
            values: None,
            exp: None,
            scalar: None,
            state: None,
            weight_bytes: 0,
            skips: None,
            only: None,
        }
    }

    /// An instruction whose written words must equal the tap `name`.
    pub(super) fn value(&self, name: &str, len: usize) -> OpInfo {
        OpInfo { values: Some(self.tap(name, len)), ..self.info(name) }
    }

    pub(super) fn scalar(&self, name: &str, kind: ScalarKind, n: usize) -> OpInfo {
        OpInfo { scalar: Some((kind, self.tap(name, n))), ..self.info(name) }
    }

    pub(super) fn att(&self, leaf: &str) -> String {
        format!("blocks.{}.att.{leaf}", self.layer)
    }

    pub(super) fn ffn(&self, leaf: &str) -> String {
        format!("blocks.{}.ffn.{leaf}", self.layer)
    }

    /// Returns where the parameter block `name` lies: offset and length in 64 B units.
    pub(super) fn param(&self, name: &str) -> Result<(usize, usize), CompileError> {
        let p = self.model.param(name)?;
        Ok((p.offset, p.len))
    }

    // ------------------------------------------------------------------ building blocks

    /// Computes `d = a · p`, shifted right.
    pub(super) fn mul_param(&mut self, a: Slot, p: &str, shift: i32, d: Slot, tap: &str) -> R {
        let block = self.param(p)?;
        let info = self.value(tap, a.len);
        self.e.vec(
            VecOp { a: Some(a), len: a.len, m: m_sel::P, shift, out: Out::Vmem(d), ..Default::default() },
            Some(block),
            info,
        )
    }

    /// Computes `d = a + (p << shift)` and finds the largest magnitude of the sum on the way.
    pub(super) fn add_param(&mut self, a: Slot, p: &str, shift: i32, d: Slot, tap: &str) -> R {
        let block = self.param(p)?;
        let info = self.value(tap, a.len);
        self.e.vec(
            VecOp {
                a: Some(a),
                len: a.len,
                c: c_sel::P,
                pshift: shift,
                amax: Some(false),
                out: Out::Vmem(d),
                ..Default::default()
            },
            Some(block),
            info,
        )
    }

    /// Computes `d = table(a + (p << shift))` for a bias `(p, shift)` and finds the largest magnitude of the result on the way.
    pub(super) fn table(&mut self, a: Slot, bias: Option<(&str, i32)>, function: u64, d: Slot, tap: &str) -> R {
        let mut op = VecOp {
            a: Some(a),
            len: a.len,
            lut: function,
            lut_shift: TABLE_SHIFT as i32,
            amax: Some(false),
            out: Out::Vmem(d),
            ..Default::default()
        };
        let mut block = None;
        if let Some((p, shift)) = bias {
            op.c = c_sel::P;
            op.pshift = shift;
            block = Some(self.param(p)?);
        }
        let info = self.value(tap, a.len);
        self.e.vec(op, block, info)
    }

    /// Computes `d = a · b`, shifted right.
    pub(super) fn mul(&mut self, a: Slot, b: Slot, shift: i32, d: Slot, tap: &str, amax: bool) -> R {
        let info = self.value(tap, a.len);
        let amax = amax.then_some(false);
        self.e.vec(
            VecOp {
                a: Some(a),
                b: Some(b),
                len: a.len,
                m: m_sel::B,
                shift,
                amax,
                out: Out::Vmem(d),
                ..Default::default()
            },
            None,
            info,
        )
    }

    /// Finds the largest magnitude of a vector that no vector instruction wrote.
    pub(super) fn find_amax(&mut self, a: Slot, tap: &str) -> R {
        let info = self.info(&format!("max {tap}"));
        self.e.vec(VecOp { a: Some(a), len: a.len, amax: Some(false), ..Default::default() }, None, info)
    }

    /// Turns `a` (largest magnitude known) into the 16-bit operand `q.tap`, `e.tap`.
    pub(super) fn operand(&mut self, a: Slot, out: Out, tap: &str) -> R {
        let info = OpInfo { exp: Some(self.tap(&format!("e.{tap}"), 1)), ..self.value(&format!("q.{tap}"), a.len) };
        self.e.vec(VecOp { a: Some(a), len: a.len, shift_sel: shift_sel::AMAX, out, ..Default::default() }, None, info)
    }

    /// Mixes h and prev with a parameter and its shift into `scratch`, and makes a matrix operand of it.
    pub(super) fn mix(
        &mut self,
        (prev, h): (Slot, Slot),
        (p, shift): (&str, i32),
        scratch: Slot,
        to: Operand,
        tap: &str,
    ) -> R {
        let block = self.param(p)?;
        let info = self.value(tap, h.len);
        let op = VecOp {
            a: Some(prev),
            b: Some(h),
            len: h.len,
            x: x_sel::A_MINUS_B,
            m: m_sel::P,
            c: c_sel::B,
            shift,
            amax: Some(false),
            out: Out::Vmem(scratch),
            ..Default::default()
        };
        self.e.vec(op, Some(block), info)?;
        self.operand(scratch, Out::Xmem(to.slot, to.exp), tap)
    }

    /// Computes the scalars of a norm over segments of `n` elements whose means are there already, then `d = (a − mean) · mult`.
    pub(super) fn normalise(&mut self, a: Slot, n: usize, k: &NormConstants, d: Slot, name: &str) -> R {
        let n_seg = a.len / n;
        let info = self.scalar(&format!("{name}.rstd"), ScalarKind::Rsq, n_seg);
        let squares = VecOp {
            a: Some(a),
            len: a.len,
            seg: n,
            x: x_sel::A_MINUS_MEAN,
            m: m_sel::X,
            acc: acc_sel::PRODUCT,
            post: post::RSQ,
            k_const: k.root_n,
            k_shift: ROOT_SHIFT as i32,
            eps: (k.eps_m, k.eps_s),
            rsq_base: k.rsq_base,
            ..Default::default()
        };
        self.e.vec(squares, None, info)?;
        let info = self.value(&format!("{name}.n"), a.len);
        let scale = VecOp {
            a: Some(a),
            len: a.len,
            seg: n,
            x: x_sel::A_MINUS_MEAN,
            m: m_sel::SCALAR,
            shift_sel: shift_sel::SCALAR,
            out: Out::Vmem(d),
            ..Default::default()
        };
        self.e.vec(scale, None, info)
    }

    /// Applies gain and bias of a norm, whose parameters are `norm.weight` and `norm.bias`: `n` holds `name.n` and is free afterwards, `h` receives
    /// `name.h`.
    pub(super) fn affine(&mut self, n: Slot, norm: &str, shifts: NormShifts, h: Slot, name: &str) -> R {
        self.mul_param(n, &format!("{norm}.weight"), shifts.gain, n, &format!("{name}.g"))?;
        self.add_param(n, &format!("{norm}.bias"), shifts.bias, h, &format!("{name}.h"))
    }

    /// Lets the instruction that writes a vector also find the mean that a norm over it needs.
    pub(super) fn with_mean(op: VecOp, k: &NormConstants) -> VecOp {
        VecOp { acc: acc_sel::RESULT, post: post::MEAN, k_const: k.inv_n, k_shift: k.q_n, ..op }
    }

    /// Computes the residual `x += out`, x shifted right first, and the mean that the next norm needs.
    pub(super) fn residual(&mut self, tap: &str, shift: i32, next_norm: &str, next_layer: usize) -> R {
        let k = self.layer_norm_constants(next_norm, next_layer);
        let mut info = self.value(tap, self.v.x.len);
        info.scalar =
            Some((ScalarKind::Mean, TapRef { layer: next_layer, name: format!("{next_norm}.mean"), start: 0, len: 1 }));
        let op = VecOp {
            a: Some(self.v.x),
            b: Some(self.v.out),
            len: self.v.x.len,
            c: c_sel::B,
            shift,
            out: Out::Vmem(self.v.x),
            ..Default::default()
        };
        self.e.vec(Self::with_mean(op, k), None, info)
    }

    /// Returns the constants of `norm`, which is `ln1`, `ln2` or `ln_out`, in `layer`. All are over x; its format may differ.
    pub(super) fn layer_norm_constants(&self, norm: &str, layer: usize) -> &'a NormConstants {
        let model = self.model;
        match (norm, model.layers.get(layer)) {
            ("ln1", Some(f)) => &f.ln1,
            ("ln2", Some(f)) => &f.ln2,
            _ => &model.net.ln_out,
        }
    }

    /// Computes `d = W x` with this static shift.
    pub(super) fn matrix(&mut self, name: &str, x: Operand, shift: i32, d: Slot, tap: &str) -> R {
        self.matrix_rows((name, 0..d.len), x, shift, d, tap)
    }

    /// Computes some rows of a product, the same rows of `d`.
    pub(super) fn matrix_rows(
        &mut self,
        (name, rows): (&str, std::ops::Range<usize>),
        x: Operand,
        shift: i32,
        d: Slot,
        tap: &str,
    ) -> R {
        let m = self.model.matrix(name)?;
        let part = m.rows_block(rows.clone())?;
        let mut info = self.value(tap, rows.len());
        if let Some(t) = &mut info.values {
            t.start = rows.start;
        }
        info.weight_bytes = rows.len() * m.row_bytes();
        let skip = m.fmt == mat_fmt::W8_COLUMNS && self.model.skip_columns;
        let hidden = if self.dims.deep_embed { "q.ffn.r2g" } else { "q.ffn.r2" };
        info.skips = skip.then(|| self.tap(hidden, m.cols)); // no other matrix than ffn.value is stored by columns
        let piece = Slot { word: d.word + rows.start / self.e.vlanes, len: rows.len() };
        let fields = crate::isa::fields! {
            fmt: m.fmt, dest: mat_dest::VMEM, shift, d_addr: piece.word * self.e.vlanes, cols: m.padded_cols(),
            tiles: part.tiles, rows: rows.len(), skip,
        };
        let kind = if is_own(name) { dma_kind::TOKEN_WEIGHTS } else { dma_kind::WEIGHTS };
        let block = WeightBlock { kind, offset: part.offset, len: part.len };
        self.e.mat(fields, (Slot { len: m.cols, ..x.slot }, x.exp), Some(piece), block, info)
    }
}
