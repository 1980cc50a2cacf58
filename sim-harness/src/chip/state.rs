//! The state of a conversation out of the chip and into it.

use super::{state_base, Chip, ChipError};
use crate::lockstep::Outcome;
use golden_model::network::integer_step::{IntState, LayerState};

/// The elements of `state` in the order in which memory holds them.
pub(super) fn elements(state: &IntState) -> impl Iterator<Item = i32> + '_ {
    state.layers.iter().flat_map(|l| l.att_x_prev.iter().chain(&l.s).chain(&l.ffn_x_prev)).copied()
}

impl Chip<'_> {
    /// Whether states can be read from this chip and written to it.
    ///
    /// # Errors
    /// [`ChipError::StateStays`] if the configuration keeps the state on the chip and has no port to it.
    pub fn can_keep_states(&self) -> Result<(), ChipError> {
        match self.program.state.is_some() || self.config.state_port {
            true => Ok(()),
            false => Err(ChipError::StateStays(self.config.name.clone())),
        }
    }

    /// Reads the state of the session in `slot` from where the chip keeps it. It is compared with the golden model's, and differences are
    /// counted in the totals.
    ///
    /// # Errors
    /// Fails where [`Chip::can_keep_states`] does, and if there is no such slot.
    pub fn read_state(&mut self, slot: usize) -> Result<IntState, ChipError> {
        self.can_keep_states()?;
        let session = self.session_in(slot)?;
        let expected = &self.slots[slot].state;
        if self.program.state.is_none() {
            let mut found = IntState::new(&self.golden);
            let per_layer = expected.layers.first().map_or(0, |l| l.s.len());
            let mut outcome = Outcome::default();
            for (l, (to, want)) in found.layers.iter_mut().zip(&expected.layers).enumerate() {
                let [att, ffn] = self.program.session_vectors[l];
                to.att_x_prev = self.session.read_kept(false, att, want.att_x_prev.len())?;
                to.s = self.session.read_kept(true, l * per_layer, per_layer)?;
                to.ffn_x_prev = self.session.read_kept(false, ffn, want.ffn_x_prev.len())?;
                for (want, got) in
                    [(&want.att_x_prev, &to.att_x_prev), (&want.s, &to.s), (&want.ffn_x_prev, &to.ffn_x_prev)]
                {
                    self.session.compare_kept(slot, want, got, &mut outcome);
                }
            }
            self.totals.outcome.add(outcome);
            return Ok(found);
        }
        if self.fresh[session] {
            // the clear that belongs to its first token has not come yet
            return Ok(IntState::new(&self.golden));
        }
        let base = state_base(&self.program, session);
        let mut outcome = Outcome::default();
        self.session.compare_state(slot, base, elements(&self.slots[slot].state), &mut outcome);
        self.totals.outcome.add(outcome);
        let bytes = self.session.state(base).unwrap_or_default();
        let mut found = bytes.chunks_exact(4).map(|c| i32::from_le_bytes([c[0], c[1], c[2], c[3]]));
        let mut next = |n: usize| found.by_ref().take(n).collect::<Vec<_>>();
        let (d, s) = (self.golden.shape.n_embd, self.golden.shape.n_embd * self.golden.shape.head_size);
        let layer = |_| LayerState { att_x_prev: next(d), s: next(s), ffn_x_prev: next(d) };
        Ok(IntState { layers: (0..self.golden.shape.n_layer).map(layer).collect() })
    }

    /// Puts `state`, one of this model, where the chip keeps that of the session in `slot`, and into the golden model beside it.
    ///
    /// # Errors
    /// Fails where [`Chip::read_state`] does.
    pub fn write_state(&mut self, slot: usize, state: &IntState) -> Result<(), ChipError> {
        self.can_keep_states()?;
        let session = self.session_in(slot)?;
        if self.program.state.is_none() {
            for (l, layer) in state.layers.iter().enumerate() {
                let [att, ffn] = self.program.session_vectors[l];
                self.session.write_kept(false, att, &layer.att_x_prev)?;
                self.session.write_kept(true, l * layer.s.len(), &layer.s)?;
                self.session.write_kept(false, ffn, &layer.ffn_x_prev)?;
            }
            self.slots[slot].state.clone_from(state);
            self.session.trust_slots(1 << slot)?;
            return Ok(());
        }
        let bytes: Vec<u8> = elements(state).flat_map(i32::to_le_bytes).collect();
        self.session.put_state(state_base(&self.program, session), &bytes)?;
        self.slots[slot].state.clone_from(state);
        self.fresh[session] = false;
        Ok(())
    }

    /// The session in `slot`.
    fn session_in(&self, slot: usize) -> Result<usize, ChipError> {
        let sessions = self.slots.len();
        self.current.get(slot).copied().ok_or(ChipError::NoSession { number: slot, sessions })
    }
}
