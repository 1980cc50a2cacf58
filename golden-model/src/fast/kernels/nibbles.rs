//! 4-bit weights by columns, `golden_model::image::nibble_columns`: `Σ_c q[row][c] · (gs[row / 32][c] · x[c])` over some columns.
//!
//! `p = gs · x` has 24 bits and is taken as three signed bytes, `p = 65536 · h + 256 · m + l`; the byte instruction multiplies them by
//! `u = q + 8`, unsigned, so `Σ q·p = Σ u·p − 8 · Σ p`, and `Σ p` is the same for the 32 rows of a group. A product is at most 15 · 128, four of them
//! 7,680: a 32-bit sum holds those of 2^18 columns, more than a matrix has.

use super::nibble_columns::NibbleColumns;
use super::portable;
#[cfg(target_arch = "x86_64")]
use super::{nibbles_avx2, nibbles_avx512};
use crate::fast::isa::{dispatch, Isa};
use crate::image::nibble_columns::{column_bytes, gs_bytes, UNIT_ROWS};

/// Adds the products of the columns `used` of a matrix of `rows` rows, which start at the first of `bytes`, with their elements of the operand, `x`, to
/// `acc`: rows `128 · first_line` on, a multiple of 128 of them.
pub fn nibble_run(isa: Isa, bytes: &[u8], rows: usize, first_line: usize, used: &[u16], x: &[i16], acc: &mut [i64]) {
    let w = NibbleColumns { bytes, stride: column_bytes(rows), gs_bytes: gs_bytes(rows), first_line };
    let Some(last) = used.iter().max() else { return };
    w.column(*last); // panics if it is not there
    let lines = first_line + acc.len() / UNIT_ROWS;
    assert!(x.len() == used.len() && acc.len().is_multiple_of(UNIT_ROWS) && lines <= rows.div_ceil(UNIT_ROWS));
    let acc = acc.as_chunks_mut().0;
    dispatch!(isa, [portable, nibbles_avx2, nibbles_avx512], nibble_run(&w, used, x, acc))
}

#[cfg(test)]
mod tests {
    use super::super::nibble_columns::digits;
    use super::*;
    use crate::arithmetic::tensor::groups;
    use crate::image::nibble_columns::push_column;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};

    /// Runs every instruction set over all of `used`, in two parts of the rows, and compares with the plainest sum.
    fn check(rows: usize, cols: usize, used: &[u16], q: &[i8], gs: &[u8], x: &[i16]) {
        let mut bytes = vec![];
        (0..cols).for_each(|c| push_column(&mut bytes, c, (rows, cols), q, gs));
        let n = groups(rows);
        let want: Vec<i64> = (0..rows)
            .map(|r| {
                let product = |(c, x): (&u16, &i16)| {
                    let c = usize::from(*c);
                    i64::from(q[r * cols + c]) * i64::from(gs[c * n + r / 32]) * i64::from(*x)
                };
                used.iter().zip(x).map(product).sum::<i64>() + 6
            })
            .collect();
        let lines = rows.div_ceil(UNIT_ROWS);
        for isa in Isa::all() {
            let mut acc = vec![6i64; lines * UNIT_ROWS];
            let (first, rest) = acc.split_at_mut(lines / 2 * UNIT_ROWS);
            nibble_run(isa, &bytes, rows, 0, used, x, first);
            nibble_run(isa, &bytes, rows, lines / 2, used, x, rest);
            assert!(acc[..rows] == want, "{} {rows} rows", isa.name());
        }
    }

    proptest! {
        /// Columns in any number and of any height, some of them left out.
        #[test]
        fn every_instruction_set_sums_exactly(rows in 1usize..2600, cols in 1usize..70, every in 1usize..4, extreme in prop::bool::weighted(0.3), seed: u64) {
            let cols = if rows > 700 { cols.min(15) } else { cols };
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let low = rng.gen::<bool>();
            let q: Vec<i8> = (0..rows * cols).map(|_| if extreme { [-8, 7][usize::from(low)] } else { rng.gen_range(-8..8) }).collect();
            let gs: Vec<u8> = (0..cols * groups(rows)).map(|_| if extreme { 255 } else { rng.gen() }).collect();
            let used: Vec<u16> = (0..cols as u16).step_by(every).collect();
            let x: Vec<i16> = used.iter().map(|_| if extreme { [i16::MIN, i16::MAX][seed as usize % 2] } else { rng.gen() }).collect();
            check(rows, cols, &used, &q, &gs, &x);
        }

        #[test]
        fn digits_make_the_number(gs in 0i32..=255, x in i16::MIN..=i16::MAX) {
            let p = gs * i32::from(x);
            let [l, m, h, _] = digits(p).to_le_bytes().map(|b| i32::from(b as i8));
            prop_assert_eq!((h << 16) + (m << 8) + l, p);
        }
    }

    /// The widest matrix a model may have, every product as large as it can be: 32-bit sums must not wrap.
    #[test]
    fn the_widest_rows_do_not_wrap() {
        let (rows, cols) = (32, 65532);
        let used: Vec<u16> = (0..cols as u16).collect();
        for (q, x) in [(-8, i16::MIN), (7, i16::MIN), (-8, i16::MAX), (7, 127), (7, i16::MAX)] {
            check(rows, cols, &used, &vec![q; rows * cols], &vec![255; cols], &vec![x; cols]);
        }
    }
}
