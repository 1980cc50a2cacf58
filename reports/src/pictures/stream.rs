//! How full the weight stream is through the token.

use super::{px, svg, text, Picture, NARROW_PX, SCALE, WIDE_PX};
use crate::palette;
use crate::words::thousands;
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use records::latency::{LatencyRecord, Unit};

/// Bytes consumed up to each cycle, as far as spans tell: every op takes its bytes evenly over its span.
///
/// Reads of memory are not counted, what is consumed is: the fifos between them smooth the one into the other.
struct Consumed {
    /// (cycle, bytes a cycle from here on), sorted.
    steps: Vec<(u64, f64)>,
    /// Bytes consumed before each step.
    before: Vec<f64>,
}

impl Consumed {
    /// Adds up `(start_cycle, end_cycle, bytes)` of each op; empty spans carry nothing.
    fn new(spans: impl IntoIterator<Item = (u64, u64, u64)>) -> Self {
        let mut changes = vec![(0, 0.0)];
        for (start, end, bytes) in spans.into_iter().filter(|(start, end, _)| end > start) {
            let rate = bytes as f64 / (end - start) as f64;
            changes.push((start, rate));
            changes.push((end, -rate));
        }
        changes.sort_by_key(|c| c.0);
        let (mut rate, mut sum, mut at) = (0.0, 0.0, 0);
        let (mut steps, mut before) = (vec![], vec![]);
        for (cycle, change) in changes {
            sum += rate * (cycle - at) as f64;
            rate += change;
            at = cycle;
            steps.push((cycle, rate));
            before.push(sum);
        }
        Consumed { steps, before }
    }

    fn until(&self, cycle: f64) -> f64 {
        let i = self.steps.partition_point(|s| (s.0 as f64) <= cycle).max(1) - 1;
        self.before[i] + self.steps[i].1 * (cycle - self.steps[i].0 as f64).max(0.0)
    }
}

/// `(cycle in the middle of the window, share of the bus used in the window)`, about `points` of them.
pub(crate) fn moving_utilisation(record: &LatencyRecord, window: f64, points: usize) -> Vec<(f64, f64)> {
    let ops = record.ops.iter().filter(|op| op.unit != Unit::Dma);
    let consumed = Consumed::new(ops.map(|op| (op.start_cycle, op.end_cycle, op.weight_bytes)));
    let total = record.cycles_per_token as f64;
    (0..=points)
        .map(|i| {
            let middle = total * i as f64 / points as f64;
            let (from, to) = ((middle - window / 2.0).max(0.0), (middle + window / 2.0).min(total));
            let bytes = consumed.until(to) - consumed.until(from);
            (middle, bytes / ((to - from) * f64::from(record.bus_bytes)))
        })
        .collect()
}

/// Draws utilisation over the token; returns the window too, in cycles. `mean` (0 to 1) is drawn as a line.
pub fn stream_utilisation(
    title: &str,
    description: &str,
    record: &LatencyRecord,
    mean: f64,
) -> Result<(Picture, u64), ReportError> {
    let window = (record.cycles_per_token / 100).max(1);
    let draw = |width: u32, points: usize, labels: usize| {
        let values = moving_utilisation(record, window as f64, points);
        // overlapping spans can make an even spread exceed the bus for a moment: show it rather than hide it
        let top = values.iter().fold(1.0, |m: f64, v| m.max(v.1)) * 100.0;
        svg(title, description, width, 220, |area| {
            let mut chart = ChartBuilder::on(area)
                .margin_right(px(26.0))
                .margin_top(px(20.0))
                .set_label_area_size(LabelAreaPosition::Left, px(44.0))
                .set_label_area_size(LabelAreaPosition::Bottom, px(38.0))
                .build_cartesian_2d(0.0..record.cycles_per_token as f64, 0.0..top)?;
            let line = palette::RULE.rgb().stroke_width(SCALE as u32);
            chart
                .configure_mesh()
                .disable_x_mesh()
                .x_labels(labels)
                .y_labels(5)
                .x_label_formatter(&|x| thousands(x.round() as u64))
                .y_label_formatter(&|y| format!("{y:.0} %"))
                .x_label_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Top))
                .y_label_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Right, VPos::Center))
                .x_desc("cycles since the start of the token")
                .axis_desc_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Bottom))
                .axis_style(line)
                .bold_line_style(line)
                .light_line_style(TRANSPARENT)
                .set_all_tick_mark_size(px(3.0))
                .draw()?;
            let points = || values.iter().map(|(x, y)| (*x, y * 100.0));
            chart.draw_series(AreaSeries::new(points(), 0.0, palette::BLUE.rgb().mix(0.18)))?;
            chart.draw_series(LineSeries::new(points(), palette::BLUE.rgb().stroke_width(SCALE as u32 * 3 / 2)))?;
            let mean = mean * 100.0;
            let ends = [(0.0, mean), (record.cycles_per_token as f64, mean)];
            chart.draw_series(LineSeries::new(ends, palette::INK.rgb().stroke_width(SCALE as u32)))?;
            let place = (px(f64::from(width) - 26.0), px(2.0));
            let style = text(11.0, &palette::INK.rgb(), HPos::Right, VPos::Top);
            area.draw(&Text::new(format!("dark line: whole token, {mean:.1} %"), place, style))?;
            Ok(vec![])
        })
    };
    Ok((Picture { wide: draw(WIDE_PX, 1000, 12)?, narrow: Some(draw(NARROW_PX, 330, 4)?) }, window))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_spread_evenly_and_nothing_is_lost() {
        // 2 bytes a cycle from 10 to 30, 4 from 20 to 40, and an op that is over before it begins
        let consumed = Consumed::new([(20, 40, 80), (10, 30, 40), (35, 35, 7)]);
        assert_eq!(
            [5.0, 10.0, 15.0, 25.0, 40.0, 99.0].map(|c| consumed.until(c)),
            [0.0, 0.0, 10.0, 50.0, 120.0, 120.0]
        );
    }
}
