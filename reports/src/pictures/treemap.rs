//! A map whose areas are true but for the bands with the names of groups: rectangles in rectangles, each as large as what it
//! stands for.
//!
//! Rows are filled as M. Bruls, K. Huizing and J. van Wijk describe in "Squarified treemaps" (2000): a rectangle joins the row
//! along the shorter side as long as that brings the row's worst proportion closer to a square.

use super::{px, svg, text, Picture, Tip, NARROW_PX, WIDE_PX};
use crate::palette::{self, Colour};
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// A group of rectangles in one colour.
#[derive(Clone, Debug)]
pub struct Tree {
    pub name: String,
    /// Its size, printed with its name.
    pub value: String,
    pub colour: &'static Colour,
    pub leaves: Vec<Leaf>,
}

/// One rectangle.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub name: String,
    /// Any unit, the same for all.
    pub size: f64,
    /// Drawn pale.
    pub pale: bool,
    /// Shown at the pointer.
    pub tip: String,
}

/// The words of a map.
#[derive(Clone, Copy, Debug)]
pub struct TreemapText<'a> {
    pub title: &'a str,
    pub description: &'a str,
}

/// Corners, in shown pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

const PALE: f64 = 0.5;
/// Height of a group's name, shown pixels.
const BAND_PX: f64 = 21.0;
const CHARACTER_PX: f64 = 6.6;

/// Draws the map, groups largest first; a narrow screen gets a tall one.
pub fn treemap(words: TreemapText, trees: &[Tree]) -> Result<Picture, ReportError> {
    Ok(Picture { wide: draw(words, trees, WIDE_PX, 460)?, narrow: Some(draw(words, trees, NARROW_PX, 520)?) })
}

fn draw(words: TreemapText, trees: &[Tree], width: u32, height: u32) -> Result<String, ReportError> {
    let mut sorted: Vec<(f64, &Tree)> = trees.iter().map(|t| (t.leaves.iter().map(|l| l.size).sum(), t)).collect();
    sorted.retain(|t| t.0 > 0.0);
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let sizes: Vec<f64> = sorted.iter().map(|t| t.0).collect();
    let whole = Place { x: 0.0, y: 0.0, w: f64::from(width), h: f64::from(height) };
    svg(words.title, words.description, width, height, |area| {
        let mut tips = vec![];
        for (place, (_, tree)) in squarify(&sizes, whole).into_iter().zip(&sorted) {
            let place = Place { w: place.w - 3.0, h: place.h - 3.0, ..place };
            // the group's name stands on a band of its own, if there is room for one
            let fits = |s: &str, character: f64| s.chars().count() as f64 * character + 12.0 < place.w;
            let band = if place.h > 3.0 * BAND_PX && fits(&tree.name, 7.6) { BAND_PX } else { 0.0 };
            if band > 0.0 {
                let (from, to) = ((px(place.x), px(place.y)), (px(place.x + place.w), px(place.y + band)));
                area.draw(&Rectangle::new([from, (to.0 - px(1.0), to.1 - px(1.0))], tree.colour.rgb().filled()))?;
                let style = |size, side| text(size, &tree.colour.text_on(), side, VPos::Center);
                let y = px(place.y + band / 2.0);
                let at = (px(place.x + 6.0), y);
                area.draw(&Text::new(tree.name.clone(), at, style(13.5, HPos::Left)))?;
                if fits(&format!("{}  {}", tree.name, tree.value), 7.2) {
                    let at = (px(place.x + place.w - 8.0), y);
                    area.draw(&Text::new(tree.value.clone(), at, style(12.0, HPos::Right)))?;
                }
                tips.push(Tip { from, to, text: format!("{}: {}", tree.name, tree.value) });
            }
            let place = Place { y: place.y + band, h: place.h - band, ..place };
            let mut leaves: Vec<&Leaf> = tree.leaves.iter().filter(|l| l.size > 0.0).collect();
            leaves.sort_by(|a, b| b.size.total_cmp(&a.size));
            let sizes: Vec<f64> = leaves.iter().map(|l| l.size).collect();
            for (p, leaf) in squarify(&sizes, place).into_iter().zip(leaves) {
                let gap = if p.w > 3.0 && p.h > 3.0 { 1.0 } else { 0.0 };
                let (from, to) = ((px(p.x), px(p.y)), (px(p.x + p.w), px(p.y + p.h)));
                let fill = tree.colour.rgb().mix(if leaf.pale { PALE } else { 1.0 }).filled();
                area.draw(&Rectangle::new([from, (to.0 - px(gap), to.1 - px(gap))], fill))?;
                tips.push(Tip { from, to, text: leaf.tip.clone() });
                if p.w > leaf.name.chars().count() as f64 * CHARACTER_PX + 12.0 && p.h > 20.0 {
                    let style = text(11.5, &ink(tree.colour, leaf.pale), HPos::Left, VPos::Center);
                    area.draw(&Text::new(leaf.name.clone(), (px(p.x + 6.0), px(p.y + 11.0)), style))?;
                }
            }
        }
        Ok(tips)
    })
}

/// A pale fill lets the page shine through, so its text has the page's ink.
fn ink(colour: &Colour, pale: bool) -> RGBColor {
    match pale {
        true => palette::INK.rgb(),
        false => colour.text_on(),
    }
}

/// Places for `sizes`, which are positive and sorted, largest first; together they fill `place`.
fn squarify(sizes: &[f64], place: Place) -> Vec<Place> {
    let scale = place.w * place.h / sizes.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let areas: Vec<f64> = sizes.iter().map(|s| s * scale).collect();
    let (mut rest, mut free, mut places) = (&areas[..], place, Vec::with_capacity(areas.len()));
    while !rest.is_empty() {
        let side = free.w.min(free.h);
        let mut n = 1;
        while n < rest.len() && worst(&rest[..n + 1], side) <= worst(&rest[..n], side) {
            n += 1;
        }
        let (row, after) = rest.split_at(n);
        let depth = row.iter().sum::<f64>() / side.max(f64::MIN_POSITIVE);
        let mut along = 0.0;
        for a in row {
            let length = a / depth.max(f64::MIN_POSITIVE);
            places.push(match free.w >= free.h {
                true => Place { x: free.x, y: free.y + along, w: depth, h: length },
                false => Place { x: free.x + along, y: free.y, w: length, h: depth },
            });
            along += length;
        }
        free = match free.w >= free.h {
            true => Place { x: free.x + depth, w: (free.w - depth).max(0.0), ..free },
            false => Place { y: free.y + depth, h: (free.h - depth).max(0.0), ..free },
        };
        rest = after;
    }
    places
}

/// How far the least square rectangle of a row along `side` is from one.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let (least, most) = row.iter().fold((f64::MAX, 0.0f64), |(l, m), a| (l.min(*a), m.max(*a)));
    let (s2, sum2) = (side * side, sum * sum);
    (s2 * most / sum2).max(sum2 / (s2 * least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_true_and_fill_the_whole() {
        let whole = Place { x: 10.0, y: 20.0, w: 600.0, h: 400.0 };
        let sizes = [6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0];
        let places = squarify(&sizes, whole);
        for (p, size) in places.iter().zip(sizes) {
            assert!((p.w * p.h - size * 10_000.0).abs() < 1e-6, "{p:?} for {size}");
            assert!(p.x >= 10.0 - 1e-9 && p.y >= 20.0 - 1e-9 && p.x + p.w <= 610.0 + 1e-9 && p.y + p.h <= 420.0 + 1e-9);
        }
        // the example of the paper: no rectangle is longer than 25/9 of its width
        assert!(places.iter().all(|p| (p.w / p.h).max(p.h / p.w) < 2.8), "{places:?}");
        let overlap = |a: &Place, b: &Place| {
            a.x + a.w > b.x + 1e-6 && b.x + b.w > a.x + 1e-6 && a.y + a.h > b.y + 1e-6 && b.y + b.h > a.y + 1e-6
        };
        for (i, a) in places.iter().enumerate() {
            assert!(places[..i].iter().all(|b| !overlap(a, b)), "{places:?}");
        }
    }
}
