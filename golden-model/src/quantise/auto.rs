//! A format for each matrix, chosen by [`super::search`] within a budget of bytes.

use super::gptq::Hessians;
use super::options::QuantOptions;
use super::search::{candidates, least_bits, pick, Matrix, Picks, Space};
use crate::checkpoint::weights::Weights;
use crate::checkpoint::{Checkpoint, CheckpointError};

/// What was tried and picked.
pub type Chosen = records::model::Search<Vec<Matrix>, Picks>;

/// Why no formats were chosen.
#[derive(Debug, thiserror::Error)]
pub enum AutoError {
    #[error(
        "--budget {asked}: the smallest formats take {least:.2} bits a weight with their scales, expected that or more"
    )]
    Budget { asked: f64, least: f64 },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// An automatic choice: from `space`, with at most `bits` a weight in the mean, scales and branches included.
#[derive(Clone, Debug, PartialEq)]
pub struct Auto {
    pub bits: f64,
    pub space: Space,
}

impl Auto {
    /// Matrices whose format is chosen: those with known operands and no format of their own in `options`.
    pub fn n_matrices(&self, operands: &Hessians, options: &QuantOptions) -> usize {
        operands.names().filter(|n| !options.tensors.contains_key(*n)).count()
    }

    /// Chooses a format for every matrix and puts it into `options`. `exact`, the weights of `checkpoint`, are the same afterwards;
    /// `progress` is called after each matrix.
    ///
    /// # Errors
    /// A budget below the smallest formats, or a tensor that cannot be read.
    pub fn choose(
        &self,
        checkpoint: &Checkpoint,
        exact: &mut Weights,
        (operands, tokens): (&Hessians, &[u32]),
        options: &mut QuantOptions,
        progress: impl FnMut(usize),
    ) -> Result<Chosen, AutoError> {
        // the rank that was asked for is that of candidates, not of every matrix
        options.branch = 0;
        let least = least_bits(checkpoint.shape(), operands, options, &self.space);
        if self.bits < least {
            return Err(AutoError::Budget { asked: self.bits, least: (least * 100.0).ceil() / 100.0 });
        }
        let matrices = candidates(checkpoint, exact, (operands, tokens), options, &self.space, progress)?;
        let weights: u64 = matrices.iter().map(|m| m.weights).sum();
        let budget_bytes = (weights as f64 * self.bits / 8.0) as u64;
        let picks = pick(&matrices, budget_bytes);
        for (m, p) in matrices.iter().zip(&picks.picked) {
            options.tensors.insert(m.tensor.clone(), m.candidates[*p].format);
        }
        Ok(Chosen { budget_bytes, matrices, picks })
    }
}
