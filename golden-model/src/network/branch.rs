//! A low-rank branch of 16 bits beside a matrix of 4: `y = sat_27(W x + U (V x))`, after the idea of SVDQuant (Li et al., 2024).
//!
//! W alone is what 4 bits can hold; V `(rank, cols)` and U `(rows, rank)` hold what of its error the outputs would notice most
//! ([`crate::quantise::branch_fit`]). `t = V x` is a vector like any other: 27 bits with `f_t` fraction bits, made an operand for U. `docs/integer-step.md`
//! has it to the bit; [`crate::network::integer_step`] computes it.
#![deny(clippy::float_arithmetic)]

use crate::arithmetic::tensor::QMatrix;
use crate::network::tensors::TensorSource;

/// Names of a matrix that can have a branch, of its parts and of its taps, all within their layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branched {
    /// The matrix W, as `att.key.weight`.
    pub weight: &'static str,
    pub v: &'static str,
    pub u: &'static str,
    /// The taps of `W x`, of `V x`, of `V x` as an operand (mantissas, exponent) and of `U (V x)`.
    pub w_tap: &'static str,
    pub t_tap: &'static str,
    pub t_operand: [&'static str; 2],
    pub u_tap: &'static str,
}

macro_rules! branched {
    ($name:literal) => {
        Branched {
            weight: concat!($name, ".weight"),
            v: concat!($name, ".branch_v"),
            u: concat!($name, ".branch_u"),
            w_tap: concat!($name, ".w"),
            t_tap: concat!($name, ".t"),
            t_operand: [concat!("q.", $name, ".t"), concat!("e.", $name, ".t")],
            u_tap: concat!($name, ".u"),
        }
    };
}

pub const ATT_KEY: Branched = branched!("att.key");
pub const ATT_VALUE: Branched = branched!("att.value");
pub const ATT_RECEPTANCE: Branched = branched!("att.receptance");
pub const ATT_OUTPUT: Branched = branched!("att.output");
pub const FFN_KEY: Branched = branched!("ffn.key");
pub const HEAD: Branched = branched!("head");

/// The matrices of a layer that can have a branch: those that can have 4 bits.
pub static BRANCHED: [Branched; 5] = [ATT_KEY, ATT_VALUE, ATT_RECEPTANCE, ATT_OUTPUT, FFN_KEY];

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
