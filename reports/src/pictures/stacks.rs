//! Whole bars of equal length, cut into shares: what part of each whole belongs to whom.

use super::{px, svg, text, Picture, Tip, NARROW_PX, WIDE_PX};
use crate::palette::{self, Colour};
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// One whole.
#[derive(Clone, Debug)]
pub struct Stack {
    pub label: String,
    /// The whole, with its unit.
    pub total: String,
    pub parts: Vec<StackPart>,
}

/// A share of a whole, in any unit.
#[derive(Clone, Debug)]
pub struct StackPart {
    pub colour: &'static Colour,
    pub name: String,
    pub value: f64,
    /// Shown at the pointer.
    pub tip: String,
}

/// The words of the picture.
#[derive(Clone, Copy, Debug)]
pub struct StacksText<'a> {
    pub title: &'a str,
    pub description: &'a str,
}

/// Shown pixels of a character of a label, on the safe side.
const CHARACTER_PX: f64 = 7.4;

/// Draws the wholes in the order given, each as long as the picture is wide; a part with room carries its name and share.
pub fn stacks(words: StacksText, stacks: &[Stack]) -> Result<Picture, ReportError> {
    Ok(Picture { wide: draw(words, stacks, WIDE_PX)?, narrow: Some(draw(words, stacks, NARROW_PX)?) })
}

fn draw(words: StacksText, stacks: &[Stack], width: u32) -> Result<String, ReportError> {
    let row_px = 68.0;
    let height = (stacks.len() as f64 * row_px).ceil().max(1.0) as u32;
    svg(words.title, words.description, width, height, |area| {
        let mut tips = vec![];
        for (i, stack) in stacks.iter().enumerate() {
            let top = i as f64 * row_px;
            let (ink, soft) = (palette::INK.rgb(), palette::SOFT_INK.rgb());
            let at = |x: f64| (px(x), px(top + 10.0));
            area.draw(&Text::new(stack.label.clone(), at(0.0), text(14.0, &ink, HPos::Left, VPos::Center)))?;
            let right = at(f64::from(width) - 1.0);
            area.draw(&Text::new(stack.total.clone(), right, text(13.0, &soft, HPos::Right, VPos::Center)))?;
            let sum: f64 = stack.parts.iter().map(|p| p.value).sum::<f64>().max(f64::MIN_POSITIVE);
            let mut x = 0.0;
            for part in stack.parts.iter().filter(|p| p.value > 0.0) {
                let (share, wide) = (part.value / sum, part.value / sum * f64::from(width));
                let (from, to) = ((px(x), px(top + 22.0)), (px(x + wide), px(top + 56.0)));
                let gap = if wide > 3.0 { px(1.0) } else { 0 };
                area.draw(&Rectangle::new([from, (to.0 - gap, to.1)], part.colour.rgb().filled()))?;
                tips.push(Tip { from, to, text: part.tip.clone() });
                let percent = format!("{:.0} %", share * 100.0);
                let both = format!("{} {percent}", part.name);
                let fits = |s: &str| s.chars().count() as f64 * CHARACTER_PX + 10.0 < wide;
                if let Some(label) = [both, percent].into_iter().find(|s| fits(s)) {
                    let style = text(12.5, &part.colour.text_on(), HPos::Left, VPos::Center);
                    area.draw(&Text::new(label, (px(x + 7.0), px(top + 39.0)), style))?;
                }
                x += wide;
            }
        }
        Ok(tips)
    })
}
