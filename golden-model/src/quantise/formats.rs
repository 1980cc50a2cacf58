//! Which fraction every vector has: `f_*` of `docs/integer-step.md`, chosen from the weights and from calibration.
//!
//! Two sources. Layer-norm outputs have a bound that no input exceeds, `√n · max|g| + max|b|`, widened by the token shift. Everything
//! else takes the largest magnitude seen in calibration times a headroom. The choices are then lowered until every shift of
//! the integer step is in its range; a network for which that is impossible is refused by [`crate::network::qmodel::QModel::check`], with the shift's name.

use crate::arithmetic::qtensor::{frac_for, matrix_frac, scale2, WeightBits};
use crate::arithmetic::vector_ops::{NORM, O, OPERAND_BITS, VEC_BITS, Z};
use crate::network::clusters::ClusterForm;
use crate::quantise::groups::GroupScales;
pub use crate::quantise::recipe::{Recipe, TensorFormat};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Elements never get more fraction bits than this, so that a value unseen in calibration has ±16 at least.
pub const MAX_FRAC: i32 = 22;
pub const MIN_FRAC: i32 = -16;
/// Most fraction bits of a vector that multiplies: with NORM = 20 and a result of at least −16 bits every shift is below 63.
pub const NORM_GAIN_MAX: i32 = 22;
/// Range of a matrix' static shift `f_x + frac − f_y`; with the row's and less the operand's exponent it stays in 0..=63.
pub const MAT_SHIFT: (i32, i32) = (12, 48);
/// Smallest `sh_vk` and `sh_y`: the exponents of 27-bit operands go to 11.
pub const MIN_SH_VK: i32 = 22;
pub const MIN_SH_Y: i32 = 11;

pub const EPS_LN: f64 = 1e-5;
pub const EPS_LN_X: f64 = 64e-5;

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
    /// For inputs with `f_x` fraction bits.
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

    /// What is added to the sum of squares.
    pub fn eps_int(&self) -> u128 {
        u128::from(self.eps_m) << self.eps_s
    }
}

/// Formats of one layer; names as in `docs/integer-step.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerFormats {
    pub f_h1: i32,
    pub f_k: i32,
    pub f_a1: i32,
    pub f_v1: i32,
    pub f_r: i32,
    pub f_g: i32,
    pub f_k0: i32,
    pub f_km: i32,
    pub f_s: i32,
    pub f_y: i32,
    pub f_yb: i32,
    pub f_rk: i32,
    pub f_bs: i32,
    pub f_yg: i32,
    pub f_h2: i32,
    pub f_fk: i32,
    pub f_r2: i32,
    pub ln1: NormConstants,
    pub ln_x: NormConstants,
    pub ln2: NormConstants,
    /// Of what lies between the two matrices of a low-rank branch, by the matrix it goes with; images of version 2 have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub f_t: BTreeMap<String, i32>,
}

fn chip_operand_bits() -> u32 {
    OPERAND_BITS
}

/// Images say the width only if the chip cannot have it: those before it was an option stay the same to the byte.
fn is_chip_operand_bits(bits: &u32) -> bool {
    *bits == OPERAND_BITS
}

/// Formats of the whole network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetFormats {
    pub f_emb: i32,
    pub f_x: i32,
    pub f_v: i32,
    pub f_ho: i32,
    pub f_logits: i32,
    pub ln_out: NormConstants,
    /// Bits of one element of S, 16..=32.
    pub state_bits: u32,
    /// Bits of a matrix operand's mantissas, 4..=16; the chip has 16. The recurrence's operands always have 16.
    #[serde(default = "chip_operand_bits", skip_serializing_if = "is_chip_operand_bits")]
    pub operand_bits: u32,
    /// As `f_t` of a layer, for the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f_t_head: Option<i32>,
    /// Of a head in two levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<ClusterForm>,
    /// How the weights were rounded; images of version 1 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
}

/// Largest |value| of every tap, one map a layer and one for the head.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges(pub Vec<BTreeMap<&'static str, f64>>);

impl Ranges {
    pub fn new(n_layer: usize) -> Self {
        Self(vec![BTreeMap::new(); n_layer + 1])
    }

    /// Takes a tap's values in. A value that is not finite counts as infinite.
    pub fn observe(&mut self, layer: usize, name: &'static str, values: &[f32]) {
        let max = values.iter().fold(0f64, |m, v| if v.is_nan() { f64::INFINITY } else { m.max(f64::from(v.abs())) });
        let entry = self.0[layer].entry(name).or_insert(0.0);
        *entry = entry.max(max);
    }

    /// A tap that overflowed, if there is one.
    pub fn first_infinite(&self) -> Option<(usize, &'static str)> {
        let of = |(l, m): (usize, &BTreeMap<&'static str, f64>)| {
            m.iter().find(|(_, v)| v.is_infinite()).map(|(name, _)| (l, *name))
        };
        self.0.iter().enumerate().find_map(of)
    }

    /// 0 for a tap never seen.
    pub fn get(&self, layer: usize, name: &str) -> f64 {
        self.0[layer].get(name).copied().unwrap_or(0.0)
    }
}

/// Largest |value| of every tensor of a layer (or of the net) by its name there, e.g. `att.key.weight`; `mix1` and `mix2` hold max(1, |m| + |1 − m|).
pub type Maxima = BTreeMap<String, f64>;

/// How weights become q.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rounding {
    /// Each to the nearest.
    #[default]
    Plain,
    /// Matrices of 4 bits: each error is made up for by the weights that follow in its row ([`crate::quantise::gptq`]).
    Gptq,
}

/// How a network is to be quantised.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantOptions {
    /// Width of all matrices but the low-rank pairs, which have 16 bits, and `ffn.value`, which has 8 where they have 4.
    pub bits: WeightBits,
    /// Width of the head; if absent, [`crate::quantise::recipe::default_head`] says.
    pub head: Option<WeightBits>,
    /// Width of `ffn.value` if it is not to be that of [`value_bits`]: [`WeightBits::W4Columns`], which is golden only.
    pub value: Option<WeightBits>,
    /// Of matrices of 4 bits.
    pub scales: GroupScales,
    pub round: Rounding,
    /// Rank of the branch beside matrices of 4 bits ([`crate::network::branch`]); 0 for none.
    pub branch: usize,
    /// Matrices that differ from the above, by name.
    pub tensors: BTreeMap<String, TensorFormat>,
    /// A head in clusters.
    pub clusters: Option<ClusterForm>,
    pub state_bits: u32,
    /// Bits of a matrix operand's mantissas, 4..=16; fewer than 16 run on the golden model only.
    pub operand_bits: u32,
    /// Factor between the largest value seen in calibration and the largest value that fits.
    pub headroom: f64,
}

impl Default for QuantOptions {
    fn default() -> Self {
        Self {
            bits: WeightBits::W8,
            head: None,
            value: None,
            scales: GroupScales::default(),
            round: Rounding::default(),
            branch: 0,
            tensors: BTreeMap::new(),
            clusters: None,
            state_bits: 24,
            operand_bits: OPERAND_BITS,
            headroom: 8.0,
        }
    }
}

/// Width of `ffn.value` in a model of width `bits` that asks for nothing else: it is streamed by columns, and the chip has those with 8 bits.
pub fn value_bits(bits: WeightBits) -> WeightBits {
    match bits {
        WeightBits::W4 | WeightBits::W8 => WeightBits::W8,
        WeightBits::W4Columns | WeightBits::W16 => bits,
    }
}

/// A matrix of a layer: name, stored bits, fraction of its operand and of its result.
#[derive(Clone, Copy, Debug)]
pub struct MatrixSpec {
    pub name: &'static str,
    pub bits: WeightBits,
    pub f_in: i32,
    pub f_out: i32,
}

/// All matrices of layer `layer`, in order of use.
pub fn layer_matrices(layer: usize, bits: WeightBits, f: &LayerFormats, net: &NetFormats) -> Vec<MatrixSpec> {
    use WeightBits::W16;
    let all = [
        ("att.key.weight", bits, f.f_h1, f.f_k),
        ("att.w1", W16, f.f_h1, Z),
        ("att.w2", W16, O, Z),
        ("att.a1", W16, f.f_h1, f.f_a1),
        ("att.a2", W16, f.f_a1, Z),
        ("att.value.weight", bits, f.f_h1, net.f_v),
        ("att.v1", W16, f.f_h1, f.f_v1),
        ("att.v2", W16, f.f_v1, Z),
        ("att.receptance.weight", bits, f.f_h1, f.f_r),
        ("att.g1", W16, f.f_h1, Z),
        ("att.g2", W16, O, f.f_g),
        ("att.output.weight", bits, f.f_yg, net.f_x),
        ("ffn.key.weight", bits, f.f_h2, f.f_fk),
        ("ffn.value.weight", value_bits(bits), f.f_r2, net.f_x),
    ];
    let spec = |(name, bits, f_in, f_out)| MatrixSpec { name, bits, f_in, f_out };
    all.into_iter().map(spec).filter(|m| layer > 0 || !["att.v1", "att.v2"].contains(&m.name)).collect()
}

impl MatrixSpec {
    /// Fraction of the stored matrix whose largest |weight| is `max`: as large as scales allow and the shift's range permits.
    pub fn frac(&self, max: f64) -> i32 {
        matrix_frac(max, self.bits).min(MAT_SHIFT.1 + self.f_out - self.f_in)
    }
}

/// Chooses all formats but `f_emb`, which depends on the embedding alone and is at most `f_x`.
///
/// `layers[l]` and `net` hold the tensors' maxima, `ranges` the taps'.
pub fn choose(
    n_embd: usize,
    head_size: usize,
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
        let min = MAT_SHIFT.0;
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
    let mut f_x = (0..=n_layer).map(|l| elements(seen(l, &["x.emb", "att.x", "ffn.x"]))).min().unwrap_or(MAX_FRAC);
    for (l, (m, f)) in layers.iter().zip(&mut out).enumerate() {
        f.f_s = bits_frac(seen(l, &["S", "att.sa"]), options.state_bits).min(f_v + f.f_km - MIN_SH_VK);
        f.f_y = elements(seen(l, &["att.y"])).min(f.f_s + f.f_r - MIN_SH_Y);
        f.f_rk = elements(seen(l, &["att.rk"])).min(f.f_r + f.f_km);
        f.f_bs = elements(seen(l, &["att.bonus"])).min(f.f_rk + bits_frac(of(m, "att.r_k"), 16));
        f.f_yb = elements(seen(l, &["att.yb"]).max(bound(m, "att.ln_x", head_size))).min(f_v + f.f_bs);
        f.f_yg = elements(seen(l, &["att.yg"])).min(f.f_yb + f.f_g);
        let output_bits = options.tensor(&format!("blocks.{l}.att.output.weight")).bits;
        let value_bits = options.tensor(&format!("blocks.{l}.ffn.value.weight")).bits;
        f_x = f_x
            .min(f.f_yg + matrix_frac(of(m, "att.output.weight"), output_bits) - MAT_SHIFT.0)
            .min(f.f_r2 + matrix_frac(of(m, "ffn.value.weight"), value_bits) - MAT_SHIFT.0);
    }
    for f in &mut out {
        f.ln1 = NormConstants::new(n_embd, EPS_LN, f_x);
        f.ln2 = NormConstants::new(n_embd, EPS_LN, f_x);
        f.ln_x = NormConstants::new(head_size, EPS_LN_X, f.f_y);
    }
    let f_ho = elements(bound(net, "ln_out", n_embd));
    let f_logits = elements(seen(n_layer, &["logits"]))
        .min(f_ho + matrix_frac(of(net, "head.weight"), options.tensor("head.weight").bits) - MAT_SHIFT.0);
    let formats = NetFormats {
        f_emb: f_x,
        f_x,
        f_v,
        f_ho,
        f_logits,
        ln_out: NormConstants::new(n_embd, EPS_LN, f_x),
        state_bits: options.state_bits,
        operand_bits: options.operand_bits,
        f_t_head: None,
        clusters: options.clusters,
        recipe: Some(options.recipe()),
    };
    (formats, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_constants_are_the_nearest() {
        for n in [8usize, 16, 32, 48, 64, 100, 128, 768, 1024, 2048, 2560, 4096] {
            for f_x in [-8, 0, 5, 13, 22] {
                let c = NormConstants::new(n, EPS_LN, f_x);
                assert_eq!(c.inv_n, (2f64.powi(c.q_n) / n as f64).round() as i64);
                let q_r = c.rsq_base - 6 + NORM;
                assert_eq!(c.root_n, ((n as f64).sqrt() * 2f64.powi(q_r)).round() as i64);
                assert!(c.inv_n <= 1 << 17 && (1 << 17..1 << 18).contains(&c.root_n), "{c:?}");
                let eps = EPS_LN * n as f64 * 2f64.powi(2 * f_x);
                let got = c.eps_int() as f64;
                assert!(c.eps_m < 65536 && (got == 1.0 && eps < 1.5 || (got / eps - 1.0).abs() < 0.5), "{c:?} {eps}");
            }
        }
    }
}
