//! Shares from 0 to 100 % over lengths, on a logarithmic horizontal axis.

use super::{px, svg, text, Picture, Tip, NARROW_PX, SCALE, WIDE_PX};
use crate::palette::{self, Colour};
use crate::words::thousands;
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// One line.
#[derive(Clone, Debug)]
pub struct Curve {
    pub colour: &'static Colour,
    /// What the line stands for, told at its points.
    pub label: String,
    /// (length, share from 0 to 1), lengths ascending and at least 1.
    pub points: Vec<(u64, f64)>,
}

/// The words and marks of a picture of curves.
#[derive(Clone, Copy, Debug)]
pub struct CurvesText<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// Label of the horizontal axis, with its unit.
    pub axis: &'a str,
    /// A length to mark, and its name.
    pub mark: Option<(u64, &'a str)>,
    /// The share of pure chance, drawn as a thin line.
    pub chance: f64,
}

/// Draws the curves, the first on top; a narrow screen gets a twin.
pub fn curves(words: CurvesText, curves: &[Curve]) -> Result<Picture, ReportError> {
    Ok(Picture { wide: draw(words, curves, WIDE_PX, 320)?, narrow: Some(draw(words, curves, NARROW_PX, 260)?) })
}

const LEFT_PX: f64 = 52.0;
const RIGHT_PX: f64 = 24.0;
const TOP_PX: f64 = 22.0;
const BOTTOM_PX: f64 = 44.0;

fn draw(words: CurvesText, curves: &[Curve], width: u32, height: u32) -> Result<String, ReportError> {
    let lengths = || curves.iter().flat_map(|c| c.points.iter().map(|p| p.0.max(1)));
    let first = (lengths().min().unwrap_or(1) as f64).log2();
    let last = (lengths().max().unwrap_or(2) as f64).log2().max(first + 1.0);
    let (w, h) = (f64::from(width) - LEFT_PX - RIGHT_PX, f64::from(height) - TOP_PX - BOTTOM_PX);
    let x = |length: u64| px(LEFT_PX + w * ((length.max(1) as f64).log2() - first) / (last - first));
    let y = |share: f64| px(TOP_PX + h * (1.0 - share.clamp(0.0, 1.0)));
    let right = px(f64::from(width) - RIGHT_PX);
    let rule = palette::RULE.rgb().stroke_width(SCALE as u32);
    let (soft, ink) = (palette::SOFT_INK.rgb(), palette::INK.rgb());
    svg(words.title, words.description, width, height, |area| {
        for tick in 0..=4 {
            let share = f64::from(tick) / 4.0;
            area.draw(&PathElement::new(vec![(px(LEFT_PX), y(share)), (right, y(share))], rule))?;
            let label = format!("{:.0} %", share * 100.0);
            let at = (px(LEFT_PX - 6.0), y(share));
            area.draw(&Text::new(label, at, text(11.0, &soft, HPos::Right, VPos::Center)))?;
        }
        // every power of two, or every second one
        let every = if (last - first) * 44.0 > w { 2 } else { 1 };
        for power in (first.ceil() as u32..=last.floor() as u32).step_by(every) {
            let at = (x(1 << power), px(TOP_PX + h + 6.0));
            area.draw(&Text::new(thousands(1 << power), at, text(11.0, &soft, HPos::Center, VPos::Top)))?;
        }
        let at = (px(LEFT_PX + w / 2.0), px(f64::from(height) - 4.0));
        area.draw(&Text::new(words.axis, at, text(11.0, &soft, HPos::Center, VPos::Bottom)))?;
        let chance = vec![(px(LEFT_PX), y(words.chance)), (right, y(words.chance))];
        area.draw(&PathElement::new(chance, palette::SOFT_INK.rgb().stroke_width(SCALE as u32)))?;
        let at = (right, y(words.chance) - px(3.0));
        area.draw(&Text::new("chance", at, text(10.0, &soft, HPos::Right, VPos::Bottom)))?;
        if let Some((length, name)) = words.mark.filter(|m| (first..=last).contains(&(m.0.max(1) as f64).log2())) {
            let line = vec![(x(length), px(TOP_PX - 6.0)), (x(length), y(0.0))];
            area.draw(&PathElement::new(line, soft.stroke_width(SCALE as u32)))?;
            let at = (x(length) + px(4.0), px(TOP_PX - 8.0));
            area.draw(&Text::new(name, at, text(11.0, &ink, HPos::Left, VPos::Center)))?;
        }
        let mut tips = vec![];
        for curve in curves.iter().rev() {
            let path: Vec<(i32, i32)> = curve.points.iter().map(|p| (x(p.0), y(p.1))).collect();
            area.draw(&PathElement::new(path.clone(), curve.colour.rgb().stroke_width(2 * SCALE as u32)))?;
            for (at, (length, share)) in path.into_iter().zip(&curve.points) {
                area.draw(&Circle::new(at, px(3.0), curve.colour.rgb().filled()))?;
                let r = px(6.0);
                let said = format!("{}, length {}: {:.2} %", curve.label, thousands(*length), share * 100.0);
                tips.push(Tip { from: (at.0 - r, at.1 - r), to: (at.0 + r, at.1 + r), text: said });
            }
        }
        Ok(tips)
    })
}
