//! The delta-rule recurrence of one layer: `docs/hardware.md` §4.
#![deny(clippy::float_arithmetic)]

use crate::arithmetic::fixed::{round_shift, sat, sh, Saturations, VEC_BITS};
use crate::arithmetic::vector_ops::Operand;

/// The operands of one layer, each (n_head · head_size), with widths and shifts; `d` is 1 − w with 16 fraction bits and exponent 0.
pub struct Wkv<'a> {
    pub r: &'a Operand,
    pub d: &'a Operand,
    pub k: &'a Operand,
    pub v: &'a Operand,
    pub kk: &'a Operand,
    pub b: &'a Operand,
    pub head_size: usize,
    pub state_bits: u32,
    pub shifts: WkvShifts,
}

/// The shifts of the recurrence, before the exponents of the operands are taken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WkvShifts {
    /// `S · kk`, which gives sa, is shifted by this.
    pub sa: i32,
    /// `sa · b` is shifted by this.
    pub b: i32,
    /// `v · k` is shifted by this.
    pub vk: i32,
    /// `S · r`, which gives y, is shifted by this.
    pub y: i32,
}

impl Wkv<'_> {
    /// Updates `s` (n_head, head_size, head_size) in place; gives `(sa, y)`, each (n_head · head_size).
    pub fn step(&self, s: &mut [i32], count: &mut Saturations) -> (Vec<i32>, Vec<i32>) {
        let n = self.head_size;
        let e = |x: &Operand| x.e as i32;
        let sh_sa = sh((self.shifts.sa - e(self.kk)).max(0));
        let sh_b = sh((self.shifts.b - e(self.b)).max(0));
        let sh_vk = sh((self.shifts.vk - e(self.v) - e(self.k)).max(0));
        let sh_y = sh((self.shifts.y - e(self.r)).max(0));
        let mut sas = Vec::with_capacity(s.len() / n);
        let mut ys = Vec::with_capacity(s.len() / n);
        for (row, s) in s.chunks_mut(n).enumerate() {
            let head = row / n * n..row / n * n + n; // columns of this row's head
            let (r, d, k) = (&self.r.q[head.clone()], &self.d.q[head.clone()], &self.k.q[head.clone()]);
            let (kk, b) = (&self.kk.q[head.clone()], &self.b.q[head]);
            let v = i64::from(self.v.q[row]);
            let sum: i64 = s.iter().zip(kk).map(|(s, kk)| i64::from(*s) * i64::from(*kk)).sum();
            let sa = sat(round_shift(-sum, sh_sa), self.state_bits, count);
            let mut y = 0i64;
            for j in 0..n {
                let old = i64::from(s[j]);
                let new = old - round_shift(old * i64::from(d[j]), 16)
                    + round_shift(i64::from(sa) * i64::from(b[j]), sh_b)
                    + round_shift(v * i64::from(k[j]), sh_vk);
                s[j] = sat(new, self.state_bits, count);
                y += i64::from(s[j]) * i64::from(r[j]);
            }
            sas.push(sa);
            ys.push(sat(round_shift(y, sh_y), VEC_BITS, count));
        }
        (sas, ys)
    }
}
