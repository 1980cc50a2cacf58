//! Horizontal bars, each of one or more parts: shares of a whole, or one bar a layer.

use super::{px, svg, text, Picture, Tip, NARROW_PX, WIDE_PX};
use crate::palette::{self, Colour};
use crate::words::thousands;
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// One bar; its parts follow each other from the left.
#[derive(Clone, Debug)]
pub struct Bar {
    pub label: String,
    pub parts: Vec<BarPart>,
    /// Printed after the bar, with its unit.
    pub value: String,
}

/// A piece of a bar, in the unit of the axis.
#[derive(Clone, Debug)]
pub struct BarPart {
    pub colour: &'static Colour,
    pub value: u64,
    /// Shown at the pointer.
    pub tip: String,
}

/// The words of a bar picture.
#[derive(Clone, Copy, Debug)]
pub struct BarsText<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// Label of the axis, with its unit.
    pub axis: &'a str,
}

/// Draws bars in the order given. A narrow screen gets a twin with labels above the bars.
pub fn bars(words: BarsText, bars: &[Bar]) -> Result<Picture, ReportError> {
    Ok(Picture { wide: draw(words, bars, WIDE_PX, false)?, narrow: Some(draw(words, bars, NARROW_PX, true)?) })
}

fn draw(words: BarsText, bars: &[Bar], width: u32, narrow: bool) -> Result<String, ReportError> {
    let (row_px, font_px) = if narrow { (38.0, 12.0) } else { (27.0, 13.0) };
    let height = (bars.len() as f64 * row_px + 42.0).ceil() as u32;
    let longest = bars.iter().map(|b| b.label.chars().count()).max().unwrap_or(0) as f64;
    let left = if narrow { 2.0 } else { longest * 7.4 + 16.0 };
    let value = bars.iter().map(|b| b.value.chars().count()).max().unwrap_or(0) as f64;
    let right = if narrow { 20.0 } else { (value * 7.0 + 20.0).max(150.0) };
    let total = |b: &Bar| b.parts.iter().map(|p| p.value).sum::<u64>();
    let max = bars.iter().map(total).max().unwrap_or(0).max(1) as f64;
    svg(words.title, words.description, width, height, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(px(right))
            .margin_top(px(2.0))
            .set_label_area_size(LabelAreaPosition::Left, px(left))
            .set_label_area_size(LabelAreaPosition::Bottom, px(38.0))
            .build_cartesian_2d(0.0..max, bars.len() as f64..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_labels(if narrow { 4 } else { 8 })
            .x_label_formatter(&|x| thousands(x.round() as u64))
            .x_label_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Top))
            .x_desc(words.axis)
            .axis_desc_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Bottom))
            .axis_style(palette::RULE.rgb().stroke_width(super::SCALE as u32))
            .bold_line_style(palette::RULE.rgb().stroke_width(super::SCALE as u32))
            .light_line_style(TRANSPARENT)
            .set_all_tick_mark_size(px(3.0))
            .draw()?;
        let mut tips = vec![];
        for (i, bar) in bars.iter().enumerate() {
            let (top, bottom) = if narrow { (0.47, 0.87) } else { (0.18, 0.82) };
            let mut from = 0.0;
            for part in &bar.parts {
                let to = from + part.value as f64;
                let corner = |x: f64, y: f64| chart.backend_coord(&(x, i as f64 + y));
                let (a, mut b) = (corner(from, top), corner(to, bottom));
                tips.push(Tip { from: a, to: b, text: part.tip.clone() });
                if b.0 - a.0 > px(3.0) {
                    b.0 -= px(1.0); // a hairline between neighbours
                }
                area.draw(&Rectangle::new([a, b], part.colour.rgb().filled()))?;
                from = to;
            }
            let row = |y: f64| chart.backend_coord(&(0.0, i as f64 + y)).1;
            let end = chart.backend_coord(&(from, 0.0)).0;
            let (ink, soft) = (palette::INK.rgb(), palette::SOFT_INK.rgb());
            let label = bar.label.clone();
            let value = bar.value.clone();
            if narrow {
                let y = row(0.43);
                area.draw(&Text::new(label, (px(2.0), y), text(font_px, &ink, HPos::Left, VPos::Bottom)))?;
                let x = px(f64::from(width) - 4.0);
                area.draw(&Text::new(value, (x, y), text(font_px, &soft, HPos::Right, VPos::Bottom)))?;
            } else {
                let y = row(0.5);
                area.draw(&Text::new(label, (px(left - 10.0), y), text(font_px, &ink, HPos::Right, VPos::Center)))?;
                area.draw(&Text::new(value, (end + px(8.0), y), text(font_px, &soft, HPos::Left, VPos::Center)))?;
            }
        }
        Ok(tips)
    })
}
