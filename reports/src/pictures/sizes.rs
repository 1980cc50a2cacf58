//! Named points over size and speed, both logarithmic, with lines of equal product: what a design gets done, whatever it runs.

use super::{px, svg, text, Area, DrawResult, Picture, Tip, NARROW_PX, SCALE, WIDE_PX};
use crate::palette::{self, Colour};
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// One design with one model.
#[derive(Clone, Debug)]
pub struct SizeDot {
    pub name: String,
    /// Both positive.
    pub x: f64,
    pub y: f64,
    pub colour: &'static Colour,
    /// A disc; otherwise a ring.
    pub filled: bool,
    /// Shown at the pointer.
    pub tip: String,
}

/// The words of the picture.
#[derive(Clone, Copy, Debug)]
pub struct SizesText<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// Labels of the axes, with their units.
    pub x: &'a str,
    pub y: &'a str,
    /// Unit of the product that is the same along a line.
    pub product: &'a str,
}

/// Draws the points; each has its name beside it.
pub fn sizes(words: SizesText, dots: &[SizeDot]) -> Result<Picture, ReportError> {
    Ok(Picture { wide: draw(words, dots, WIDE_PX, 440)?, narrow: Some(draw(words, dots, NARROW_PX, 400)?) })
}

/// Whole powers of ten around the values.
fn decades(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(l, h), v| (l.min(v), h.max(v)));
    10f64.powf((low.min(high).log10() - 0.15).floor())..10f64.powf((high.log10() + 0.15).ceil())
}

fn draw(words: SizesText, dots: &[SizeDot], width: u32, height: u32) -> Result<String, ReportError> {
    let narrow = width < 500;
    let (xs, ys) = (decades(dots.iter().map(|d| d.x)), decades(dots.iter().map(|d| d.y)));
    svg(words.title, words.description, width, height, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(px(16.0))
            .margin_top(px(10.0))
            .set_label_area_size(LabelAreaPosition::Left, px(if narrow { 46.0 } else { 60.0 }))
            .set_label_area_size(LabelAreaPosition::Bottom, px(38.0))
            .build_cartesian_2d(xs.clone().log_scale(), ys.clone().log_scale())?;
        let line = palette::RULE.rgb().stroke_width(SCALE as u32);
        chart
            .configure_mesh()
            .disable_mesh()
            .x_labels(if narrow { 5 } else { 10 })
            .y_labels(8)
            .x_label_formatter(&|x| short(*x))
            .y_label_formatter(&|y| short(*y))
            .x_label_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Top))
            .y_label_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Right, VPos::Center))
            .x_desc(words.x)
            .y_desc(words.y)
            .axis_desc_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Bottom))
            .axis_style(line)
            .set_all_tick_mark_size(px(3.0))
            .draw()?;
        let first = (xs.start * ys.start).log10().ceil() as i32;
        let last = (xs.end * ys.end).log10().floor() as i32;
        for power in (first..=last).filter(|p| p % 3 == 0) {
            let product = 10f64.powi(power);
            // where the line enters and leaves the picture
            let (from, to) = ((product / ys.end).max(xs.start), (product / ys.start).min(xs.end));
            // short pieces in the corners say nothing
            if (to / from).log10() > 0.25 * (xs.end / xs.start).log10() {
                chart.draw_series(LineSeries::new([(from, product / from), (to, product / to)], line))?;
                let at = chart.backend_coord(&(to, product / to));
                let label = format!("{}{}", short(product), if narrow { "" } else { words.product });
                let style = text(10.5, &palette::SOFT_INK.rgb(), HPos::Right, VPos::Bottom);
                area.draw(&Text::new(label, (at.0 - px(8.0), at.1 - px(14.0)), style))?;
            }
        }
        let mut taken: Vec<(i32, i32, i32, i32)> = vec![];
        let mut tips = vec![];
        let radius = px(if narrow { 4.0 } else { 5.5 });
        for d in dots {
            let at = chart.backend_coord(&(d.x, d.y));
            let style: ShapeStyle =
                if d.filled { d.colour.rgb().filled() } else { d.colour.rgb().stroke_width(SCALE as u32 * 2) };
            area.draw(&Circle::new(at, radius, style))?;
            name(area, d, at, px(f64::from(width)), &mut taken)?;
            let (from, to) = ((at.0 - radius, at.1 - radius), (at.0 + radius, at.1 + radius));
            tips.push(Tip { from, to, text: d.tip.clone() });
        }
        Ok(tips)
    })
}

/// The name beside its point, where it meets no other name.
fn name(area: &Area, d: &SizeDot, at: (i32, i32), width: i32, taken: &mut Vec<(i32, i32, i32, i32)>) -> DrawResult<()> {
    let (long, high) = (px(d.name.chars().count() as f64 * 6.9), px(15.0));
    let right = at.0 + px(10.0) + long < width;
    let x = if right { at.0 + px(10.0) } else { at.0 - px(10.0) };
    let left = if right { x } else { x - long };
    let free = |y: i32| !taken.iter().any(|t| left < t.2 && t.0 < left + long && y < t.3 && t.1 < y + high);
    let y = [0.0, -15.0, 15.0, -30.0, 30.0].map(|dy| at.1 - high / 2 + px(dy)).into_iter().find(|y| free(*y));
    let y = y.unwrap_or(at.1 - high / 2);
    taken.push((left, y, left + long, y + high));
    let side = if right { HPos::Left } else { HPos::Right };
    area.draw(&Text::new(d.name.clone(), (x, y + high / 2), text(12.0, &palette::INK.rgb(), side, VPos::Center)))
}

/// A label of a logarithmic axis.
fn short(v: f64) -> String {
    match v {
        v if v >= 0.999e12 => format!("{:.0} T", v / 1e12),
        v if v >= 0.999e9 => format!("{:.0} G", v / 1e9),
        v if v >= 0.999e6 => format!("{:.0} M", v / 1e6),
        v if v >= 0.999e3 => format!("{:.0} k", v / 1e3),
        v if v >= 0.999 => format!("{v:.0}"),
        v => format!("{v}"),
    }
}
