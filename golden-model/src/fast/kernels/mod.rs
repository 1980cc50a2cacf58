//! Exact sums of products over pieces of the weight stream, in the instruction set the machine has.
//!
//! A kernel takes 32 rows of a matrix as they lie in the stream (`docs/hardware.md` §2: two tiles of 16 rows of bytes, or four of 8 rows of 16 bits)
//! and some operand vectors, and adds `Σ_c weight[row][c] · x[c]` to one 64-bit accumulator a row and vector. Sums are exact, so every
//! instruction set gives the same bits; the tests compare all of them with `portable`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod nibble_columns;
mod nibbles;
#[cfg(target_arch = "x86_64")]
mod nibbles_avx2;
#[cfg(target_arch = "x86_64")]
mod nibbles_avx512;
mod portable;

use super::isa::{dispatch, Isa};
#[cfg(target_arch = "x86_64")]
use super::operand::{Nibbles, Operand};
use crate::arithmetic::tensor::GROUP_COLS;
use crate::image::nibble_tiles::GROUP_BYTES;
pub use nibbles::nibble_run;

/// Rows a kernel takes at once: those of a scale unit.
pub const PANEL: usize = 32;

/// One accumulator a row.
pub type Acc = [i64; PANEL];

/// Rows of a piece of a matrix stored by columns: a cache line of a column.
pub const LINE: usize = 64;
/// Columns taken at once.
pub const COLUMNS: usize = 64;

/// One accumulator for each row of a piece of columns.
pub type Wide = [i64; LINE];

/// Adds the products of two tiles of 16 rows of bytes (rows 0..16 and 16..32, `cols` groups each) to `acc`, one for each of `x`.
///
/// `cols` is a multiple of 4; operands are at least as long.
pub fn w8(isa: Isa, tiles: [&[u8]; 2], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    check(&tiles, cols, x, acc);
    dispatch!(isa, [portable, avx2, avx512], w8(tiles, cols, x, acc))
}

/// [`w8`] for two tiles of nibbles: `groups` groups of 32 columns, each with its gs; operands are at least as long.
pub fn w4(isa: Isa, tiles: [&[u8]; 2], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    assert!(tiles.iter().all(|t| t.len() >= groups * GROUP_BYTES) && x.len() == acc.len());
    assert!(x.iter().all(|x| x.padded_len() >= groups * GROUP_COLS));
    dispatch!(isa, [portable, avx2, avx512], w4(tiles, groups, x, acc))
}

/// Adds the products of some columns of 64 rows, at most 64 columns, to `acc`, one for each of `x`, whose first elements are theirs.
///
/// The number of columns is a multiple of 4.
pub fn columns(isa: Isa, columns: &[&[u8; LINE]], x: &[&Operand], acc: &mut [Wide]) {
    assert!(columns.len() <= COLUMNS && columns.len().is_multiple_of(4) && x.len() == acc.len());
    assert!(x.iter().all(|x| x.padded_len() >= columns.len()));
    dispatch!(isa, [portable, avx2, avx512], columns(columns, x, acc))
}

/// Some lines of a matrix stored by columns.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// from the first line of column 0 on
    pub bytes: &'a [u8],
    /// bytes from one column to the next
    pub stride: usize,
}

impl Columns<'_> {
    fn column(&self, c: u16, lines: usize) -> &[u8] {
        &self.bytes[usize::from(c) * self.stride..][..lines * LINE]
    }

    /// Where `line` of column `c` starts.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn at(&self, c: u16, line: usize) -> *const u8 {
        self.bytes.as_ptr().wrapping_add(usize::from(c) * self.stride + line * LINE)
    }
}

/// Columns between one that is used and one that is asked for, as [`AHEAD`].
#[cfg(target_arch = "x86_64")]
const COLUMNS_AHEAD: usize = 16;

/// Adds the products of the columns `used` with their elements of the operand, `x`, to `acc`, one for each line.
///
/// For one operand: whole columns are read one after another. [`columns`] takes several operands, line by line.
pub fn column_run(isa: Isa, weights: &Columns<'_>, used: &[u16], x: &[i16], acc: &mut [Wide]) {
    let Some(last) = used.iter().max() else { return };
    weights.column(*last, acc.len()); // panics if it is not there
    assert_eq!(x.len(), used.len());
    dispatch!(isa, [portable, avx2, avx512], column_run(weights, used, x, acc))
}

/// [`w8`] for four tiles of 8 rows of 16 bits.
pub fn w16(isa: Isa, tiles: [&[u8]; 4], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    check(&tiles, cols, x, acc);
    dispatch!(isa, [portable, avx2, avx512], w16(tiles, cols, x, acc))
}

/// What the unsafe kernels rely on.
fn check(tiles: &[&[u8]], cols: usize, x: &[&Operand], acc: &[Acc]) {
    assert!(cols.is_multiple_of(4) && tiles.iter().all(|t| t.len() >= cols * 16) && x.len() == acc.len());
    assert!(x.iter().all(|x| x.padded_len() >= cols));
}

/// Asks for the cache line at `byte`, which may be any address.
#[inline(always)]
pub fn prefetch(byte: *const u8) {
    // SAFETY: a prefetch has no effect a program can see, whatever the address.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        _mm_prefetch(byte.cast(), _MM_HINT_T0);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = byte;
}

/// Bytes between a weight that is used and one that is asked for: what memory delivers while it answers. Processors fetch ahead by
/// themselves, but begin anew at every page, and with them alone a core gets two thirds as much (measured: 19 and 30 GB/s on one Zen 5
/// core). Behind a tile the stream goes on with the next one, behind a matrix with the next matrix.
pub const AHEAD: usize = 8 << 10;

/// Asks for what is needed after what lies at `from`; `jump` bytes more are left out.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch_ahead(from: *const u8, jump: usize) {
    prefetch(from.wrapping_add(AHEAD + jump));
}

/// Asks for the cache lines of group `g` of 4-bit weights, four lines and a quarter.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch_group(from: *const u8, g: usize) {
    (0..4 + usize::from(g.is_multiple_of(4))).for_each(|line| prefetch_ahead(from.wrapping_add(64 * line), 0));
}

/// Calls `$kernel::<T>` for the operands T at a time, T up to 4.
macro_rules! by_count {
    ($x:expr, $acc:expr, $kernel:ident($($arg:expr),*)) => {{
        let (mut x, mut acc) = ($x, $acc);
        while !x.is_empty() {
            let n = x.len().min(4);
            let (x_now, x_rest) = x.split_at(n);
            let (acc_now, acc_rest) = acc.split_at_mut(n);
            match n {
                1 => $kernel::<1>($($arg,)* x_now, acc_now),
                2 => $kernel::<2>($($arg,)* x_now, acc_now),
                3 => $kernel::<3>($($arg,)* x_now, acc_now),
                _ => $kernel::<4>($($arg,)* x_now, acc_now),
            }
            (x, acc) = (x_rest, acc_rest);
        }
    }};
}

#[cfg(target_arch = "x86_64")]
use by_count;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Σ weight · x in the plainest way.
    fn plain(weight: impl Fn(usize, usize) -> i64, cols: usize, x: &[i16]) -> Acc {
        std::array::from_fn(|r| (0..cols).map(|c| weight(r, c) * i64::from(x[c])).sum())
    }

    /// Random bytes and operands; `extreme` makes all of them the ends of their ranges.
    fn data(cols: usize, n: usize, extreme: bool, seed: u64) -> (Vec<u8>, Vec<Operand>) {
        use rand::{Rng, SeedableRng};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let low = rng.gen::<bool>();
        let bytes = (0..cols * 64).map(|i| match extreme {
            true if i % 2 == 0 => [0u8, 0xff][usize::from(!low)],
            true => [0x80, 0x7f][usize::from(!low)],
            false => rng.gen(),
        });
        let bytes = bytes.collect();
        let operands = (0..n).map(|_| {
            let q: Vec<i16> =
                (0..cols).map(|_| if extreme { [i16::MIN, i16::MAX][usize::from(low)] } else { rng.gen() }).collect();
            Operand::from_mantissas(&q)
        });
        (bytes, operands.collect())
    }

    proptest! {
        #[test]
        fn every_instruction_set_sums_exactly(groups in 1usize..200, n in 1usize..7, extreme in prop::bool::weighted(0.2), seed: u64) {
            let cols = groups * 4;
            let (bytes, operands) = data(cols, n, extreme, seed);
            let x: Vec<&Operand> = operands.iter().collect();
            let tile = |i: usize| &bytes[i * cols * 16..(i + 1) * cols * 16];
            for isa in Isa::all() {
                let mut acc = vec![[7i64; PANEL]; n];
                w8(isa, [tile(0), tile(1)], cols, &x, &mut acc);
                for (acc, x) in acc.iter().zip(&x) {
                    let want = plain(|r, c| i64::from(tile(r / 16)[c * 16 + r % 16] as i8), cols, x.mantissas());
                    prop_assert_eq!(acc, &want.map(|v| v + 7), "w8 {}", isa.name());
                }
                let mut acc = vec![[-3i64; PANEL]; n];
                w16(isa, [tile(0), tile(1), tile(2), tile(3)], cols, &x, &mut acc);
                for (acc, x) in acc.iter().zip(&x) {
                    let at = |r: usize, c: usize, b: usize| tile(r / 8)[c * 16 + r % 8 * 2 + b];
                    let want = plain(|r, c| i64::from(i16::from_le_bytes([at(r, c, 0), at(r, c, 1)])), cols, x.mantissas());
                    prop_assert_eq!(acc, &want.map(|v| v - 3), "w16 {}", isa.name());
                }
            }
        }
    }

    proptest! {
        /// Nibbles with their gs, and whole columns.
        #[test]
        fn every_instruction_set_sums_nibbles_and_columns(groups in 1usize..150, n in 1usize..7, extreme in prop::bool::weighted(0.3), seed: u64) {
            let cols = groups * GROUP_COLS;
            let (mut bytes, operands) = data(cols, n, extreme, seed);
            if extreme {
                // q -8 or 7 everywhere, gs 255
                let q = [0x88, 0x77][seed as usize % 2];
                bytes.iter_mut().enumerate().for_each(|(i, b)| *b = if i % GROUP_BYTES < 16 { 255 } else { q });
            }
            let x: Vec<&Operand> = operands.iter().collect();
            let tile = |i: usize| &bytes[i * groups * GROUP_BYTES..][..groups * GROUP_BYTES];
            let want: Vec<Acc> = x.iter().map(|x| plain(|r, c| {
                let group = &tile(r / 16)[c / 32 * GROUP_BYTES..];
                let byte = group[16 + c % 32 / 2 * 16 + r % 16];
                let q = (if c % 2 == 0 { byte << 4 } else { byte }) as i8 >> 4;
                i64::from(q) * i64::from(group[r % 16])
            }, cols, x.mantissas())).collect();
            let chosen: Vec<&[u8; LINE]> = bytes.chunks_exact(LINE).take(groups.min(16) * 4).map(|c| c.try_into().unwrap()).collect();
            for isa in Isa::all() {
                let mut acc = vec![[5i64; PANEL]; n];
                w4(isa, [tile(0), tile(1)], groups, &x, &mut acc);
                for (acc, want) in acc.iter().zip(&want) {
                    prop_assert_eq!(acc, &want.map(|v| v + 5), "w4 {}", isa.name());
                }
                let mut acc = vec![[-9i64; LINE]; n];
                columns(isa, &chosen, &x, &mut acc);
                for (acc, x) in acc.iter().zip(&x) {
                    let want: Vec<i64> = (0..LINE).map(|r| {
                        chosen.iter().zip(x.mantissas()).map(|(c, x)| i64::from(c[r] as i8) * i64::from(*x)).sum::<i64>() - 9
                    }).collect();
                    prop_assert_eq!(&acc[..], &want[..], "columns {}", isa.name());
                }
            }
        }
    }

    proptest! {
        /// Whole columns, in any number and of any height, some of them left out.
        #[test]
        fn every_instruction_set_runs_through_columns(cols in 1usize..700, lines in 1usize..40, every in 1usize..4, extreme in prop::bool::weighted(0.3), seed: u64) {
            let cols = if lines > 20 { cols.min(100) } else { cols };
            let stride = (lines + 1) * LINE;
            let (bytes, operands) = data((cols * stride).div_ceil(64), 1, extreme, seed);
            let weights = Columns { bytes: &bytes, stride };
            let used: Vec<u16> = (0..cols as u16).step_by(every).collect();
            let x = &operands[0].mantissas()[..used.len()];
            for isa in Isa::all() {
                let mut acc = vec![[4i64; LINE]; lines];
                column_run(isa, &weights, &used, x, &mut acc);
                for (r, got) in acc.iter().flatten().enumerate() {
                    let product = |(c, x): (&u16, &i16)| i64::from(bytes[usize::from(*c) * stride + r] as i8) * i64::from(*x);
                    let want = used.iter().zip(x).map(product).sum::<i64>() + 4;
                    prop_assert_eq!(*got, want, "row {}, {}", r, isa.name());
                }
            }
        }
    }

    /// The widest matrix a model may have, every product as large as it can be: 32-bit accumulators must not wrap.
    #[test]
    fn the_widest_rows_do_not_wrap() {
        let cols = 65532;
        let bytes = vec![0x80u8; cols * 64];
        for q in [i16::MIN, -1, 255, i16::MAX] {
            let operand = Operand::from_mantissas(&vec![q; cols]);
            let tile = &bytes[..cols * 16];
            for isa in Isa::all() {
                let mut acc = [[0; PANEL]];
                w8(isa, [tile; 2], cols, &[&operand], &mut acc);
                assert_eq!(acc[0], [-128 * i64::from(q) * cols as i64; PANEL], "w8 {} {q}", isa.name());
                let mut acc = [[0; PANEL]];
                w16(isa, [tile; 4], cols, &[&operand], &mut acc);
                let weight = i64::from(i16::from_le_bytes([0x80; 2]));
                assert_eq!(acc[0], [weight * i64::from(q) * cols as i64; PANEL], "w16 {} {q}", isa.name());
                let used: Vec<u16> = (0..cols as u16).collect();
                let mut acc = [[0; LINE]];
                column_run(isa, &Columns { bytes: &bytes, stride: LINE }, &used, operand.mantissas(), &mut acc);
                assert_eq!(acc[0], [-128 * i64::from(q) * cols as i64; LINE], "columns {} {q}", isa.name());
                for (nibbles, weight) in [(0x88, -8), (0x77, 7)] {
                    let groups = cols / GROUP_COLS; // without the last 28 columns
                    let group = |i: usize| if i % GROUP_BYTES < 16 { 255 } else { nibbles };
                    let tile: Vec<u8> = (0..groups * GROUP_BYTES).map(group).collect();
                    let mut acc = [[0; PANEL]];
                    w4(isa, [&tile; 2], groups, &[&operand], &mut acc);
                    let want = weight * 255 * i64::from(q) * (groups * GROUP_COLS) as i64;
                    assert_eq!(acc[0], [want; PANEL], "w4 {} {q}", isa.name());
                }
            }
        }
    }
}
