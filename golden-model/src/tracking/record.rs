//! Floats and integers side by side on one task, as the record of `anser report tracking`.

use super::accuracy::{measure, Point};
use super::task::{Task, TaskError};
use crate::arithmetic::tensor::WeightBits;
use crate::checkpoint::weights::Weights;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::fast::{self, Conversation};
use crate::network::model::ModelError;
use crate::network::session::{FloatSession, TokenError};
use crate::quantise::calibrate::calibrate;
use crate::quantise::options::QuantOptions;
use crate::quantise::{quantise, QuantiseError};
use records::shared::Origin;
use records::tracking::{Tracked, TrackingRecord};
use std::sync::Arc;

/// Calibration: elements of one sequence that no test draws.
const CALIBRATION_ELEMENTS: usize = 64;
const CALIBRATION_SEED: u64 = u64::MAX;

/// Why a comparison cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    #[error("{model}: does not say for which group it was trained, expected --group")]
    NoGroup { model: String },
    #[error("{model}: {source}")]
    Task { model: String, source: TaskError },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Quantise(#[from] QuantiseError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// A comparison that can be run: the network in floating point and in every combination of weights and widths of the state.
pub struct Comparison<'a> {
    /// What the record calls the network.
    pub model: String,
    pub checkpoint: &'a Checkpoint,
    pub task: Task,
    /// Numbers of elements after which accuracy is told, the smallest first.
    pub lengths: Vec<usize>,
    /// Random sequences of the greatest length.
    pub sequences: u64,
    pub seed: u64,
    /// Widths of the matrices, by the names that the record gives them.
    pub weights: Vec<(&'static str, WeightBits)>,
    /// Widths of a state element, the widest first.
    pub state_bits: Vec<u32>,
}

/// The task that `checkpoint`, called `model`, was trained for, unless `group` or `ticks` say otherwise.
///
/// # Errors
/// A checkpoint that names no group, or a group that its vocabulary does not fit.
pub fn task_of(
    checkpoint: &Checkpoint,
    model: &str,
    group: Option<&str>,
    ticks: Option<u32>,
) -> Result<Task, TrackingError> {
    let about = checkpoint.metadata();
    let group = group.or(about.get("group").map(String::as_str));
    let group = group.ok_or_else(|| TrackingError::NoGroup { model: model.into() })?;
    let ticks = ticks.or(about.get("ticks").and_then(|n| n.parse().ok())).unwrap_or(1);
    let task = Task::new(group, ticks as usize, checkpoint.shape().vocab_size);
    task.map_err(|source| TrackingError::Task { model: model.into(), source })
}

impl Comparison<'_> {
    /// Elements that all networks together read.
    pub fn total(&self) -> u64 {
        let networks = 1 + self.weights.len() * self.state_bits.len();
        networks as u64 * self.sequences * self.lengths.last().map_or(0, |l| *l as u64)
    }

    /// Runs every network over the same sequences on all cores; `progress` is called with the elements that were read.
    ///
    /// # Errors
    /// A checkpoint that cannot be read or quantised.
    pub fn run(&self, origin: Origin, progress: impl Fn(usize) + Sync) -> Result<TrackingRecord, TrackingError> {
        let weights = Weights::read(self.checkpoint)?;
        let (lengths, sequences, seed) = (&self.lengths, self.sequences, self.seed);
        let float = measure(&self.task, || FloatSession::new(&weights), lengths, sequences, seed, &progress)?;
        let mut results = vec![tracked("float", None, &float, sequences)];
        let tokens = self.task.tokens(CALIBRATION_SEED, 0, CALIBRATION_ELEMENTS);
        let ranges = calibrate(&weights, &tokens, |_| ());
        for (name, bits) in &self.weights {
            for state_bits in &self.state_bits {
                let (bits, head) = (*bits, Some(*bits));
                let options = QuantOptions { bits, head, state_bits: *state_bits, ..QuantOptions::default() };
                let model = Arc::new(fast::from_model(&quantise(self.checkpoint, &ranges, &options)?.model)?);
                let session = || Conversation::new(&model, 1);
                let points = measure(&self.task, session, lengths, sequences, seed, &progress)?;
                results.push(tracked(name, Some(*state_bits), &points, sequences));
            }
        }
        let trained = self.checkpoint.metadata().get("length").and_then(|n| n.parse::<u32>().ok());
        Ok(TrackingRecord {
            schema_version: TrackingRecord::SCHEMA_VERSION,
            model: self.model.clone(),
            n_params: self.checkpoint.shape().n_params(),
            group: self.task.group.name().into(),
            order: self.task.group.order() as u64,
            ticks: self.task.ticks as u64,
            trained_length: trained.map(u64::from),
            lengths: lengths.iter().map(|l| *l as u64).collect(),
            sequences,
            seed,
            parts: TrackingRecord::partings(&results),
            results,
            command: origin.command,
            date: origin.date,
            git_revision: origin.git_revision,
        })
    }
}

fn tracked(weights: &str, state_bits: Option<u32>, points: &[Point], sequences: u64) -> Tracked {
    let share = |n: u64| n as f64 / sequences.max(1) as f64;
    Tracked {
        weights: weights.into(),
        state_bits,
        accuracy: points.iter().map(Point::accuracy).collect(),
        at_the_end: points.iter().map(|p| share(p.right_at_the_end)).collect(),
        throughout: points.iter().map(|p| share(p.right_throughout)).collect(),
    }
}
