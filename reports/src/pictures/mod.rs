//! Drawings. Each is one SVG made with plotters; labels are `<text>`, so neither drawing nor reading needs a font file.
//!
//! plotters places everything on whole pixels. A token has 100,000 cycles and a page 1000 pixels, so drawings are made
//! [`SCALE`] times larger than they are shown and the `viewBox` shrinks them.

mod bars;
mod curves;
mod heatmap;
mod lines;
mod ranges;
mod scatter;
mod sizes;
mod stacks;
mod stream;
mod timeline;
mod treemap;

pub use bars::{bars, Bar, BarPart, BarsText};
pub use curves::{curves, Curve, CurvesText};
pub use heatmap::{heatmap, Cell, Heatmap};
pub use lines::{lines, scientific, LinePoint, Lines, Series};
pub use ranges::{ranges, RangeBox, RangeRow, RangesText};
pub use scatter::{scatter, Dot, ScatterText};
pub use sizes::{sizes, SizeDot, SizesText};
pub use stacks::{stacks, Stack, StackPart, StacksText};
pub use stream::stream_utilisation;
pub use timeline::{timeline, Timeline};
pub use treemap::{treemap, Leaf, Tree, TreemapText};

use crate::words::escape;
use crate::ReportError;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fmt::Write;

/// Drawing units a shown pixel.
pub const SCALE: i32 = 8;
/// Width of a picture on a wide screen and of its twin for a phone, shown pixels.
pub const WIDE_PX: u32 = 1080;
pub const NARROW_PX: u32 = 360;

/// A drawing, ready for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// An `<svg>` element.
    pub wide: String,
    /// A picture of these facts for a narrow screen; without it the wide one is scrolled.
    pub narrow: Option<String>,
}

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type DrawResult<T> = Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// A place that answers to the pointer: corners in drawing units, and what to say.
pub(crate) struct Tip {
    pub from: (i32, i32),
    pub to: (i32, i32),
    pub text: String,
}

/// Shown pixels to drawing units.
pub(crate) fn px(v: f64) -> i32 {
    (v * f64::from(SCALE)).round() as i32
}

/// A text style of `size` shown pixels. plotters shrinks sizes by 1.24 on the way to SVG.
pub(crate) fn text(size: f64, colour: &RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    ("sans-serif", size * f64::from(SCALE) * 1.24).into_font().color(colour).pos(Pos::new(h, v))
}

/// Draws one SVG of `width` by `height` shown pixels. `title` names it, `description` says in words what it shows.
pub(crate) fn svg(
    title: &str,
    description: &str,
    width: u32,
    height: u32,
    draw: impl FnOnce(&Area) -> DrawResult<Vec<Tip>>,
) -> Result<String, ReportError> {
    let size = (width * SCALE as u32, height * SCALE as u32);
    let mut drawn = String::new();
    let tips = {
        let area = SVGBackend::with_string(&mut drawn, size).into_drawing_area();
        let tips = draw(&area).and_then(|tips| area.present().map(|()| tips));
        tips.map_err(|e| ReportError::Draw { picture: title.to_string(), message: e.to_string() })?
    };
    // our own opening tag: no fixed size, and a name and a description for those who cannot see it
    let body = drawn.split_once('>').and_then(|(_, rest)| rest.trim_end().strip_suffix("</svg>")).ok_or_else(|| {
        ReportError::Draw { picture: title.to_string(), message: "plotters drew no <svg> element".to_string() }
    })?;
    let mut s = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\">\n<title>{}</title>\n<desc>{}</desc>{body}<g class=\"tip\" fill=\"none\">\n",
        size.0,
        size.1,
        escape(title),
        escape(description)
    );
    for t in tips {
        // writing to a String cannot fail
        let _ = writeln!(
            s,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" pointer-events=\"all\"><title>{}</title></rect>",
            t.from.0,
            t.from.1,
            t.to.0 - t.from.0,
            t.to.1 - t.from.1,
            escape(&t.text)
        );
    }
    s += "</g>\n</svg>";
    Ok(s)
}
