//! One token of RWKV-7 in integers: the specification of the chip's arithmetic, `docs/integer-step.md` in Rust.
//!
//! This file and [`crate::network::float_step`] are twins: the same functions and names in the same order. `f_*` is the number of fraction
//! bits of a value; each shift comes by name from [`crate::network::shifts`]. There is no floating point here and nothing depends on the order
//! of sums. Shapes are in the comments: `D` = n_embd, `H` = n_head, `N` = head_size, `F` = dim_ffn, `V` = vocab_size.
#![deny(clippy::float_arithmetic)]

use crate::arithmetic::fixed::{round_shift, sh, O};
use crate::arithmetic::recurrence::Wkv;
use crate::arithmetic::tables::{self, sigmoid, tanh};
use crate::arithmetic::vector_ops::{l2, matvec, matvec_rows, norm, Operand, SaturationCounts};
use crate::network::clusters::{picked, Gathered, QClusters};
use crate::network::integer_math::Ops;
pub use crate::network::integer_math::{NoTaps, Tap};
use crate::network::model::{own_rows, QDeepEmbed, QLayer, QModel};
use crate::network::shifts::DeepShifts;
use crate::network::taps::{LN1, LN2, LN_OUT, LN_X};
use crate::network::tensors::Matrix;

/// What one layer remembers from token to token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerState {
    /// The previous token's ln1.h.
    pub att_x_prev: Vec<i32>, // (D) f_h1
    /// The previous token's ln2.h.
    pub ffn_x_prev: Vec<i32>, // (D) f_h2
    /// Row = value index, column = key index.
    pub s: Vec<i32>, // (H, N, N) state_bits wide, f_s
}

/// The state of a session; constant in size however long the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntState {
    pub layers: Vec<LayerState>,
}

impl IntState {
    /// The state before the first token: all zero.
    pub fn new<M: Matrix>(model: &QModel<M>) -> Self {
        let d = model.shape.n_embd;
        let layer =
            LayerState { att_x_prev: vec![0; d], ffn_x_prev: vec![0; d], s: vec![0; d * model.shape.head_size] };
        Self { layers: vec![layer; model.shape.n_layer] }
    }
}

/// Returns the logits `(V)`, frac f_logits, of the token after `token`, which is below `vocab_size`; `state` moves on by one token. Clipped results are
/// added to `sat`.
pub fn step<T: Tap>(
    model: &QModel,
    token: usize,
    state: &mut IntState,
    sat: &mut SaturationCounts,
    taps: &mut T,
) -> Vec<i32> {
    let x = body(model, token, state, sat, taps);
    head(model, &x, &mut Ops::new(model, model.shape.n_layer, sat, taps))
}

/// Moves `state` on by `token` without computing logits: [`step`] without the head. The mean of the last norm is reported all the same.
pub fn step_body<T: Tap>(model: &QModel, token: usize, state: &mut IntState, sat: &mut SaturationCounts, taps: &mut T) {
    let x = body(model, token, state, sat, taps);
    // the chip finds the mean while it writes x, so it belongs to the last layer; a mean of 27-bit numbers fits 27 bits
    let (p, mut unused) = (&model.ln_out, SaturationCounts::default());
    let n = norm(&x, &model.f.ln_out, (&p.weight, &p.bias), model.shifts.ln_out, &mut unused.vec);
    taps.tap(model.shape.n_layer, LN_OUT.mean, &n.mean);
}

/// Returns the residual stream `(D)` after the last layer.
fn body<T: Tap>(
    model: &QModel,
    token: usize,
    state: &mut IntState,
    sat: &mut SaturationCounts,
    taps: &mut T,
) -> Vec<i32> {
    let n = model.shape.head_size;
    let mut x = embed(model, token, &mut Ops::new(model, 0, sat, taps)); // (D)
    let mut v_first = Vec::new(); // (D), layer 0's v of this token
    for (l, (layer, state)) in model.layers.iter().zip(&mut state.layers).enumerate() {
        let on = &mut Ops::new(model, l, sat, taps);

        let h = on.norm(LN1, &x, &layer.f.ln1, &layer.ln1, layer.shifts.ln1);
        let out = time_mix(layer, (n, model.f.state_bits), h, state, &mut v_first, on); // (D)
        x = on.residual("att.x", &x, layer.shifts.att_x, &out);

        let h = on.norm(LN2, &x, &layer.f.ln2, &layer.ln2, layer.shifts.ln2);
        let out = channel_mix(layer, token, h, state, on); // (D)
        x = on.residual("ffn.x", &x, layer.shifts.ffn_x, &out);
    }
    x
}

/// Returns the embedding `(D)` of `token`, whose norm ln0 is folded into the table.
fn embed(model: &QModel, token: usize, on: &mut Ops<impl Tap>) -> Vec<i32> {
    let d = model.shape.n_embd;
    let emb = &model.emb[token * d..(token + 1) * d];
    let s = sh(model.shifts.emb);
    on.each("x.emb", d, |i| i64::from(emb[i]) << s)
}

/// Returns what time mixing adds to the residual stream `(D)`; `h` is ln1.h. An empty `v_first` means layer 0, which fills it.
fn time_mix(
    layer: &QLayer,
    (n, state_bits): (usize, u32),
    h: Vec<i32>,
    state: &mut LayerState,
    v_first: &mut Vec<i32>,
    on: &mut Ops<impl Tap>,
) -> Vec<i32> {
    let (p, s) = (&layer.att, &layer.shifts);
    let prev = &state.att_x_prev;
    let xr = on.mix("att.xr", &h, prev, &p.x_r, s.x_r); // (D)
    let xw = on.mix("att.xw", &h, prev, &p.x_w, s.x_w); // (D)
    let xk = on.mix("att.xk", &h, prev, &p.x_k, s.x_k); // (D)
    let xv = on.mix("att.xv", &h, prev, &p.x_v, s.x_v); // (D)
    let xa = on.mix("att.xa", &h, prev, &p.x_a, s.x_a); // (D)
    let xg = on.mix("att.xg", &h, prev, &p.x_g, s.x_g); // (D)
    state.att_x_prev = on.pass("att.prev", h);

    let xk = on.operand(["q.att.xk", "e.att.xk"], &xk);
    let k = on.product("att.k", &p.key, layer.branches.get("att.key.weight"), &xk, s.key); // (D)
    let d = decay(layer, &xw, on); // (D)
    let a = learning_rate(layer, &xa, on); // (D)
    let v = value(layer, &xv, v_first, on); // (D)
    let xr = on.operand(["q.att.xr", "e.att.xr"], &xr);
    let branch = layer.branches.get("att.receptance.weight");
    let r = on.product("att.r", &p.receptance, branch, &xr, s.receptance); // (D)
    let g = gate(layer, &xg, on); // (D)
    let [kk, b, km] = keys(layer, n, &k, &a, on); // (D) each
    let y = recurrence(layer, (n, state_bits), [&r, &d, &km, &v, &kk, &b], &mut state.s, on); // (H, N)

    let yn = on.norm(LN_X, &y, &layer.f.ln_x, &p.ln_x, s.ln_x); // (H, N)
    let yb = bonus(layer, n, [&r, &km, &v, &yn], on); // (D)
    let yg = on.mul("att.yg", &yb, &g, s.yg); // (D)
    let yg = on.operand(["q.att.yg", "e.att.yg"], &yg);
    on.product("att.out", &p.output, layer.branches.get("att.output.weight"), &yg, s.output)
    // (D)
}

/// Returns the decay w = exp(-exp(-1/2) sigmoid(w0 + tanh(xw w1) w2)), kept as d = 1 - w `(D)` with [`O`] fraction bits.
fn decay(layer: &QLayer, xw: &[i32], on: &mut Ops<impl Tap>) -> Vec<i32> {
    let (p, s) = (&layer.att, &layer.shifts);
    let xw = on.operand(["q.att.xw", "e.att.xw"], xw);
    let w1 = on.matvec("att.w1", &p.w1, &xw, s.w1); // (rank_w)
    let tw = on.lut("att.tw", &w1, None, tanh); // (rank_w)
    let tw = on.operand(["q.att.tw", "e.att.tw"], &tw);
    let w2 = on.matvec("att.w2", &p.w2, &tw, s.w2); // (D)
    on.lut("att.d", &w2, Some((&p.w0, s.w0)), tables::decay)
}

/// Returns the in-context learning rate a = sigmoid(a0 + (xa a1) a2) `(D)`.
fn learning_rate(layer: &QLayer, xa: &[i32], on: &mut Ops<impl Tap>) -> Vec<i32> {
    let (p, s) = (&layer.att, &layer.shifts);
    let xa = on.operand(["q.att.xa", "e.att.xa"], xa);
    let a1 = on.matvec("att.a1", &p.a1, &xa, s.a1); // (rank_a)
    let a1 = on.operand(["q.att.a1", "e.att.a1"], &a1);
    let a2 = on.matvec("att.a2", &p.a2, &a1, s.a2); // (D)
    on.lut("att.a", &a2, Some((&p.a0, s.a0)), sigmoid)
}

/// Returns the value `(D)`, mixed with that of layer 0 in every other layer.
fn value(layer: &QLayer, xv: &[i32], v_first: &mut Vec<i32>, on: &mut Ops<impl Tap>) -> Vec<i32> {
    let xv = on.operand(["q.att.xv", "e.att.xv"], xv);
    let branch = layer.branches.get("att.value.weight");
    let v0 = on.product("att.v0", &layer.att.value, branch, &xv, layer.shifts.value); // (D)
    let (Some(p), Some(s)) = (&layer.att.v, &layer.shifts.v) else {
        v_first.clone_from(&v0);
        return v0;
    };
    let v1 = on.matvec("att.v1", &p.v1, &xv, s.v1); // (rank_v)
    let v1 = on.operand(["q.att.v1", "e.att.v1"], &v1);
    let v2 = on.matvec("att.v2", &p.v2, &v1, s.v2); // (D)
    let gate = on.lut("att.gate", &v2, Some((&p.v0, s.v0)), sigmoid); // (D)
    let dv = on.each("att.dv", v0.len(), |i| i64::from(v_first[i]) - i64::from(v0[i])); // (D)
    let vg = on.mul("att.vg", &dv, &gate, s.vg); // (D)
    on.add("att.v", &v0, &vg)
}

/// Returns the gate g = sigmoid(xg g1) g2 `(D)`.
fn gate(layer: &QLayer, xg: &[i32], on: &mut Ops<impl Tap>) -> Vec<i32> {
    let (p, s) = (&layer.att, &layer.shifts);
    let xg = on.operand(["q.att.xg", "e.att.xg"], xg);
    let g1 = on.matvec("att.g1", &p.g1, &xg, s.g1); // (rank_g)
    let sg = on.lut("att.sg", &g1, None, sigmoid); // (rank_g)
    let sg = on.operand(["q.att.sg", "e.att.sg"], &sg);
    on.matvec("att.g", &p.g2, &sg, s.g2)
}

/// Returns the removal key kk of unit length in each head, from k before k_a changes it, then b = kk a and the modified key, each `(D)`.
fn keys(layer: &QLayer, n: usize, k: &[i32], a: &[i32], on: &mut Ops<impl Tap>) -> [Vec<i32>; 3] {
    let (p, s) = (&layer.att, &layer.shifts);
    let k0 = on.mul_param("att.k0", k, &p.k_k, s.k0); // (D)
    let scales = on.pass("att.l2", l2(&k0, n)); // (H, 2)
    let normalized =
        |i: usize| round_shift(i64::from(k0[i]) * i64::from(scales[i / n * 2]), scales[i / n * 2 + 1] as u32);
    let kk = on.each("att.kk", k0.len(), normalized); // (H, N)
    let b = on.mul("att.b", &kk, a, s.b); // (D)
    let (one, s_t) = (1 << O, sh(s.t));
    let t = on.each("att.t", a.len(), |i| round_shift((i64::from(a[i]) - one) * i64::from(p.k_a.q[i]), s_t) + one); // (D)
    let km = on.mul("att.km", k, &t, s.km); // (D)
    [kk, b, km]
}

/// Applies the generalised delta rule to the state `s` `(H, N, N)` and returns its readout y `(H, N)`.
fn recurrence(
    layer: &QLayer,
    (head_size, state_bits): (usize, u32),
    [r, d, k, v, kk, b]: [&[i32]; 6],
    s: &mut [i32],
    on: &mut Ops<impl Tap>,
) -> Vec<i32> {
    let wkv = Wkv {
        r: &on.wkv_operand(["q.att.r", "e.att.r"], r),
        d: &on.wkv_operand(["q.att.d", "e.att.d"], d), // below 2^15, so it is its own operand
        k: &on.wkv_operand(["q.att.km", "e.att.km"], k),
        v: &on.wkv_operand(["q.att.v", "e.att.v"], v),
        kk: &on.wkv_operand(["q.att.kk", "e.att.kk"], kk),
        b: &on.wkv_operand(["q.att.b", "e.att.b"], b),
        head_size,
        state_bits,
        shifts: layer.shifts.wkv,
    };
    let (sa, y) = wkv.step(s, &mut on.sat.wkv);
    on.show("att.sa", &sa);
    on.show("S", s);
    on.pass("att.y", y)
}

/// Returns `yn + (Σ_j r_j k_j r_k_j) v` in each head, `(D)`.
fn bonus(layer: &QLayer, n: usize, [r, km, v, yn]: [&[i32]; 4], on: &mut Ops<impl Tap>) -> Vec<i32> {
    let (p, s) = (&layer.att, &layer.shifts);
    let rk = on.mul("att.rk", r, km, s.rk); // (H, N)
    let (s_bonus, s_yb) = (sh(s.bonus), sh(s.yb));
    let sum = |head: usize| (head * n..(head + 1) * n).map(|i| i64::from(rk[i]) * i64::from(p.r_k.q[i])).sum();
    let bonus = on.each("att.bonus", rk.len() / n, |head| round_shift(sum(head), s_bonus)); // (H)
    on.each("att.yb", yn.len(), |i| i64::from(yn[i]) + round_shift(i64::from(v[i]) * i64::from(bonus[i / n]), s_yb))
}

/// Returns what channel mixing adds to the residual stream `(D)`; `h` is ln2.h. The token is for DeepEmbed.
fn channel_mix(layer: &QLayer, token: usize, h: Vec<i32>, state: &mut LayerState, on: &mut Ops<impl Tap>) -> Vec<i32> {
    let (p, s) = (&layer.ffn, &layer.shifts);
    let deep = p.deep.as_ref().zip(s.deep_embed.as_ref());
    let gate = deep.map(|(p, s)| (deep_embed(p, s, token, &h, on), s.r2g)); // (F)
    let xk = on.mix("ffn.xk", &h, &state.ffn_x_prev, &p.x_k, s.ffn_x_k); // (D)
    state.ffn_x_prev = on.pass("ffn.prev", h);
    let xk = on.operand(["q.ffn.xk", "e.ffn.xk"], &xk);
    let k = on.product("ffn.k", &p.key, layer.branches.get("ffn.key.weight"), &xk, s.ffn_key); // (F)
    let (positive, s_r2) = (|i: usize| i64::from(k[i].max(0)), sh(s.r2));
    let r2 = on.each("ffn.r2", k.len(), |i| round_shift(positive(i) * positive(i), s_r2)); // (F)
    let hidden = match gate {
        None => on.operand(["q.ffn.r2", "e.ffn.r2"], &r2),
        Some((gate, shift)) => {
            let r2g = on.mul("ffn.r2g", &r2, &gate, shift); // (F)
            on.operand(["q.ffn.r2g", "e.ffn.r2g"], &r2g)
        }
    };
    on.matvec("ffn.out", &p.value, &hidden, s.ffn_value) // (D)
}

/// Returns the gate of DeepEmbed, ((h s1) S) s2 + s0 `(F)`, where S is the token's own matrix.
fn deep_embed(p: &QDeepEmbed, s: &DeepShifts, token: usize, h: &[i32], on: &mut Ops<impl Tap>) -> Vec<i32> {
    let h = on.operand(["q.ln2.h", "e.ln2.h"], h);
    let s1 = on.matvec("ffn.s1", &p.s1, &h, s.s1); // (32)
    let s1 = on.operand(["q.ffn.s1", "e.ffn.s1"], &s1);
    let ss = matvec_rows(&p.s_emb, own_rows(token), &s1, s.s_emb, &mut on.sat.mat); // (32)
    let ss = on.pass("ffn.ss", ss);
    let ss = on.operand(["q.ffn.ss", "e.ffn.ss"], &ss);
    let s2 = on.matvec("ffn.s2", &p.s2, &ss, s.s2); // (F)
    let s_s0 = sh(s.s0);
    on.each("ffn.gate", s2.len(), |i| i64::from(s2[i]) + (i64::from(p.s0.q[i]) << s_s0))
}

/// Returns the logits `(V)` for the residual stream `x` after the last layer.
fn head(model: &QModel, x: &[i32], on: &mut Ops<impl Tap>) -> Vec<i32> {
    let h = on.norm(LN_OUT, x, &model.f.ln_out, &model.ln_out, model.shifts.ln_out); // (D)
    let h = on.operand(["q.ln_out.h", "e.ln_out.h"], &h);
    if let Some(clusters) = &model.clusters {
        let logits = clustered_logits(model, clusters, &h, on.sat);
        return on.pass("logits", logits);
    }
    on.product("logits", &model.head, model.head_branch.as_ref(), &h, model.shifts.head)
}

/// Returns the logits `(V)` of a model whose head is in clusters: exact for the tokens of the clusters that are visited, see [`crate::network::clusters`].
fn clustered_logits(model: &QModel, clusters: &QClusters, h: &Operand, sat: &mut SaturationCounts) -> Vec<i32> {
    let shift = model.shifts.clusters.as_ref().map_or(0, |s| s.centroids);
    let of_centroids = matvec(&clusters.centroids, h, shift, &mut sat.mat); // (clusters)
    let picked = picked(&of_centroids, clusters.form.visit as usize);
    let mut logits = vec![0; model.shape.vocab_size];
    let mut gathered = Gathered::new(clusters, &mut logits);
    for c in &picked {
        let rows = clusters.form.rows_of(*c);
        gathered.visited(*c, &matvec_rows(&model.head, rows, h, model.shifts.head.w, &mut sat.mat));
    }
    gathered.rest(&of_centroids, &picked);
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
