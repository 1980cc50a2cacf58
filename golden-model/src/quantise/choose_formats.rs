//! Chooses the fraction bits of every vector, `f_*` of `docs/integer-step.md`, from the weights and from calibration.
//!
//! Two sources. Layer-norm outputs have a bound that no input exceeds, `√n · max|g| + max|b|`, widened by the token shift. Everything
//! else takes the largest magnitude seen in calibration times a headroom. The choices are then lowered until every shift of
//! the integer step is in its range; a network for which that is impossible is refused by [`crate::network::model::QModel::check`], with the shift's name.

use crate::arithmetic::fixed::{O, VEC_BITS, Z};

use crate::arithmetic::norm::{Eps, NormConstants};

use crate::arithmetic::tensor::WeightBits;

use crate::network::formats::{DeepFormats, LayerFormats, NetFormats, MAX_FRAC, MIN_FRAC};
use crate::network::model::S_EMB;
use crate::network::shifts::{MATRIX, VK, Y};

use crate::quantise::calibrate::Ranges;

use crate::quantise::options::QuantOptions;

use crate::quantise::scales::{frac_for, matrix_frac};

use std::collections::BTreeMap;

/// Most fraction bits of a vector that multiplies: with NORM = 20 and a result of at least −16 bits every shift is below 63.
pub const NORM_GAIN_MAX: i32 = 22;

/// Largest |value| of every tensor of a layer (or of the net) by its name there, e.g. `att.key.weight`; `mix1` and `mix2` hold max(1, |m| + |1 − m|).
pub type Maxima = BTreeMap<String, f64>;

/// Chooses all formats but `f_emb`, which depends on the embedding alone and is at most `f_x`.
///
/// `layers[l]` and `net` hold the tensors' maxima, `ranges` the taps'.
pub fn choose(
    n_embd: usize,
    head_size: usize,
    eps: Eps,
    options: &QuantOptions,
    net: &Maxima,
    layers: &[Maxima],
    ranges: &Ranges,
) -> (NetFormats, Vec<LayerFormats>) {
    let of = |m: &Maxima, name: &str| m.get(name).copied().unwrap_or(0.0);
    let bits_frac = |max: f64, bits| frac_for(max, bits, MAX_FRAC).max(MIN_FRAC);
    let elements = |max: f64| bits_frac(max, VEC_BITS);
    let seen = |l: usize, names: &[&str]| names.iter().map(|n| ranges.get(l, n)).fold(0.0, f64::max) * options.headroom;
    // what a norm can give at most; 1.001 covers its roundings
    let bound = |m: &Maxima, ln: &str, n: usize| {
        ((n as f64).sqrt() * of(m, &format!("{ln}.weight")) + of(m, &format!("{ln}.bias"))) * 1.001
    };
    let n_layer = layers.len();
    let mut out = Vec::with_capacity(n_layer);
    let mut f_v = MAX_FRAC;
    for (l, m) in layers.iter().enumerate() {
        let frac = |name: &str, bits| matrix_frac(of(m, name), bits);
        let big = |name: &str| frac(name, options.tensor(&format!("blocks.{l}.{name}")).bits);
        let low = |name: &str| frac(name, WeightBits::W16);
        let min = MATRIX.0;
        // results with the fixed format Z need enough fraction bits before them; ranges beyond that saturate, and are counted
        let to_z = |f: i32, name: &str| f.max(Z + min - low(name));
        let h1 = elements(bound(m, "ln1", n_embd) * of(m, "mix1").max(1.0));
        let f_h1 = to_z(to_z(h1, "att.w1"), "att.g1");
        f_v = f_v.min(elements(seen(l, &["att.v0", "att.dv", "att.v"]))).min(f_h1 + big("att.value.weight") - min);
        let f_h2 = elements(bound(m, "ln2", n_embd) * of(m, "mix2").max(1.0));
        let f_k = elements(seen(l, &["att.k"])).min(f_h1 + big("att.key.weight") - min);
        let f_fk = elements(seen(l, &["ffn.k"])).min(f_h2 + big("ffn.key.weight") - min);
        let vector = |name: &str| bits_frac(of(m, name), 16);
        out.push(LayerFormats {
            f_h1,
            f_k,
            f_a1: to_z(elements(seen(l, &["att.a1"])), "att.a2").min(f_h1 + low("att.a1") - min),
            f_v1: to_z(elements(seen(l, &["att.v1"])), "att.v2").min(f_h1 + low("att.v1") - min),
            f_r: elements(seen(l, &["att.r"])).min(f_h1 + big("att.receptance.weight") - min),
            f_g: elements(seen(l, &["att.g"])).min(O + low("att.g2") - min),
            f_k0: elements(seen(l, &["att.k0"])).min(f_k + vector("att.k_k")),
            f_km: elements(seen(l, &["att.km"])).min(O + f_k),
            f_h2,
            f_fk,
            // relu² of a channel that calibration saw only below zero is bounded by that of its magnitude
            f_r2: elements(seen(l, &["ffn.r2"]).max(ranges.get(l, "ffn.k").powi(2))).min(2 * f_fk),
            ..LayerFormats::default()
        });
    }
    for (l, (m, f)) in layers.iter().zip(&mut out).enumerate().filter(|(_, (m, _))| m.contains_key(S_EMB)) {
        let frac = |name: &str| matrix_frac(of(m, name), options.tensor(&format!("blocks.{l}.{name}")).bits);
        let f_s1 = elements(seen(l, &["ffn.s1"])).min(f.f_h2 + frac("ffn.s1") - MATRIX.0);
        let f_ss = elements(seen(l, &["ffn.ss"])).min(f_s1 + frac(S_EMB) - MATRIX.0);
        let gate = seen(l, &["ffn.s2", "ffn.gate"]).max(of(m, "ffn.s0"));
        let f_gate = elements(gate).min(f_ss + frac("ffn.s2") - MATRIX.0);
        // as with relu², whatever the sign was in calibration
        let r2g = seen(l, &["ffn.r2g"]).max(ranges.get(l, "ffn.k").powi(2) * ranges.get(l, "ffn.gate"));
        let f_r2g = elements(r2g).min(f.f_r2 + f_gate);
        f.deep_embed = Some(DeepFormats { f_s1, f_ss, f_gate, f_r2g });
    }
    // the residual stream by place: the embedding, then what each of the two mixes of a layer leaves
    let mut places = vec![elements(seen(0, &["x.emb"]))];
    for l in 0..n_layer {
        places.extend([elements(seen(l, &["att.x"])), elements(seen(l, &["ffn.x"]))]);
    }
    for (l, (m, f)) in layers.iter().zip(&mut out).enumerate() {
        f.f_s = bits_frac(seen(l, &["S", "att.sa"]), options.state_bits).min(f_v + f.f_km - VK.0);
        f.f_y = elements(seen(l, &["att.y"])).min(f.f_s + f.f_r - Y.0);
        f.f_rk = elements(seen(l, &["att.rk"])).min(f.f_r + f.f_km);
        f.f_bs = elements(seen(l, &["att.bonus"])).min(f.f_rk + bits_frac(of(m, "att.r_k"), 16));
        f.f_yb = elements(seen(l, &["att.yb"]).max(bound(m, "att.ln_x", head_size))).min(f_v + f.f_bs);
        f.f_yg = elements(seen(l, &["att.yg"])).min(f.f_yb + f.f_g);
        let output_bits = options.tensor(&format!("blocks.{l}.att.output.weight")).bits;
        let value_bits = options.tensor(&format!("blocks.{l}.ffn.value.weight")).bits;
        for (place, most) in [
            (2 * l + 1, f.f_yg + matrix_frac(of(m, "att.output.weight"), output_bits) - MATRIX.0),
            (2 * l + 2, f.f_hidden() + matrix_frac(of(m, "ffn.value.weight"), value_bits) - MATRIX.0),
        ] {
            places[place] = places[place].min(most);
        }
    }
    let f_x = residual(&places, &mut out);
    let net_x = NetFormats { f_x, ..NetFormats::default() };
    for f in &mut out {
        let [before, between, _] = f.residual(&net_x);
        f.ln1 = NormConstants::new(n_embd, eps.ln, before);
        f.ln2 = NormConstants::new(n_embd, eps.ln, between);
        f.ln_x = NormConstants::new(head_size, eps.ln_x, f.f_y);
    }
    let f_ho = elements(bound(net, "ln_out", n_embd));
    let f_logits = elements(seen(n_layer, &["logits"]))
        .min(f_ho + matrix_frac(of(net, "head.weight"), options.tensor("head.weight").bits) - MATRIX.0);
    let formats = NetFormats {
        f_emb: f_x,
        f_x,
        f_v,
        f_ho,
        f_logits,
        ln_out: NormConstants::new(n_embd, eps.ln, net_x.last_residual(&out)),
        eps,
        numbers_only: false,
        state_bits: options.state_bits,
        operand_bits: options.operand_bits,
        f_t_head: None,
        clusters: options.clusters,
        recipe: Some(options.recipe()),
    };
    (formats, out)
}

/// Bits that the residual stream may grow by before it gets a format for each place: its beginning then keeps 18 of its 27 bits at least.
const GROWTH: i32 = 8;

/// Chooses the fraction bits of the residual stream from those that each of its `places` can have at most. One format serves all, the coarsest,
/// unless that would be too coarse for the beginning; then the layers get their own, which never grow because a chip shifts right only. Returns
/// the format of the first place.
fn residual(places: &[i32], layers: &mut [LayerFormats]) -> i32 {
    let least = places.iter().copied().min().unwrap_or(MAX_FRAC);
    let first = places.first().copied().unwrap_or(least);
    if first - least <= GROWTH {
        return least;
    }
    let so_far = places.iter().scan(MAX_FRAC, |f, place| {
        *f = (*f).min(*place);
        Some(*f)
    });
    let so_far: Vec<i32> = so_far.collect();
    for (layer, f) in layers.iter_mut().zip(so_far.windows(3).step_by(2)) {
        layer.f_x = Some([f[0], f[1], f[2]]);
    }
    first
}
