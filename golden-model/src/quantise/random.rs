//! Networks of any shape with random weights, in integers.

use crate::checkpoint::random::{write_random, RandomError};
use crate::checkpoint::weights::Weights;
use crate::checkpoint::{Checkpoint, CheckpointError, Dtype, Shape};
use crate::network::model::QModel;
use crate::quantise::calibrate::{calibrate, random_tokens};
use crate::quantise::options::QuantOptions;
use crate::quantise::{quantise, QuantiseError};
use std::io;

/// Why there is no random network in integers.
#[derive(Debug, thiserror::Error)]
pub enum RandomModelError {
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error("a temporary folder for the checkpoint: {0}")]
    Folder(io::Error),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Quantise(#[from] QuantiseError),
}

/// Returns a network of `shape` with the weights of [`write_random`] in 32 bits, calibrated on 32 random tokens and quantised: for whatever runs
/// integers and must serve any shape. The same arguments give the same network everywhere.
///
/// # Errors
/// Fails where [`write_random`], [`Checkpoint::open`] or [`quantise`] does, or if there is no room for a temporary file.
pub fn random_model(shape: &Shape, options: &QuantOptions, seed: u64) -> Result<QModel, RandomModelError> {
    let folder = tempfile::tempdir().map_err(RandomModelError::Folder)?;
    let path = folder.path().join("random.safetensors");
    write_random(&path, shape, Dtype::F32, seed)?;
    let checkpoint = Checkpoint::open(&path)?;
    let ranges = calibrate(&Weights::read(&checkpoint)?, &random_tokens(shape.vocab_size, 32), |_| ());
    Ok(quantise(&checkpoint, &ranges, options)?.model)
}
