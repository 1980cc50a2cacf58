//! Lookup tables over input slew and output load.

/// What an axis of a table means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Input slew in seconds
    Slew,
    /// Output load in farads
    Load,
}

/// A table of up to three axes in SI units, read by linear interpolation; outside its axes the last segment goes on.
#[derive(Clone, Debug, Default)]
pub struct Table {
    axes: Vec<(Quantity, Vec<f64>)>,
    /// Row-major, the last axis fastest
    values: Vec<f64>,
}

impl Table {
    /// Checks the shape: axes strictly rising, as many values as points.
    pub fn new(axes: Vec<(Quantity, Vec<f64>)>, values: Vec<f64>) -> Result<Table, String> {
        let points: usize = axes.iter().map(|(_, a)| a.len()).product();
        if points != values.len() {
            return Err(format!("{points} values for the axes of this table"));
        }
        if axes.iter().any(|(_, a)| !a.windows(2).all(|w| w[0] < w[1])) {
            return Err("rising indices".into());
        }
        Ok(Table { axes, values })
    }

    /// The value at an input slew (s) and an output load (F).
    pub fn at(&self, slew: f64, load: f64) -> f64 {
        self.interpolate(0, 0, slew, load)
    }

    fn interpolate(&self, axis: usize, offset: usize, slew: f64, load: f64) -> f64 {
        let Some((quantity, points)) = self.axes.get(axis) else {
            return self.values.get(offset).copied().unwrap_or(0.0);
        };
        let row = offset * points.len();
        if points.len() < 2 {
            return self.interpolate(axis + 1, row, slew, load);
        }
        let x = if *quantity == Quantity::Slew { slew } else { load };
        let i = points.partition_point(|&p| p <= x).clamp(1, points.len() - 1);
        let f = (x - points[i - 1]) / (points[i] - points[i - 1]);
        let low = self.interpolate(axis + 1, row + i - 1, slew, load);
        let high = self.interpolate(axis + 1, row + i, slew, load);
        low + f * (high - low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bilinear_inside_and_beyond() {
        let axes = vec![(Quantity::Slew, vec![1.0, 3.0]), (Quantity::Load, vec![0.0, 10.0, 20.0])];
        // value = 2 * slew + load
        let t = Table::new(axes, vec![2.0, 12.0, 22.0, 6.0, 16.0, 26.0]).expect("shape");
        for (s, l) in [(1.0, 0.0), (2.0, 5.0), (3.0, 20.0), (0.0, 30.0), (5.0, -5.0)] {
            assert!((t.at(s, l) - (2.0 * s + l)).abs() < 1e-12, "{s} {l}: {}", t.at(s, l));
        }
        assert!(Table::new(vec![(Quantity::Slew, vec![1.0, 1.0])], vec![0.0, 0.0]).is_err());
        assert!(Table::new(vec![(Quantity::Slew, vec![1.0, 2.0])], vec![0.0]).is_err());
        assert_eq!(Table::new(vec![], vec![7.0]).expect("scalar").at(1.0, 1.0), 7.0);
    }
}
