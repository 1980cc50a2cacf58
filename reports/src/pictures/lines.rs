//! Lines over a common axis, with a logarithmic vertical axis: errors span decades.

use super::{px, svg, text, Area, DrawResult, Picture, Tip, NARROW_PX, SCALE, WIDE_PX};
use crate::palette::{self, Colour};
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// One line; its points are in the order of the horizontal axis.
#[derive(Clone, Debug)]
pub struct Series {
    pub colour: &'static Colour,
    pub points: Vec<LinePoint>,
}

/// A point; those that are not above zero are left out.
#[derive(Clone, Debug)]
pub struct LinePoint {
    pub x: f64,
    pub y: f64,
    /// Half the length of its error bar; 0 for none.
    pub error: f64,
    /// Shown at the pointer.
    pub tip: String,
}

/// A picture of lines.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub x_axis: &'a str,
    pub y_axis: &'a str,
    /// Where the horizontal axis is named, in order.
    pub x_ticks: Vec<(f64, String)>,
    pub series: Vec<Series>,
    /// A place to point at.
    pub mark: Option<(f64, String)>,
}

/// Draws the lines; a narrow screen gets a twin with fewer names on the axis.
pub fn lines(l: &Lines) -> Result<Picture, ReportError> {
    Ok(Picture { wide: draw(l, WIDE_PX, 320)?, narrow: Some(draw(l, NARROW_PX, 280)?) })
}

const LEFT_PX: f64 = 62.0;
const BOTTOM_PX: f64 = 40.0;
const TOP_PX: f64 = 26.0;
const RIGHT_PX: f64 = 20.0;

/// Turns numbers into places of the picture.
struct Frame {
    x: (f64, f64),
    /// log10
    y: (f64, f64),
    width: f64,
    height: f64,
}

impl Frame {
    fn at(&self, x: f64, y: f64) -> (i32, i32) {
        let share = (x - self.x.0) / (self.x.1 - self.x.0);
        let up = (y.log10() - self.y.0) / (self.y.1 - self.y.0);
        let (w, h) = (self.width - LEFT_PX - RIGHT_PX, self.height - TOP_PX - BOTTOM_PX);
        (px(LEFT_PX + share * w), px(TOP_PX + (1.0 - up.clamp(0.0, 1.0)) * h))
    }
}

fn draw(l: &Lines, width: u32, height: u32) -> Result<String, ReportError> {
    let points = || l.series.iter().flat_map(|s| &s.points).filter(|p| p.y > 0.0);
    let xs = points().map(|p| p.x).chain(l.x_ticks.iter().map(|t| t.0));
    let (x0, x1) = xs.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    let (y0, y1) = points().fold((f64::INFINITY, 0f64), |(a, b), p| (a.min(p.y), b.max(p.y)));
    let (x0, x1) = if x0 < x1 { (x0, x1) } else { (x0.min(1e9) - 1.0, x0.min(1e9) + 1.0) };
    let (y0, y1) = if y0 <= y1 { (y0.log10(), y1.log10()) } else { (-1.0, 0.0) };
    let margin = ((y1 - y0) * 0.06).max(0.1);
    let pad = (x1 - x0) * 0.015;
    let frame = Frame {
        x: (x0 - pad, x1 + pad),
        y: (y0 - margin, y1 + margin),
        width: f64::from(width),
        height: f64::from(height),
    };
    svg(l.title, l.description, width, height, |area| {
        axes(area, l, &frame)?;
        let mut tips = vec![];
        for s in &l.series {
            let drawn: Vec<&LinePoint> = s.points.iter().filter(|p| p.y > 0.0).collect();
            let path: Vec<(i32, i32)> = drawn.iter().map(|p| frame.at(p.x, p.y)).collect();
            area.draw(&PathElement::new(path, s.colour.rgb().stroke_width(2 * SCALE as u32)))?;
            for p in drawn {
                let (x, y) = frame.at(p.x, p.y);
                if p.error > 0.0 {
                    let bar = vec![frame.at(p.x, (p.y - p.error).max(p.y * 1e-6)), frame.at(p.x, p.y + p.error)];
                    area.draw(&PathElement::new(bar, s.colour.rgb().stroke_width(SCALE as u32)))?;
                }
                area.draw(&Circle::new((x, y), px(2.6), s.colour.rgb().filled()))?;
                let r = px(5.0);
                tips.push(Tip { from: (x - r, y - r), to: (x + r, y + r), text: p.tip.clone() });
            }
        }
        Ok(tips)
    })
}

fn axes(area: &Area, l: &Lines, f: &Frame) -> DrawResult<()> {
    let rule = palette::RULE.rgb().stroke_width(SCALE as u32);
    let soft = palette::SOFT_INK.rgb();
    let (left, right) = (px(LEFT_PX), px(f.width - RIGHT_PX));
    let (top, bottom) = (px(TOP_PX), px(f.height - BOTTOM_PX));
    for (value, label) in y_ticks(f.y) {
        let y = f.at(f.x.0, value).1;
        area.draw(&PathElement::new(vec![(left, y), (right, y)], rule))?;
        if let Some(label) = label {
            area.draw(&Text::new(label, (left - px(6.0), y), text(11.0, &soft, HPos::Right, VPos::Center)))?;
        }
    }
    // names that would touch are left out
    let room = if l.x_ticks.iter().any(|t| t.1.len() > 4) { 46.0 } else { 26.0 };
    let mut free = f64::NEG_INFINITY;
    for (value, label) in &l.x_ticks {
        let x = f.at(*value, 1.0).0;
        area.draw(&PathElement::new(vec![(x, bottom), (x, bottom + px(3.0))], rule))?;
        let shown = f64::from(x) / f64::from(SCALE);
        if shown >= free {
            area.draw(&Text::new(label.clone(), (x, bottom + px(5.0)), text(11.0, &soft, HPos::Center, VPos::Top)))?;
            free = shown + room;
        }
    }
    area.draw(&PathElement::new(vec![(left, top), (left, bottom), (right, bottom)], rule))?;
    let middle = (left + right) / 2;
    let style = text(11.0, &soft, HPos::Center, VPos::Bottom);
    area.draw(&Text::new(l.x_axis.to_string(), (middle, px(f.height - 4.0)), style))?;
    let style = text(11.0, &soft, HPos::Left, VPos::Top);
    area.draw(&Text::new(l.y_axis.to_string(), (px(4.0), px(4.0)), style))?;
    if let Some((x, label)) = &l.mark {
        let x = f.at(*x, 1.0).0;
        area.draw(&PathElement::new(vec![(x, top), (x, bottom)], palette::SOFT_INK.rgb().stroke_width(SCALE as u32)))?;
        let crowded = right - x < px(label.chars().count() as f64 * 6.5 + 8.0);
        let (h, x) = if crowded { (HPos::Right, x - px(5.0)) } else { (HPos::Left, x + px(5.0)) };
        area.draw(&Text::new(label.clone(), (x, top), text(11.0, &palette::INK.rgb(), h, VPos::Top)))?;
    }
    Ok(())
}

/// Decades, with 2 and 5 between them if there are few; with many, only some are named.
fn y_ticks((low, high): (f64, f64)) -> Vec<(f64, Option<String>)> {
    let (first, last) = (low.ceil() as i32, high.floor() as i32);
    let decades = high - low;
    let name_every = ((decades / 6.0).ceil() as i32).max(1);
    let mut ticks = vec![];
    for exponent in first - 1..=last {
        for digit in [1, 2, 5] {
            let value = f64::from(digit) * 10f64.powi(exponent);
            let inside = (low..=high).contains(&value.log10());
            if inside && (digit == 1 || decades < 2.5) {
                let named = digit > 1 || exponent.rem_euclid(name_every) == 0;
                ticks.push((value, named.then(|| scientific(value))));
            }
        }
    }
    ticks
}

/// A magnitude as a person reads it on an axis or in a table: `0.02`, `3e-5`, `1.25e-7`.
pub fn scientific(v: f64) -> String {
    if v == 0.0 {
        return "0".into();
    }
    let trim = |s: String| match s.contains('.') {
        true => s.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => s,
    };
    if (1e-3..1e5).contains(&v.abs()) {
        let digits = (2.0 - v.abs().log10().floor()).max(0.0) as usize;
        return trim(format!("{v:.digits$}"));
    }
    let s = format!("{v:.2e}");
    let (mantissa, exponent) = s.split_once('e').unwrap_or((&s, "0"));
    format!("{}e{exponent}", trim(mantissa.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_a_person_reads() {
        let shown = [0.0, 1.0, 0.02, 0.0512, 12.345, 123.4, 3e-5, 1.2345e-7, 2e6, -0.25].map(scientific);
        assert_eq!(shown, ["0", "1", "0.02", "0.0512", "12.3", "123", "3e-5", "1.23e-7", "2e6", "-0.25"]);
    }

    #[test]
    fn ticks_lie_inside() {
        for range in [(-6.2, -1.1), (-4.3, -4.1), (-0.05, 0.05), (-12.0, 3.0)] {
            let ticks = y_ticks(range);
            assert!(ticks.iter().all(|t| (range.0..=range.1).contains(&t.0.log10())), "{ticks:?}");
            assert!(ticks.len() < 20);
        }
        assert!(y_ticks((-6.2, -1.1)).iter().any(|t| t.1.as_deref() == Some("1e-5")));
    }
}
