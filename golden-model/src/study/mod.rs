//! The precision study: what each width of weights, operands and state costs against floating point, and where.
//!
//! | module | question |
//! |---|---|
//! | [`accuracy`] | the study as a whole, and its record |
//! | [`grid`] | how much worse does a network of these widths predict? |
//! | [`taps`] | do activations fit their formats, and at which tap is precision lost? |
//! | [`tensors`] | do the weights? |
//! | [`drift`] | does the error grow with the position in the text? |
//! | [`score`], [`spread`], [`tap_formats`] | the measures they share |
//!
//! Everything is compared with [`crate::network::float_step`] over the same tokens. Grid and drift run on [`crate::fast`], which computes the
//! same bits as the specification; taps come from the specification itself. `docs/accuracy.md` says what each figure means.

pub mod accuracy;
pub mod drift;
pub mod grid;
pub mod score;
pub mod spread;
pub mod tap_formats;
pub mod taps;
pub mod tensors;

use crate::checkpoint::weights::Weights;
use crate::checkpoint::Checkpoint;
use crate::fast;
use crate::network::float_step::{no_tap, step, FloatState};
use crate::network::model::{ModelError, QModel};
use crate::network::recipe::Rounding;
use crate::quantise::calibrate::Ranges;
use crate::quantise::gptq::{Hessians, TooLarge};
use crate::quantise::options::QuantOptions;
use crate::quantise::{quantise_with, QuantiseError, Quantised};

/// Why a study cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    #[error(transparent)]
    Quantise(#[from] QuantiseError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Calibration(#[from] TooLarge),
    #[error(transparent)]
    Record(#[from] records::RecordError),
    #[error("{found} tokens, expected at least {expected}")]
    TooShort { found: usize, expected: usize },
    #[error("token {token}, expected one below the vocabulary's {vocab_size}")]
    Token { token: u32, vocab_size: usize },
    #[error(
        "the logits of {n_tokens} tokens take {mebibytes} MiB, expected at most {} MiB: study fewer tokens", LOGITS_BYTES >> 20
    )]
    TooLarge { n_tokens: usize, mebibytes: usize },
}

/// Memory for the floating-point network's logits.
const LOGITS_BYTES: usize = 1 << 30;

/// A network in floating point and what is needed to quantise it in any way.
pub struct Source<'a> {
    pub checkpoint: &'a Checkpoint,
    pub weights: &'a Weights,
    pub ranges: &'a Ranges,
    /// For [`crate::network::recipe::Rounding::Gptq`].
    pub operands: Option<&'a Hessians>,
}

impl Source<'_> {
    pub fn quantise(&self, options: &QuantOptions) -> Result<Quantised, StudyError> {
        // with operands the quantiser also measures every matrix' output: only where they are needed
        let operands = self.operands.filter(|_| options.round == Rounding::Gptq);
        Ok(quantise_with(self.checkpoint, self.ranges, operands, options)?)
    }

    /// The quantised network for the fast step.
    pub fn fast(&self, options: &QuantOptions) -> Result<fast::Weights, StudyError> {
        let model: QModel = self.quantise(options)?.model;
        Ok(fast::from_model(&model)?)
    }

    /// Fails unless there are at least `expected` tokens, all of the vocabulary.
    pub fn check(&self, tokens: &[u32], expected: usize) -> Result<(), StudyError> {
        let vocab_size = self.weights.shape.vocab_size;
        if tokens.len() < expected {
            return Err(StudyError::TooShort { found: tokens.len(), expected });
        }
        match tokens.iter().find(|t| **t as usize >= vocab_size) {
            Some(token) => Err(StudyError::Token { token: *token, vocab_size }),
            None => Ok(()),
        }
    }
}

/// Receives how many more tokens have gone through a network; it is called from several threads.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// Logits `(tokens, vocab_size)` of the floating-point network over a text.
pub struct Reference {
    vocab_size: usize,
    logits: Vec<f32>,
}

/// Most tokens whose logits are kept for a vocabulary.
pub fn reference_limit(vocab_size: usize) -> usize {
    LOGITS_BYTES / 4 / vocab_size.max(1)
}

impl Reference {
    /// Feeds `tokens`, all of the vocabulary, from an empty state.
    ///
    /// # Errors
    /// If the logits take more memory than a study may.
    pub fn new(weights: &Weights, tokens: &[u32], progress: Progress<'_>) -> Result<Self, StudyError> {
        let mut reference = Self::with_room(weights.shape.vocab_size, tokens.len())?;
        let mut state = FloatState::new(&weights.shape);
        for token in tokens {
            reference.logits.extend(step(weights, *token, &mut state, &mut no_tap));
            progress(1);
        }
        Ok(reference)
    }

    /// No logits yet, but memory for those of `n_tokens` tokens.
    fn with_room(vocab_size: usize, n_tokens: usize) -> Result<Self, StudyError> {
        if n_tokens > reference_limit(vocab_size) {
            return Err(StudyError::TooLarge { n_tokens, mebibytes: (n_tokens * vocab_size) >> 18 });
        }
        Ok(Self { vocab_size, logits: Vec::with_capacity(n_tokens * vocab_size) })
    }

    /// Returns the logits `(vocab_size)` after token `i`.
    pub fn logits(&self, i: usize) -> &[f32] {
        &self.logits[i * self.vocab_size..][..self.vocab_size]
    }
}
