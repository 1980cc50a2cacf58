//! The integer constants and the shifts of a norm.

use crate::arithmetic::fixed::NORM;
use crate::arithmetic::tensor::scale2;
use serde::{Deserialize, Serialize};

/// What norms add to the variance before they divide by its root.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eps {
    /// Layer norms.
    pub ln: f64,
    /// The group norm of each head, `ln_x`.
    pub ln_x: f64,
}

/// The official network's, whatever its head size.
impl Default for Eps {
    fn default() -> Self {
        Self { ln: 1e-5, ln_x: 64e-5 }
    }
}

/// Integer constants of a norm over `n` elements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NormConstants {
    pub n: u32,
    /// round(2^q_n / n), up to 2^17
    pub inv_n: i64,
    pub q_n: i32,
    /// round(√n · 2^q_r), 2^17..2^18
    pub root_n: i64,
    /// 6 + q_r − NORM: the shift of the result for e = 0
    pub rsq_base: i32,
    /// eps · n · 2^(2 f_x) ≈ eps_m << eps_s
    pub eps_m: u32,
    pub eps_s: u32,
}

impl NormConstants {
    /// Makes the constants of a norm over `n` elements with `f_x` fraction bits; `eps` is added to the variance.
    pub fn new(n: usize, eps: f64, f_x: i32) -> Self {
        let q_n = 17 + n.ilog2() as i32;
        let q_r = 17 - n.isqrt().ilog2() as i32;
        let four_n = (n as u128) << (2 * q_r + 2); // (2 · √n · 2^q_r)²
        let eps_int = scale2(eps * n as f64, 2 * f_x);
        let mut eps_s = (eps_int.max(1.0).log2().floor() as i32 - 15).clamp(0, 63);
        let mut eps_m = scale2(eps_int, -eps_s).round_ties_even().clamp(1.0, 65536.0) as u32;
        if eps_m == 65536 {
            (eps_m, eps_s) = if eps_s < 63 { (32768, eps_s + 1) } else { (65535, 63) };
        }
        Self {
            n: n as u32,
            inv_n: ((1i64 << (q_n + 1)) / n as i64 + 1) / 2,
            q_n,
            root_n: (four_n.isqrt() as i64 + 1) / 2,
            rsq_base: 6 + q_r - NORM,
            eps_m,
            eps_s: eps_s as u32,
        }
    }

    /// Returns the integer that is added to the sum of squares: `eps · n · 2^(2 f_x)`, at least 1.
    pub fn eps_int(&self) -> u128 {
        u128::from(self.eps_m) << self.eps_s
    }
}

/// The shifts of a norm's gain and bias.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NormShifts {
    /// The product with the gain g is shifted right by `NORM + f(g) − f_h`.
    pub gain: i32,
    /// The bias b is shifted left by `f_h − f(b)`.
    pub bias: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_constants_are_the_nearest() {
        for n in [8usize, 16, 32, 48, 64, 100, 128, 768, 1024, 2048, 2560, 4096] {
            for f_x in [-8, 0, 5, 13, 22] {
                let c = NormConstants::new(n, Eps::default().ln, f_x);
                assert_eq!(c.inv_n, (2f64.powi(c.q_n) / n as f64).round() as i64);
                let q_r = c.rsq_base - 6 + NORM;
                assert_eq!(c.root_n, ((n as f64).sqrt() * 2f64.powi(q_r)).round() as i64);
                assert!(c.inv_n <= 1 << 17 && (1 << 17..1 << 18).contains(&c.root_n), "{c:?}");
                let eps = Eps::default().ln * n as f64 * 2f64.powi(2 * f_x);
                let got = c.eps_int() as f64;
                assert!(c.eps_m < 65536 && (got == 1.0 && eps < 1.5 || (got / eps - 1.0).abs() < 0.5), "{c:?} {eps}");
            }
        }
    }
}
