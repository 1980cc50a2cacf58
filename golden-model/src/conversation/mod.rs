//! Conversations that outlive a run of the program: a state as a file, and where it comes from.
//!
//! [`Saved`] is what a conversation needs to go on, [`mod@file`] writes and reads it, [`identity`] says what it belongs to, and [`tuned`] reads the
//! initial states that state tuning makes.

pub mod error;
pub mod file;
pub mod identity;
pub mod tuned;

use crate::network::float_step::FloatState;
use crate::network::integer_step::IntState;
use crate::text::generate::Position;

/// The state of a network in either kind of numbers.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    Float(FloatState),
    Integer(IntState),
}

/// What a conversation needs to go on exactly as if it had never been interrupted.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    pub state: State,
    /// The logits after the last token, which the next token is chosen from; empty before the first token.
    pub logits: Vec<f64>,
    /// Tokens read so far.
    pub tokens: u64,
    /// Where the random numbers of the sampling are.
    pub sampling: Position,
}
