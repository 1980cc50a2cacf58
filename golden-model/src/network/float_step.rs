//! One token of RWKV-7 in floating point: the reference, and what the quantiser calibrates with.
//!
//! This file and [`crate::network::integer_step`] are twins: the same functions and names in the same order. `docs/integer-step.md` lists the
//! taps. The formulas are those of the RWKV-7 "Goose" paper (Peng et al., 2025), DeepEmbed is that of `rwkv_v7a_demo.py` of RWKV-LM; shapes are in the comments: `D` = n_embd, `H` = n_head,
//! `N` = head_size, `F` = dim_ffn, `V` = vocab_size.

use crate::checkpoint::names::RANK_S;
use crate::checkpoint::weights::{Att, DeepEmbed, Ffn, Matrix, Weights};
use crate::checkpoint::Shape;
use crate::network::float_math::{add, map2, matvec, mix, norm, normalized, sigmoid, vecmat, with, Head, Taps, DECAY};
pub use crate::network::float_math::{no_tap, Tap};
use crate::network::taps::{LN1, LN2, LN_OUT, LN_X};

/// What one layer remembers from token to token.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerState {
    /// The previous token's ln1.h.
    pub att_x_prev: Vec<f32>, // (D)
    /// The previous token's ln2.h.
    pub ffn_x_prev: Vec<f32>, // (D)
    /// Row = value index, column = key index.
    pub s: Vec<f32>, // (H, N, N)
}

/// The state of a session; constant in size however long the text.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatState {
    pub layers: Vec<LayerState>,
}

impl FloatState {
    /// The state before the first token: all zero.
    pub fn new(shape: &Shape) -> Self {
        let d = shape.n_embd;
        let layer =
            LayerState { att_x_prev: vec![0.0; d], ffn_x_prev: vec![0.0; d], s: vec![0.0; d * shape.head_size] };
        Self { layers: vec![layer; shape.n_layer] }
    }
}

/// Returns the logits `(V)` of the token after `token`, which is below `vocab_size`; `state` moves on by one token.
pub fn step(weights: &Weights, token: u32, state: &mut FloatState, tap: &mut impl Tap) -> Vec<f32> {
    let x = body(weights, token, state, tap);
    head(weights, &x, &mut Taps { layer: weights.shape.n_layer, tap })
}

/// Returns the residual stream `(D)` after the last layer.
fn body(weights: &Weights, token: u32, state: &mut FloatState, tap: &mut impl Tap) -> Vec<f32> {
    let (d, n, eps) = (weights.shape.n_embd, weights.shape.head_size, weights.eps);
    let emb = embed(weights, token, &mut Taps { layer: 0, tap: &mut *tap }); // (D)
    let mut x = emb.clone(); // (D)
    let mut v_first = Vec::new(); // (D), layer 0's v of this token
    for (l, (layer, state)) in weights.layers.iter().zip(&mut state.layers).enumerate() {
        let tap = &mut Taps { layer: l, tap: &mut *tap };

        let h = tap.norm(LN1, &x, d, &layer.ln1, eps.ln);
        let out = time_mix(&layer.att, (n, eps.ln_x), h, state, &mut v_first, tap); // (D)
        x = tap.pass("att.x", add(&x, &out));

        let h = tap.norm(LN2, &x, d, &layer.ln2, eps.ln);
        let out = channel_mix(&layer.ffn, (token, &emb), h, state, tap); // (D)
        x = tap.pass("ffn.x", add(&x, &out));
    }
    x
}

/// Returns the embedding `(D)` of `token` after its norm ln0.
fn embed(weights: &Weights, token: u32, tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let emb = weights.emb.row(token as usize).to_vec(); // (D)
    tap.pass("x.emb", norm(&emb, emb.len(), &weights.ln0, weights.eps.ln).h)
}

/// Returns what time mixing adds to the residual stream `(D)`; `h` is ln1.h. An empty `v_first` means layer 0, which fills it.
fn time_mix(
    p: &Att,
    (n, eps): (usize, f64),
    h: Vec<f32>,
    state: &mut LayerState,
    v_first: &mut Vec<f32>,
    tap: &mut Taps<impl Tap>,
) -> Vec<f32> {
    let prev = &state.att_x_prev;
    let xr = tap.pass("att.xr", mix(&h, prev, &p.x_r)); // (D)
    let xw = tap.pass("att.xw", mix(&h, prev, &p.x_w)); // (D)
    let xk = tap.pass("att.xk", mix(&h, prev, &p.x_k)); // (D)
    let xv = tap.pass("att.xv", mix(&h, prev, &p.x_v)); // (D)
    let xa = tap.pass("att.xa", mix(&h, prev, &p.x_a)); // (D)
    let xg = tap.pass("att.xg", mix(&h, prev, &p.x_g)); // (D)
    state.att_x_prev = tap.pass("att.prev", h);

    let k = tap.pass("att.k", matvec(&p.key, &xk)); // (D)
    let d = decay(p, &xw, tap); // (D)
    let a = learning_rate(p, &xa, tap); // (D)
    let v = value(p, &xv, v_first, tap); // (D)
    let r = tap.pass("att.r", matvec(&p.receptance, &xr)); // (D)
    let g = gate(p, &xg, tap); // (D)
    let [kk, b, km] = keys(p, n, &k, &a, tap); // (D) each
    let y = recurrence(n, [&r, &d, &km, &v, &kk, &b], &mut state.s, tap); // (H, N)

    let yn = tap.norm(LN_X, &y, n, &p.ln_x, eps); // (H, N)
    let yb = bonus(p, n, [&r, &km, &v, &yn], tap); // (D)
    let yg = tap.pass("att.yg", map2(&yb, &g, |yb, g| yb * g)); // (D)
    tap.pass("att.out", matvec(&p.output, &yg)) // (D)
}

/// Returns the decay w = exp(-exp(-1/2) sigmoid(w0 + tanh(xw w1) w2)), kept as d = 1 - w `(D)`, which is exact near w = 1.
fn decay(p: &Att, xw: &[f32], tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let w1 = tap.pass("att.w1", vecmat(xw, &p.w1)); // (rank_w)
    let tw = tap.pass("att.tw", w1.iter().map(|w1| w1.tanh()).collect()); // (rank_w)
    let w2 = tap.pass("att.w2", vecmat(&tw, &p.w2)); // (D)
    tap.pass("att.d", with(&w2, &p.w0, |w2, w0| -(-DECAY * sigmoid(w2 + w0)).exp_m1()))
}

/// Returns the in-context learning rate a = sigmoid(a0 + (xa a1) a2) `(D)`.
fn learning_rate(p: &Att, xa: &[f32], tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let a1 = tap.pass("att.a1", vecmat(xa, &p.a1)); // (rank_a)
    let a2 = tap.pass("att.a2", vecmat(&a1, &p.a2)); // (D)
    tap.pass("att.a", with(&a2, &p.a0, |a2, a0| sigmoid(a2 + a0)))
}

/// Returns the value `(D)`, mixed with that of layer 0 in every other layer.
fn value(p: &Att, xv: &[f32], v_first: &mut Vec<f32>, tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let v0 = tap.pass("att.v0", matvec(&p.value, xv)); // (D)
    let Some(p) = &p.v else {
        v_first.clone_from(&v0);
        return v0;
    };
    let v1 = tap.pass("att.v1", vecmat(xv, &p.v1)); // (rank_v)
    let v2 = tap.pass("att.v2", vecmat(&v1, &p.v2)); // (D)
    let gate = tap.pass("att.gate", with(&v2, &p.v0, |v2, v0| sigmoid(v2 + v0))); // (D)
    let dv = tap.pass("att.dv", map2(v_first, &v0, |v_first, v0| v_first - v0)); // (D)
    let vg = tap.pass("att.vg", map2(&dv, &gate, |dv, gate| dv * gate)); // (D)
    tap.pass("att.v", add(&v0, &vg))
}

/// Returns the gate g = sigmoid(xg g1) g2 `(D)`.
fn gate(p: &Att, xg: &[f32], tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let g1 = tap.pass("att.g1", vecmat(xg, &p.g1)); // (rank_g)
    let sg = tap.pass("att.sg", g1.iter().map(|&g1| sigmoid(g1)).collect()); // (rank_g)
    tap.pass("att.g", vecmat(&sg, &p.g2))
}

/// Returns the removal key kk of unit length in each head, from k before k_a changes it, then b = kk a and the modified key, each `(D)`.
fn keys(p: &Att, n: usize, k: &[f32], a: &[f32], tap: &mut Taps<impl Tap>) -> [Vec<f32>; 3] {
    let k0 = tap.pass("att.k0", with(k, &p.k_k, |k, k_k| k * k_k)); // (D)
    let kk = tap.pass("att.kk", k0.chunks_exact(n).flat_map(normalized).collect()); // (H, N)
    let b = tap.pass("att.b", map2(&kk, a, |kk, a| kk * a)); // (D)
    let t = tap.pass("att.t", with(a, &p.k_a, |a, k_a| (a - 1.0) * k_a + 1.0)); // (D)
    let km = tap.pass("att.km", map2(k, &t, |k, t| k * t)); // (D)
    [kk, b, km]
}

/// Applies the generalised delta rule to the state `s` `(H, N, N)` and returns its readout y `(H, N)`.
fn recurrence(n: usize, operands: [&[f32]; 6], s: &mut [f32], tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let mut sa = vec![0.0; s.len() / n]; // (H, N)
    let mut y = vec![0.0; s.len() / n]; // (H, N)
    for (head, s) in s.chunks_exact_mut(n * n).enumerate() {
        let at = head * n..(head + 1) * n;
        let [r, d, k, v, kk, b] = operands.map(|t| &t[at.clone()]); // (N)
        Head { r, d, k, v, kk, b }.delta_rule(s, &mut sa[at.clone()], &mut y[at]);
    }
    tap.show("att.sa", &sa);
    tap.show("S", s);
    tap.pass("att.y", y)
}

/// Returns `yn + (Σ_j r_j k_j r_k_j) v` in each head, `(D)`.
fn bonus(p: &Att, n: usize, [r, km, v, yn]: [&[f32]; 4], tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let rk = tap.pass("att.rk", map2(r, km, |r, k| r * k)); // (H, N)
    let sum = |(rk, r_k): (&[f32], ndarray::ArrayView1<f32>)| rk.iter().zip(r_k).map(|(a, b)| a * b).sum();
    let bonus = tap.pass("att.bonus", rk.chunks_exact(n).zip(p.r_k.rows()).map(sum).collect()); // (H)
    tap.pass("att.yb", (0..yn.len()).map(|i| yn[i] + v[i] * bonus[i / n]).collect())
}

/// Returns what channel mixing adds to the residual stream `(D)`; `h` is ln2.h. The token and its embedding are for DeepEmbed.
fn channel_mix(
    p: &Ffn,
    token: (u32, &[f32]),
    h: Vec<f32>,
    state: &mut LayerState,
    tap: &mut Taps<impl Tap>,
) -> Vec<f32> {
    let gate = p.deep.as_ref().map(|p| deep_embed(p, token, &h, tap)); // (F)
    let xk = tap.pass("ffn.xk", mix(&h, &state.ffn_x_prev, &p.x_k)); // (D)
    state.ffn_x_prev = tap.pass("ffn.prev", h);
    let k = tap.pass("ffn.k", matvec(&p.key, &xk)); // (F)
    let mut r2 = tap.pass("ffn.r2", k.iter().map(|k| k.max(0.0).powi(2)).collect()); // (F)
    if let Some(gate) = gate {
        r2 = tap.pass("ffn.r2g", map2(&r2, &gate, |r2, gate| r2 * gate)); // (F)
    }
    tap.pass("ffn.out", matvec(&p.value, &r2)) // (D)
}

/// Returns the gate of DeepEmbed, ((h s1) S) s2 + s0 `(F)`, where S is the token's own matrix.
fn deep_embed(p: &DeepEmbed, (token, emb): (u32, &[f32]), h: &[f32], tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let s1 = tap.pass("ffn.s1", vecmat(h, &p.s1)); // (32)
    let ss = tap.pass("ffn.ss", vecmat(&s1, &own_matrix(p, token, emb))); // (32)
    let s2 = tap.pass("ffn.s2", vecmat(&ss, &p.s2)); // (F)
    tap.pass("ffn.gate", with(&s2, &p.s0, |s2, s0| s2 + s0))
}

/// Returns the matrix S of `token`, s_emb + s_emb_x emb `(32, 32)`.
fn own_matrix(p: &DeepEmbed, token: u32, emb: &[f32]) -> Matrix {
    let s = with(&matvec(&p.s_emb_x, emb), &p.s_emb.row(token as usize).to_owned(), |x, s| s + x);
    Matrix::from_shape_fn((RANK_S, RANK_S), |(i, j)| s[i * RANK_S + j])
}

/// Returns the logits `(V)` for the residual stream `x` after the last layer.
fn head(weights: &Weights, x: &[f32], tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let h = tap.norm(LN_OUT, x, x.len(), &weights.ln_out, weights.eps.ln); // (D)
    tap.pass("logits", matvec(&weights.head, &h))
}
