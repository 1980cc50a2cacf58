//! DeepEmbed in the program of a layer: three small matrices between the pieces of `ffn.key`, and the gate.

use super::emit::{OpInfo, Out, VecOp};
use super::memory::Slot;
use super::passes::{Operand, Sequence, R};
use crate::isa::{c_sel, m_sel};
use golden_model::checkpoint::names::RANK_S;
use golden_model::network::model::S_EMB;
use std::ops::Range;

/// Elements in a unit of 64 B of a parameter vector.
const UNIT_ELEMENTS: usize = 32;

impl Sequence<'_> {
    /// Computes matrix `i` of the three, s1, the token's own and s2, if the model has DeepEmbed. While vec makes the operand of the next one, a
    /// piece of `ffn.key` streams.
    pub(super) fn deep_embed_matrix(&mut self, i: usize) -> R {
        let (Some(v), Some(x), Some(s)) = (&self.v.deep, &self.x.deep, &self.model.shifts[self.layer].deep_embed)
        else {
            return Ok(());
        };
        let h = Operand { slot: self.x.mix[0], exp: 0 };
        let (s1, ss) = (Operand { slot: x.s1, exp: 14 }, Operand { slot: x.ss, exp: 15 });
        let ((in_s1, in_ss, gate), own) = ((v.s1, v.ss, v.gate), format!("blocks.{}.{S_EMB}", self.layer));
        match i {
            0 => {
                self.vector_to_xmem(self.v.h, h, "ln2.h")?;
                self.matrix(&self.ffn("s1"), h, s.s1, in_s1, "ffn.s1")
            }
            1 => {
                self.vector_to_xmem(in_s1, s1, "ffn.s1")?;
                self.matrix_rows((&own, 0..RANK_S), s1, s.s_emb, in_ss, "ffn.ss")
            }
            2 => {
                self.vector_to_xmem(in_ss, ss, "ffn.ss")?;
                self.matrix(&self.ffn("s2"), ss, s.s2, gate, "ffn.s2")
            }
            _ => Ok(()),
        }
    }

    fn vector_to_xmem(&mut self, a: Slot, to: Operand, tap: &str) -> R {
        self.find_amax(a, tap)?;
        self.operand(a, Out::Xmem(to.slot, to.exp), tap)
    }

    /// Adds the bias to elements `rows` of the gate and multiplies relu² with them, if the model has DeepEmbed.
    pub(super) fn deep_embed_gate(&mut self, rows: &Range<usize>, amax: Option<bool>) -> R {
        let (Some(v), Some(s)) = (&self.v.deep, &self.model.shifts[self.layer].deep_embed) else { return Ok(()) };
        let (gate, hidden) = (self.part(v.gate, rows), self.part(self.v.ffn_k, rows));
        let (offset, _) = self.param(&self.ffn("s0"))?;
        // a piece starts at a multiple of 32 elements
        let block = (offset + rows.start / UNIT_ELEMENTS, rows.len().div_ceil(UNIT_ELEMENTS));
        let info = self.value_part("ffn.gate", rows);
        let op = VecOp {
            a: Some(gate),
            len: gate.len,
            c: c_sel::P,
            pshift: s.s0,
            out: Out::Vmem(gate),
            ..Default::default()
        };
        self.e.vec(op, Some(block), info)?;
        let info = self.value_part("ffn.r2g", rows);
        let op = VecOp {
            a: Some(hidden),
            b: Some(gate),
            len: hidden.len,
            m: m_sel::B,
            shift: s.r2g,
            amax,
            out: Out::Vmem(hidden),
            ..Default::default()
        };
        self.e.vec(op, None, info)
    }

    /// Elements `rows` of a vector, which begin with a word.
    pub(super) fn part(&self, all: Slot, rows: &Range<usize>) -> Slot {
        Slot { word: all.word + rows.start / self.e.vlanes, len: rows.len() }
    }

    /// An instruction whose written words must equal elements `rows` of the tap `name`.
    pub(super) fn value_part(&self, name: &str, rows: &Range<usize>) -> OpInfo {
        let mut info = self.value(name, rows.len());
        if let Some(t) = &mut info.values {
            t.start = rows.start;
        }
        info
    }
}
