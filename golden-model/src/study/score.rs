//! One network's predictions against another's, position by position.

/// How far one position's logits are from the reference's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// −ln of the probability given to the token that came, and the reference's.
    pub nats: f64,
    pub reference_nats: f64,
    /// Kullback-Leibler divergence of the reference's distribution from this one's, nats.
    pub kl: f64,
    /// Whether both find the same token likeliest; of equals, the first.
    pub agrees: bool,
    /// Mean square of the difference of the logits and of the reference's logits, both less their mean: a constant added to all
    /// logits changes no probability.
    pub error: f64,
    pub signal: f64,
}

/// Compares `got · 2^-frac` with `reference`; `next` is the token that came, below the length of both.
pub fn compare(reference: &[f32], got: &[i32], frac: i32, next: usize) -> Point {
    let one = 2f64.powi(-frac);
    let value = |i: usize| f64::from(got[i]) * one;
    let (mut best, mut best_reference) = (0, 0);
    let (mut sum, mut sum_reference) = (0.0, 0.0);
    for i in 0..got.len() {
        best = if got[i] > got[best] { i } else { best };
        best_reference = if reference[i] > reference[best_reference] { i } else { best_reference };
        sum += value(i);
        sum_reference += f64::from(reference[i]);
    }
    let n = got.len() as f64;
    let (top, top_reference) = (value(best), f64::from(reference[best_reference]));
    let (mean, mean_reference) = (sum / n, sum_reference / n);
    let (mut total, mut total_reference, mut cross) = (0.0, 0.0, 0.0);
    let (mut error, mut signal) = (0.0, 0.0);
    for (i, exact) in reference.iter().enumerate() {
        let exact = f64::from(*exact);
        let (v, r) = (value(i) - top, exact - top_reference);
        let weight = r.exp();
        total += v.exp();
        total_reference += weight;
        cross += weight * (r - v);
        let centred = exact - mean_reference;
        error += (value(i) - mean - centred).powi(2);
        signal += centred.powi(2);
    }
    let (log_total, log_reference) = (total.ln(), total_reference.ln());
    Point {
        nats: log_total - (value(next) - top),
        reference_nats: log_reference - (f64::from(reference[next]) - top_reference),
        // Σ q (ln q − ln p); not below 0 but for the rounding of the sum
        kl: (cross / total_reference - log_reference + log_total).max(0.0),
        agrees: best == best_reference,
        error: error / n,
        signal: signal / n,
    }
}

/// Mean of `values` and its standard error from the means of up to 32 consecutive blocks: neighbouring tokens are not independent.
pub fn mean_and_error(values: impl ExactSizeIterator<Item = f64>) -> (f64, f64) {
    const BLOCKS: usize = 32;
    let n = values.len();
    if n == 0 {
        return (0.0, 0.0);
    }
    let length = n.div_ceil(BLOCKS);
    let values: Vec<f64> = values.collect();
    let mean = values.iter().sum::<f64>() / n as f64;
    let blocks: Vec<f64> = values.chunks_exact(length).map(|b| b.iter().sum::<f64>() / length as f64).collect();
    let m = blocks.len() as f64;
    if m < 2.0 {
        return (mean, f64::NAN);
    }
    let middle = blocks.iter().sum::<f64>() / m;
    let variance = blocks.iter().map(|b| (b - middle).powi(2)).sum::<f64>() / (m - 1.0);
    (mean, (variance / m).sqrt())
}

/// Root of the mean squared error over that of the reference, over several positions; 0 for a reference of constants.
pub fn relative_error<'a>(points: impl Iterator<Item = &'a Point>) -> f64 {
    let (error, signal) = points.fold((0.0, 0.0), |(e, s), p| (e + p.error, s + p.signal));
    if signal > 0.0 {
        (error / signal).sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::generate::log_softmax;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_the_evaluation_defines_them(
            logits in prop::collection::vec((-30f32..30.0, -1000i32..1000), 1..40), next: prop::sample::Index, constant in -2000i32..2000,
        ) {
            let frac = 10;
            let reference: Vec<f32> = logits.iter().map(|l| l.0).collect();
            let got: Vec<i32> = logits.iter().map(|l| (l.0 * 1024.0) as i32 + l.1).collect();
            let next = next.index(got.len());
            let p = compare(&reference, &got, frac, next);
            let exact: Vec<f64> = reference.iter().map(|v| f64::from(*v)).collect();
            let near: Vec<f64> = got.iter().map(|v| f64::from(*v) / 1024.0).collect();
            let (log_q, log_p) = (log_softmax(&exact, 1.0), log_softmax(&near, 1.0));
            let kl: f64 = log_q.iter().zip(&log_p).map(|(q, p)| q.exp() * (q - p)).sum();
            prop_assert!((p.nats + log_p[next]).abs() < 1e-9 && (p.reference_nats + log_q[next]).abs() < 1e-9);
            prop_assert!((p.kl - kl.max(0.0)).abs() < 1e-9, "{} {kl}", p.kl);
            // a constant changes nothing
            let moved: Vec<i32> = got.iter().map(|v| v + constant).collect();
            let q = compare(&reference, &moved, frac, next);
            prop_assert!((q.nats - p.nats).abs() < 1e-9 && (q.kl - p.kl).abs() < 1e-9 && (q.error - p.error).abs() < 1e-6);
        }
    }

    #[test]
    fn the_first_of_equals_is_the_likeliest() {
        assert!(compare(&[1.0, 2.0, 2.0], &[1, 2, 2], 0, 0).agrees);
        assert!(!compare(&[1.0, 2.0, 2.5], &[1, 2, 2], 0, 0).agrees);
    }

    #[test]
    fn the_error_of_a_mean_is_that_of_its_blocks() {
        assert_eq!(mean_and_error([3.0; 100].into_iter()), (3.0, 0.0));
        // 32 blocks of 2: their means are ±1, variance 32/31
        let values: Vec<f64> = (0..64).map(|i| if i / 2 % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let (mean, error) = mean_and_error(values.into_iter());
        assert!(mean == 0.0 && (error - (1f64 / 31.0).sqrt()).abs() < 1e-12);
        assert!(mean_and_error([1.0].into_iter()).1.is_nan());
    }
}
