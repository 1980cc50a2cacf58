//! Every byte of the stream by its position, written out by hand.

use super::*;

/// `row · 16 + column` in every weight, so that each byte of the stream shows where it came from.
fn matrix(rows: usize, cols: usize, bits: WeightBits) -> QMatrix {
    let q = (0..rows * cols).map(|i| ((i / cols * 16 + i % cols) % 251) as i16 - 125);
    let q = match bits {
        WeightBits::W8 => QWeights::W8(q.map(|q| q as i8).collect()),
        WeightBits::W16 => QWeights::W16(q.map(|q| q * 257 - 3).collect()),
        WeightBits::W4Columns => QWeights::W4Columns {
            q: q.map(|q| ((q + 125) % 16 - 8) as i8).collect(),
            gs: (0..cols * rows.div_ceil(32)).map(|i| (i * 7 + 1) as u8).collect(),
        },
        WeightBits::W4 => QWeights::W4 {
            q: q.map(|q| ((q + 125) % 16 - 8) as i8).collect(),
            gs: (0..rows * cols.div_ceil(32)).map(|i| (i * 7 + 1) as u8).collect(),
        },
    };
    let scales = (0..rows).map(|r| RowScale { m: 2048 + (r % 2048) as u16, e: (r % 16) as u8 }).collect();
    QMatrix { rows, cols, q, scales, frac: 9 }
}

fn check(name: &str, rows: usize, cols: usize, bits: WeightBits, byte: impl Fn(usize, usize) -> usize) {
    let m = matrix(rows, cols, bits);
    let tensor = QTensor::Matrix(&m);
    let bytes = encode(name, &tensor, cols);
    let BlockKind::Matrix { format, .. } = BlockKind::of(name, &tensor, cols) else { panic!("not a matrix") };
    assert_eq!(bytes.len() as u64, BlockKind::of(name, &tensor, cols).units() * 64);
    for r in 0..rows {
        for c in 0..cols {
            assert_eq!(bytes[byte(r, c)], m.at(r, c) as u8, "{name} row {r} column {c}");
        }
    }
    assert_eq!(decode_matrix(&bytes, rows, cols, format, 9), m);
}

/// The positions of docs/hardware.md §2, written out by hand.
#[test]
fn every_byte_is_where_the_hardware_reads_it() {
    for (rows, cols) in [(1usize, 1usize), (16, 4), (33, 6), (50, 8), (96, 5), (64, 64)] {
        let padded = cols.div_ceil(4) * 4;
        // a scale unit before tiles 0, 2, 4…
        check("w", rows, cols, WeightBits::W8, |r, c| 64 * (r / 32 + 1) + r / 16 * padded * 16 + c * 16 + r % 16);
        // a scale unit before tiles 0, 4, 8…
        check("w", rows, cols, WeightBits::W16, |r, c| 64 * (r / 32 + 1) + r / 8 * padded * 16 + c * 16 + 2 * (r % 8));
        let column = rows.div_ceil(64) * 64;
        check("blocks.0.ffn.value.weight", rows, cols, WeightBits::W8, |r, c| rows.div_ceil(32) * 64 + c * column + r);
    }
}

/// A matrix of 4 bits: each nibble and each gs lies where the hardware reads it.
#[test]
fn every_nibble_is_where_the_hardware_reads_it() {
    for (rows, cols) in [(1usize, 1usize), (16, 32), (33, 31), (50, 40), (96, 5), (64, 128)] {
        let m = matrix(rows, cols, WeightBits::W4);
        let QWeights::W4 { q, gs } = &m.q else { panic!("not 4 bits") };
        let tensor = QTensor::Matrix(&m);
        let bytes = encode("w", &tensor, cols);
        assert_eq!(bytes.len() as u64, BlockKind::of("w", &tensor, cols).units() * 64);
        let groups = cols.div_ceil(32);
        let tile = (groups * 272).div_ceil(64) * 64;
        for r in 0..rows {
            let start = 64 * (r / 32 + 1) + r / 16 * tile + r % 16;
            for c in 0..cols {
                let byte = bytes[start + c / 32 * 272 + 16 + c % 32 / 2 * 16];
                let nibble = if c % 2 == 0 { byte & 15 } else { byte >> 4 };
                assert_eq!(nibble, q[r * cols + c] as u8 & 15, "row {r} column {c}");
            }
            for g in 0..groups {
                assert_eq!(bytes[start + g * 272], gs[r * groups + g], "row {r} group {g}");
            }
        }
        assert_eq!(decode_matrix(&bytes, rows, cols, MatrixFormat::W4, 9), m);
    }
}

/// Nibbles by columns, each with its gs before it.
#[test]
fn every_nibble_of_a_column_is_where_it_is_told() {
    for (rows, cols) in [(1usize, 1usize), (16, 32), (33, 31), (129, 6), (96, 5), (2100, 2)] {
        let m = matrix(rows, cols, WeightBits::W4Columns);
        let QWeights::W4Columns { q, gs } = &m.q else { panic!("not 4 bits by columns") };
        let (name, tensor) = ("blocks.0.ffn.value.weight", QTensor::Matrix(&m));
        let bytes = encode(name, &tensor, cols);
        assert_eq!(bytes.len() as u64, BlockKind::of(name, &tensor, cols).units() * 64);
        let groups = rows.div_ceil(32);
        let gs_bytes = groups.div_ceil(64) * 64;
        let column = gs_bytes + rows.div_ceil(128) * 64;
        for c in 0..cols {
            let start = groups * 64 + c * column;
            assert_eq!(bytes[start..start + groups], gs[c * groups..(c + 1) * groups], "column {c}");
            for r in 0..rows {
                let byte = bytes[start + gs_bytes + r / 2];
                let nibble = if r % 2 == 0 { byte & 15 } else { byte >> 4 };
                assert_eq!(nibble, q[r * cols + c] as u8 & 15, "row {r} column {c}");
            }
        }
        assert_eq!(decode_matrix(&bytes, rows, cols, MatrixFormat::W4Columns, 9), m);
    }
}

#[test]
fn scale_units_hold_32_rows() {
    let m = matrix(40, 4, WeightBits::W8);
    let bytes = encode("w", &QTensor::Matrix(&m), 4);
    let unit1 = 64 + 2 * 64; // after the first scale unit and two tiles of 4 columns
    for r in 0..40 {
        let at = if r < 32 { 2 * r } else { unit1 + 2 * (r - 32) };
        let s = u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        assert_eq!((s & 0xfff, s >> 12), (2048 + r as u16, r as u16 % 16));
    }
    assert!(bytes[unit1 + 16..unit1 + 64].iter().all(|b| *b == 0));
}
