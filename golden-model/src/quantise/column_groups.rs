//! 4-bit weights in groups of 32 rows of one column: how a matrix stored by columns is rounded.
//!
//! A weight stands for `q · gs · m · 2^-(frac + e)`, as in [`crate::quantise::groups`], but the rows of a group share gs and each keeps its own (m, e). A
//! column is then complete in itself: a step that skips it reads nothing of it, and gs is multiplied with the column's operand, once for 32 weights.

use crate::arithmetic::tensor::{groups, QMatrix, QWeights, RowScale, WeightBits, GROUP_ROWS};
use crate::network::recipe::GroupScales;
use crate::quantise::gptq::Factor;
use crate::quantise::groups::{choose_gs, round_to};
use crate::quantise::scales::{ErrorSum, QuantError};
use rayon::prelude::*;

/// Up to 32 rounded rows.
struct Band {
    scales: Vec<RowScale>,
    /// row-major
    q: Vec<i8>,
    /// one a column
    gs: Vec<u8>,
    errors: ErrorSum,
}

/// Rounds the rows of `exact`, each of `cols` weights, column by column: a group's gs is chosen when its column is reached.
fn round_band(exact: &[f32], cols: usize, frac: i32, how: GroupScales, factor: Option<&Factor>) -> Band {
    let largest = |row: &[f32]| row.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
    let scales: Vec<_> =
        exact.chunks(cols).map(|row| RowScale::nearest(largest(row), WeightBits::W4Columns, frac)).collect();
    let ones: Vec<f64> = scales.iter().map(|s| s.value(frac)).collect();
    let mut wanted: Vec<f64> = exact.iter().map(|v| f64::from(*v)).collect();
    let mut band = Band { q: vec![0; exact.len()], gs: Vec::with_capacity(cols), errors: ErrorSum::default(), scales };
    let mut group = vec![0f64; ones.len()];
    for c in 0..cols {
        // in units of each row's scale, where an error counts by the square of that
        for ((v, row), one) in group.iter_mut().zip(wanted.chunks(cols)).zip(&ones) {
            *v = if *one > 0.0 { row[c] / one } else { 0.0 };
        }
        let (gs, low) = choose_gs(&group, 1.0, how, |r| ones[r] * ones[r]);
        let step = f64::from(gs);
        for (r, (row, one)) in wanted.chunks_mut(cols).zip(&ones).enumerate() {
            let q = if gs > 0 { round_to(group[r], step, low) } else { 0.0 };
            let rounded = q * step * one;
            if let Some(factor) = factor {
                factor.compensate(row, c, rounded);
            }
            band.errors.add(f64::from(exact[r * cols + c]), rounded);
            band.q[r * cols + c] = q as i8;
        }
        band.gs.push(gs);
    }
    band
}

impl QMatrix {
    /// Quantises `values` `(rows, cols)`, row-major, to 4 bits in groups of 32 rows of a column; with `factor` the error of each weight is
    /// made up for by those that follow in its row ([`crate::quantise::gptq`]).
    pub fn quantise_columns(
        values: &[f32],
        cols: usize,
        frac: i32,
        scales: GroupScales,
        factor: Option<&Factor>,
    ) -> (Self, QuantError) {
        let rows = values.len() / cols.max(1);
        let bands: Vec<Band> = values
            .par_chunks(cols.max(1) * GROUP_ROWS)
            .map(|band| round_band(band, cols, frac, scales, factor))
            .collect();
        let mut errors = ErrorSum::default();
        bands.iter().for_each(|b| errors.merge(&b.errors));
        let gs = (0..cols).flat_map(|c| bands.iter().map(move |b| b.gs[c])).collect();
        let q = bands.iter().flat_map(|b| b.q.iter().copied()).collect();
        let scales = bands.iter().flat_map(|b| b.scales.iter().copied()).collect();
        debug_assert_eq!(bands.len(), groups(rows));
        (Self { rows, cols, q: QWeights::W4Columns { q, gs }, scales, frac }, errors.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::fixed::Saturations;
    use crate::arithmetic::vector_ops::{matvec, Operand};
    use crate::quantise::scales::matrix_frac;
    use proptest::prelude::*;

    fn quantised(values: &[f32], cols: usize, scales: GroupScales) -> (QMatrix, QuantError) {
        let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
        QMatrix::quantise_columns(values, cols, matrix_frac(max, WeightBits::W4Columns), scales, None)
    }

    fn parts(m: &QMatrix) -> (&[i8], &[u8]) {
        let QWeights::W4Columns { q, gs } = &m.q else { panic!("not 4 bits by columns") };
        (q, gs)
    }

    proptest! {
        /// Within half a step of its group, which is at most a seventh of the group's largest weight in units of the rows' scales.
        #[test]
        fn every_weight_is_within_half_a_step(values in prop::collection::vec(-1e3f32..1e3, 1..300), cols in 1usize..9, shrink in 0i32..60) {
            let cols = cols.min(values.len());
            let rows = values.len() / cols;
            let values: Vec<f32> = values[..rows * cols].iter().map(|v| v * 2f32.powi(-shrink)).collect();
            let (m, _) = quantised(&values, cols, GroupScales::Max);
            let (q, gs) = parts(&m);
            prop_assert_eq!(gs.len(), cols * rows.div_ceil(32));
            for (i, v) in values.iter().enumerate() {
                let (r, c) = (i / cols, i % cols);
                let one = m.scales[r].value(m.frac);
                let step = f64::from(gs[c * rows.div_ceil(32) + r / 32]) * one;
                prop_assert!((f64::from(*v) - f64::from(q[i]) * step).abs() <= step * 0.5001 + 3.6 * one, "{r} {c}: {v}");
            }
            prop_assert!(q.iter().all(|q| (-7..=7).contains(q)));
        }

        #[test]
        fn the_search_is_never_worse(values in prop::collection::vec(-1e3f32..1e3, 1..300), cols in 1usize..100) {
            let cols = cols.min(values.len());
            let values = &values[..values.len() / cols * cols];
            let (plain, search) = (quantised(values, cols, GroupScales::Max), quantised(values, cols, GroupScales::Search));
            prop_assert!(search.1.relative_rms <= plain.1.relative_rms * 1.000001, "{:?} {:?}", search.1, plain.1);
            prop_assert!(parts(&search.0).0.iter().all(|q| (-8..=7).contains(q)));
        }

        /// The largest values everywhere, too: nothing wraps.
        #[test]
        fn products_are_exact(seed: u64, rows in 1usize..70, cols in 1usize..300, extreme: bool, shift in 40i32..63) {
            let mut state = seed;
            let mut next = || { state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); (state >> 33) as i64 };
            let q: Vec<i8> = (0..rows * cols).map(|_| if extreme { -8 } else { (next() % 16 - 8) as i8 }).collect();
            let gs: Vec<u8> = (0..cols * rows.div_ceil(32)).map(|_| if extreme { 255 } else { (next() % 256) as u8 }).collect();
            let x: Vec<i16> = (0..cols).map(|_| if extreme { -32768 } else { next() as i16 }).collect();
            let scales = vec![RowScale { m: 4095, e: 0 }; rows];
            let m = QMatrix { rows, cols, q: QWeights::W4Columns { q: q.clone(), gs: gs.clone() }, scales, frac: 0 };
            let y = matvec(&m, &Operand { q: x.clone(), e: 0 }, shift, &mut Saturations::default());
            for (r, y) in y.into_iter().enumerate() {
                let product = |c: usize| i128::from(q[r * cols + c]) * i128::from(gs[c * rows.div_ceil(32) + r / 32]) * i128::from(x[c]);
                let scaled = (0..cols).map(product).sum::<i128>() * 4095;
                let half = 1i128 << (shift - 1);
                let mut want = (scaled + half) >> shift;
                if (scaled + half) & ((1 << shift) - 1) == 0 { want &= !1; }
                prop_assert_eq!(i128::from(y), want.clamp(-(1 << 26), (1 << 26) - 1));
            }
        }
    }

    #[test]
    fn a_group_of_zeros_and_a_row_of_zeros() {
        let (rows, cols) = (64, 3);
        let mut values = vec![0f32; rows * cols];
        values[40 * cols + 1] = 1.0; // column 1, the second group
        let (m, error) = quantised(&values, cols, GroupScales::Search);
        let (q, gs) = parts(&m);
        assert!(gs.iter().enumerate().all(|(i, gs)| (*gs != 0) == (i == 3)), "{gs:?}");
        assert!(q[121] > 0 && q.iter().filter(|q| **q != 0).count() == 1 && error.relative_rms < 0.01, "{error:?}");
        assert_eq!(m.scales[39], RowScale::default());
    }
}
