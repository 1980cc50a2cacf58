//! Rounds tensors: each weight to the nearest integer. Matrices of 4 bits go to their groups.

use crate::arithmetic::tensor::{QMatrix, QVector, QWeights, RowScale, WeightBits};
use crate::network::recipe::GroupScales;
use crate::quantise::scales::{frac_for, quantise16, ErrorSum, QuantError};

impl QMatrix {
    /// Quantises `row(r)`, r in 0..rows, each of `cols` values: the row's scale is rounded first, its weights to the rounded scale.
    pub fn quantise<R: AsRef<[f32]>>(
        rows: usize,
        cols: usize,
        row: impl Fn(usize) -> R,
        bits: WeightBits,
        frac: i32,
    ) -> (Self, QuantError) {
        let all = || -> Vec<f32> { (0..rows).flat_map(|r| row(r).as_ref().to_vec()).collect() };
        match bits {
            WeightBits::W4 => return Self::quantise_groups(&all(), cols, frac, GroupScales::default(), None),
            WeightBits::W4Columns => return Self::quantise_columns(&all(), cols, frac, GroupScales::default(), None),
            WeightBits::W8 | WeightBits::W16 => {}
        }
        let (q, scales, errors) = Self::quantise_rows(rows, row, bits, frac);
        (Self { rows, cols, q, scales, frac }, errors.finish())
    }

    /// Rounds `row(r)`, r in 0..rows, to 16 bits, or else to 8, with a scale for each row.
    pub(super) fn quantise_rows<R: AsRef<[f32]>>(
        rows: usize,
        row: impl Fn(usize) -> R,
        bits: WeightBits,
        frac: i32,
    ) -> (QWeights, Vec<RowScale>, ErrorSum) {
        let mut scales = Vec::with_capacity(rows);
        let mut errors = ErrorSum::default();
        let mut w8 = Vec::new();
        let mut w16 = Vec::new();
        for r in 0..rows {
            let values = row(r);
            let values = values.as_ref();
            let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
            let scale = RowScale::nearest(max, bits, frac);
            let one = scale.value(frac);
            let q_max = f64::from(bits.q_max());
            for v in values {
                let v = f64::from(*v);
                let q = if one > 0.0 { (v / one).round_ties_even().clamp(-q_max, q_max) } else { 0.0 };
                errors.add(v, q * one);
                match bits {
                    WeightBits::W16 => w16.push(q as i16),
                    _ => w8.push(q as i8),
                }
            }
            scales.push(scale);
        }
        let q = match bits {
            WeightBits::W16 => QWeights::W16(w16),
            _ => QWeights::W8(w8),
        };
        (q, scales, errors)
    }
}

impl QVector {
    /// Quantises to 16 bits with the largest frac ≤ `max_frac` that holds every value.
    pub fn quantise(values: &[f32], max_frac: i32) -> (Self, QuantError) {
        let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
        let frac = frac_for(max, 16, max_frac);
        let mut errors = ErrorSum::default();
        let q = values.iter().map(|v| quantise16(f64::from(*v), frac, &mut errors)).collect();
        (Self { q, frac }, errors.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arithmetic::tensor::scale2;
    use crate::quantise::scales::matrix_frac;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_weight_is_within_half_a_step(values in prop::collection::vec(-1e3f32..1e3, 1..40), shrink in 0i32..60, wide: bool) {
            let bits = if wide { WeightBits::W16 } else { WeightBits::W8 };
            let values: Vec<f32> = values.iter().map(|v| v * 2f32.powi(-shrink)).collect();
            let max = values.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
            let (m, error) = QMatrix::quantise(1, values.len(), |_| &values, bits, matrix_frac(max, bits));
            let s = m.scales[0];
            prop_assert!((s.m == 0) == (max == 0.0) && (s.m == 0 || (2048..4096).contains(&s.m)) && s.e < 16);
            prop_assert_eq!(RowScale::unpack(s.pack()), s);
            // half a step, plus the clipped end when the scale was rounded down by up to 1/4096
            let step = s.value(m.frac);
            prop_assert!(error.max_abs <= step * 0.5001 + max / 4000.0);
        }

        #[test]
        fn vectors_use_their_16_bits(values in prop::collection::vec(-1e3f32..1e3, 1..40), shrink in 0i32..40, max_frac in 0i32..25) {
            let values: Vec<f32> = values.iter().map(|v| v * 2f32.powi(-shrink)).collect();
            let (v, error) = QVector::quantise(&values, max_frac);
            prop_assert!(error.max_abs <= scale2(0.5, -v.frac) * 1.000001);
            let top = v.q.iter().map(|q| i32::from(*q).abs()).max().unwrap();
            prop_assert!(v.frac == max_frac || top >= 16383, "frac {} top {top}", v.frac);
        }
    }

    #[test]
    fn a_row_far_below_the_largest_keeps_the_smallest_scale() {
        let rows = [vec![1.0f32, -1.0], vec![1e-9, 0.0], vec![0.0, 0.0]];
        let (m, _) = QMatrix::quantise(3, 2, |r| &rows[r], WeightBits::W8, matrix_frac(1.0, WeightBits::W8));
        assert_eq!((m.scales[0].e, m.scales[1], m.scales[2]), (0, RowScale { m: 2048, e: 15 }, RowScale::default()));
        assert_eq!((m.at(0, 0), m.at(0, 1), m.at(1, 0)), (127, -127, 0));
    }
}
