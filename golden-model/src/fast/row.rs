//! The values of one row of a block: one token of one session on its way through the network.

use super::operand::Operand;
use super::weights::{StreamMatrix, Weights};
use super::wkv::WkvRow;
use crate::arithmetic::vector_ops::SaturationCounts;
use crate::checkpoint::names::RANK_S;
use crate::network::clusters::QClusters;
use crate::network::tensors::Matrix;
use std::sync::atomic::AtomicU64;

/// All values of one row, allocated once.
#[derive(Debug, Default)]
pub struct Row {
    pub x: Vec<i32>,    // (n_embd) f_x
    pub h: Vec<i32>,    // (n_embd) a norm's result
    pub prev: Vec<i32>, // (n_embd) that of the token before
    pub mixed: Vec<i32>,
    pub xr: Operand,
    pub xw: Operand,
    pub xk: Operand, // of both mixes
    pub xv: Operand,
    pub xa: Operand,
    pub xg: Operand,
    pub k: Vec<i32>,
    pub v: Vec<i32>,
    pub v_first: Vec<i32>,
    pub r: Vec<i32>,
    pub w1: Vec<i32>, // (rank_w), then a1 v1 g1
    pub a1: Vec<i32>,
    pub v1: Vec<i32>,
    pub g1: Vec<i32>,
    pub tw: Operand,
    pub a1q: Operand,
    pub v1q: Operand,
    pub sg: Operand,
    pub d: Vec<i32>,    // w2, then 1 − w
    pub a: Vec<i32>,    // a2, then a, then t
    pub gate: Vec<i32>, // v2, then the gate
    pub g: Vec<i32>,
    pub kk: Vec<i32>,
    pub km: Vec<i32>,
    pub t1: Vec<i32>, // passing values
    pub wkv: WkvRow,
    pub y: Vec<i32>,
    pub yg: Operand,
    pub out: Vec<i32>,
    pub fk: Vec<i32>, // (dim_ffn)
    pub r2: Operand,  // (dim_ffn) with DeepEmbed its product with the gate
    pub deep: DeepRow,
    pub head: Operand,
    /// (vocab_size), only in rows that were asked for logits
    pub logits: Vec<i32>,
    pub branch: BranchRow,
    pub clusters: ClusterRow,
    pub sat: SaturationCounts,
    pub mat_clipped: AtomicU64,
    pub wkv_clipped: AtomicU64,
}

impl Row {
    /// Makes room for a token of this network.
    pub fn new(model: &Weights) -> Self {
        let s = &model.shape;
        let (d, n) = (|| vec![0; s.n_embd], |n: usize| vec![0; n]);
        let o = |n: usize| Operand::with_bits(n, model.f.operand_bits);
        Self {
            x: d(),
            h: d(),
            prev: d(),
            mixed: d(),
            xr: o(s.n_embd),
            xw: o(s.n_embd),
            xk: o(s.n_embd),
            xv: o(s.n_embd),
            xa: o(s.n_embd),
            xg: o(s.n_embd),
            k: d(),
            v: d(),
            v_first: d(),
            r: d(),
            w1: n(s.rank_w),
            a1: n(s.rank_a),
            v1: n(s.rank_v),
            g1: n(s.rank_g),
            tw: o(s.rank_w),
            a1q: o(s.rank_a),
            v1q: o(s.rank_v),
            sg: o(s.rank_g),
            d: d(),
            a: d(),
            gate: d(),
            g: d(),
            kk: d(),
            km: d(),
            t1: d(),
            wkv: WkvRow::new(s.n_embd),
            y: d(),
            yg: o(s.n_embd),
            out: d(),
            fk: n(s.dim_ffn),
            r2: o(s.dim_ffn),
            deep: DeepRow::new(model),
            head: o(s.n_embd),
            branch: BranchRow::new(model),
            clusters: ClusterRow::new(model),
            ..Self::default()
        }
    }

    /// Adds to `to` what was clipped in this row since the last call.
    pub fn count(&mut self, to: &mut SaturationCounts) {
        to.vec.0 += std::mem::take(&mut self.sat.vec.0);
        to.mat.0 += std::mem::take(self.mat_clipped.get_mut());
        to.wkv.0 += std::mem::take(self.wkv_clipped.get_mut());
    }
}

/// What one row needs for the largest branch of its model.
#[derive(Debug, Default)]
pub struct BranchRow {
    pub t: Vec<i32>, // (rank), zeros after it
    pub tq: Operand,
    pub u: Vec<i32>, // (rows)
}

impl BranchRow {
    pub fn new(model: &Weights) -> Self {
        let all = || model.layers.iter().flat_map(|l| l.branches.values()).chain(&model.head_branch);
        let largest = |of: fn(&StreamMatrix) -> usize| all().map(|b| of(&b.u)).max().unwrap_or(0);
        let (rank, rows) = (largest(StreamMatrix::cols), largest(StreamMatrix::rows));
        Self { t: vec![0; rank], tq: Operand::with_bits(rank, model.f.operand_bits), u: vec![0; rows] }
    }
}

/// What one row needs for a head in clusters.
#[derive(Debug, Default)]
pub struct ClusterRow {
    pub centroids: Vec<i32>, // (clusters)
    pub rows: Vec<i32>,      // (size)
}

impl ClusterRow {
    pub fn new(model: &Weights) -> Self {
        let n = |f: fn(&QClusters<StreamMatrix>) -> u32| model.clusters.as_ref().map_or(0, |c| f(c) as usize);
        Self { centroids: vec![0; n(|c| c.form.clusters)], rows: vec![0; n(|c| c.form.size)] }
    }
}

/// What one row needs for DeepEmbed; empty in a model without it.
#[derive(Debug, Default)]
pub struct DeepRow {
    pub h: Operand,     // (n_embd)
    pub s1: Vec<i32>,   // (32)
    pub s1q: Operand,   // (32)
    pub ss: Vec<i32>,   // (32)
    pub ssq: Operand,   // (32)
    pub gate: Vec<i32>, // (dim_ffn) s2, then the gate
}

impl DeepRow {
    pub fn new(model: &Weights) -> Self {
        let s = &model.shape;
        if !s.deep_embed {
            return Self::default();
        }
        let operand = |n: usize| Operand::with_bits(n, model.f.operand_bits);
        Self {
            h: operand(s.n_embd),
            s1: vec![0; RANK_S],
            s1q: operand(RANK_S),
            ss: vec![0; RANK_S],
            ssq: operand(RANK_S),
            gate: vec![0; s.dim_ffn],
        }
    }
}
