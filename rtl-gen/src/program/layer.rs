//! One token as a sequence of instructions: `docs/integer-step.md`, line by line, in the order that keeps the weight
//! stream busy.
//!
//! The order of the matrices is the schedule. While `key` streams, the vector unit mixes the other five operands; the
//! low-rank pairs follow, their tables hidden behind `value` and `receptance`; the recurrence starts when `r` is there and
//! runs behind the gate's pair. What stays exposed is one chain a half layer: last rows, residual, norm, first mix.

use super::emit::{OpInfo, Out, ScalarKind, VecOp, WeightBlock};
use super::memory::Slot;
use super::passes::{Operand, Sequence, R};
use super::CompileError;
use crate::isa::{acc_sel, c_sel, dma_kind, lut, m_sel, mat_dest, mat_fmt, post, route, shift_sel, wkv_slot, x_sel};
use golden_model::arithmetic::norm::NormShifts;
use golden_model::arithmetic::vector_ops::{L2_BASE, ROOT_SHIFT};

/// Rows of `ffn.key` in one instruction: relu² of one piece runs while the next piece streams. A multiple of 32 (one scale unit).
fn ffn_piece(dim_ffn: usize) -> usize {
    dim_ffn.div_ceil(4).next_multiple_of(32).max(64)
}

impl Sequence<'_> {
    /// Takes in the embedding row of each slot's token: `x.emb`, and the mean of layer 0's first norm.
    pub fn embedding(&mut self) -> R {
        (0..self.slots).try_for_each(|slot| self.embedding_of(slot))?;
        self.load_att_prev(0)
    }

    fn embedding_of(&mut self, slot: usize) -> R {
        let k = self.layer_norm_constants("ln1", 0);
        let only = self.only(slot);
        let mut info = self.value("x.emb", self.v.x.len);
        info.scalar = Some((ScalarKind::Mean, self.tap("ln1.mean", 1)));
        info.only = only;
        let op = VecOp {
            only,
            len: self.v.x.len,
            x: x_sel::ZERO,
            c: c_sel::P,
            pshift: self.model.net_shifts.emb,
            out: Out::Vmem(self.v.x),
            ..Default::default()
        };
        // The embedding row is not a block of the stream: the first dma instructions fetch it by token.
        self.e.vec(Self::with_mean(op, k), None, info)
    }

    /// Computes the layer norm of x into `h`; `norm` is the complete name of its parameters.
    fn layer_norm(&mut self, name: &str, norm: &str, shifts: NormShifts) -> R {
        let k = self.layer_norm_constants(name, self.layer);
        let (x, t, h) = (self.v.x, self.v.t[0], self.v.h);
        self.normalise(x, self.dims.n_embd, k, t, name)?;
        self.affine(t, norm, shifts, h, name)
    }

    /// Copies `from` to `to` on the way `route`; what is written must equal `tap` where the golden model names it.
    pub(super) fn copy(&mut self, from: Slot, to: Slot, route: u64, name: &str, tap: Option<&str>) -> R {
        let info = OpInfo { values: tap.map(|t| self.tap(t, from.len)), ..self.info(name) };
        self.e.vec(VecOp { a: Some(from), len: from.len, out: Out::Vmem(to), route, ..Default::default() }, None, info)
    }

    /// Returns the vector that the mixes of this token take for the last token's h. Several slots may hold tokens of one text that follow each
    /// other. It is then a copy: prev in the first of them, h of the slot before in the others.
    fn last_h(&mut self, h: Slot, prev: Slot, name: &str, tap: &str) -> Result<Slot, CompileError> {
        if self.slots == 1 {
            return Ok(prev);
        }
        let (mine, ring) = (self.v.yb, self.v.rk); // both are free until the group norm
        self.copy(prev, mine, route::HERE, &format!("copy {name}"), None)?;
        self.copy(h, ring, route::RING, &format!("hand on {name}"), Some(tap))?;
        self.copy(ring, mine, route::LATER, &format!("take {name}"), None)?;
        Ok(mine)
    }

    pub fn layer(&mut self, layer: usize) -> R {
        self.layer = layer;
        self.time_mix()?;
        self.channel_mix()
    }

    fn time_mix(&mut self) -> R {
        let s = &self.model.shifts[self.layer];
        let d = self.dims.n_embd;
        let n = self.dims.head_size;
        let first = self.layer == 0;
        self.layer_norm("ln1", &format!("blocks.{}.ln1", self.layer), s.ln1)?;

        // operands of the six mixes, in the order the matrices want them
        let (h, prev, t) = (self.v.h, self.v.att_prev[self.layer], self.v.t);
        let last_h = self.last_h(h, prev, "att.x_prev", "att.prev")?;
        let mixes = [("k", s.x_k), ("w", s.x_w), ("a", s.x_a), ("v", s.x_v), ("r", s.x_r), ("g", s.x_g)];
        let mut ops = [Operand { slot: self.x.mix[0], exp: 0 }; 6];
        for (i, (tag, shift)) in mixes.into_iter().enumerate() {
            ops[i] = Operand { slot: self.x.mix[i], exp: i as u64 };
            let p = self.att(&format!("x_{tag}"));
            self.mix((last_h, h), (&p, shift), t[i % 2], ops[i], &format!("att.x{tag}"))?;
            let [xk, xw, xa, xv, _, _] = ops;
            match tag {
                "k" => self.matrix(&self.att("key.weight"), xk, s.key.w, self.v.k, "att.k")?,
                "w" => self.matrix(&self.att("w1"), xw, s.w1, self.v.w1, "att.w1")?,
                "a" => self.matrix(&self.att("a1"), xa, s.a1, self.v.a1, "att.a1")?,
                "v" => {
                    let to = if first { self.v.v_first } else { self.v.v0 };
                    self.matrix(&self.att("value.weight"), xv, s.value.w, to, "att.v0")?;
                    if let Some(s) = &s.v {
                        self.matrix(&self.att("v1"), xv, s.v1, self.v.v1, "att.v1")?;
                    }
                }
                _ => {}
            }
        }
        self.keep(h, prev, "att.prev")?;
        let (xr, xg) = (ops[4], ops[5]);

        // key: k0 = k · k_k, normalised per head
        let (k, k0, kk) = (self.v.k, self.v.k0, self.v.kk);
        let k_k = self.att("k_k");
        self.mul_param(k, &k_k, s.k0, k0, "att.k0")?;
        let info = self.scalar("att.l2", ScalarKind::Rsq, d / n);
        let squares = VecOp {
            a: Some(k0),
            len: d,
            seg: n,
            m: m_sel::X,
            acc: acc_sel::PRODUCT,
            post: post::RSQ,
            k_const: 1 << ROOT_SHIFT,
            k_shift: ROOT_SHIFT as i32,
            rsq_base: L2_BASE,
            ..Default::default()
        };
        self.e.vec(squares, None, info)?;
        let info = self.value("att.kk", d);
        let scale = VecOp {
            a: Some(k0),
            len: d,
            seg: n,
            m: m_sel::SCALAR,
            shift_sel: shift_sel::SCALAR,
            amax: Some(false),
            out: Out::Vmem(kk),
            ..Default::default()
        };
        self.e.vec(scale, None, info)?;
        self.operand(kk, Out::Wkv(wkv_slot::KK), "att.kk")?;

        // low-rank pairs: second halves
        let (w1, a1, v1) = (self.v.w1, self.v.a1, self.v.v1);
        let tw = Operand { slot: self.x.tw, exp: 6 };
        let xa1 = Operand { slot: self.x.a1, exp: 7 };
        let xv1 = Operand { slot: self.x.v1, exp: 8 };
        self.table(w1, None, lut::TANH, w1, "att.tw")?;
        self.operand(w1, Out::Xmem(tw.slot, tw.exp), "att.tw")?;
        self.matrix(&self.att("w2"), tw, s.w2, self.v.w2, "att.w2")?;
        self.find_amax(a1, "att.a1")?;
        self.operand(a1, Out::Xmem(xa1.slot, xa1.exp), "att.a1")?;
        self.matrix(&self.att("a2"), xa1, s.a2, self.v.a2, "att.a2")?;
        if let Some(s) = &s.v {
            self.find_amax(v1, "att.v1")?;
            self.operand(v1, Out::Xmem(xv1.slot, xv1.exp), "att.v1")?;
            self.matrix(&self.att("v2"), xv1, s.v2, self.v.v2, "att.v2")?;
        }
        self.matrix(&self.att("receptance.weight"), xr, s.receptance.w, self.v.r, "att.r")?;
        self.matrix(&self.att("g1"), xg, s.g1, self.v.g1, "att.g1")?;

        // decay: the operand is 1 − w itself, exponent 0
        let w0 = self.att("w0");
        self.table(self.v.w2, Some((&w0, s.w0)), lut::DECAY, self.v.d, "att.d")?;
        let info = OpInfo { exp: Some(self.tap("e.att.d", 1)), ..self.value("q.att.d", d) };
        self.e.vec(
            VecOp { a: Some(self.v.d), len: d, out: Out::Wkv(wkv_slot::D), ..Default::default() },
            None,
            info,
        )?;

        // a, b = kk · a, the modified key
        let (a, b, km) = (self.v.a, self.v.b, self.v.km);
        let a0 = self.att("a0");
        self.table(self.v.a2, Some((&a0, s.a0)), lut::SIGMOID, a, "att.a")?;
        self.mul(kk, a, s.b, b, "att.b", true)?;
        self.operand(b, Out::Wkv(wkv_slot::B), "att.b")?;
        let block = self.param(&self.att("k_a"))?;
        let info = self.value("att.t", d);
        let op = VecOp {
            a: Some(a),
            len: d,
            x: x_sel::A_MINUS_ONE,
            m: m_sel::P,
            c: c_sel::ONE,
            shift: s.t,
            out: Out::Vmem(t[0]),
            ..Default::default()
        };
        self.e.vec(op, Some(block), info)?;
        self.mul(k, t[0], s.km, km, "att.km", true)?;
        self.operand(km, Out::Wkv(wkv_slot::K), "att.km")?;

        // value, mixed with layer 0's
        let v = if first { self.v.v_first } else { self.v.v };
        if let Some(s) = &s.v {
            let v0 = self.att("v0");
            self.table(self.v.v2, Some((&v0, s.v0)), lut::SIGMOID, self.v.v2, "att.gate")?;
            let info = self.value("att.dv", d);
            let op = VecOp {
                a: Some(self.v.v_first),
                b: Some(self.v.v0),
                len: d,
                x: x_sel::A_MINUS_B,
                out: Out::Vmem(t[0]),
                ..Default::default()
            };
            self.e.vec(op, None, info)?;
            self.mul(t[0], self.v.v2, s.vg, t[1], "att.vg", false)?;
            let info = self.value("att.v", d);
            let op = VecOp {
                a: Some(self.v.v0),
                b: Some(t[1]),
                len: d,
                c: c_sel::B,
                amax: Some(false),
                out: Out::Vmem(v),
                ..Default::default()
            };
            self.e.vec(op, None, info)?;
        } else {
            self.find_amax(v, "att.v")?;
        }
        self.operand(v, Out::Wkv(wkv_slot::V), "att.v")?;

        // r starts the recurrence
        let r = self.v.r;
        self.find_amax(r, "att.r")?;
        self.operand(r, Out::Wkv(wkv_slot::R), "att.r")?;
        self.recurrence()?;

        // gate, while the recurrence runs
        let (g1, sg) = (self.v.g1, Operand { slot: self.x.sg, exp: 9 });
        self.table(g1, None, lut::SIGMOID, g1, "att.sg")?;
        self.operand(g1, Out::Xmem(sg.slot, sg.exp), "att.sg")?;
        self.matrix(&self.att("g2"), sg, s.g2, self.v.g, "att.g")?;
        let rk = self.v.rk;
        self.mul(r, km, s.rk, rk, "att.rk", false)?;

        // group norm of y, then the bonus (its scalar overwrites the norm's, so it comes after)
        let (y, yb) = (self.v.y, self.v.yb);
        let gn = &self.model.layers[self.layer].ln_x;
        let info = self.scalar("att.yn.mean", ScalarKind::Mean, d / n);
        self.e.vec(Self::with_mean(VecOp { a: Some(y), len: d, seg: n, ..Default::default() }, gn), None, info)?;
        self.normalise(y, n, gn, t[0], "att.yn")?;
        self.affine(t[0], &self.att("ln_x"), s.ln_x, t[1], "att.yn")?;
        let block = self.param(&self.att("r_k"))?;
        let info = self.scalar("att.bonus", ScalarKind::Value, d / n);
        let dot = VecOp {
            a: Some(rk),
            len: d,
            seg: n,
            m: m_sel::P,
            acc: acc_sel::PRODUCT,
            post: post::VALUE,
            k_shift: s.bonus,
            ..Default::default()
        };
        self.e.vec(dot, Some(block), info)?;
        let info = self.value("att.yb", d);
        let bonus = VecOp {
            a: Some(v),
            b: Some(t[1]),
            len: d,
            seg: n,
            m: m_sel::SCALAR,
            c: c_sel::B,
            shift: s.yb,
            out: Out::Vmem(yb),
            ..Default::default()
        };
        self.e.vec(bonus, None, info)?;
        let yg = Operand { slot: self.x.yg, exp: 10 };
        self.mul(yb, self.v.g, s.yg, yb, "att.yg", true)?;
        self.operand(yb, Out::Xmem(yg.slot, yg.exp), "att.yg")?;
        self.matrix(&self.att("output.weight"), yg, s.output.w, self.v.out, "att.out")?;
        self.load_ffn_prev()?;
        self.residual("att.x", s.att_x, "ln2", self.layer)
    }

    fn recurrence(&mut self) -> R {
        let s = self.model.shifts[self.layer].wkv;
        let (d, n) = (self.dims.n_embd, self.dims.head_size);
        let info = OpInfo { state: Some((self.tap("S", d * n), self.tap("att.sa", d))), ..self.value("att.y", d) };
        let fields = crate::isa::fields! {
            n_head: d / n, head_size: n, head_words: n / self.wkv_lanes, s_addr: self.layer * d * n / self.wkv_lanes,
            sh_sa: s.sa, sh_b: s.b, sh_vk: s.vk, sh_y: s.y,
        };
        let state = self.state.map(|s| (s.s(self.layer), s.s));
        self.e.wkv(fields, self.v.y, state, info)
    }

    fn channel_mix(&mut self) -> R {
        let s = &self.model.shifts[self.layer];
        self.layer_norm("ln2", &format!("blocks.{}.ln2", self.layer), s.ln2)?;
        let (h, prev) = (self.v.h, self.v.ffn_prev[self.layer]);
        let xk = Operand { slot: self.x.ffn_xk, exp: 11 };
        let x_k = self.ffn("x_k");
        let last_h = self.last_h(h, prev, "ffn.x_prev", "ffn.prev")?;
        self.mix((last_h, h), (&x_k, s.ffn_x_k), self.v.t[0], xk, "ffn.xk")?;
        self.keep(h, prev, "ffn.prev")?;

        let (ffn_k, hidden) = (self.v.ffn_k, Operand { slot: self.x.r2, exp: 12 });
        let dim_ffn = self.dims.dim_ffn;
        let piece = ffn_piece(dim_ffn);
        let key = self.ffn("key.weight");
        let starts: Vec<usize> = (0..dim_ffn).step_by(piece).collect();
        for (i, &start) in starts.iter().enumerate() {
            let rows = start..(start + piece).min(dim_ffn);
            self.matrix_rows((&key, rows), xk, s.ffn_key.w, ffn_k, "ffn.k")?;
            self.deep_embed_matrix(i)?;
        }
        (starts.len()..3).try_for_each(|i| self.deep_embed_matrix(i))?;
        for &start in &starts {
            let rows = start..(start + piece).min(dim_ffn);
            let at = self.part(ffn_k, &rows);
            let amax = Some(start > 0);
            let op = VecOp {
                a: Some(at),
                len: at.len,
                x: x_sel::RELU_A,
                m: m_sel::X,
                shift: s.r2,
                amax: if s.deep_embed.is_none() { amax } else { None },
                out: Out::Vmem(at),
                ..Default::default()
            };
            let info = self.value_part("ffn.r2", &rows);
            self.e.vec(op, None, info)?;
            self.deep_embed_gate(&rows, amax)?;
        }
        let tap = if s.deep_embed.is_some() { "ffn.r2g" } else { "ffn.r2" };
        self.operand(ffn_k, Out::Xmem(hidden.slot, hidden.exp), tap)?;
        self.matrix(&self.ffn("value.weight"), hidden, s.ffn_value, self.v.out, "ffn.out")?;
        self.load_att_prev(self.layer + 1)?;
        let last = self.layer + 1 == self.dims.n_layer;
        self.residual("ffn.x", s.ffn_x, if last { "ln_out" } else { "ln1" }, self.layer + 1)
    }

    /// Writes the last norm, the head and the argmax.
    pub fn head(&mut self) -> R {
        self.layer = self.dims.n_layer;
        let s = &self.model.net_shifts;
        self.layer_norm("ln_out", "ln_out", s.ln_out)?;
        let h = self.v.h;
        let x = Operand { slot: self.x.h_out, exp: 13 };
        self.operand(h, Out::Xmem(x.slot, x.exp), "ln_out.h")?;
        let m = self.model.matrix("head.weight")?;
        let rows = self.dims.vocab_size;
        let part = m.rows_block(0..rows)?;
        let mut info = self.value("logits", rows);
        info.weight_bytes = rows * m.row_bytes();
        let fields = crate::isa::fields! {
            fmt: m.fmt, dest: mat_dest::LOGITS, shift: s.head.w, cols: m.padded_cols(), tiles: part.tiles, rows,
        };
        debug_assert_ne!(m.fmt, mat_fmt::W8_COLUMNS);
        let block = WeightBlock { kind: dma_kind::WEIGHTS, offset: part.offset, len: part.len };
        self.e.mat(fields, (Slot { len: m.cols, ..x.slot }, x.exp), None, block, info)
    }
}
