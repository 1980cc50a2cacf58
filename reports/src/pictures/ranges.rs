//! Where values lie between the smallest and the largest number of their format, on an axis of octaves.

use super::{px, svg, text, Picture, Tip, NARROW_PX, SCALE, WIDE_PX};
use crate::palette;
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// Magnitudes of one layer against its format. Zero means: nothing above zero.
#[derive(Clone, Debug)]
pub struct RangeBox {
    /// Smallest step and largest magnitude of the format.
    pub step: f64,
    pub limit: f64,
    pub p1: f64,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
    /// Values were clipped.
    pub alarm: bool,
    /// Shown at the pointer.
    pub tip: String,
}

/// One value of the network, layer under layer.
#[derive(Clone, Debug)]
pub struct RangeRow {
    pub label: String,
    pub boxes: Vec<RangeBox>,
}

/// The words of the picture.
#[derive(Clone, Copy, Debug)]
pub struct RangesText<'a> {
    pub title: &'a str,
    pub description: &'a str,
}

/// Draws the rows, for wide and for narrow screens.
pub fn ranges(words: RangesText, rows: &[RangeRow]) -> Result<Picture, ReportError> {
    Ok(Picture { wide: draw(words, rows, WIDE_PX)?, narrow: Some(draw(words, rows, NARROW_PX)?) })
}

fn draw(words: RangesText, rows: &[RangeRow], width: u32) -> Result<String, ReportError> {
    let narrow = width < 600;
    let layers = rows.iter().map(|r| r.boxes.len()).max().unwrap_or(0);
    let bar_px = if layers > 12 { 3.0 } else { 6.0 };
    let row_px = |r: &RangeRow| (r.boxes.len() as f64 * bar_px).max(14.0) + 9.0;
    let font = if narrow { 10.5 } else { 12.5 };
    let longest = rows.iter().map(|r| r.label.chars().count()).max().unwrap_or(0) as f64;
    let left = longest * font * 0.57 + 12.0;
    let right = f64::from(width) - 14.0;
    let height = rows.iter().map(row_px).sum::<f64>() + 52.0;
    let all = || rows.iter().flat_map(|r| &r.boxes);
    let low = all().map(|b| b.step.log2()).fold(f64::INFINITY, f64::min).max(-60.0).floor() - 0.5;
    let high = all().map(|b| b.limit.max(b.max).log2()).fold(low + 2.0, f64::max).ceil() + 0.5;
    svg(words.title, words.description, width, height.ceil() as u32, |area| {
        let x = |v: f64| px(left + (v.max(1e-30).log2().clamp(low, high) - low) / (high - low) * (right - left));
        let (ink, soft) = (palette::INK.rgb(), palette::SOFT_INK.rgb());
        let rule = palette::RULE.rgb().stroke_width(SCALE as u32);
        let bottom = height - 46.0;
        let every = if narrow { 8 } else { 4 };
        for octave in low.ceil() as i32..=high as i32 {
            if octave % every == 0 {
                let at = x(2f64.powi(octave));
                area.draw(&PathElement::new(vec![(at, px(0.0)), (at, px(bottom))], rule))?;
                let style = text(11.0, &soft, HPos::Center, VPos::Top);
                area.draw(&Text::new(format!("2^{octave}"), (at, px(bottom + 5.0)), style))?;
            }
        }
        let mut tips = vec![];
        let mut y = 4.0;
        for row in rows {
            let bars = row.boxes.len() as f64 * bar_px;
            let place = (px(left - 8.0), px(y + bars / 2.0));
            area.draw(&Text::new(row.label.clone(), place, text(font, &ink, HPos::Right, VPos::Center)))?;
            for (i, b) in row.boxes.iter().enumerate() {
                let (from, to) = (y + i as f64 * bar_px, y + (i + 1) as f64 * bar_px - 1.0);
                let (from, to) = (px(from), px(to));
                let bar = |a: f64, b: f64| [(x(a), from), (x(b), to)];
                area.draw(&Rectangle::new(bar(b.step, b.limit), palette::FREE.rgb().filled()))?;
                area.draw(&Rectangle::new(bar(b.p1.max(b.step), b.max.max(b.step)), palette::CYAN.rgb().filled()))?;
                area.draw(&Rectangle::new(bar(b.p50.max(b.step), b.p99.max(b.step)), palette::TEAL.rgb().filled()))?;
                let (end, tick) = (x(b.max.max(b.step)), px(1.0));
                let colour = if b.alarm { &palette::ORANGE } else { &palette::INK };
                area.draw(&Rectangle::new([(end - tick, from), (end + tick, to)], colour.rgb().filled()))?;
                let corner = (x(b.limit).max(end), to);
                tips.push(Tip { from: (x(b.step), from), to: corner, text: b.tip.clone() });
            }
            y += row_px(row);
        }
        let place = (px((left + right) / 2.0), px(height - 4.0));
        let style = text(11.0, &soft, HPos::Center, VPos::Bottom);
        area.draw(&Text::new("magnitude, one octave is one bit", place, style))?;
        Ok(tips)
    })
}
