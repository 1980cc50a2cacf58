//! The timeline: four lanes, one a unit, over the cycles of a token or of a part of it.

use super::{px, svg, text, Picture, Tip, SCALE, WIDE_PX};
use crate::family::Family;
use crate::palette;
use crate::spans::{Gap, Interval};
use crate::words::thousands;
use crate::ReportError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use records::latency::{LatencyRecord, OpSpan, Unit};

/// What to draw.
#[derive(Clone, Copy, Debug)]
pub struct Timeline<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub record: &'a LatencyRecord,
    /// Stretches in which the matrix unit has nothing to do, marked in its lane.
    pub gaps: &'a [Gap],
    /// The cycles shown.
    pub window: Interval,
    /// Vertical lines, each with a name: where layers begin.
    pub marks: &'a [(u64, String)],
    /// Writes the names of ops on them where they fit.
    pub names: bool,
}

const LANE_PX: f64 = 40.0;
const TOP_PX: f64 = 22.0;
const LEFT_PX: f64 = 44.0;

/// Draws one timeline. There is no narrow twin: a phone scrolls along it.
pub fn timeline(t: &Timeline) -> Result<Picture, ReportError> {
    let lanes = Unit::ALL.len();
    let height = (lanes as f64 * LANE_PX + TOP_PX + 40.0) as u32;
    let (from, to) = (t.window.0 as f64, t.window.1.max(t.window.0 + 1) as f64);
    let wide = svg(t.title, t.description, WIDE_PX, height, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(px(26.0))
            .margin_top(px(TOP_PX))
            .set_label_area_size(LabelAreaPosition::Left, px(LEFT_PX))
            .set_label_area_size(LabelAreaPosition::Bottom, px(38.0))
            .build_cartesian_2d(from..to, lanes as f64..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_labels(12)
            .x_label_formatter(&|x| thousands(x.round() as u64))
            .x_label_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Top))
            .x_desc("cycles since the start of the token")
            .axis_desc_style(text(11.0, &palette::SOFT_INK.rgb(), HPos::Center, VPos::Bottom))
            .axis_style(palette::RULE.rgb().stroke_width(SCALE as u32))
            .bold_line_style(palette::RULE.rgb().stroke_width(SCALE as u32))
            .light_line_style(TRANSPARENT)
            .set_all_tick_mark_size(px(3.0))
            .draw()?;
        let at = |cycle: u64, y: f64| chart.backend_coord(&((cycle as f64).clamp(from, to), y));
        let mut tips = vec![];

        for (lane, unit) in Unit::ALL.iter().enumerate() {
            let y = lane as f64;
            let track = [at(t.window.0, y + 0.12), at(t.window.1, y + 0.88)];
            area.draw(&Rectangle::new(track, palette::BACK.rgb().filled()))?;
            let place = (px(LEFT_PX - 8.0), at(0, y + 0.5).1);
            area.draw(&Text::new(unit.name(), place, text(13.0, &palette::INK.rgb(), HPos::Right, VPos::Center)))?;
        }
        let mat_lane = Unit::ALL.iter().position(|u| *u == Unit::Mat).unwrap_or(0) as f64;
        for gap in t.gaps.iter().filter(|g| g.end > t.window.0 && g.start < t.window.1) {
            let (a, b) = (at(gap.start, mat_lane + 0.12), at(gap.end, mat_lane + 0.88));
            area.draw(&Rectangle::new([a, b], palette::RED.rgb().filled()))?;
            tips.push(Tip { from: a, to: b, text: gap_words(t.record, gap) });
        }
        for op in &t.record.ops {
            if op.end_cycle <= t.window.0 || op.start_cycle >= t.window.1 {
                continue;
            }
            let y = Unit::ALL.iter().position(|u| *u == op.unit).unwrap_or(0) as f64;
            let (mut a, b) = (at(op.start_cycle, y + 0.12), at(op.end_cycle, y + 0.88));
            if b.0 - a.0 > px(1.0) {
                tips.push(Tip { from: a, to: b, text: op_words(t.record, op) });
            }
            // a hairline between neighbours, drawn, because a pipelined op starts on top of the one before
            let hairline = px(0.75).min((b.0 - a.0) / 4);
            area.draw(&Rectangle::new([a, (a.0 + hairline, b.1)], palette::BACK.rgb().filled()))?;
            a.0 += hairline;
            let colour = Family::of(op).colour();
            area.draw(&Rectangle::new([a, b], colour.rgb().filled()))?;
            let room = f64::from(b.0 - a.0) / f64::from(SCALE);
            if t.names && room > op.name.chars().count() as f64 * 6.0 + 4.0 {
                let place = ((a.0 + b.0) / 2, (a.1 + b.1) / 2);
                let style = text(11.0, &colour.text_on(), HPos::Center, VPos::Center);
                area.draw(&Text::new(op.name.clone(), place, style))?;
            }
        }
        for (cycle, name) in t.marks.iter().filter(|m| m.0 >= t.window.0 && m.0 < t.window.1) {
            let (x, bottom) = at(*cycle, lanes as f64);
            let line =
                PathElement::new(vec![(x, px(4.0)), (x, bottom)], palette::SOFT_INK.rgb().stroke_width(SCALE as u32));
            area.draw(&line)?;
            // near the right edge there is room on the left only
            let crowded = px(f64::from(WIDE_PX)) - x < px(name.chars().count() as f64 * 7.0 + 8.0);
            let (h, x) = if crowded { (HPos::Right, x - px(4.0)) } else { (HPos::Left, x + px(4.0)) };
            area.draw(&Text::new(name.clone(), (x, px(4.0)), text(11.0, &palette::SOFT_INK.rgb(), h, VPos::Top)))?;
        }
        Ok(tips)
    })?;
    Ok(Picture { wide, narrow: None })
}

fn op_words(record: &LatencyRecord, op: &OpSpan) -> String {
    let layer = op.layer.map_or(String::new(), |_| format!(", {}", record.layer_name(op.layer)));
    let weights = match op.weight_bytes {
        0 => String::new(),
        n => format!(", {} B of weights", thousands(n)),
    };
    format!(
        "{} {}{layer}: cycles {} to {} ({} cycles){weights}",
        op.unit.name(),
        op.name,
        thousands(op.start_cycle),
        thousands(op.end_cycle),
        thousands(op.end_cycle - op.start_cycle)
    )
}

fn gap_words(record: &LatencyRecord, gap: &Gap) -> String {
    let name = |i: usize| format!("{} {}", record.ops[i].unit.name(), record.ops[i].name);
    let whom = gap.waits_for.map_or("the next instruction".to_string(), name);
    format!("mat waits {} cycles for {whom}", thousands(gap.cycles()))
}
