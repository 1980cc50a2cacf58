//! 4-bit weights in groups of 32 columns: how a row is rounded.
//!
//! A weight stands for `q · gs · m · 2^-(frac + e)`: q signed 4 bits, gs an unsigned byte for each row and group, (m, e) the scale of the
//! row. The row's scale is chosen from its largest weight, then each group's gs, then the q; `docs/quantisation.md` has the reasons.

use crate::arithmetic::tensor::{QMatrix, QWeights, RowScale, WeightBits, GROUP_COLS, Q_MAX};
use crate::network::recipe::GroupScales;
use crate::quantise::gptq::Factor;
use crate::quantise::scales::{ErrorSum, QuantError};
use rayon::prelude::*;

/// Weight `v` in steps of `step`, which is above 0.
pub(crate) fn round_to(v: f64, step: f64, low: f64) -> f64 {
    (v / step).round_ties_even().clamp(low, f64::from(Q_MAX))
}

/// Candidates are k/40 of the plain scale, for these k.
const CANDIDATES: std::ops::RangeInclusive<i32> = 20..=46;

/// The gs of one group in units of `one`, the weight that q = gs = 1 stands for, and the smallest q that goes with it.
/// `importance(i)` weighs the squared error of weight i.
pub(crate) fn choose_gs(values: &[f64], one: f64, scales: GroupScales, importance: impl Fn(usize) -> f64) -> (u8, f64) {
    let max = values.iter().fold(0f64, |m, v| m.max(v.abs()));
    let symmetric = -f64::from(Q_MAX);
    if max == 0.0 || one == 0.0 {
        return (0, symmetric);
    }
    let plain = (max / f64::from(Q_MAX) / one).round_ties_even().clamp(1.0, 255.0) as i32;
    if scales == GroupScales::Max {
        return (plain as u8, symmetric);
    }
    let error = |gs: i32, low: f64| -> f64 {
        let step = f64::from(gs) * one;
        values.iter().enumerate().map(|(i, v)| (v - round_to(*v, step, low) * step).powi(2) * importance(i)).sum()
    };
    let mut best = (error(plain, symmetric), plain);
    let mut last = 0;
    for k in CANDIDATES {
        let gs = ((plain * k + 20) / 40).clamp(1, 255);
        if gs != last {
            let e = error(gs, symmetric - 1.0);
            if e < best.0 {
                best = (e, gs);
            }
        }
        last = gs;
    }
    // with −8 allowed no weight comes out worse than without
    (best.1 as u8, symmetric - 1.0)
}

/// One rounded row.
struct Row {
    scale: RowScale,
    q: Vec<i8>,
    gs: Vec<u8>,
    errors: ErrorSum,
}

fn round_row(exact: &[f32], frac: i32, scales: GroupScales, factor: Option<&Factor>) -> Row {
    let max = exact.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
    let scale = RowScale::nearest(max, WeightBits::W4, frac);
    let one = scale.value(frac);
    let mut wanted: Vec<f64> = exact.iter().map(|v| f64::from(*v)).collect();
    let mut row = Row { scale, q: Vec::with_capacity(exact.len()), gs: vec![], errors: ErrorSum::default() };
    for first in (0..exact.len()).step_by(GROUP_COLS) {
        let columns = first..exact.len().min(first + GROUP_COLS);
        let importance = |i: usize| factor.map_or(1.0, |f| f.importance(first + i));
        let (gs, low) = choose_gs(&wanted[columns.clone()], one, scales, importance);
        let step = f64::from(gs) * one;
        for c in columns {
            let q = if step > 0.0 { round_to(wanted[c], step, low) } else { 0.0 };
            if let Some(factor) = factor {
                factor.compensate(&mut wanted, c, q * step);
            }
            row.errors.add(f64::from(exact[c]), q * step);
            row.q.push(q as i8);
        }
        row.gs.push(gs);
    }
    row
}

impl QMatrix {
    /// Quantises `values` `(rows, cols)`, row-major, to 4 bits in groups; with `factor` the error of each weight is made up for by those
    /// that follow in its row ([`crate::quantise::gptq`]).
    pub fn quantise_groups(
        values: &[f32],
        cols: usize,
        frac: i32,
        scales: GroupScales,
        factor: Option<&Factor>,
    ) -> (Self, QuantError) {
        let rows: Vec<Row> = values.par_chunks(cols).map(|row| round_row(row, frac, scales, factor)).collect();
        let mut errors = ErrorSum::default();
        rows.iter().for_each(|r| errors.merge(&r.errors));
        let q = rows.iter().flat_map(|r| r.q.iter().copied()).collect();
        let gs = rows.iter().flat_map(|r| r.gs.iter().copied()).collect();
        let scales = rows.iter().map(|r| r.scale).collect();
        (Self { rows: rows.len(), cols, q: QWeights::W4 { q, gs }, scales, frac }, errors.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::fixed::Saturations;
    use crate::arithmetic::tensor::groups;
    use crate::arithmetic::vector_ops::{matvec, Operand};
    use crate::quantise::scales::matrix_frac;
    use proptest::prelude::*;

    fn quantised(values: &[f32], cols: usize, scales: GroupScales) -> (QMatrix, QuantError) {
        let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
        QMatrix::quantise_groups(values, cols, matrix_frac(max, WeightBits::W4), scales, None)
    }

    proptest! {
        #[test]
        fn every_weight_is_within_half_a_step(values in prop::collection::vec(-1e3f32..1e3, 1..100), shrink in 0i32..60) {
            let values: Vec<f32> = values.iter().map(|v| v * 2f32.powi(-shrink)).collect();
            let (m, _) = quantised(&values, values.len(), GroupScales::Max);
            let QWeights::W4 { q, gs } = &m.q else { panic!("not 4 bits") };
            let one = m.scales[0].value(m.frac);
            for (i, v) in values.iter().enumerate() {
                let step = f64::from(gs[i / 32]) * one;
                // half a step, and the clipped end: gs is rounded to a whole, which may take 7 · one / 2 from the largest
                prop_assert!((f64::from(*v) - f64::from(q[i]) * step).abs() <= step * 0.5001 + 3.6 * one, "{i}: {v}");
            }
            prop_assert!(q.iter().all(|q| (-7..=7).contains(q)));
        }

        #[test]
        fn the_search_is_never_worse(values in prop::collection::vec(-1e3f32..1e3, 1..100), cols in 1usize..100) {
            let cols = cols.min(values.len());
            let values = &values[..values.len() / cols * cols];
            let (plain, search) = (quantised(values, cols, GroupScales::Max), quantised(values, cols, GroupScales::Search));
            prop_assert!(search.1.relative_rms <= plain.1.relative_rms * 1.000001, "{:?} {:?}", search.1, plain.1);
            let QWeights::W4 { q, .. } = &search.0.q else { panic!("not 4 bits") };
            prop_assert!(q.iter().all(|q| (-8..=7).contains(q)));
        }

        /// The largest values everywhere, too: nothing wraps.
        #[test]
        fn products_are_exact(seed: u64, cols in 1usize..2100, extreme: bool, shift in 40i32..63) {
            let n = groups(cols);
            let mut state = seed;
            let mut next = || { state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); (state >> 33) as i64 };
            let q: Vec<i8> = (0..cols).map(|_| if extreme { -8 } else { (next() % 16 - 8) as i8 }).collect();
            let gs: Vec<u8> = (0..n).map(|_| if extreme { 255 } else { (next() % 256) as u8 }).collect();
            let x: Vec<i16> = (0..cols).map(|_| if extreme { -32768 } else { next() as i16 }).collect();
            let scale = RowScale { m: 4095, e: 0 };
            let exact: i128 = (0..cols).map(|c| i128::from(q[c]) * i128::from(gs[c / 32]) * i128::from(x[c])).sum();
            let scaled = exact * 4095;
            let half = 1i128 << (shift - 1);
            let mut want = (scaled + half) >> shift;
            if (scaled + half) & ((1 << shift) - 1) == 0 { want &= !1; }
            let m = QMatrix { rows: 1, cols, q: QWeights::W4 { q, gs }, scales: vec![scale], frac: 0 };
            let y = matvec(&m, &Operand { q: x, e: 0 }, shift, &mut Saturations::default());
            prop_assert_eq!(i128::from(y[0]), want.clamp(-(1 << 26), (1 << 26) - 1));
        }
    }

    #[test]
    fn a_group_of_zeros_and_a_row_of_zeros() {
        let mut values = vec![0f32; 3 * 64];
        values[64] = 1.0; // row 1, group 0
        let (m, error) = quantised(&values, 64, GroupScales::Search);
        let QWeights::W4 { q, gs } = &m.q else { panic!("not 4 bits") };
        assert_eq!((&gs[..2], gs[3], &gs[4..]), (&[0, 0][..], 0, &[0, 0][..]));
        assert!(q[64] > 0 && q.iter().filter(|q| **q != 0).count() == 1 && error.relative_rms < 0.01, "{error:?}");
        assert_eq!((m.scales[0], m.scales[2]), (RowScale::default(), RowScale::default()));
    }
}
