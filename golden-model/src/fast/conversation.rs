//! A network and one state, behind the interface that all steps share.

use super::{Runner, Session, Weights};
use crate::network::session::{self, TokenError};
use std::sync::Arc;

/// The fast integer step as a [`session::Session`].
pub struct Conversation {
    runner: Runner,
    session: Session,
}

impl Conversation {
    /// Begins with an empty state, on `threads` threads.
    pub fn new(weights: &Arc<Weights>, threads: usize) -> Self {
        let runner = Runner::new(weights.clone(), threads);
        Self { session: runner.session(), runner }
    }
}

impl session::Session for Conversation {
    type Error = TokenError;

    fn vocab_size(&self) -> usize {
        self.runner.weights().shape.vocab_size
    }

    fn step(&mut self, token: u32) -> Result<Vec<f64>, TokenError> {
        self.prefill(&[token])
    }

    fn prefill(&mut self, tokens: &[u32]) -> Result<Vec<f64>, TokenError> {
        let one = 2f64.powi(-self.runner.weights().f.f_logits);
        let logits = self.runner.prefill(&mut self.session, tokens)?;
        Ok(logits.iter().map(|v| f64::from(*v) * one).collect())
    }
}
