//! One token of RWKV-7 in floating point: the reference, and what the quantiser calibrates with.
//!
//! This file and the integer step are twins: same names, same order. `docs/integer-step.md` lists the taps. The formulas
//! are those of the RWKV-7 "Goose" paper; shapes are in the comments: `D` = n_embd, `H` = n_head, `N` = head_size,
//! `F` = dim_ffn, `V` = vocab_size.

use crate::checkpoint::weights::{Att, Ffn, Weights};
use crate::checkpoint::Shape;
use crate::network::float_math::{
    add, map2, matvec, mix, norm, sigmoid, vecmat, with, Head, DECAY, GN_EPS, L2_EPS, LN_EPS,
};

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
        let layer = LayerState {
            att_x_prev: vec![0.0; shape.n_embd],
            ffn_x_prev: vec![0.0; shape.n_embd],
            s: vec![0.0; shape.n_embd * shape.head_size],
        };
        Self { layers: vec![layer; shape.n_layer] }
    }
}

/// A tap's consumer: layer (`n_layer` for the head), name, values in row-major order.
pub trait Tap: FnMut(usize, &'static str, &[f32]) {}
impl<T: FnMut(usize, &'static str, &[f32])> Tap for T {}

/// The tap of who only wants the logits.
pub fn no_tap(_layer: usize, _name: &'static str, _values: &[f32]) {}

/// The taps of one layer.
struct Taps<'t, T> {
    layer: usize,
    tap: &'t mut T,
}

impl<T: Tap> Taps<'_, T> {
    fn show(&mut self, name: &'static str, values: &[f32]) {
        (self.tap)(self.layer, name, values);
    }

    /// Shows `values` and hands them on.
    fn pass(&mut self, name: &'static str, values: Vec<f32>) -> Vec<f32> {
        self.show(name, &values);
        values
    }
}

/// Logits `(V)` of the token after `token`, which is below `vocab_size`; `state` moves on by one token.
pub fn step(weights: &Weights, token: u32, state: &mut FloatState, tap: &mut impl Tap) -> Vec<f32> {
    let d = weights.shape.n_embd;
    let emb = weights.emb.row(token as usize).to_vec(); // (D)
    let mut x = norm(&emb, d, &weights.ln0, LN_EPS).h; // (D)
    tap(0, "x.emb", &x);
    let mut v_first = Vec::new(); // (D), layer 0's v of this token
    for (l, (layer, state)) in weights.layers.iter().zip(&mut state.layers).enumerate() {
        let tap = &mut Taps { layer: l, tap: &mut *tap };

        let ln1 = norm(&x, d, &layer.ln1, LN_EPS);
        tap.show("ln1.n", &ln1.n);
        tap.show("ln1.g", &ln1.g);
        tap.show("ln1.h", &ln1.h);
        let out = time_mix(&layer.att, &weights.shape, &ln1.h, state, &mut v_first, tap); // (D)
        x = add(&x, &out);
        tap.show("att.x", &x);

        let ln2 = norm(&x, d, &layer.ln2, LN_EPS);
        tap.show("ln2.n", &ln2.n);
        tap.show("ln2.g", &ln2.g);
        tap.show("ln2.h", &ln2.h);
        let out = channel_mix(&layer.ffn, &ln2.h, state, tap); // (D)
        x = add(&x, &out);
        tap.show("ffn.x", &x);
    }
    let tap = &mut Taps { layer: weights.shape.n_layer, tap };
    let ln_out = norm(&x, d, &weights.ln_out, LN_EPS);
    tap.show("ln_out.n", &ln_out.n);
    tap.show("ln_out.g", &ln_out.g);
    tap.show("ln_out.h", &ln_out.h);
    let logits = matvec(&weights.head, &ln_out.h); // (V)
    tap.show("logits", &logits);
    logits
}

/// `h` is ln1.h; gives what is added to the residual stream. An empty `v_first` means layer 0, which fills it.
fn time_mix(
    p: &Att,
    shape: &Shape,
    h: &[f32],
    state: &mut LayerState,
    v_first: &mut Vec<f32>,
    tap: &mut Taps<impl Tap>,
) -> Vec<f32> {
    let n = shape.head_size;
    let prev = &state.att_x_prev;
    let xr = tap.pass("att.xr", mix(h, prev, &p.x_r)); // (D)
    let xw = tap.pass("att.xw", mix(h, prev, &p.x_w)); // (D)
    let xk = tap.pass("att.xk", mix(h, prev, &p.x_k)); // (D)
    let xv = tap.pass("att.xv", mix(h, prev, &p.x_v)); // (D)
    let xa = tap.pass("att.xa", mix(h, prev, &p.x_a)); // (D)
    let xg = tap.pass("att.xg", mix(h, prev, &p.x_g)); // (D)
    state.att_x_prev = tap.pass("att.prev", h.to_vec());

    let k = tap.pass("att.k", matvec(&p.key, &xk)); // (D)

    // decay: w = exp(-exp(-1/2) sigmoid(w0 + tanh(xw w1) w2)), kept as d = 1 - w, which is exact near w = 1
    let w1 = tap.pass("att.w1", vecmat(&xw, &p.w1)); // (rank_w)
    let tw = tap.pass("att.tw", w1.iter().map(|w1| w1.tanh()).collect()); // (rank_w)
    let w2 = tap.pass("att.w2", vecmat(&tw, &p.w2)); // (D)
    let d = tap.pass("att.d", with(&w2, &p.w0, |w2, w0| -(-DECAY * sigmoid(w2 + w0)).exp_m1())); // (D)

    // in-context learning rate
    let a1 = tap.pass("att.a1", vecmat(&xa, &p.a1)); // (rank_a)
    let a2 = tap.pass("att.a2", vecmat(&a1, &p.a2)); // (D)
    let a = tap.pass("att.a", with(&a2, &p.a0, |a2, a0| sigmoid(a2 + a0))); // (D)

    let v0 = tap.pass("att.v0", matvec(&p.value, &xv)); // (D)
    let v = if let Some(p) = &p.v {
        let v1 = tap.pass("att.v1", vecmat(&xv, &p.v1)); // (rank_v)
        let v2 = tap.pass("att.v2", vecmat(&v1, &p.v2)); // (D)
        let gate = tap.pass("att.gate", with(&v2, &p.v0, |v2, v0| sigmoid(v2 + v0))); // (D)
        let dv = tap.pass("att.dv", map2(v_first, &v0, |v_first, v0| v_first - v0)); // (D)
        let vg = tap.pass("att.vg", map2(&dv, &gate, |dv, gate| dv * gate)); // (D)
        tap.pass("att.v", add(&v0, &vg)) // (D)
    } else {
        v_first.clone_from(&v0);
        v0
    };

    let r = tap.pass("att.r", matvec(&p.receptance, &xr)); // (D)

    let g1 = tap.pass("att.g1", vecmat(&xg, &p.g1)); // (rank_g)
    let sg = tap.pass("att.sg", g1.iter().map(|&g1| sigmoid(g1)).collect()); // (rank_g)
    let g = tap.pass("att.g", vecmat(&sg, &p.g2)); // (D)

    // removal key, from k before k_a changes it: unit length in each head
    let k0 = tap.pass("att.k0", with(&k, &p.k_k, |k, k_k| k * k_k)); // (D)
    let kk = tap.pass("att.kk", k0.chunks_exact(n).flat_map(normalized).collect()); // (H, N)
    let b = tap.pass("att.b", map2(&kk, &a, |kk, a| kk * a)); // (D)
    let t = tap.pass("att.t", with(&a, &p.k_a, |a, k_a| (a - 1.0) * k_a + 1.0)); // (D)
    let km = tap.pass("att.km", map2(&k, &t, |k, t| k * t)); // (D)

    let mut sa = vec![0.0; shape.n_embd]; // (H, N)
    let mut y = vec![0.0; shape.n_embd]; // (H, N)
    for (head, s) in state.s.chunks_exact_mut(n * n).enumerate() {
        let at = head * n..(head + 1) * n;
        let [r, d, k, v, kk, b] = [&r, &d, &km, &v, &kk, &b].map(|t| &t[at.clone()]); // (N)
        Head { r, d, k, v, kk, b }.delta_rule(s, &mut sa[at.clone()], &mut y[at]);
    }
    tap.show("att.sa", &sa);
    tap.show("S", &state.s);
    tap.show("att.y", &y);

    let yn = norm(&y, n, &p.ln_x, GN_EPS);
    tap.pass("att.yn.n", yn.n);
    tap.pass("att.yn.g", yn.g);
    let yn = tap.pass("att.yn.h", yn.h); // (H, N)
    let rk = tap.pass("att.rk", map2(&r, &km, |r, k| r * k)); // (H, N)
    let bonus =
        rk.chunks_exact(n).zip(p.r_k.rows()).map(|(rk, r_k)| rk.iter().zip(r_k).map(|(a, b)| a * b).sum()).collect();
    let bonus: Vec<f32> = tap.pass("att.bonus", bonus); // (H)
    let yb = (0..y.len()).map(|i| yn[i] + v[i] * bonus[i / n]).collect();
    let yb = tap.pass("att.yb", yb); // (D)
    let yg = tap.pass("att.yg", map2(&yb, &g, |yb, g| yb * g)); // (D)
    tap.pass("att.out", matvec(&p.output, &yg)) // (D)
}

/// `v / |v|`, v `(N)`.
fn normalized(v: &[f32]) -> Vec<f32> {
    let length = v.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt() as f32;
    v.iter().map(|v| v / length.max(L2_EPS)).collect()
}

/// `h` is ln2.h; gives what is added to the residual stream.
fn channel_mix(p: &Ffn, h: &[f32], state: &mut LayerState, tap: &mut Taps<impl Tap>) -> Vec<f32> {
    let xk = mix(h, &state.ffn_x_prev, &p.x_k); // (D)
    tap.show("ffn.xk", &xk);
    state.ffn_x_prev = h.to_vec();
    tap.show("ffn.prev", h);
    let k = matvec(&p.key, &xk); // (F)
    tap.show("ffn.k", &k);
    let r2: Vec<f32> = k.iter().map(|k| k.max(0.0).powi(2)).collect(); // (F)
    tap.show("ffn.r2", &r2);
    let out = matvec(&p.value, &r2); // (D)
    tap.show("ffn.out", &out);
    out
}
