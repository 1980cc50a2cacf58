//! The kernels in plain Rust, for every processor.

use super::{Acc, Operand};

/// Products of 8 by 16 bits that a 32-bit sum holds: 2^8 · 2^22.
const FLUSH: usize = 256;

pub fn w8(tiles: [&[u8]; 2], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    for (x, acc) in x.iter().zip(acc) {
        for (tile, acc) in tiles.iter().zip(acc.chunks_exact_mut(16)) {
            for (groups, x) in tile[..cols * 16].chunks(FLUSH * 16).zip(x.padded()[..cols].chunks(FLUSH)) {
                let mut sum = [0i32; 16];
                for (group, x) in groups.chunks_exact(16).zip(x) {
                    for (sum, w) in sum.iter_mut().zip(group) {
                        *sum += i32::from(*w as i8) * i32::from(*x);
                    }
                }
                acc.iter_mut().zip(sum).for_each(|(acc, sum)| *acc += i64::from(sum));
            }
        }
    }
}

pub fn w16(tiles: [&[u8]; 4], cols: usize, x: &[&Operand], acc: &mut [Acc]) {
    for (x, acc) in x.iter().zip(acc) {
        for (tile, acc) in tiles.iter().zip(acc.chunks_exact_mut(8)) {
            for (group, x) in tile[..cols * 16].chunks_exact(16).zip(x.padded()) {
                for (acc, w) in acc.iter_mut().zip(group.chunks_exact(2)) {
                    *acc += i64::from(i32::from(i16::from_le_bytes([w[0], w[1]])) * i32::from(*x));
                }
            }
        }
    }
}
