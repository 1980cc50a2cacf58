//! One conversation with a network: token in, logits out. The float step and the integer step behind one interface.

use crate::arithmetic::vector_ops::SaturationCounts;
use crate::checkpoint::weights::Weights;
use crate::network::float_step::{self, FloatState};
use crate::network::integer_step::{self, IntState, NoTaps};
use crate::network::model::QModel;

/// A network with its state.
pub trait Session {
    type Error: std::error::Error;
    /// Tokens are below this.
    fn vocab_size(&self) -> usize;
    /// Feeds `token`; gives the logits of the next one. `f64` holds integer logits exactly, so that comparing them never invents a tie.
    fn step(&mut self, token: u32) -> Result<Vec<f64>, Self::Error>;
    /// Feeds `tokens` in order; gives the logits after the last, none if there are no tokens.
    fn prefill(&mut self, tokens: &[u32]) -> Result<Vec<f64>, Self::Error> {
        let mut logits = vec![];
        for token in tokens {
            logits = self.step(*token)?;
        }
        Ok(logits)
    }
}

/// A token the network does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("token {token}, expected one below the vocabulary's {vocab_size}")]
pub struct TokenError {
    pub token: u32,
    pub vocab_size: usize,
}

fn check(token: u32, vocab_size: usize) -> Result<(), TokenError> {
    if (token as usize) < vocab_size {
        return Ok(());
    }
    Err(TokenError { token, vocab_size })
}

/// The network in floating point.
pub struct FloatSession<'a> {
    weights: &'a Weights,
    state: FloatState,
}

impl<'a> FloatSession<'a> {
    pub fn new(weights: &'a Weights) -> Self {
        Self { weights, state: FloatState::new(&weights.shape) }
    }
}

impl Session for FloatSession<'_> {
    type Error = TokenError;

    fn vocab_size(&self) -> usize {
        self.weights.shape.vocab_size
    }

    fn step(&mut self, token: u32) -> Result<Vec<f64>, TokenError> {
        check(token, self.vocab_size())?;
        let logits = float_step::step(self.weights, token, &mut self.state, &mut float_step::no_tap);
        Ok(logits.into_iter().map(f64::from).collect())
    }
}

/// The network in the chip's integers.
pub struct GoldenSession<'a> {
    model: &'a QModel,
    state: IntState,
    /// Results clipped since the start.
    pub saturations: SaturationCounts,
}

impl<'a> GoldenSession<'a> {
    pub fn new(model: &'a QModel) -> Self {
        Self { model, state: IntState::new(model), saturations: SaturationCounts::default() }
    }

    /// The logits as the chip sends them, frac `f_logits`.
    pub fn step_integer(&mut self, token: u32) -> Result<Vec<i32>, TokenError> {
        check(token, self.vocab_size())?;
        Ok(integer_step::step(self.model, token as usize, &mut self.state, &mut self.saturations, &mut NoTaps))
    }
}

impl Session for GoldenSession<'_> {
    type Error = TokenError;

    fn vocab_size(&self) -> usize {
        self.model.shape.vocab_size
    }

    fn step(&mut self, token: u32) -> Result<Vec<f64>, TokenError> {
        let one = 2f64.powi(-self.model.f.f_logits);
        Ok(self.step_integer(token)?.into_iter().map(|v| f64::from(v) * one).collect())
    }
}
