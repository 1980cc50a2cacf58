//! Points in a plane with logarithmic axes: what is gained against what it costs.

use super::{px, svg, text, Picture, Tip, NARROW_PX, SCALE, WIDE_PX};
use crate::palette::{self, Colour};
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// One point; both coordinates are positive.
#[derive(Clone, Debug)]
pub struct Dot {
    pub x: f64,
    pub y: f64,
    pub colour: &'static Colour,
    /// Filled, and on the line that joins such points; the others are rings.
    pub best: bool,
    /// Shown at the pointer.
    pub tip: String,
}

/// The words of a scatter picture.
#[derive(Clone, Copy, Debug)]
pub struct ScatterText<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// Labels of the axes, with their units.
    pub x: &'a str,
    pub y: &'a str,
}

/// Draws `dots`, and a line through the best ones.
pub fn scatter(words: ScatterText, dots: &[Dot]) -> Result<Picture, ReportError> {
    Ok(Picture { wide: draw(words, dots, WIDE_PX, 430)?, narrow: Some(draw(words, dots, NARROW_PX, 320)?) })
}

/// Returns an axis from half of the smallest to twice the largest value, in powers that make round labels.
fn range(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(l, h), v| (l.min(v), h.max(v)));
    low.min(high) / 1.6..high * 1.6
}

fn draw(words: ScatterText, dots: &[Dot], width: u32, height: u32) -> Result<String, ReportError> {
    let narrow = width < 500;
    svg(words.title, words.description, width, height, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(px(16.0))
            .margin_top(px(8.0))
            .set_label_area_size(LabelAreaPosition::Left, px(if narrow { 44.0 } else { 64.0 }))
            .set_label_area_size(LabelAreaPosition::Bottom, px(38.0))
            .build_cartesian_2d(
                range(dots.iter().map(|d| d.x)).log_scale(),
                range(dots.iter().map(|d| d.y)).log_scale(),
            )?;
        let line = palette::RULE.rgb().stroke_width(SCALE as u32);
        chart
            .configure_mesh()
            .x_labels(if narrow { 4 } else { 10 })
            .y_labels(8)
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|y| short(*y))
            .x_label_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Top))
            .y_label_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Right, VPos::Center))
            .x_desc(words.x)
            .y_desc(words.y)
            .axis_desc_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Bottom))
            .axis_style(line)
            .bold_line_style(line)
            .light_line_style(TRANSPARENT)
            .set_all_tick_mark_size(px(3.0))
            .draw()?;
        let mut best: Vec<_> = dots.iter().filter(|d| d.best).map(|d| (d.x, d.y)).collect();
        best.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        // the staircase of what can be had for at most x
        let mut top = 0.0;
        best.retain(|b| {
            let higher = b.1 > top;
            top = f64::max(top, b.1);
            higher
        });
        let mut steps: Vec<(f64, f64)> = vec![];
        for b in best {
            if let Some(last) = steps.last().copied() {
                steps.push((b.0, last.1));
            }
            steps.push(b);
        }
        chart.draw_series(LineSeries::new(steps, palette::SOFT_INK.rgb().stroke_width(SCALE as u32)))?;
        let mut tips = vec![];
        let radius = px(if narrow { 4.0 } else { 5.0 });
        for d in dots {
            let at = chart.backend_coord(&(d.x, d.y));
            let style: ShapeStyle =
                if d.best { d.colour.rgb().filled() } else { d.colour.rgb().stroke_width(SCALE as u32 * 3 / 2) };
            area.draw(&Circle::new(at, radius, style))?;
            tips.push(Tip {
                from: (at.0 - radius, at.1 - radius),
                to: (at.0 + radius, at.1 + radius),
                text: d.tip.clone(),
            });
        }
        Ok(tips)
    })
}

/// A label of a logarithmic axis.
fn short(v: f64) -> String {
    match v {
        v if v >= 1e6 => format!("{:.0} M", v / 1e6),
        v if v >= 1e4 => format!("{:.0} k", v / 1e3),
        v if v >= 10.0 => format!("{v:.0}"),
        v if v >= 1.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}
