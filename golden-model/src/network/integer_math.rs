//! What the integer step is made of: operations that count what they clip and report their results by name.
#![deny(clippy::float_arithmetic)]

use crate::arithmetic::fixed::{round_shift, sh, OPERAND_BITS};
use crate::arithmetic::norm::{NormConstants, NormShifts};
use crate::arithmetic::tensor::{QMatrix, QVector};
use crate::arithmetic::vector_ops::{self, Operand, SaturationCounts};
use crate::network::branch::QBranch;
use crate::network::model::{QAffine, QModel};
use crate::network::shifts::ProductShifts;
use crate::network::taps::NormTaps;

/// Receives every named value of a step. Any `FnMut(layer, name, values)` is one; the layer is `n_layer` for the head.
pub trait Tap {
    /// Whether the tap wants values; with `false` the step does not even prepare them.
    const ON: bool = true;
    fn tap(&mut self, layer: usize, name: &'static str, values: &[i32]);
}

impl<F: FnMut(usize, &'static str, &[i32])> Tap for F {
    fn tap(&mut self, layer: usize, name: &'static str, values: &[i32]) {
        self(layer, name, values);
    }
}

/// A tap that takes nothing and costs nothing.
pub struct NoTaps;

impl Tap for NoTaps {
    const ON: bool = false;
    #[inline(always)]
    fn tap(&mut self, _: usize, _: &'static str, _: &[i32]) {}
}

/// The operations of one layer. Each is named after the tap that reports its result; [`vector_ops`] defines what it computes.
pub struct Ops<'t, T> {
    layer: usize,
    operand_bits: u32,
    pub sat: &'t mut SaturationCounts,
    tap: &'t mut T,
}

impl<'t, T: Tap> Ops<'t, T> {
    /// Begins the operations of layer `layer` of `model`; `n_layer` is the head.
    pub fn new(model: &QModel, layer: usize, sat: &'t mut SaturationCounts, tap: &'t mut T) -> Self {
        Self { layer, operand_bits: model.f.operand_bits, sat, tap }
    }

    pub fn show(&mut self, name: &'static str, values: &[i32]) {
        self.tap.tap(self.layer, name, values);
    }

    /// Shows `values` and gives them back.
    pub fn pass(&mut self, name: &'static str, values: Vec<i32>) -> Vec<i32> {
        self.show(name, &values);
        values
    }

    pub fn each(&mut self, name: &'static str, n: usize, f: impl Fn(usize) -> i64) -> Vec<i32> {
        let values = vector_ops::each(n, &mut self.sat.vec, f);
        self.pass(name, values)
    }

    pub fn mix(&mut self, name: &'static str, h: &[i32], prev: &[i32], m: &QVector, shift: i32) -> Vec<i32> {
        let values = vector_ops::mix(h, prev, m, shift, &mut self.sat.vec);
        self.pass(name, values)
    }

    pub fn add(&mut self, name: &'static str, a: &[i32], b: &[i32]) -> Vec<i32> {
        let values = vector_ops::add(a, b, &mut self.sat.vec);
        self.pass(name, values)
    }

    /// Adds `out` to the residual stream `x`, which is brought to the format of `out` first.
    pub fn residual(&mut self, name: &'static str, x: &[i32], shift: i32, out: &[i32]) -> Vec<i32> {
        let s = sh(shift);
        self.each(name, x.len(), |i| round_shift(i64::from(x[i]), s) + i64::from(out[i]))
    }

    pub fn mul(&mut self, name: &'static str, a: &[i32], b: &[i32], shift: i32) -> Vec<i32> {
        let values = vector_ops::mul(a, b, shift, &mut self.sat.vec);
        self.pass(name, values)
    }

    pub fn mul_param(&mut self, name: &'static str, a: &[i32], p: &QVector, shift: i32) -> Vec<i32> {
        let values = vector_ops::mul_param(a, p, shift, &mut self.sat.vec);
        self.pass(name, values)
    }

    /// Looks up `a` plus the bias, which is a parameter and its shift.
    pub fn lut(
        &mut self,
        name: &'static str,
        a: &[i32],
        bias: Option<(&QVector, i32)>,
        table: fn(i32) -> i32,
    ) -> Vec<i32> {
        self.pass(name, vector_ops::lut(a, bias, table))
    }

    /// Makes `v` an operand of a matrix; `names` are the taps of its mantissas and of its exponent.
    pub fn operand(&mut self, names: [&'static str; 2], v: &[i32]) -> Operand {
        self.operand_of(names, v, self.operand_bits)
    }

    /// Makes `v` an operand of the recurrence, whose mantissas always have 16 bits.
    pub fn wkv_operand(&mut self, names: [&'static str; 2], v: &[i32]) -> Operand {
        self.operand_of(names, v, OPERAND_BITS)
    }

    fn operand_of(&mut self, [q, e]: [&'static str; 2], v: &[i32], bits: u32) -> Operand {
        let x = vector_ops::operand_of(v, bits);
        if T::ON {
            let mantissas: Vec<i32> = x.q.iter().map(|q| i32::from(*q)).collect();
            self.show(q, &mantissas);
            self.show(e, &[x.e as i32]);
        }
        x
    }

    pub fn matvec(&mut self, name: &'static str, w: &QMatrix, x: &Operand, shift: i32) -> Vec<i32> {
        let values = vector_ops::matvec(w, x, shift, &mut self.sat.mat);
        self.pass(name, values)
    }

    /// Computes `W x`, or `sat_27(W x + U (V x))` where the matrix has a branch.
    pub fn product(
        &mut self,
        name: &'static str,
        w: &QMatrix,
        branch: Option<&QBranch>,
        x: &Operand,
        shifts: ProductShifts,
    ) -> Vec<i32> {
        let (Some(b), Some(s)) = (branch, shifts.branch) else { return self.matvec(name, w, x, shifts.w) };
        let y = self.matvec(b.names.w_tap, w, x, shifts.w);
        let t = self.matvec(b.names.t_tap, &b.v, x, s.v);
        let t = self.operand(b.names.t_operand, &t);
        let u = self.matvec(b.names.u_tap, &b.u, &t, s.u);
        self.add(name, &y, &u)
    }

    /// Computes a norm over segments of `c.n` elements with gain and bias.
    pub fn norm(&mut self, names: NormTaps, x: &[i32], c: &NormConstants, p: &QAffine, shifts: NormShifts) -> Vec<i32> {
        let norm = vector_ops::norm(x, c, (&p.weight, &p.bias), shifts, &mut self.sat.vec);
        self.show(names.mean, &norm.mean);
        self.show(names.rstd, &norm.rstd);
        self.show(names.n, &norm.n);
        self.show(names.g, &norm.g);
        self.pass(names.h, norm.h)
    }
}
