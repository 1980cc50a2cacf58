//! The format of every tap both steps have: the column `frac` of `docs/integer-step.md`, as a function.

use crate::arithmetic::fixed::{NORM, O, VEC_BITS, Z};
use crate::network::model::QModel;
use crate::network::tensors::Matrix;

/// Two's complement numbers of `bits` bits that stand for `v · 2^-frac`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    pub bits: u32,
    pub frac: i32,
}

impl Format {
    /// The magnitude at which a number no longer fits.
    pub fn limit(&self) -> f64 {
        2f64.powi(self.bits as i32 - 1 - self.frac)
    }

    /// The distance of two neighbours.
    pub fn step(&self) -> f64 {
        2f64.powi(-self.frac)
    }

    /// Whether `v` is one of the two outermost numbers, where results are clipped to.
    pub fn is_rail(&self, v: i32) -> bool {
        let max = (1i64 << (self.bits - 1)) - 1;
        i64::from(v) == max || i64::from(v) == -max - 1
    }
}

/// The format of tap `name` of layer `layer` (`n_layer`: the head); none for operands, scalars and unknown names.
pub fn tap_format<M: Matrix>(model: &QModel<M>, layer: usize, name: &str) -> Option<Format> {
    let net = &model.f;
    let vector = |frac| Some(Format { bits: VEC_BITS, frac });
    if name == "x.emb" {
        return vector(net.f_x);
    }
    let Some(layer) = model.layers.get(layer) else {
        return match name {
            "ln_out.n" => vector(NORM),
            "ln_out.g" | "ln_out.h" => vector(net.f_ho),
            "logits" => vector(net.f_logits),
            _ => None,
        };
    };
    let f = &layer.f;
    vector(match name {
        "ln1.n" | "ln2.n" | "att.yn.n" => NORM,
        "ln1.g" | "ln1.h" | "att.prev" => f.f_h1,
        "att.xr" | "att.xw" | "att.xk" | "att.xv" | "att.xa" | "att.xg" => f.f_h1,
        "att.k" => f.f_k,
        "att.w1" | "att.w2" | "att.a2" | "att.v2" | "att.g1" => Z,
        "att.tw" | "att.d" | "att.a" | "att.gate" | "att.sg" | "att.kk" | "att.b" | "att.t" => O,
        "att.a1" => f.f_a1,
        "att.v1" => f.f_v1,
        "att.v0" | "att.dv" | "att.vg" | "att.v" => net.f_v,
        "att.r" => f.f_r,
        "att.g" => f.f_g,
        "att.k0" => f.f_k0,
        "att.km" => f.f_km,
        "att.sa" | "S" => return Some(Format { bits: net.state_bits, frac: f.f_s }),
        "att.y" => f.f_y,
        "att.yn.g" | "att.yn.h" => f.f_yb,
        "att.rk" => f.f_rk,
        "att.bonus" => f.f_bs,
        "att.yb" => f.f_yb,
        "att.yg" => f.f_yg,
        "att.out" | "att.x" => f.residual(net)[1],
        "ffn.out" | "ffn.x" => f.residual(net)[2],
        "ln2.g" | "ln2.h" | "ffn.xk" | "ffn.prev" => f.f_h2,
        "ffn.k" => f.f_fk,
        "ffn.r2" => f.f_r2,
        "ffn.s1" => f.deep_embed.as_ref()?.f_s1,
        "ffn.ss" => f.deep_embed.as_ref()?.f_ss,
        "ffn.s2" | "ffn.gate" => f.deep_embed.as_ref()?.f_gate,
        "ffn.r2g" => f.deep_embed.as_ref()?.f_r2g,
        _ => return None,
    })
}
