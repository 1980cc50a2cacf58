//! The kernels in plain Rust, for every processor.

use super::nibble_columns::NibbleColumns;
use super::{Acc, Columns, Operand, Wide, LINE};
use crate::image::nibble_columns::UNIT_ROWS;
use crate::image::nibble_tiles::GROUP_BYTES;

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

pub fn w4(tiles: [&[u8]; 2], groups: usize, x: &[&Operand], acc: &mut [Acc]) {
    for (x, acc) in x.iter().zip(acc) {
        for (tile, acc) in tiles.iter().zip(acc.chunks_exact_mut(16)) {
            for (group, x) in tile.chunks_exact(GROUP_BYTES).zip(x.padded().chunks_exact(32)).take(groups) {
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

pub fn columns(columns: &[&[u8; LINE]], x: &[&Operand], acc: &mut [Wide]) {
    for (x, acc) in x.iter().zip(acc) {
        for (columns, x) in columns.chunks(FLUSH).zip(x.padded().chunks(FLUSH)) {
            let mut sum = [0i32; LINE];
            for (column, x) in columns.iter().zip(x) {
                for (sum, w) in sum.iter_mut().zip(*column) {
                    *sum += i32::from(*w as i8) * i32::from(*x);
                }
            }
            acc.iter_mut().zip(sum).for_each(|(acc, sum)| *acc += i64::from(sum));
        }
    }
}

pub fn column_run(weights: &Columns<'_>, used: &[u16], x: &[i16], acc: &mut [Wide]) {
    for (c, x) in used.iter().zip(x) {
        for (weights, acc) in weights.column(*c, acc.len()).chunks_exact(LINE).zip(acc.iter_mut()) {
            for (acc, w) in acc.iter_mut().zip(weights) {
                *acc += i64::from(i32::from(*w as i8) * i32::from(*x));
            }
        }
    }
}

pub fn nibble_run(w: &NibbleColumns<'_>, used: &[u16], x: &[i16], acc: &mut [[i64; UNIT_ROWS]]) {
    for (c, x) in used.iter().zip(x) {
        let (gs, nibbles) = w.column(*c).split_at(w.gs_bytes);
        let (gs, nibbles) = (&gs[4 * w.first_line..], &nibbles[64 * w.first_line..]);
        // 16 bytes are the 32 rows of a group
        let groups = nibbles.chunks_exact(16).zip(gs).zip(acc.as_flattened_mut().chunks_exact_mut(32));
        for ((nibbles, gs), acc) in groups {
            let p = i32::from(*gs) * i32::from(*x);
            for (acc, byte) in acc.chunks_exact_mut(2).zip(nibbles) {
                acc[0] += i64::from(i32::from((byte << 4) as i8 >> 4) * p);
                acc[1] += i64::from(i32::from(*byte as i8 >> 4) * p);
            }
        }
    }
}
