//! What became of a network as a whole: floating point and integers over a text, side by side.

use crate::checkpoint::weights::Weights;
use crate::fast::{self, Conversation};
use crate::network::model::{ModelError, QModel};
use crate::network::session::{FloatSession, TokenError};
use crate::text::eval::{evaluate, EvalError};
use records::model::Check;
use std::sync::Arc;

/// Tokens of a text that are compared, at most.
pub const CHECKED_TOKENS: usize = 512;

/// Why float and integers cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("the calibration text: {0}")]
    Text(#[from] EvalError<TokenError, TokenError>),
}

/// Compares `model` with `weights`, which it was made from, over the first [`CHECKED_TOKENS`] of `tokens`. `progress` is called after
/// each prediction with their number. Returns nothing for a text of one token, which predicts none.
///
/// # Errors
/// A model that the fast step refuses, or a token outside the vocabulary.
pub fn check(
    weights: &Weights,
    model: &QModel,
    tokens: &[u32],
    progress: impl FnMut(usize),
) -> Result<Option<Check>, CheckError> {
    let tokens = &tokens[..tokens.len().min(CHECKED_TOKENS)];
    if tokens.len() < 2 {
        return Ok(None);
    }
    let mut golden = Conversation::new(&Arc::new(fast::from_model(model)?), fast::default_threads());
    let mut float = FloatSession::new(weights);
    let found = evaluate(&mut golden, Some(&mut float), tokens, |_| None, progress)?;
    Ok(found.against.map(|a| Check {
        tokens: found.n_tokens,
        float_bits_per_token: found.bits_per_token - a.loss_bits_per_token,
        golden_bits_per_token: found.bits_per_token,
        loss_bits_per_token: a.loss_bits_per_token,
        loss_bits_per_token_se: a.loss_bits_per_token_se,
        top1_agreement: a.top1_agreement,
        kl: a.kl,
        kl_se: a.kl_se,
    }))
}
