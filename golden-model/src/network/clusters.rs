//! An output layer of two levels: the head's rows lie in clusters of equal size, and a token reads only the clusters that look most likely.
//!
//! A row of the centroids stands for a cluster. The centroids' logits are computed as any matrix; the `visit` clusters with the largest are
//! visited, and the logits of their tokens are exactly those of the full head. A token of any other cluster gets the logit of its
//! cluster's centroid, but at least one step less than the largest exact one: only a token whose logit was computed can be the most likely.
//! Sizes and numbers are fixed, so that a token reads the same bytes whatever the text.
#![deny(clippy::float_arithmetic)]

use crate::arithmetic::tensor::QMatrix;
use crate::network::tensors::TensorSource;
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

    /// Returns how many rows the head has.
    pub fn rows(&self) -> usize {
        (self.clusters as usize).saturating_mul(self.size as usize)
    }

    /// Returns the rows of the head that belong to cluster `c`.
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
    /// Makes the clusters of `form` with tensors from `s`.
    ///
    /// # Errors
    /// If `s` cannot give a tensor.
    pub fn build<S: TensorSource<Matrix = M>>(form: ClusterForm, s: &mut S) -> Result<Self, S::Error> {
        Ok(Self { form, order: s.order("head.order")?, centroids: s.matrix("head.centroids")? })
    }
}

/// Returns the `visit` clusters with the largest logits, the largest first; of equal ones the first.
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
    /// Begins with `logits` `(vocab_size)`, which are all overwritten in the end.
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

    /// Gives all other tokens a logit, from those of the centroids; `picked` are the clusters that were visited.
    pub fn rest(self, centroids: &[i32], picked: &[usize]) {
        for (c, logit) in centroids.iter().enumerate().filter(|(c, _)| !picked.contains(c)) {
            let guess = (*logit).min(self.best.saturating_sub(1));
            for token in self.order[self.form.rows_of(c)].iter().filter(|t| **t != NO_TOKEN) {
                self.logits[*token as usize] = guess;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// No cluster left out has a larger logit than one picked, and of equal ones the first are picked.
        #[test]
        fn the_largest_are_picked(centroids in prop::collection::vec(-4i32..4, 1..40), visit in 1usize..50) {
            let got = picked(&centroids, visit);
            prop_assert_eq!(got.len(), visit.min(centroids.len()));
            let key = |c: usize| (-centroids[c], c);
            prop_assert!(got.windows(2).all(|w| key(w[0]) < key(w[1])));
            for c in (0..centroids.len()).filter(|c| !got.contains(c)) {
                prop_assert!(got.iter().all(|p| key(*p) < key(c)));
            }
        }

        /// Every token of a vocabulary gets a logit: its own where it was visited, its cluster's or less elsewhere, and the largest is a visited one.
        #[test]
        fn every_token_has_a_logit(
            vocab in 1usize..150, clusters in 1usize..6, visit in 1usize..6, seed: u32,
            exact in prop::collection::vec(-(1i32 << 26)..1 << 26, 192), centroids in prop::collection::vec(-(1i32 << 26)..1 << 26, 6)
        ) {
            let form = ClusterForm::new(vocab, clusters, visit);
            let mut order: Vec<u32> = (0..vocab as u32).collect();
            order.sort_by_key(|t| t.wrapping_mul(seed | 1));
            order.resize(form.rows(), NO_TOKEN);
            let centroids = &centroids[..form.clusters as usize];
            let all = QClusters { form, centroids: (), order };
            let picked = picked(centroids, form.visit as usize);
            let mut logits = vec![i32::MAX; vocab];
            let mut gathered = Gathered::new(&all, &mut logits);
            picked.iter().for_each(|c| gathered.visited(*c, &exact[form.rows_of(*c)]));
            gathered.rest(centroids, &picked);
            let best = picked.iter().flat_map(|c| form.rows_of(*c)).filter(|r| all.order[*r] != NO_TOKEN).map(|r| exact[r]).max();
            let best = best.expect("every cluster has a token");
            for (row, token) in all.order.iter().enumerate().filter(|(_, t)| **t != NO_TOKEN) {
                let c = row / form.size as usize;
                let want = if picked.contains(&c) { exact[row] } else { centroids[c].min(best - 1) };
                prop_assert_eq!(logits[*token as usize], want);
            }
            prop_assert_eq!(logits.iter().max(), Some(&best));
        }
    }

    #[test]
    fn clusters_cover_the_vocabulary() {
        for (vocab, clusters, want) in
            [(256, 8, (8, 32)), (256, 7, (4, 64)), (50, 100, (2, 32)), (65536, 512, (512, 128)), (1, 1, (1, 32))]
        {
            let form = ClusterForm::new(vocab, clusters, 1000);
            assert_eq!((form.clusters, form.size), want, "{vocab} in {clusters}");
            assert!(form.rows() >= vocab && form.rows() - vocab < form.size as usize && form.visit <= form.clusters);
        }
    }
}
