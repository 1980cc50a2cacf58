//! One token in integers: the specification of the chip's arithmetic, `docs/integer-step.md` in Rust.
//!
//! The twin of [`crate::network::float_step`], with the same names in the same order. `f_*` is the number of fraction bits of a value; a
//! tap reports each value as soon as it exists. There is no floating point here and nothing depends on the order of sums.
#![deny(clippy::float_arithmetic)]

use crate::arithmetic::fixed::round_shift;
use crate::arithmetic::fixed::Saturations;
use crate::arithmetic::fixed::{sh, O, OPERAND_BITS, Z};
use crate::arithmetic::recurrence::Wkv;
use crate::arithmetic::tables::{decay, sigmoid, tanh};
use crate::arithmetic::tensor::QMatrix;
use crate::arithmetic::vector_ops::{
    add, each, l2, lut, matvec, mix, mul, mul_param, norm, operand_of, SaturationCounts,
};
use crate::arithmetic::vector_ops::{matvec_rows, Operand};
use crate::network::clusters::{picked, Gathered, QClusters};
use crate::network::model::QModel;
use crate::network::tensors::Matrix;

/// What one session keeps between tokens, all zero at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntState {
    pub layers: Vec<LayerState>,
}

/// One layer's part of [`IntState`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerState {
    pub att_x_prev: Vec<i32>, // (n_embd) f_h1
    pub ffn_x_prev: Vec<i32>, // (n_embd) f_h2
    pub s: Vec<i32>,          // (n_head, head_size, head_size) state_bits wide, f_s
}

impl IntState {
    /// The state before the first token.
    pub fn new<M: Matrix>(model: &QModel<M>) -> Self {
        let d = model.shape.n_embd;
        let layer =
            LayerState { att_x_prev: vec![0; d], ffn_x_prev: vec![0; d], s: vec![0; d * model.shape.head_size] };
        Self { layers: vec![layer; model.shape.n_layer] }
    }
}

/// Receives every named value of a step. Any `FnMut(layer, name, values)` is one.
pub trait Tap {
    /// With `false` the step does not even prepare the values.
    const ON: bool = true;
    fn tap(&mut self, layer: usize, name: &'static str, values: &[i32]);
}

impl<F: FnMut(usize, &'static str, &[i32])> Tap for F {
    fn tap(&mut self, layer: usize, name: &'static str, values: &[i32]) {
        self(layer, name, values);
    }
}

/// No taps, at no cost.
pub struct NoTaps;

impl Tap for NoTaps {
    const ON: bool = false;
    #[inline(always)]
    fn tap(&mut self, _: usize, _: &'static str, _: &[i32]) {}
}

/// Logits (vocab_size, frac f_logits) after `token`, which must be below `vocab_size`. Clipped results are added to `sat`.
pub fn step<T: Tap>(
    model: &QModel,
    token: usize,
    state: &mut IntState,
    sat: &mut SaturationCounts,
    taps: &mut T,
) -> Vec<i32> {
    walk::<T, true>(model, token, state, sat, taps)
}

/// What [`step`] does before the head, for a token whose logits nobody wants: the state after `token`, and of the last norm its mean.
pub fn step_body<T: Tap>(model: &QModel, token: usize, state: &mut IntState, sat: &mut SaturationCounts, taps: &mut T) {
    walk::<T, false>(model, token, state, sat, taps);
}

/// The step; without `HEAD` it ends before the last norm and gives no logits.
fn walk<T: Tap, const HEAD: bool>(
    model: &QModel,
    token: usize,
    state: &mut IntState,
    sat: &mut SaturationCounts,
    taps: &mut T,
) -> Vec<i32> {
    let shape = &model.shape;
    let (d, head_size) = (shape.n_embd, shape.head_size);
    let net = &model.f;

    /// A named value.
    macro_rules! tap {
        ($l:expr, $name:literal, $v:expr) => {
            taps.tap($l, $name, $v)
        };
    }
    /// A named vector made into a matrix operand: mantissas and exponent.
    macro_rules! operand {
        ($l:expr, $name:literal, $v:expr) => {
            operand!($l, $name, $v, net.operand_bits)
        };
        ($l:expr, $name:literal, $v:expr, $bits:expr) => {{
            let x = operand_of($v, $bits);
            if T::ON {
                let q: Vec<i32> = x.q.iter().map(|q| i32::from(*q)).collect();
                taps.tap($l, concat!("q.", $name), &q);
                taps.tap($l, concat!("e.", $name), &[x.e as i32]);
            }
            x
        }};
    }
    /// `W x`, or `sat_27(W x + U (V x))` where the matrix has a branch: names, matrix, branch, operand, frac of operand and result.
    macro_rules! product {
        ($l:expr, [$w_tap:literal, $t_tap:literal, $u_tap:literal], $w:expr, $branch:expr, $x:expr, $f_in:expr, $f_out:expr) => {{
            let y = matvec($w, $x, $f_in + $w.frac - $f_out, &mut sat.mat);
            if let Some(b) = $branch {
                tap!($l, $w_tap, &y);
                let t = matvec(&b.v, $x, $f_in + b.v.frac - b.f_t, &mut sat.mat);
                tap!($l, $t_tap, &t);
                let t = operand!($l, $t_tap, &t);
                let u = matvec(&b.u, &t, b.f_t + b.u.frac - $f_out, &mut sat.mat);
                tap!($l, $u_tap, &u);
                add(&y, &u, &mut sat.vec)
            } else {
                y
            }
        }};
    }
    /// A named norm: constants, gain and bias, frac of the result.
    macro_rules! norm {
        ($l:expr, $name:literal, $x:expr, $c:expr, $p:expr, $f_h:expr) => {{
            let n = norm($x, $c, &$p.weight, &$p.bias, $f_h, &mut sat.vec);
            taps.tap($l, concat!($name, ".mean"), &n.mean);
            taps.tap($l, concat!($name, ".rstd"), &n.rstd);
            taps.tap($l, concat!($name, ".n"), &n.n);
            taps.tap($l, concat!($name, ".g"), &n.g);
            taps.tap($l, concat!($name, ".h"), &n.h);
            n.h
        }};
    }

    let emb = &model.emb[token * d..(token + 1) * d];
    let mut x = each(d, &mut sat.vec, |i| i64::from(emb[i]) << sh(net.f_x - net.f_emb));
    tap!(0, "x.emb", &x);
    let mut v_first = Vec::new();

    for (l, (layer, state)) in model.layers.iter().zip(&mut state.layers).enumerate() {
        let (f, att, ffn) = (&layer.f, &layer.att, &layer.ffn);

        // time mix
        let h = norm!(l, "ln1", &x, &f.ln1, layer.ln1, f.f_h1);
        let prev = &state.att_x_prev;
        let xr = mix(&h, prev, &att.x_r, &mut sat.vec);
        tap!(l, "att.xr", &xr);
        let xw = mix(&h, prev, &att.x_w, &mut sat.vec);
        tap!(l, "att.xw", &xw);
        let xk = mix(&h, prev, &att.x_k, &mut sat.vec);
        tap!(l, "att.xk", &xk);
        let xv = mix(&h, prev, &att.x_v, &mut sat.vec);
        tap!(l, "att.xv", &xv);
        let xa = mix(&h, prev, &att.x_a, &mut sat.vec);
        tap!(l, "att.xa", &xa);
        let xg = mix(&h, prev, &att.x_g, &mut sat.vec);
        tap!(l, "att.xg", &xg);
        tap!(l, "att.prev", &h);
        state.att_x_prev = h;

        let xk = operand!(l, "att.xk", &xk);
        let branch = layer.branches.get("att.key.weight");
        let k = product!(l, ["att.key.w", "att.key.t", "att.key.u"], &att.key, branch, &xk, f.f_h1, f.f_k);
        tap!(l, "att.k", &k);

        // decay, kept as 1 - w
        let xw = operand!(l, "att.xw", &xw);
        let w1 = matvec(&att.w1, &xw, f.f_h1 + att.w1.frac - Z, &mut sat.mat);
        tap!(l, "att.w1", &w1);
        let tw = lut(&w1, None, tanh);
        tap!(l, "att.tw", &tw);
        let tw = operand!(l, "att.tw", &tw);
        let w2 = matvec(&att.w2, &tw, O + att.w2.frac - Z, &mut sat.mat);
        tap!(l, "att.w2", &w2);
        let d = lut(&w2, Some(&att.w0), decay);
        tap!(l, "att.d", &d);

        // in-context learning rate
        let xa = operand!(l, "att.xa", &xa);
        let a1 = matvec(&att.a1, &xa, f.f_h1 + att.a1.frac - f.f_a1, &mut sat.mat);
        tap!(l, "att.a1", &a1);
        let a1 = operand!(l, "att.a1", &a1);
        let a2 = matvec(&att.a2, &a1, f.f_a1 + att.a2.frac - Z, &mut sat.mat);
        tap!(l, "att.a2", &a2);
        let a = lut(&a2, Some(&att.a0), sigmoid);
        tap!(l, "att.a", &a);

        // value, mixed with that of layer 0
        let xv = operand!(l, "att.xv", &xv);
        let branch = layer.branches.get("att.value.weight");
        let v0 = product!(l, ["att.value.w", "att.value.t", "att.value.u"], &att.value, branch, &xv, f.f_h1, net.f_v);
        tap!(l, "att.v0", &v0);
        let v = if let Some(r) = &att.v {
            let v1 = matvec(&r.v1, &xv, f.f_h1 + r.v1.frac - f.f_v1, &mut sat.mat);
            tap!(l, "att.v1", &v1);
            let v1 = operand!(l, "att.v1", &v1);
            let v2 = matvec(&r.v2, &v1, f.f_v1 + r.v2.frac - Z, &mut sat.mat);
            tap!(l, "att.v2", &v2);
            let gate = lut(&v2, Some(&r.v0), sigmoid);
            tap!(l, "att.gate", &gate);
            let v_first: &[i32] = &v_first;
            let dv = each(v0.len(), &mut sat.vec, |i| i64::from(v_first[i]) - i64::from(v0[i]));
            tap!(l, "att.dv", &dv);
            let vg = mul(&dv, &gate, O, &mut sat.vec);
            tap!(l, "att.vg", &vg);
            let v = add(&v0, &vg, &mut sat.vec);
            tap!(l, "att.v", &v);
            v
        } else {
            v_first = v0.clone();
            v0
        };

        let xr = operand!(l, "att.xr", &xr);
        let branch = layer.branches.get("att.receptance.weight");
        let r = product!(
            l,
            ["att.receptance.w", "att.receptance.t", "att.receptance.u"],
            &att.receptance,
            branch,
            &xr,
            f.f_h1,
            f.f_r
        );
        tap!(l, "att.r", &r);

        // gate
        let xg = operand!(l, "att.xg", &xg);
        let g1 = matvec(&att.g1, &xg, f.f_h1 + att.g1.frac - Z, &mut sat.mat);
        tap!(l, "att.g1", &g1);
        let sg = lut(&g1, None, sigmoid);
        tap!(l, "att.sg", &sg);
        let sg = operand!(l, "att.sg", &sg);
        let g = matvec(&att.g2, &sg, O + att.g2.frac - f.f_g, &mut sat.mat);
        tap!(l, "att.g", &g);

        // kk from k before k_a changes it
        let k0 = mul_param(&k, &att.k_k, f.f_k + att.k_k.frac - f.f_k0, &mut sat.vec);
        tap!(l, "att.k0", &k0);
        let rl2 = l2(&k0, head_size);
        tap!(l, "att.l2", &rl2);
        let kk = each(k0.len(), &mut sat.vec, |i| {
            let head = 2 * (i / head_size);
            round_shift(i64::from(k0[i]) * i64::from(rl2[head]), rl2[head + 1] as u32)
        });
        tap!(l, "att.kk", &kk);
        let b = mul(&kk, &a, O, &mut sat.vec);
        tap!(l, "att.b", &b);
        let f_ka = sh(att.k_a.frac);
        let t = each(a.len(), &mut sat.vec, |i| {
            round_shift((i64::from(a[i]) - (1 << O)) * i64::from(att.k_a.q[i]), f_ka) + (1 << O)
        });
        tap!(l, "att.t", &t);
        let km = mul(&k, &t, O + f.f_k - f.f_km, &mut sat.vec);
        tap!(l, "att.km", &km);

        // the delta rule; d = 1 - w is below 2^15, so its operand is itself
        let wkv = Wkv {
            r: &operand!(l, "att.r", &r, OPERAND_BITS),
            d: &operand!(l, "att.d", &d, OPERAND_BITS),
            k: &operand!(l, "att.km", &km, OPERAND_BITS),
            v: &operand!(l, "att.v", &v, OPERAND_BITS),
            kk: &operand!(l, "att.kk", &kk, OPERAND_BITS),
            b: &operand!(l, "att.b", &b, OPERAND_BITS),
            head_size,
            state_bits: net.state_bits,
            sh_sa: O,
            sh_b: O,
            sh_vk: net.f_v + f.f_km - f.f_s,
            sh_y: f.f_s + f.f_r - f.f_y,
        };
        let (sa, y) = wkv.step(&mut state.s, &mut sat.wkv);
        tap!(l, "att.sa", &sa);
        tap!(l, "S", &state.s);
        tap!(l, "att.y", &y);
        let yn = norm!(l, "att.yn", &y, &f.ln_x, att.ln_x, f.f_yb);

        // bonus
        let rk = mul(&r, &km, f.f_r + f.f_km - f.f_rk, &mut sat.vec);
        tap!(l, "att.rk", &rk);
        let s = sh(f.f_rk + att.r_k.frac - f.f_bs);
        let bonus = each(shape.n_head, &mut sat.vec, |head| {
            let of_head = head * head_size..(head + 1) * head_size;
            round_shift(of_head.map(|i| i64::from(rk[i]) * i64::from(att.r_k.q[i])).sum(), s)
        });
        tap!(l, "att.bonus", &bonus);
        let s = sh(net.f_v + f.f_bs - f.f_yb);
        let yb = each(yn.len(), &mut sat.vec, |i| {
            i64::from(yn[i]) + round_shift(i64::from(v[i]) * i64::from(bonus[i / head_size]), s)
        });
        tap!(l, "att.yb", &yb);
        let yg = mul(&yb, &g, f.f_yb + f.f_g - f.f_yg, &mut sat.vec);
        tap!(l, "att.yg", &yg);
        let yg = operand!(l, "att.yg", &yg);
        let branch = layer.branches.get("att.output.weight");
        let out =
            product!(l, ["att.output.w", "att.output.t", "att.output.u"], &att.output, branch, &yg, f.f_yg, net.f_x);
        tap!(l, "att.out", &out);
        x = add(&x, &out, &mut sat.vec);
        tap!(l, "att.x", &x);

        // channel mix
        let h = norm!(l, "ln2", &x, &f.ln2, layer.ln2, f.f_h2);
        let xk = mix(&h, &state.ffn_x_prev, &ffn.x_k, &mut sat.vec);
        tap!(l, "ffn.xk", &xk);
        tap!(l, "ffn.prev", &h);
        state.ffn_x_prev = h;
        let xk = operand!(l, "ffn.xk", &xk);
        let branch = layer.branches.get("ffn.key.weight");
        let k = product!(l, ["ffn.key.w", "ffn.key.t", "ffn.key.u"], &ffn.key, branch, &xk, f.f_h2, f.f_fk);
        tap!(l, "ffn.k", &k);
        let s = sh(2 * f.f_fk - f.f_r2);
        let r2 = each(k.len(), &mut sat.vec, |i| round_shift(i64::from(k[i].max(0)) * i64::from(k[i].max(0)), s));
        tap!(l, "ffn.r2", &r2);
        let r2 = operand!(l, "ffn.r2", &r2);
        let out = matvec(&ffn.value, &r2, f.f_r2 + ffn.value.frac - net.f_x, &mut sat.mat);
        tap!(l, "ffn.out", &out);
        x = add(&x, &out, &mut sat.vec);
        tap!(l, "ffn.x", &x);
    }

    if !HEAD {
        // the mean is found with x, so it belongs to the last layer; a mean of 27-bit numbers fits 27 bits
        let mut unused = SaturationCounts::default();
        let n = norm(&x, &net.ln_out, &model.ln_out.weight, &model.ln_out.bias, net.f_ho, &mut unused.vec);
        tap!(shape.n_layer, "ln_out.mean", &n.mean);
        return vec![];
    }
    let h = norm!(shape.n_layer, "ln_out", &x, &net.ln_out, model.ln_out, net.f_ho);
    let h = operand!(shape.n_layer, "ln_out.h", &h);
    let logits = match &model.clusters {
        Some(c) => clustered_logits(model, c, &h, &mut sat.mat),
        None => {
            let branch = model.head_branch.as_ref();
            product!(shape.n_layer, ["head.w", "head.t", "head.u"], &model.head, branch, &h, net.f_ho, net.f_logits)
        }
    };
    tap!(shape.n_layer, "logits", &logits);
    logits
}

/// The first largest logit: the chip's argmax.
pub fn argmax(logits: &[i32]) -> usize {
    let mut best = 0;
    for (i, v) in logits.iter().enumerate() {
        if *v > logits[best] {
            best = i;
        }
    }
    best
}

/// Logits (vocab_size, frac f_logits) of a model with a clustered head for the operand `h`.
fn clustered_logits(model: &QModel, clusters: &QClusters, h: &Operand, count: &mut Saturations) -> Vec<i32> {
    let shift = |w: &QMatrix| model.f.f_ho + w.frac - model.f.f_logits;
    let of_centroids = matvec(&clusters.centroids, h, shift(&clusters.centroids), count);
    let picked = picked(&of_centroids, clusters.form.visit as usize);
    let mut logits = vec![0; model.shape.vocab_size];
    let mut gathered = Gathered::new(clusters, &mut logits);
    for c in &picked {
        let rows = clusters.form.rows_of(*c);
        gathered.visited(*c, &matvec_rows(&model.head, rows, h, shift(&model.head), count));
    }
    gathered.rest(&of_centroids, &picked);
    logits
}
