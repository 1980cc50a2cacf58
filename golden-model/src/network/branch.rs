//! A low-rank branch of 16 bits beside a matrix of 4: `y = sat_27(W x + U (V x))`, after the idea of SVDQuant (Li et al., 2024).
//!
//! W alone is what 4 bits can hold; V `(rank, cols)` and U `(rows, rank)` hold what of its error the outputs would notice most
//! ([`crate::quantise::branch_fit`]). `t = V x` is a vector like any other: 27 bits with `f_t` fraction bits, made an operand for U. `docs/integer-step.md`
//! has it to the bit; [`crate::network::integer_step`] computes it.
#![deny(clippy::float_arithmetic)]

use crate::arithmetic::tensor::QMatrix;
use crate::network::tensors::TensorSource;

/// Names of the parts of a branch within their layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branched {
    /// The matrix it goes with.
    pub weight: &'static str,
    pub v: &'static str,
    pub u: &'static str,
}

/// The matrices of a layer that can have a branch: those that can have 4 bits.
pub const BRANCHED: [Branched; 5] = [
    Branched { weight: "att.key.weight", v: "att.key.branch_v", u: "att.key.branch_u" },
    Branched { weight: "att.value.weight", v: "att.value.branch_v", u: "att.value.branch_u" },
    Branched { weight: "att.receptance.weight", v: "att.receptance.branch_v", u: "att.receptance.branch_u" },
    Branched { weight: "att.output.weight", v: "att.output.branch_v", u: "att.output.branch_u" },
    Branched { weight: "ffn.key.weight", v: "ffn.key.branch_v", u: "ffn.key.branch_u" },
];
/// The branch of the head.
pub const HEAD: Branched = Branched { weight: "head.weight", v: "head.branch_v", u: "head.branch_u" };

/// U and V of one matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QBranch<M = QMatrix> {
    pub names: &'static Branched,
    /// frac of V x
    pub f_t: i32,
    pub v: M, // (rank, cols)
    pub u: M, // (rows, rank)
}

impl<M> QBranch<M> {
    /// The branch with its tensors from `s`; `prefix` is that of the layer.
    pub fn build<S: TensorSource<Matrix = M>>(
        prefix: &str,
        names: &'static Branched,
        f_t: i32,
        s: &mut S,
    ) -> Result<Self, S::Error> {
        let v = s.matrix(&format!("{prefix}{}", names.v))?;
        Ok(Self { names, f_t, v, u: s.matrix(&format!("{prefix}{}", names.u))? })
    }

    /// Names within the layer and matrices, in the order of use and of the image.
    pub fn tensors(&self) -> impl Iterator<Item = (&'static str, &M)> {
        [(self.names.v, &self.v), (self.names.u, &self.u)].into_iter()
    }
}
