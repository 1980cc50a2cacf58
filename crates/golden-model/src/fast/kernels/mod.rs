//! Exact sums of products over pieces of the weight stream, in the instruction set the machine has.
//!
//! A kernel takes 32 rows of a matrix as they lie in the stream (`docs/hardware.md` §2: two tiles of 16 rows of bytes, or four of 8 rows of 16 bits)
//! and some operand vectors, and adds `Σ_c weight[row][c] · x[c]` to one 64-bit accumulator a row and vector. Sums are exact, so every
//! instruction set gives the same bits; the tests compare all of them with [`portable`].

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use super::operand::Operand;
use crate::w4_stream::GROUP_BYTES;

/// Rows a kernel takes at once: those of a scale unit.
pub const PANEL: usize = 32;

/// One accumulator a row.
pub type Acc = [i64; PANEL];

/// An instruction set this machine has; values come only from [`Isa::best`] and [`Isa::all`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(pub(super) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The fastest of this machine.
    pub fn best() -> Self {
        Self::all().pop().unwrap_or(Isa(Kind::Portable))
    }

    /// All of this machine, the fastest last.
    pub fn all() -> Vec<Self> {
        #[allow(unused_mut)] // other processors have the portable one only
        let mut all = vec![Isa(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                all.push(Isa(Kind::Avx2));
            }
            let has = [
                is_x86_feature_detected!("avx512f"),
                is_x86_feature_detected!("avx512bw"),
                is_x86_feature_detected!("avx512dq"),
                is_x86_feature_detected!("avx512vl"),
                is_x86_feature_detected!("avx512vbmi"),
                is_x86_feature_detected!("avx512vnni"),
            ];
            if has.iter().all(|has| *has) {
                all.push(Isa(Kind::Avx512));
            }
        }
        all
    }

    /// As reports name it.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512vnni",
        }
    }
}

/// Compiles one safe function for every instruction set and picks by an [`Isa`], which becomes the first argument.
macro_rules! versions {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)] // what a formula of several vectors takes
        $vis fn $name(isa: $crate::fast::kernels::Isa, $($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }
            match isa.0 {
                $crate::fast::kernels::Kind::Portable => body($($arg),*),
                // SAFETY: an `Isa` is made only after the machine was asked for these features.
                #[cfg(target_arch = "x86_64")]
                $crate::fast::kernels::Kind::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::fast::kernels::Kind::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}
pub(in crate::fast) use versions;

/// Adds the products of two tiles of 16 rows of bytes (rows 0..16 and 16..32, `cols` groups each) to `acc`, one for each of `x`.
///
/// `cols` is a multiple of 4; operands are at least as long.
pub fn w8(isa: Isa, tiles: [&[u8]; 2], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    check(&tiles, cols, x, acc);
    match isa.0 {
        Kind::Portable => portable::w8(tiles, cols, x, acc),
        // SAFETY: an `Isa` is made only after the machine was asked for these features; `check` has seen the lengths.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::w8(tiles, cols, x, acc) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::w8(tiles, cols, x, acc) },
    }
}

versions! {
    /// [`w8`] for two tiles of nibbles in groups of 32 columns; `cols` is the matrix' own.
    pub fn w4(tiles: [&[u8]; 2], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
        for (x, acc) in x.iter().zip(acc) {
            let x = &x.padded()[..cols.next_multiple_of(4)];
            for (tile, acc) in tiles.iter().zip(acc.chunks_exact_mut(16)) {
                for (group, x) in tile.chunks_exact(GROUP_BYTES).zip(x.chunks(32)) {
                    let (gs, nibbles) = group.split_at(16);
                    let mut sum = [0i32; 16]; // within 2^23
                    for (pair, x) in nibbles.chunks_exact(16).zip(x.chunks_exact(2)) {
                        let (even, odd) = (i32::from(x[0]), i32::from(x[1]));
                        for (sum, byte) in sum.iter_mut().zip(pair) {
                            *sum += i32::from((byte << 4) as i8 >> 4) * even + i32::from(*byte as i8 >> 4) * odd;
                        }
                    }
                    for ((acc, sum), gs) in acc.iter_mut().zip(sum).zip(gs) {
                        *acc += i64::from(sum * i32::from(*gs)); // within 2^31
                    }
                }
            }
        }
    }
}

/// [`w8`] for four tiles of 8 rows of 16 bits.
pub fn w16(isa: Isa, tiles: [&[u8]; 4], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    check(&tiles, cols, x, acc);
    match isa.0 {
        Kind::Portable => portable::w16(tiles, cols, x, acc),
        // SAFETY: an `Isa` is made only after the machine was asked for these features; `check` has seen the lengths.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx2 => unsafe { avx2::w16(tiles, cols, x, acc) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kind::Avx512 => unsafe { avx512::w16(tiles, cols, x, acc) },
    }
}

/// What the unsafe kernels rely on.
fn check(tiles: &[&[u8]], cols: usize, x: &[&Operand], acc: &[Acc]) {
    assert!(cols.is_multiple_of(4) && tiles.iter().all(|t| t.len() >= cols * 16) && x.len() == acc.len());
    assert!(x.iter().all(|x| x.padded_len() >= cols));
}

/// Asks for the cache line that holds `byte`.
#[inline(always)]
pub fn prefetch(byte: &u8) {
    // SAFETY: a prefetch has no effect a program can see, and the address is a valid one.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        _mm_prefetch((byte as *const u8).cast(), _MM_HINT_T0);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = byte;
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
            }
        }
    }
}
