//! How a tap's or a tensor's values spread: extremes exact, percentiles of magnitudes from a histogram of constant relative width.

/// Octaves counted: magnitudes from 2^-40 (smaller ones count as the smallest) to 2^24 (larger ones as the largest).
const LOWEST: i32 = -40;
const OCTAVES: i32 = 64;
/// Bins of an octave: a percentile is within half of 1/128 of the value it stands for.
const BINS_PER_OCTAVE_LOG2: u32 = 7;

/// Values seen so far.
#[derive(Clone, Debug)]
pub struct Spread {
    /// of |v| > 0, by the exponent and the 7 upper bits of the mantissa
    bins: Vec<u64>,
    zeros: u64,
    n: u64,
    min: f32,
    max: f32,
    smallest: f32,
}

/// What a [`Spread`] says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    pub n_values: u64,
    pub min: f64,
    pub max: f64,
    /// Share of exact zeros.
    pub zeros: f64,
    /// Percentiles of |v|, zeros included: 1, 50, 99 and 99.9.
    pub percentiles: [f64; 4],
}

impl Summary {
    /// Largest |v|.
    pub fn max_abs(&self) -> f64 {
        self.max.max(-self.min)
    }
}

impl Default for Spread {
    fn default() -> Self {
        let bins = vec![0; (OCTAVES as usize) << BINS_PER_OCTAVE_LOG2];
        Self { bins, zeros: 0, n: 0, min: f32::INFINITY, max: f32::NEG_INFINITY, smallest: f32::INFINITY }
    }
}

/// First number of the bins, as the upper bits of an f32.
const FIRST: i32 = (127 + LOWEST) << BINS_PER_OCTAVE_LOG2;

impl Spread {
    pub fn add(&mut self, values: &[f32]) {
        let last = self.bins.len() as i32 - 1;
        for v in values {
            self.min = self.min.min(*v);
            self.max = self.max.max(*v);
            let magnitude = v.abs();
            if magnitude == 0.0 {
                self.zeros += 1;
                continue;
            }
            self.smallest = self.smallest.min(magnitude);
            // exponent and upper bits of the mantissa are one number that grows with the magnitude
            let bin = (magnitude.to_bits() >> (23 - BINS_PER_OCTAVE_LOG2)) as i32 - FIRST;
            self.bins[bin.clamp(0, last) as usize] += 1;
        }
        self.n += values.len() as u64;
    }

    /// The magnitude that a share `p`, 0 to 1, of all values does not exceed: the nearest-rank percentile, from the middle of its bin.
    pub fn percentile(&self, p: f64) -> f64 {
        let rank = ((p * self.n as f64).ceil() as u64).clamp(1, self.n.max(1));
        let mut seen = self.zeros;
        if rank <= seen || self.n == 0 {
            return 0.0;
        }
        let largest = f64::from(self.max.max(-self.min));
        for (i, n) in self.bins.iter().enumerate() {
            seen += n;
            if rank <= seen {
                let from = f32::from_bits(((i as i32 + FIRST) as u32) << (23 - BINS_PER_OCTAVE_LOG2));
                let to = f32::from_bits(((i as i32 + FIRST + 1) as u32) << (23 - BINS_PER_OCTAVE_LOG2));
                let middle = (f64::from(from) + f64::from(to)) / 2.0;
                return middle.clamp(f64::from(self.smallest).min(largest), largest);
            }
        }
        largest
    }

    pub fn summary(&self) -> Summary {
        if self.n == 0 {
            return Summary::default();
        }
        Summary {
            n_values: self.n,
            min: f64::from(self.min),
            max: f64::from(self.max),
            zeros: self.zeros as f64 / self.n as f64,
            percentiles: [0.01, 0.5, 0.99, 0.999].map(|p| self.percentile(p)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn percentiles_are_those_of_the_sorted_values(
            values in prop::collection::vec((-1f32..1.0, -60i32..25), 1..400), zeros in 0usize..50, p in 0.0f64..=1.0,
        ) {
            let mut values: Vec<f32> = values.iter().map(|(v, e)| v * 2f32.powi(*e)).collect();
            values.extend(std::iter::repeat_n(0.0, zeros));
            let mut spread = Spread::default();
            values.chunks(7).for_each(|v| spread.add(v));
            let mut sorted: Vec<f64> = values.iter().map(|v| f64::from(v.abs())).collect();
            sorted.sort_by(f64::total_cmp);
            for p in [0.0, 0.01, 0.5, 0.99, 0.999, 1.0, p] {
                let rank = ((p * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
                let (want, got) = (sorted[rank - 1], spread.percentile(p));
                // below the lowest octave all magnitudes are one bin
                let floor = 2f64.powi(LOWEST + 1);
                let near = (got / want - 1.0).abs() <= 1.0 / 256.0;
                prop_assert!(near || want == got || want < floor && got < floor, "{p}: {got}, expected {want}");
            }
            let s = spread.summary();
            let fold = |f: fn(f32, f32) -> f32| f64::from(values.iter().copied().reduce(f).unwrap());
            prop_assert_eq!((s.min, s.max, s.n_values as usize), (fold(f32::min), fold(f32::max), values.len()));
            let exact = values.iter().filter(|v| **v == 0.0).count() as f64 / values.len() as f64;
            prop_assert_eq!(s.zeros, exact);
        }
    }

    #[test]
    fn nothing_seen_is_no_error() {
        assert_eq!(Spread::default().summary(), Summary::default());
        let mut one = Spread::default();
        one.add(&[-3.0]);
        assert_eq!(one.summary().percentiles, [3.0; 4]);
        assert_eq!(one.summary().max_abs(), 3.0);
    }
}
