//! A table of shaded cells.

use super::{px, svg, text, Picture, Tip, NARROW_PX, SCALE, WIDE_PX};
use crate::palette;
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// A cell; absent ones are left empty.
#[derive(Clone, Debug)]
pub struct Cell {
    /// 0 for the palest, 1 for the darkest.
    pub shade: f64,
    /// The number, and smaller ones below it.
    pub lines: [String; 3],
    /// Shown at the pointer.
    pub tip: String,
    /// Drawn with a frame.
    pub framed: bool,
}

/// A picture of cells.
#[derive(Clone, Debug)]
pub struct Heatmap<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub x_axis: &'a str,
    pub columns: Vec<String>,
    pub rows: Vec<String>,
    /// rows × columns
    pub cells: Vec<Vec<Option<Cell>>>,
}

/// Most of a colour a cell gets, so that text on it stays readable in both schemes.
const DARKEST: f64 = 0.62;

/// Draws the cells, for wide and for narrow screens.
pub fn heatmap(h: &Heatmap) -> Result<Picture, ReportError> {
    Ok(Picture { wide: draw(h, WIDE_PX, 64.0, 13.0)?, narrow: Some(draw(h, NARROW_PX, 56.0, 11.0)?) })
}

fn draw(h: &Heatmap, width: u32, row_px: f64, font: f64) -> Result<String, ReportError> {
    let longest = h.rows.iter().map(|r| r.chars().count()).max().unwrap_or(0) as f64;
    let left = longest * font * 0.56 + 14.0;
    let column = (f64::from(width) - left - 4.0) / h.columns.len().max(1) as f64;
    let top = 6.0;
    let height = (top + h.rows.len() as f64 * row_px + 44.0).ceil() as u32;
    svg(h.title, h.description, width, height, |area| {
        let (ink, soft) = (palette::INK.rgb(), palette::SOFT_INK.rgb());
        let mut tips = vec![];
        for (i, (name, cells)) in h.rows.iter().zip(&h.cells).enumerate() {
            let y = top + i as f64 * row_px;
            let place = (px(left - 8.0), px(y + row_px / 2.0));
            area.draw(&Text::new(name.clone(), place, text(font, &ink, HPos::Right, VPos::Center)))?;
            for (j, cell) in cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                let x = left + j as f64 * column;
                let corners = [(px(x + 1.0), px(y + 1.0)), (px(x + column - 1.0), px(y + row_px - 1.0))];
                area.draw(&Rectangle::new(corners, palette::BACK.rgb().filled()))?;
                let shade = cell.shade.clamp(0.0, 1.0) * DARKEST;
                area.draw(&Rectangle::new(corners, palette::TEAL.rgb().mix(shade).filled()))?;
                if cell.framed {
                    // a path, because plotters gives the outline of a rectangle no width
                    let [(x0, y0), (x1, y1)] = corners;
                    let frame = vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)];
                    area.draw(&PathElement::new(frame, ink.stroke_width(2 * SCALE as u32)))?;
                }
                let middle = px(x + column / 2.0);
                for (line, (at, size)) in cell.lines.iter().zip([(0.26, 1.0), (0.54, 0.82), (0.8, 0.82)]) {
                    let style = text(font * size, &ink, HPos::Center, VPos::Center);
                    area.draw(&Text::new(line.clone(), (middle, px(y + row_px * at)), style))?;
                }
                tips.push(Tip { from: corners[0], to: corners[1], text: cell.tip.clone() });
            }
        }
        let bottom = top + h.rows.len() as f64 * row_px;
        for (j, name) in h.columns.iter().enumerate() {
            let place = (px(left + (j as f64 + 0.5) * column), px(bottom + 6.0));
            area.draw(&Text::new(name.clone(), place, text(font, &ink, HPos::Center, VPos::Top)))?;
        }
        let place = (px((left + f64::from(width)) / 2.0), px(f64::from(height) - 4.0));
        area.draw(&Text::new(h.x_axis.to_string(), place, text(11.0, &soft, HPos::Center, VPos::Bottom)))?;
        Ok(tips)
    })
}
