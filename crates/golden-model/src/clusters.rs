//! An output layer of two levels: the head's rows lie in clusters of equal size, and a token reads only the clusters that look most likely.
//!
//! A row of the centroids stands for a cluster. The centroids' logits are computed as any matrix; the `visit` clusters with the largest are
//! visited, and the logits of their tokens are exactly those of the full head. A token of any other cluster gets the logit of its
//! cluster's centroid, but at least one step less than the largest exact one: only a token whose logit was computed can be the most likely.
//! Sizes and numbers are fixed, so that a token reads the same bytes whatever the text.
#![deny(clippy::float_arithmetic)]

use crate::fixed::Saturations;
use crate::qmodel::{QModel, TensorSource};
use crate::qtensor::QMatrix;
use crate::vector_ops::{matvec, matvec_rows, Operand};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Cluster sizes are multiples of this: the rows that share a unit of scales in the stream.
pub const ROWS: usize = 32;
/// A row of the head that belongs to no token.
pub const NO_TOKEN: u32 = u32::MAX;

/// How a head is cut into clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterForm {
    pub clusters: u32,
    /// Rows of a cluster, a multiple of [`ROWS`].
    pub size: u32,
    /// Clusters a token reads.
    pub visit: u32,
}

impl ClusterForm {
    /// `clusters` clusters, or a few less, of the same size for `vocab_size` tokens, of which `visit` are read.
    pub fn new(vocab_size: usize, clusters: usize, visit: usize) -> Self {
        let size = vocab_size.div_ceil(clusters.max(1)).next_multiple_of(ROWS);
        let clusters = vocab_size.div_ceil(size);
        Self { clusters: clusters as u32, size: size as u32, visit: visit.clamp(1, clusters.max(1)) as u32 }
    }

    /// Rows of the head.
    pub fn rows(&self) -> usize {
        (self.clusters as usize).saturating_mul(self.size as usize)
    }

    /// Rows of cluster `c`.
    pub fn rows_of(&self, c: usize) -> Range<usize> {
        let size = self.size as usize;
        c * size..(c + 1) * size
    }
}

/// What a clustered head has besides its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QClusters<M = QMatrix> {
    pub form: ClusterForm,
    pub centroids: M, // (clusters, n_embd)
    /// token of each row of the head, [`NO_TOKEN`] for a row of padding
    pub order: Vec<u32>,
}

impl<M> QClusters<M> {
    /// With its tensors from `s`.
    pub fn build<S: TensorSource<Matrix = M>>(form: ClusterForm, s: &mut S) -> Result<Self, S::Error> {
        Ok(Self { form, order: s.order("head.order")?, centroids: s.matrix("head.centroids")? })
    }
}

/// The `visit` clusters with the largest logits, in that order; the first of equal ones.
pub fn picked(centroids: &[i32], visit: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..centroids.len()).collect();
    all.sort_by_key(|c| (std::cmp::Reverse(centroids[*c]), *c));
    all.truncate(visit);
    all
}

/// Collects the logits of a token, cluster by cluster.
#[derive(Debug)]
pub struct Gathered<'a> {
    order: &'a [u32],
    form: ClusterForm,
    logits: &'a mut [i32],
    best: i32,
}

impl<'a> Gathered<'a> {
    /// `logits` are those of the whole vocabulary.
    pub fn new<M>(clusters: &'a QClusters<M>, logits: &'a mut [i32]) -> Self {
        Self { order: &clusters.order, form: clusters.form, logits, best: i32::MIN }
    }

    /// Takes the exact logits of the rows of cluster `c`.
    pub fn visited(&mut self, c: usize, exact: &[i32]) {
        for (token, logit) in self.order[self.form.rows_of(c)].iter().zip(exact) {
            if *token != NO_TOKEN {
                self.logits[*token as usize] = *logit;
                self.best = self.best.max(*logit);
            }
        }
    }

    /// All other tokens, from the centroids' logits; `picked` are the clusters that were visited.
    pub fn rest(self, centroids: &[i32], picked: &[usize]) {
        for (c, logit) in centroids.iter().enumerate().filter(|(c, _)| !picked.contains(c)) {
            let guess = (*logit).min(self.best.saturating_sub(1));
            for token in self.order[self.form.rows_of(c)].iter().filter(|t| **t != NO_TOKEN) {
                self.logits[*token as usize] = guess;
            }
        }
    }
}

/// Logits (vocab_size, frac f_logits) of a model with a clustered head for the operand `h`.
pub fn logits(model: &QModel, clusters: &QClusters, h: &Operand, count: &mut Saturations) -> Vec<i32> {
    let shift = |w: &QMatrix| model.f.f_ho + w.frac - model.f.f_logits;
    let of_centroids = matvec(&clusters.centroids, h, shift(&clusters.centroids), count);
    let picked = picked(&of_centroids, clusters.form.visit as usize);
    let mut logits = vec![0; model.shape.vocab_size];
    let mut gathered = Gathered::new(clusters, &mut logits);
    for c in &picked {
        let rows = clusters.form.rows_of(*c);
        gathered.visited(*c, &matvec_rows(&model.head, rows, h, shift(&model.head), count));
    }
    gathered.rest(&of_centroids, &picked);
    logits
}
