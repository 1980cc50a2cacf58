//! The nonlinear functions of the chip, to the bit: sigmoid, tanh, decay and reciprocal square root.
//!
//! All four are quadratics over short segments, evaluated in integers by Horner's rule. With `round` =
//! [`round_shift`] (nearest, ties to even), `[c0, c1, c2]` the row of the segment and `t` the offset in it:
//!
//! ```text
//! horner: s1 = c1 + round(c2 · t, offset_bits)            signed
//!         s0 = c0 + round(s1 · t, offset_bits)            signed, frac_bits fraction bits
//! ```
//!
//! # sigmoid, tanh, decay
//!
//! Input `z`: 19 bits, two's complement, 14 fraction bits (−262144..=262143 stands for ±16). Output: 16 fraction bits. One ROM
//! of 384 rows, [`element_rom`]: rows 0..128 sigmoid over z = 0..16, rows 128..384 decay over z = −16..16, every segment 1/8 wide; 21 fraction bits;
//! `offset_bits` = 11. Widths: c0 22 bits unsigned, c1 18 bits signed, c2 12 bits signed; t 11 bits unsigned; s1 18 bits and s0 23 bits signed hold every value.
//!
//! ```text
//! sigmoid   a   = min(|z|, 262143)                        18 bits; |−262144| is the one value that min changes
//!           row = a[17:11]          t = a[10:0]
//!           h   = round(s0, 5)                            0..=65536, 17 bits
//!           out = z < 0 ? 65536 − h : h                   0..=65536
//! tanh      a   = min(2·|z|, 262143)                      18 bits
//!           row = a[17:11]          t = a[10:0]
//!           h   = round(s0, 4) − 65536                    2·sigmoid(2|z|) − 1 with one more fraction bit: 0..=65536
//!           out = z < 0 ? −h : h                          −65536..=65536, 18 bits signed
//! decay     a   = z + 262144                              19 bits: z with its top bit inverted
//!           row = 128 + a[18:11]    t = a[10:0]
//!           out = round(s0, 5)                            0..=29803 (1 − exp(−e^(−1/2)) = 0.45476)
//! ```
//!
//! Worst absolute error over all 2^19 inputs (asserted by the tests; in units of 2^-16, where 1/2 is unavoidable): sigmoid 0.61, tanh 0.69,
//! decay 0.57. As z grows none falls by more than one unit (at segment borders). sigmoid(−z) = 1 − sigmoid(z) and tanh(−z) = −tanh(z) hold exactly for |z| < 16; sigmoid(0) = 1/2, tanh(0) = 0.
//!
//! # rsqrt
//!
//! Input `u`: up to 80 bits, unsigned. `1/√u ≈ R · 2^-17 · 2^-e`. A ROM of 64 rows, [`rsqrt_rom`]: rows 0..32 for mantissas in [1, 2), rows 32..64 for [2, 4); 22 fraction bits;
//! `offset_bits` = 13. Widths: c0 23 bits unsigned, c1 18 bits signed (negative), c2 13 bits signed (positive); t 13 bits unsigned; s1 18 bits and s0 24 bits signed hold every value.
//!
//! ```text
//! u = 0     R = 0, e = 0
//! else      p   = index of the highest set bit            0..=79
//!           e   = p[6:1]                                  0..=39
//!           x   = the 18 bits below the highest set bit, zeros below bit 0: (p ≥ 18 ? u >> (p − 18) : u << (18 − p))[17:0]
//!           row = p[0]·32 + x[17:13]    t = x[12:0]
//!           R   = round(s0, 5)                            65536..=131072, 18 bits
//! ```
//!
//! Worst relative error of `R · 2^-17 · 2^-e` over all mantissas, the dropped bits of u included: 2^-16.8 (asserted). R = 131072 exactly for every power of four.

#![deny(clippy::float_arithmetic)] // coefficients are made in `fit`

#[allow(clippy::float_arithmetic)] // run once when a table is made
mod fit;

use crate::arithmetic::fixed::round_shift;
use std::sync::OnceLock;

/// Bits of a table's input; clip to this width before the look-up.
pub const INPUT_BITS: u32 = 19;
/// Fraction bits of a table's input.
pub const INPUT_FRAC: u32 = 14;
/// Fraction bits of a table's output.
pub const OUTPUT_FRAC: u32 = 16;
/// Fraction bits of `R` of [`rsqrt`].
pub const RSQRT_FRAC: u32 = 17;
/// First row of decay in [`element_rom`]; the rows before it are sigmoid's.
pub const DECAY_ROW: usize = 128;
/// 1.0 as a table's output.
pub const ONE: i32 = 1 << OUTPUT_FRAC;

/// A coefficient ROM and what is needed to build the hardware around it.
#[derive(Clone, Debug)]
pub struct TableRom {
    /// `[c0, c1, c2]`, each an integer with `frac_bits` fraction bits.
    pub rows: Vec<[i64; 3]>,
    /// Bits of c0 (unsigned), c1 (signed), c2 (signed).
    pub widths: [usize; 3],
    /// Bits of the offset t in a segment (unsigned).
    pub offset_bits: u32,
    pub frac_bits: u32,
}

impl TableRom {
    /// Row `i` as one ROM word: c0 in the lowest bits, then c1, then c2, each in its width.
    pub fn word(&self, i: usize) -> u64 {
        let mut at = 0;
        self.rows[i].iter().zip(self.widths).fold(0, |word, (c, bits)| {
            let field = (*c as u64 & ((1 << bits) - 1)) << at;
            at += bits;
            word | field
        })
    }

    /// Bits of a ROM word.
    pub fn word_bits(&self) -> usize {
        self.widths.iter().sum()
    }
}

/// `s0` of the module's description: the quadratic `row` at offset `t`, with the fraction bits of the row.
#[inline]
pub fn horner(row: &[i64; 3], t: i64, offset_bits: u32) -> i64 {
    let s1 = row[1] + round_shift(row[2] * t, offset_bits);
    row[0] + round_shift(s1 * t, offset_bits)
}

const ELEMENT_OFFSET_BITS: u32 = 11;
const ELEMENT_FRAC: u32 = 21;
const RSQRT_OFFSET_BITS: u32 = 13;
const RSQRT_ROM_FRAC: u32 = 22;
const RSQRT_SEGMENTS: usize = 32; // an octave

/// Coefficients of sigmoid (rows 0..128) and decay (rows 128..384).
pub fn element_rom() -> &'static TableRom {
    static ROM: OnceLock<TableRom> = OnceLock::new();
    ROM.get_or_init(|| {
        let segment = |f: fn(f64) -> f64, i: i32| fit::element_row(f, i, ELEMENT_OFFSET_BITS, ELEMENT_FRAC);
        let sigmoid = (0..128).map(|i| segment(fit::sigmoid, i));
        let decay = (-128..128).map(|i| segment(fit::decay, i));
        TableRom {
            rows: sigmoid.chain(decay).collect(),
            widths: [22, 18, 12],
            offset_bits: ELEMENT_OFFSET_BITS,
            frac_bits: ELEMENT_FRAC,
        }
    })
}

/// Coefficients of 1/√m: rows 0..32 for m in [1, 2), rows 32..64 for m in [2, 4).
pub fn rsqrt_rom() -> &'static TableRom {
    static ROM: OnceLock<TableRom> = OnceLock::new();
    ROM.get_or_init(|| TableRom {
        rows: (0..2 * RSQRT_SEGMENTS)
            .map(|i| fit::rsqrt_row(i, RSQRT_SEGMENTS, RSQRT_OFFSET_BITS, RSQRT_ROM_FRAC))
            .collect(),
        widths: [23, 18, 13],
        offset_bits: RSQRT_OFFSET_BITS,
        frac_bits: RSQRT_ROM_FRAC,
    })
}

/// `s0` of an 18- or 19-bit address `a` whose low 11 bits are the offset.
#[inline]
fn element(a: i64, first_row: usize) -> i64 {
    let row = first_row + (a >> ELEMENT_OFFSET_BITS) as usize;
    horner(&element_rom().rows[row], a & ((1 << ELEMENT_OFFSET_BITS) - 1), ELEMENT_OFFSET_BITS)
}

/// Largest address of the sigmoid table; also the largest input.
const LAST: i64 = (1 << (INPUT_BITS - 1)) - 1;

/// sigmoid(z): `z` 19 bits Q5.14, result 0..=65536 with 16 fraction bits.
pub fn sigmoid(z: i32) -> i32 {
    let h = round_shift(element(i64::from(z).abs().min(LAST), 0), ELEMENT_FRAC - OUTPUT_FRAC) as i32;
    if z < 0 {
        ONE - h
    } else {
        h
    }
}

/// tanh(z) = 2·sigmoid(2z) − 1: `z` 19 bits Q5.14, result −65536..=65536 with 16 fraction bits.
pub fn tanh(z: i32) -> i32 {
    let h = round_shift(element((2 * i64::from(z).abs()).min(LAST), 0), ELEMENT_FRAC - OUTPUT_FRAC - 1) as i32 - ONE;
    if z < 0 {
        -h
    } else {
        h
    }
}

/// 1 − w = 1 − exp(−e^(−1/2)·sigmoid(z)): `z` 19 bits Q5.14, result 0..=29803 with 16 fraction bits.
pub fn decay(z: i32) -> i32 {
    round_shift(element(i64::from(z) + LAST + 1, DECAY_ROW), ELEMENT_FRAC - OUTPUT_FRAC) as i32
}

/// `(R, e)` with 1/√u ≈ R · 2^-17 · 2^-e: `u` up to 80 bits, R in 65536..=131072, e in 0..=39; `(0, 0)` for u = 0.
pub fn rsqrt(u: u128) -> (u32, u32) {
    if u == 0 {
        return (0, 0);
    }
    let kept = RSQRT_OFFSET_BITS + RSQRT_SEGMENTS.trailing_zeros();
    let p = 127 - u.leading_zeros();
    let x = if p >= kept { u >> (p - kept) } else { u << (kept - p) } as i64 & ((1 << kept) - 1);
    let row = (p & 1) as usize * RSQRT_SEGMENTS + (x >> RSQRT_OFFSET_BITS) as usize;
    let s0 = horner(&rsqrt_rom().rows[row], x & ((1 << RSQRT_OFFSET_BITS) - 1), RSQRT_OFFSET_BITS);
    (round_shift(s0, RSQRT_ROM_FRAC - RSQRT_FRAC) as u32, p >> 1)
}

#[cfg(test)]
#[allow(clippy::float_arithmetic)] // errors are measured in floating point
mod tests {
    use super::*;

    const ALL: std::ops::RangeInclusive<i32> = -(1 << 18)..=(1 << 18) - 1; // 2^19 inputs

    /// Worst absolute error over all inputs in units of 2^-16, and the largest step downwards.
    fn worst(table: fn(i32) -> i32, exact: impl Fn(f64) -> f64) -> (f64, i32) {
        let (mut error, mut drop, mut last) = (0f64, 0, i32::MIN + 1);
        for z in ALL {
            let got = table(z);
            error = error.max((f64::from(got) - exact(f64::from(z) / 16384.0) * 65536.0).abs());
            drop = drop.max(last.saturating_sub(got));
            last = got;
        }
        (error, drop)
    }

    #[test]
    fn every_input_of_every_table() {
        let (sigmoid_error, sigmoid_drop) = worst(sigmoid, |z| 1.0 / (1.0 + (-z).exp()));
        let (tanh_error, tanh_drop) = worst(tanh, f64::tanh);
        let (decay_error, decay_drop) = worst(decay, |z| -(-(-0.5f64).exp() / (1.0 + (-z).exp())).exp_m1());
        println!("sigmoid {sigmoid_error:.4} tanh {tanh_error:.4} decay {decay_error:.4} of 2^-16");
        println!("steps down: {sigmoid_drop} {tanh_drop} {decay_drop}");
        assert!(sigmoid_error <= 0.61 && tanh_error <= 0.69 && decay_error <= 0.57);
        assert_eq!((sigmoid_drop, tanh_drop, decay_drop), (1, 1, 1), "largest step downwards");
    }

    #[test]
    fn symmetry_and_ends() {
        for z in 0..1 << 18 {
            assert_eq!(sigmoid(-z), ONE - sigmoid(z));
            assert_eq!(tanh(-z), -tanh(z));
        }
        assert_eq!((sigmoid(0), tanh(0)), (ONE / 2, 0));
        assert_eq!((sigmoid(-(1 << 18)), sigmoid((1 << 18) - 1)), (0, ONE));
        assert_eq!((tanh(-(1 << 18)), tanh((1 << 18) - 1)), (-ONE, ONE));
        for z in ALL {
            assert!(
                (0..=ONE).contains(&sigmoid(z)) && (-ONE..=ONE).contains(&tanh(z)) && (0..=29803).contains(&decay(z))
            );
        }
    }

    #[test]
    fn every_mantissa_of_rsqrt() {
        let mut worst = 0f64;
        for octave in [38, 39] {
            // 18 kept bits, then the least and the most the dropped bits can be
            for x in 0..1u128 << 18 {
                for rest in [0, (1 << (octave - 18)) - 1] {
                    let u = (((1 << 18) + x) << (octave - 18)) + rest;
                    let (r, e) = rsqrt(u);
                    assert!((65536..=131072).contains(&r), "u {u}: R {r}");
                    let got = f64::from(r) / 131072.0 / f64::from(1u32 << e);
                    worst = worst.max((got * (u as f64).sqrt() - 1.0).abs());
                }
            }
        }
        println!("rsqrt: 2^{:.3}", worst.log2());
        assert!(worst.log2() <= -16.8);
    }

    #[test]
    fn rsqrt_of_every_length() {
        assert_eq!(rsqrt(0), (0, 0));
        for k in 0..40 {
            assert_eq!(rsqrt(1 << (2 * k)), (131072, k));
        }
        for p in 0..80 {
            for u in [1u128 << p, (1 << p) | (1 << p >> 1), (2 << p) - 1] {
                let (r, e) = rsqrt(u);
                let got = f64::from(r) / 131072.0 / (1u64 << e) as f64;
                assert!((got * (u as f64).sqrt() - 1.0).abs() < 1.0 / 92000.0, "u {u}");
            }
        }
    }

    #[test]
    fn widths_hold_every_value() {
        for (rom, s1_bits, s0_bits) in [(element_rom(), 18, 23), (rsqrt_rom(), 18, 24)] {
            let signed = |v: i64, bits: usize| (-(1i64 << (bits - 1))..1i64 << (bits - 1)).contains(&v);
            for (i, row) in rom.rows.iter().enumerate() {
                assert!((0..1 << rom.widths[0]).contains(&row[0]), "c0 of row {i}: {row:?}");
                assert!(signed(row[1], rom.widths[1]) && signed(row[2], rom.widths[2]), "row {i}: {row:?}");
                for t in 0..1 << rom.offset_bits {
                    assert!(signed(row[1] + round_shift(row[2] * t, rom.offset_bits), s1_bits), "s1 of row {i}");
                    assert!(signed(horner(row, t, rom.offset_bits), s0_bits), "s0 of row {i}");
                }
            }
        }
        assert_eq!((element_rom().rows.len(), rsqrt_rom().rows.len()), (384, 64));
        assert_eq!((element_rom().word_bits(), rsqrt_rom().word_bits()), (52, 54));
    }

    #[test]
    fn tables_are_the_same_on_every_machine() {
        use sha2::Digest;
        let mut hash = sha2::Sha256::new();
        for rom in [element_rom(), rsqrt_rom()] {
            (0..rom.rows.len()).for_each(|i| hash.update(rom.word(i).to_le_bytes()));
        }
        let hash: String = hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
        assert_eq!(hash, "97f09394b4d70c65", "coefficients changed: images and RTL of other builds no longer match");
    }
}
