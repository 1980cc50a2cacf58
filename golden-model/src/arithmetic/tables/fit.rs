//! Coefficients of the tables in [`crate::arithmetic::tables`]: the only floating point near them, run once when a table is made.
//!
//! Only `+ - * /` and `sqrt` are used, which IEEE 754 defines to the last bit, so every machine makes the same tables.

/// e^x for |x| ≤ 40, relative error below 1e-13.
fn exp(x: f64) -> f64 {
    let small = x / 256.0;
    let mut sum = 1.0;
    for n in (1..=12).rev() {
        sum = 1.0 + small * sum / f64::from(n);
    }
    for _ in 0..8 {
        sum *= sum; // (e^(x/256))^256
    }
    sum
}

/// 1 / (1 + e^-z).
pub fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + exp(-z))
}

/// The complement of the decay, 1 − w: `1 − exp(−e^(−1/2) · sigmoid(z))`.
pub fn decay(z: f64) -> f64 {
    1.0 - exp(-exp(-0.5) * sigmoid(z))
}

/// Row `[c0, c1, c2]`, each times `2^frac_bits`, of a quadratic in `t / 2^offset_bits`, t in `0..2^offset_bits`.
///
/// `f(t)` is the function at offset t. c1 and c2 come from interpolation at the Chebyshev nodes, which for a segment this short is
/// the minimax quadratic; c0 is then set to the middle of what is left over when the integer evaluation runs with them.
pub fn quadratic(f: impl Fn(f64) -> f64, offset_bits: u32, frac_bits: u32) -> [i64; 3] {
    let n = f64::from(1u32 << offset_bits);
    let one = f64::from(1u32 << frac_bits);
    let node = 0.75f64.sqrt() / 2.0;
    let at = [0.5 - node, 0.5, 0.5 + node];
    let y = at.map(|u| f(u * n) * one);
    let slope = (y[2] - y[0]) / (at[2] - at[0]);
    let c2 = (y[2] - 2.0 * y[1] + y[0]) / (2.0 * node * node);
    let c1 = slope - c2 * 2.0 * at[1];
    let mut row = [0, c1.round() as i64, c2.round() as i64];
    let (mut low, mut high) = (f64::MAX, f64::MIN);
    for t in (0..1i64 << offset_bits).step_by(1 << (offset_bits - 7)).chain([(1 << offset_bits) - 1]) {
        let rest = f(t as f64) * one - crate::arithmetic::tables::horner(&row, t, offset_bits) as f64;
        (low, high) = (low.min(rest), high.max(rest));
    }
    row[0] = ((low + high) / 2.0).round() as i64;
    row
}

/// Row of segment `i` (z from i/8 to (i+1)/8) of a function of z.
pub fn element_row(f: fn(f64) -> f64, i: i32, offset_bits: u32, frac_bits: u32) -> [i64; 3] {
    let segments = f64::from(1u32 << offset_bits);
    quadratic(|t| f((f64::from(i) + t / segments) / 8.0), offset_bits, frac_bits)
}

/// Row `i` of 1/√m: `segments` rows for m in [1, 2), then as many for [2, 4).
///
/// The hardware drops what lies below the offset, so offset t stands for mantissas between t and t + 1: fitted at the middle.
pub fn rsqrt_row(i: usize, segments: usize, offset_bits: u32, frac_bits: u32) -> [i64; 3] {
    let octave = if i < segments { 1.0 } else { 2.0 };
    let n = f64::from(1u32 << offset_bits);
    let m = |t: f64| octave * (1.0 + ((i % segments) as f64 + (t + 0.5) / n) / segments as f64);
    quadratic(|t| 1.0 / m(t).sqrt(), offset_bits, frac_bits)
}
