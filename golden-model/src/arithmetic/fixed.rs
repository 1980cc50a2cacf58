//! The roundings and saturations of the whole project, one function each.
//!
//! A fixed-point number is an integer `v` with `frac_bits` f and stands for `v * 2^-f`. There is one rounding, to
//! nearest with ties to even, and one saturation, to the two's-complement range; the RTL holds the same two functions
//! and nothing else. No function here panics for any argument in its stated range.

/// Bits of an element at rest.
pub const VEC_BITS: u32 = 27;
/// Bits of an operand's mantissa.
pub const OPERAND_BITS: u32 = 16;
/// Fraction bits of a normalised vector.
pub const NORM: i32 = 20;
/// Fraction bits of what enters a table.
pub const Z: i32 = 16;
/// Fraction bits of what leaves a table, of kk and of b.
pub const O: i32 = 16;

/// Computes `x / 2^shift`, rounded to nearest, ties to even. `shift` in 0..=126.
///
/// Ties to even leaves no bias in long recurrences: the WKV state is rounded once a token for thousands of tokens.
#[inline(always)]
pub fn round_shift_wide(x: i128, shift: u32) -> i128 {
    if shift == 0 {
        return x;
    }
    let floor = x >> shift;
    let rest = x & ((1i128 << shift) - 1);
    let half = 1i128 << (shift - 1);
    floor + i128::from(rest > half || (rest == half && floor & 1 == 1))
}

/// [`round_shift_wide`] for values that fit 64 bits. `shift` in 0..=63; the result for 63 is -1, 0 or 1.
#[inline(always)]
pub fn round_shift(x: i64, shift: u32) -> i64 {
    if shift == 0 {
        return x;
    }
    let floor = x >> shift;
    let rest = (x as u64) & ((1u64 << shift) - 1);
    let half = 1u64 << (shift - 1);
    // carries out of the rest exactly if it is above half, or half and floor odd: no branch in the inner loops
    floor + ((rest + half - 1 + (floor as u64 & 1)) >> shift) as i64
}

/// Counts how often [`sat`] had to clip. The RTL has the same counters and they must agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saturations(pub u64);

/// Clips `x` to `bits` bits two's complement, `-2^(bits-1) ..= 2^(bits-1) - 1`, and counts it if it was outside.
#[inline(always)]
pub fn sat(x: i64, bits: u32, count: &mut Saturations) -> i32 {
    let max = (1i64 << (bits - 1)) - 1;
    let min = -max - 1;
    if x > max {
        count.0 += 1;
        max as i32
    } else if x < min {
        count.0 += 1;
        min as i32
    } else {
        x as i32
    }
}

/// [`sat`] where clipping is part of the function's meaning (table inputs, normalised operands) and is not counted.
#[inline(always)]
pub fn clip(x: i64, bits: u32) -> i32 {
    let max = (1i64 << (bits - 1)) - 1;
    x.clamp(-max - 1, max) as i32
}

/// Turns a shift that the formats keep in 0..=63 into the type that shifts take.
#[inline(always)]
pub fn sh(s: i32) -> u32 {
    debug_assert!((0..=63).contains(&s), "shift {s}: formats must keep every shift in 0..=63");
    s as u32
}
