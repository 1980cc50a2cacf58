//! Brings the vectors of a session from memory and keeps them: `att_x_prev` and `ffn_x_prev` of each layer.

use super::emit::{OpInfo, Out, VecOp};
use super::memory::Slot;
use super::passes::{Sequence, R};
use super::state::StateLayout;
use crate::isa::{c_sel, route, x_sel};

impl Sequence<'_> {
    /// Brings a session vector of `layer` from memory into `prev`, if the state lies there.
    ///
    /// It is placed where vec would wait for a matrix, long before the mix that reads it.
    fn load(&mut self, layer: usize, at: impl Fn(&StateLayout, usize) -> usize, prev: Slot, tap: &str) -> R {
        let Some(state) = self.state else { return Ok(()) };
        for slot in 0..self.slots {
            let only = self.only(slot);
            let mut info = OpInfo { layer, only, ..self.value(tap, prev.len) };
            if let Some(values) = &mut info.values {
                values.layer = layer;
            }
            let out = Out::Vmem(prev);
            let op = VecOp { len: prev.len, x: x_sel::ZERO, c: c_sel::SESSION, out, only, ..Default::default() };
            self.e.vec(op, Some((at(&state, layer), state.vector)), info)?;
        }
        Ok(())
    }

    /// Returns `slot` where there are several, none where an instruction is for the only one.
    pub(super) fn only(&self, slot: usize) -> Option<usize> {
        (self.slots > 1).then_some(slot)
    }

    /// Loads `att_x_prev` of `layer`; behind the last layer there is nothing to load.
    pub(super) fn load_att_prev(&mut self, layer: usize) -> R {
        match self.v.att_prev.get(layer) {
            Some(&prev) => self.load(layer, StateLayout::att_x_prev, prev, "att.x_prev"),
            None => Ok(()),
        }
    }

    /// Loads `ffn_x_prev` of the present layer.
    pub(super) fn load_ffn_prev(&mut self) -> R {
        let (layer, prev) = (self.layer, self.v.ffn_prev[self.layer]);
        self.load(layer, StateLayout::ffn_x_prev, prev, "ffn.x_prev")
    }

    /// Keeps `h` for the next token's mix, in `prev` or in memory. With several slots `last_h` has handed it on before.
    pub(super) fn keep(&mut self, h: Slot, prev: Slot, tap: &str) -> R {
        let from = if self.slots > 1 { self.v.rk } else { h };
        if self.state.is_none() && self.slots > 1 {
            return self.copy(from, prev, route::HOME, tap, None);
        }
        let out = if self.state.is_some() { Out::Store } else { Out::Vmem(prev) };
        for slot in 0..self.slots {
            let only = self.only(slot);
            let info = OpInfo { only, ..self.value(tap, h.len) };
            self.e.vec(VecOp { a: Some(from), len: h.len, out, only, ..Default::default() }, None, info)?;
        }
        Ok(())
    }
}
