//! The shift of every operation of a token, computed once from the formats and the fractions of the tensors.
//!
//! Both integer steps ([`crate::network::integer_step`], [`crate::fast`]) and the program compiler of the chip take their shifts from here by
//! name, and [`crate::network::model::QModel::check`] holds each one to its range. `f(p)` in a formula is the fraction bits of tensor `p`; the other
//! names are those of [`LayerFormats`], [`NetFormats`] and `docs/integer-step.md`. `NORM`, `Z` and `O` are fixed fractions
//! ([`crate::arithmetic::fixed`]).

use crate::arithmetic::fixed::{NORM, O, Z};
use crate::arithmetic::norm::NormShifts;
use crate::arithmetic::recurrence::WkvShifts;
use crate::network::branch::{Branched, ATT_KEY, ATT_OUTPUT, ATT_RECEPTANCE, ATT_VALUE, FFN_KEY, HEAD};
use crate::network::formats::{DeepFormats, LayerFormats, NetFormats};

/// The smallest and the largest value a shift may have.
pub type Range = (i32, i32);

/// A product of vectors is shifted right by this much: what the shifter of the vector unit takes.
pub const RIGHT: Range = (0, 63);
/// A parameter that is added to a vector is shifted left by this much.
pub const LEFT: Range = (0, 31);
/// The static part of a matrix' shift: with the exponent of the row, 0 to 15, and less that of the operand, up to 12, it stays in 0..=63.
pub const MATRIX: Range = (12, 48);
/// The shift of `v · k` in the recurrence, from which the exponents of two operands, up to 11 each, are taken.
pub const VK: Range = (22, 63);
/// The shift of `S · r` in the recurrence, from which the exponent of one operand, up to 11, is taken.
pub const Y: Range = (11, 63);

const _: () = assert!(MATRIX.1 + 15 <= RIGHT.1);

/// Fraction bits that a product of a value with `a` and one with `b` loses to have `to`: `a + b − to`. Formats of a damaged image saturate, and
/// are then out of range.
fn product(a: i32, b: i32, to: i32) -> i32 {
    a.saturating_add(b).saturating_sub(to)
}

/// Fraction bits that a parameter with `from` gains to be added to a value with `to`: `to − from`.
fn aligned(from: i32, to: i32) -> i32 {
    to.saturating_sub(from)
}

/// Shifts that know their names and ranges.
pub trait Ranged {
    /// Calls `see` with the name, the value and the range of each shift; names begin with `name`.
    fn each(&self, name: &str, see: &mut dyn FnMut(String, i32, Range));
}

impl<T: Ranged> Ranged for Option<T> {
    fn each(&self, name: &str, see: &mut dyn FnMut(String, i32, Range)) {
        if let Some(shifts) = self {
            shifts.each(&format!("{name}."), see);
        }
    }
}

impl Ranged for NormShifts {
    fn each(&self, name: &str, see: &mut dyn FnMut(String, i32, Range)) {
        see(format!("{name}.gain"), self.gain, RIGHT);
        see(format!("{name}.bias"), self.bias, LEFT);
    }
}

impl Ranged for WkvShifts {
    fn each(&self, name: &str, see: &mut dyn FnMut(String, i32, Range)) {
        let all = [("sa", self.sa, RIGHT), ("b", self.b, RIGHT), ("vk", self.vk, VK), ("y", self.y, Y)];
        all.into_iter().for_each(|(shift, value, range)| see(format!("{name}.{shift}"), value, range));
    }
}

/// Declares a struct of shifts: a shift is a name, its range and its formula; a group of shifts is a name, its type and what makes it.
macro_rules! shifts {
    (
        $(#[$doc:meta])* $name:ident($of:ident) {
            $($(#[$shift_doc:meta])* $shift:ident in $range:ident = $formula:expr;)*
        } groups {
            $($(#[$group_doc:meta])* $group:ident: $type:ty = $made:expr;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$shift_doc])* pub $shift: i32,)*
            $($(#[$group_doc])* pub $group: $type,)*
        }

        impl $name {
            fn new($of: &Fractions) -> Self {
                Self { $($shift: $formula,)* $($group: $made,)* }
            }
        }

        impl Ranged for $name {
            fn each(&self, name: &str, see: &mut dyn FnMut(String, i32, Range)) {
                $(see(format!("{name}{}", stringify!($shift)), self.$shift, $range);)*
                $(self.$group.each(&format!("{name}{}", stringify!($group)), see);)*
            }
        }
    };
}

/// The fractions that the shifts of a layer, or of what is outside the layers, follow from.
struct Fractions<'a> {
    f: &'a LayerFormats,
    net: &'a NetFormats,
    tensor: &'a dyn Fn(&str) -> Option<i32>,
}

/// Fraction bits of the operand and of the result of matrix `name`, whose name is that within its layer; none for what is no matrix.
pub fn matrix_fractions(name: &str, f: &LayerFormats, net: &NetFormats) -> Option<(i32, i32)> {
    let deep = f.deep_embed.as_ref();
    Some(match name {
        "att.key.weight" => (f.f_h1, f.f_k),
        "att.w1" => (f.f_h1, Z),
        "att.w2" => (O, Z),
        "att.a1" => (f.f_h1, f.f_a1),
        "att.a2" => (f.f_a1, Z),
        "att.value.weight" => (f.f_h1, net.f_v),
        "att.v1" => (f.f_h1, f.f_v1),
        "att.v2" => (f.f_v1, Z),
        "att.receptance.weight" => (f.f_h1, f.f_r),
        "att.g1" => (f.f_h1, Z),
        "att.g2" => (O, f.f_g),
        "att.output.weight" => (f.f_yg, f.residual(net)[1]),
        "ffn.key.weight" => (f.f_h2, f.f_fk),
        "ffn.s1" => (f.f_h2, deep?.f_s1),
        "ffn.s_emb.weight" => (deep?.f_s1, deep?.f_ss),
        "ffn.s2" => (deep?.f_ss, deep?.f_gate),
        "ffn.value.weight" => (f.f_hidden(), f.residual(net)[2]),
        "head.weight" | "head.centroids" => (net.f_ho, net.f_logits),
        _ => return None,
    })
}

impl Fractions<'_> {
    /// `f(name)`. The tensors named here are those that every layer has.
    fn of(&self, name: &str) -> i32 {
        (self.tensor)(name).unwrap_or_else(|| panic!("a layer without {name}"))
    }

    fn matrix(&self, name: &str) -> i32 {
        let (from, to) = matrix_fractions(name, self.f, self.net).unwrap_or_else(|| panic!("{name} is no matrix"));
        product(from, self.of(name), to)
    }

    /// The formats of DeepEmbed, in a layer that has it.
    fn deep(&self) -> DeepFormats {
        self.f.deep_embed.clone().unwrap_or_default()
    }

    fn norm(&self, weight: &str, bias: &str, to: i32) -> NormShifts {
        NormShifts { gain: product(NORM, self.of(weight), to), bias: aligned(self.of(bias), to) }
    }

    fn product(&self, names: &Branched) -> ProductShifts {
        let (from, to) = matrix_fractions(names.weight, self.f, self.net).unwrap_or_default();
        let f_t = if names == &HEAD { self.net.f_t_head } else { self.f.f_t.get(names.weight).copied() };
        let branch = f_t
            .map(|f_t| BranchShifts { v: product(from, self.of(names.v), f_t), u: product(f_t, self.of(names.u), to) });
        ProductShifts { w: self.matrix(names.weight), branch }
    }
}

/// The shifts of `y = W x + U (V x)`: a matrix and the branch it may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProductShifts {
    /// `f_in + f(W) − f_out`
    pub w: i32,
    pub branch: Option<BranchShifts>,
}

/// The shifts of a low-rank branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BranchShifts {
    /// `f_in + f(V) − f_t`
    pub v: i32,
    /// `f_t + f(U) − f_out`
    pub u: i32,
}

impl Ranged for ProductShifts {
    fn each(&self, name: &str, see: &mut dyn FnMut(String, i32, Range)) {
        see(name.to_string(), self.w, MATRIX);
        if let Some(branch) = self.branch {
            see(format!("{name}.branch_v"), branch.v, MATRIX);
            see(format!("{name}.branch_u"), branch.u, MATRIX);
        }
    }
}

shifts! {
    /// The shifts of one layer, in the order of the step.
    LayerShifts(of) {
        /// The token shift `(prev − h) · x_r`, and the five like it: `f(x_r)`
        x_r in RIGHT = of.of("att.x_r");
        x_w in RIGHT = of.of("att.x_w");
        x_k in RIGHT = of.of("att.x_k");
        x_v in RIGHT = of.of("att.x_v");
        x_a in RIGHT = of.of("att.x_a");
        x_g in RIGHT = of.of("att.x_g");
        /// `f_h1 + f(w1) − Z`
        w1 in MATRIX = of.matrix("att.w1");
        /// `O + f(w2) − Z`
        w2 in MATRIX = of.matrix("att.w2");
        /// The bias of the decay: `Z − f(w0)`
        w0 in LEFT = aligned(of.of("att.w0"), Z);
        /// `f_h1 + f(a1) − f_a1`
        a1 in MATRIX = of.matrix("att.a1");
        /// `f_a1 + f(a2) − Z`
        a2 in MATRIX = of.matrix("att.a2");
        /// The bias of the in-context learning rate: `Z − f(a0)`
        a0 in LEFT = aligned(of.of("att.a0"), Z);
        /// `f_h1 + f(g1) − Z`
        g1 in MATRIX = of.matrix("att.g1");
        /// `O + f(g2) − f_g`
        g2 in MATRIX = of.matrix("att.g2");
        /// `k · k_k`: `f_k + f(k_k) − f_k0`
        k0 in RIGHT = product(of.f.f_k, of.of("att.k_k"), of.f.f_k0);
        /// `kk · a`: `O + O − O`
        b in RIGHT = product(O, O, O);
        /// `(a − 1) · k_a`: `O + f(k_a) − O`
        t in RIGHT = product(O, of.of("att.k_a"), O);
        /// `k · t`: `f_k + O − f_km`
        km in RIGHT = product(of.f.f_k, O, of.f.f_km);
        /// `r · km`: `f_r + f_km − f_rk`
        rk in RIGHT = product(of.f.f_r, of.f.f_km, of.f.f_rk);
        /// `Σ rk · r_k`: `f_rk + f(r_k) − f_bs`
        bonus in RIGHT = product(of.f.f_rk, of.of("att.r_k"), of.f.f_bs);
        /// `v · bonus`: `f_v + f_bs − f_yb`
        yb in RIGHT = product(of.net.f_v, of.f.f_bs, of.f.f_yb);
        /// `yb · g`: `f_yb + f_g − f_yg`
        yg in RIGHT = product(of.f.f_yb, of.f.f_g, of.f.f_yg);
        /// x before time mixing to the format after it: `f_x[0] − f_x[1]`
        att_x in RIGHT = product(of.f.residual(of.net)[0], 0, of.f.residual(of.net)[1]);
        /// x before channel mixing to the format after it: `f_x[1] − f_x[2]`
        ffn_x in RIGHT = product(of.f.residual(of.net)[1], 0, of.f.residual(of.net)[2]);
        /// The token shift of the channel mix: `f(ffn.x_k)`
        ffn_x_k in RIGHT = of.of("ffn.x_k");
        /// `relu(k)²`: `f_fk + f_fk − f_r2`
        r2 in RIGHT = product(of.f.f_fk, of.f.f_fk, of.f.f_r2);
        /// `f_r2 + f(ffn.value) − f_x[2]`, with DeepEmbed `f_r2g + f(ffn.value) − f_x`
        ffn_value in MATRIX = of.matrix("ffn.value.weight");
    } groups {
        /// Gain `NORM + f(ln1.weight) − f_h1`, bias `f_h1 − f(ln1.bias)`
        ln1: NormShifts = of.norm("ln1.weight", "ln1.bias", of.f.f_h1);
        /// `f_h1 + f(key) − f_k`
        key: ProductShifts = of.product(&ATT_KEY);
        /// `f_h1 + f(value) − f_v`
        value: ProductShifts = of.product(&ATT_VALUE);
        /// The mix with the value of layer 0, which layer 0 does not have.
        v: Option<ResidualShifts> = (of.tensor)("att.v1").map(|_| ResidualShifts::new(of));
        /// `f_h1 + f(receptance) − f_r`
        receptance: ProductShifts = of.product(&ATT_RECEPTANCE);
        /// `S · kk` and `sa · b`: `f_s + O − f_s`; `v · km`: `f_v + f_km − f_s`; `S · r`: `f_s + f_r − f_y`
        wkv: WkvShifts = WkvShifts {
            sa: O,
            b: O,
            vk: product(of.net.f_v, of.f.f_km, of.f.f_s),
            y: product(of.f.f_s, of.f.f_r, of.f.f_y),
        };
        /// Gain `NORM + f(ln_x.weight) − f_yb`, bias `f_yb − f(ln_x.bias)`
        ln_x: NormShifts = of.norm("att.ln_x.weight", "att.ln_x.bias", of.f.f_yb);
        /// `f_yg + f(output) − f_x[1]`
        output: ProductShifts = of.product(&ATT_OUTPUT);
        /// Gain `NORM + f(ln2.weight) − f_h2`, bias `f_h2 − f(ln2.bias)`
        ln2: NormShifts = of.norm("ln2.weight", "ln2.bias", of.f.f_h2);
        /// `f_h2 + f(ffn.key) − f_fk`
        ffn_key: ProductShifts = of.product(&FFN_KEY);
        /// DeepEmbed, which only RWKV-7a has.
        deep_embed: Option<DeepShifts> = of.f.deep_embed.as_ref().map(|_| DeepShifts::new(of));
    }
}

shifts! {
    /// The shifts of the mix of a layer's value with that of layer 0.
    ResidualShifts(of) {
        /// `f_h1 + f(v1) − f_v1`
        v1 in MATRIX = of.matrix("att.v1");
        /// `f_v1 + f(v2) − Z`
        v2 in MATRIX = of.matrix("att.v2");
        /// The bias of the gate: `Z − f(v0)`
        v0 in LEFT = aligned(of.of("att.v0"), Z);
        /// `(v_first − v0) · gate`: `f_v + O − f_v`
        vg in RIGHT = O;
    } groups {}
}

shifts! {
    /// The shifts of DeepEmbed.
    DeepShifts(of) {
        /// `f_h2 + f(s1) − f_s1`
        s1 in MATRIX = of.matrix("ffn.s1");
        /// The token's own matrix: `f_s1 + f(s_emb) − f_ss`
        s_emb in MATRIX = of.matrix("ffn.s_emb.weight");
        /// `f_ss + f(s2) − f_gate`
        s2 in MATRIX = of.matrix("ffn.s2");
        /// The bias of the gate: `f_gate − f(s0)`
        s0 in LEFT = aligned(of.of("ffn.s0"), of.deep().f_gate);
        /// `relu(k)² · gate`: `f_r2 + f_gate − f_r2g`
        r2g in RIGHT = product(of.f.f_r2, of.deep().f_gate, of.deep().f_r2g);
    } groups {}
}

shifts! {
    /// The shifts of what is outside the layers: embedding, last norm and head.
    NetShifts(of) {
        /// A row of the embedding table becomes the residual stream: `f_x − f_emb`
        emb in LEFT = aligned(of.net.f_emb, of.net.f_x);
    } groups {
        /// Gain `NORM + f(ln_out.weight) − f_ho`, bias `f_ho − f(ln_out.bias)`
        ln_out: NormShifts = of.norm("ln_out.weight", "ln_out.bias", of.net.f_ho);
        /// `f_ho + f(head) − f_logits`
        head: ProductShifts = of.product(&HEAD);
        /// The head in clusters has centroids, too.
        clusters: Option<ClusterShifts> = of.net.clusters.map(|_| ClusterShifts::new(of));
    }
}

shifts! {
    /// The shift that a head in clusters adds.
    ClusterShifts(of) {
        /// `f_ho + f(centroids) − f_logits`
        centroids in MATRIX = of.matrix("head.centroids");
    } groups {}
}

impl LayerShifts {
    /// The shifts of a layer; `tensor` gives the fraction bits of the layer's tensor of a name such as `att.w1`.
    ///
    /// # Panics
    /// If a tensor that every layer has is missing.
    pub fn of(f: &LayerFormats, net: &NetFormats, tensor: &dyn Fn(&str) -> Option<i32>) -> Self {
        Self::new(&Fractions { f, net, tensor })
    }
}

impl NetShifts {
    /// The shifts outside the layers; `tensor` gives the fraction bits of a tensor such as `head.weight`.
    ///
    /// # Panics
    /// If a tensor that every network has is missing.
    pub fn of(net: &NetFormats, tensor: &dyn Fn(&str) -> Option<i32>) -> Self {
        Self::new(&Fractions { f: &LayerFormats::default(), net, tensor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Every format has a number of its own, every tensor another one: a formula with a wrong term gives another number.
    #[test]
    fn every_shift_is_that_of_the_specification() {
        let f = LayerFormats {
            f_h1: 1,
            f_k: 2,
            f_a1: 4,
            f_v1: 8,
            f_r: 16,
            f_g: 32,
            f_k0: 64,
            f_km: 128,
            f_s: 256,
            f_y: 512,
            f_yb: 1024,
            f_rk: 2048,
            f_bs: 4096,
            f_yg: 8192,
            f_h2: 16384,
            f_fk: 32768,
            f_r2: 65536,
            f_x: Some([1 << 26, 1 << 18, 1 << 27]),
            f_t: [("att.key.weight".to_string(), 1 << 22)].into(),
            deep_embed: Some(DeepFormats { f_s1: 3, f_ss: 5, f_gate: 9, f_r2g: 1 << 23 }),
            ..LayerFormats::default()
        };
        let net = NetFormats {
            f_emb: 1 << 17,
            f_x: 1 << 18,
            f_v: 1 << 19,
            f_ho: 1 << 20,
            f_logits: 1 << 21,
            ..Default::default()
        };
        let tensor = 1 << 25;
        let s = LayerShifts::of(&f, &net, &|_| Some(tensor));
        let mut got = BTreeMap::new();
        s.each("", &mut |name, value, _| _ = got.insert(name, value));
        NetShifts::of(&net, &|_| Some(tensor)).each("net.", &mut |name, value, _| _ = got.insert(name, value));
        // the formulas of docs/integer-step.md, with NORM = 20 and Z = O = 16
        let want = [
            ("x_r", tensor),
            ("x_w", tensor),
            ("x_k", tensor),
            ("x_v", tensor),
            ("x_a", tensor),
            ("x_g", tensor),
            ("w1", 1 + tensor - 16),
            ("w2", 16 + tensor - 16),
            ("w0", 16 - tensor),
            ("a1", 1 + tensor - 4),
            ("a2", 4 + tensor - 16),
            ("a0", 16 - tensor),
            ("g1", 1 + tensor - 16),
            ("g2", 16 + tensor - 32),
            ("k0", 2 + tensor - 64),
            ("b", 16),
            ("t", tensor),
            ("km", 16 + 2 - 128),
            ("rk", 16 + 128 - 2048),
            ("bonus", 2048 + tensor - 4096),
            ("yb", (1 << 19) + 4096 - 1024),
            ("yg", 1024 + 32 - 8192),
            ("ffn_x_k", tensor),
            ("r2", 2 * 32768 - 65536),
            ("att_x", (1 << 26) - (1 << 18)),
            ("ffn_x", (1 << 18) - (1 << 27)),
            ("ffn_value", (1 << 23) + tensor - (1 << 27)),
            ("ln1.gain", 20 + tensor - 1),
            ("ln1.bias", 1 - tensor),
            ("key", 1 + tensor - 2),
            ("key.branch_v", 1 + tensor - (1 << 22)),
            ("key.branch_u", (1 << 22) + tensor - 2),
            ("value", 1 + tensor - (1 << 19)),
            ("v.v1", 1 + tensor - 8),
            ("v.v2", 8 + tensor - 16),
            ("v.v0", 16 - tensor),
            ("v.vg", 16),
            ("receptance", 1 + tensor - 16),
            ("wkv.sa", 16),
            ("wkv.b", 16),
            ("wkv.vk", (1 << 19) + 128 - 256),
            ("wkv.y", 256 + 16 - 512),
            ("ln_x.gain", 20 + tensor - 1024),
            ("ln_x.bias", 1024 - tensor),
            ("output", 8192 + tensor - (1 << 18)),
            ("ln2.gain", 20 + tensor - 16384),
            ("ln2.bias", 16384 - tensor),
            ("ffn_key", 16384 + tensor - 32768),
            ("deep_embed.s1", 16384 + tensor - 3),
            ("deep_embed.s_emb", 3 + tensor - 5),
            ("deep_embed.s2", 5 + tensor - 9),
            ("deep_embed.s0", 9 - tensor),
            ("deep_embed.r2g", 65536 + 9 - (1 << 23)),
            ("net.emb", (1 << 18) - (1 << 17)),
            ("net.ln_out.gain", 20 + tensor - (1 << 20)),
            ("net.ln_out.bias", (1 << 20) - tensor),
            ("net.head", (1 << 20) + tensor - (1 << 21)),
        ];
        let want: BTreeMap<_, _> = want.map(|(name, value)| (name.to_string(), value)).into();
        assert_eq!(got, want);
        let plain = LayerShifts::of(&LayerFormats { deep_embed: None, ..f }, &net, &|_| Some(tensor));
        assert_eq!((plain.ffn_value, plain.deep_embed), (65536 + tensor - (1 << 27), None));
    }

    #[test]
    fn formats_of_a_damaged_image_do_not_overflow() {
        for end in [i32::MIN, i32::MAX] {
            let f_x = Some([end, -(end / 2), end]);
            let f = LayerFormats { f_x, f_k: end, f_km: -(end / 2), f_h1: end, f_fk: end, ..LayerFormats::default() };
            LayerShifts::of(&f, &NetFormats { f_emb: end, f_x: end, ..Default::default() }, &|_| Some(end));
        }
    }
}
