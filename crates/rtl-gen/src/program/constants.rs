//! Constants of the norms, as `docs/integer-step.md` defines them.

/// Integer constants of one norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormConstants {
    /// `round(2^inv_shift / n)`.
    pub inv_n: i64,
    pub inv_shift: i64,
    /// `round(√n · 2^q_r)`, and the shift that follows its product with R.
    pub root_n: i64,
    pub root_shift: i64,
    /// eps as (mantissa, shift).
    pub eps: (i64, i64),
    pub rsq_base: i64,
}
