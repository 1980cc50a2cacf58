//! The page of a sweep: which configurations are worth their cost.

use crate::page::{code_block, definitions, figure, paragraph, percent, table, thousands, Column, Figure, Html, Page};
use crate::palette;
use crate::pictures::{scatter, Dot, ScatterText};
use crate::trust::{CALCULATED_AT_ASSUMED_CLOCK, WORDS};
use crate::ReportError;
use records::explore::{DrawnPoint, ExploreRecord};
use records::output;
use std::path::{Path, PathBuf};

/// Writes `index.html` and `explore.json` into `dir` and returns the path of the page.
///
/// # Errors
/// A picture that cannot be drawn, or a file that cannot be written.
pub fn write(record: &ExploreRecord, dir: &Path) -> Result<PathBuf, ReportError> {
    let page = page(record)?;
    let json = records::input::pretty(record)?;
    output::write(&dir.join("explore.json"), &json)?;
    let path = dir.join("index.html");
    output::write(&path, &page)?;
    Ok(path)
}

/// The whole page.
///
/// # Errors
/// A picture that cannot be drawn.
pub fn page(record: &ExploreRecord) -> Result<String, ReportError> {
    let mut page = Page::new("Configurations for one model", std::slice::from_ref(&record.model));
    page.add(code_block(&record.command));
    page.section("What speed costs", section(record)?);
    page.section(
        "How far to trust it",
        [definitions(&[
            (
                "Cycles",
                "Calculated: the chip's own program for this shape is walked with the lengths and latencies of its units. The project's tests hold \
                 it to within 3 % of the simulated RTL on 15 pairs of configuration and shape."
                    .into(),
            ),
            ("Multipliers, memory", "Counted in the elaborated design, not estimated. What a tool makes of them is in the FPGA and ASIC reports.".into()),
            ("Clock", "An assumption of each point; timing analysis of a placed design has the last word.".into()),
            ("Memory bandwidth", "The configuration's memory: bandwidth, refresh and latency, without its banks and rows.".into()),
        ])],
    );
    Ok(page.render())
}

const BANDWIDTH: &str = "Speed against bandwidth";

/// Pictures and table.
///
/// # Errors
/// A picture that cannot be drawn.
pub fn section(record: &ExploreRecord) -> Result<Vec<Html>, ReportError> {
    let mut parts = vec![paragraph(
        "Each point is one configuration with memories as large as the model needs. In the first picture filled points are those that nothing beats: any other \
         configuration is slower, or needs more multipliers or more memory on the chip. The line is the most speed to be had for what is below it.",
    )];
    let dots = |x: fn(&DrawnPoint) -> f64| -> Vec<Dot> {
        (record.points.iter())
            .map(|p| Dot {
                x: x(p),
                y: p.tokens_per_s,
                colour: if p.w4 { palette::W4 } else { palette::W8 },
                best: p.pareto,
                tip: format!(
                    "{}: {:.1} tokens/s, {} cycles a token, utilisation {}, {} multipliers, {:.1} Mbit",
                    p.name,
                    p.tokens_per_s,
                    thousands(p.cycles_per_token),
                    percent(p.utilisation),
                    thousands(p.multipliers),
                    p.memory_bits as f64 / 1e6
                ),
            })
            .collect()
    };
    let legend = [(palette::W8, "8-bit weights"), (palette::W4, "4-bit weights")];
    let with = if record.points.iter().any(|p| p.w4) { &legend[..] } else { &legend[..1] };
    for (title, axis, x) in [
        ("Speed against multipliers", "multipliers", (|p| p.multipliers as f64) as fn(&DrawnPoint) -> f64),
        (BANDWIDTH, "bytes read from memory, 10⁹ a second", |p| p.gbytes_per_s),
    ] {
        let words = ScatterText {
            title,
            description: "Each configuration as a point: tokens a second upwards, cost to the right, both logarithmic.",
            x: axis,
            y: "tokens/s",
        };
        let mut dots = dots(x);
        if title == BANDWIDTH {
            // the best points are so by multipliers and memory, which this picture does not show
            dots.iter_mut().for_each(|d| d.best = false);
        }
        let picture = scatter(words, &dots)?;
        let reading = "Up and to the left is better. Point at a configuration to read it.";
        parts.push(figure(&Figure {
            title,
            reading,
            picture: &picture,
            legend: with,
            trust: CALCULATED_AT_ASSUMED_CLOCK,
        }));
    }
    let columns = [
        Column::text("configuration"),
        Column::number("speed", "tokens/s"),
        Column::number("cycles", "a token"),
        Column::number("utilisation", ""),
        Column::number("read", "GB/s"),
        Column::number("multipliers", ""),
        Column::number("memory", "Mbit"),
    ];
    let mut points: Vec<&DrawnPoint> = record.points.iter().collect();
    points.sort_by(|a, b| b.tokens_per_s.total_cmp(&a.tokens_per_s));
    let rows: Vec<Vec<String>> = (points.iter())
        .map(|p| {
            vec![
                format!("{}{}", p.name, if p.pareto { " ●" } else { "" }),
                format!("{:.1}", p.tokens_per_s),
                thousands(p.cycles_per_token),
                percent(p.utilisation),
                format!("{:.2}", p.gbytes_per_s),
                thousands(p.multipliers),
                format!("{:.2}", p.memory_bits as f64 / 1e6),
            ]
        })
        .collect();
    parts.push(table(
        "The fastest first; ● marks those that nothing beats.",
        CALCULATED_AT_ASSUMED_CLOCK,
        &columns,
        &rows,
    ));
    if !record.left_out.is_empty() {
        let list = record.left_out.iter().map(|r| vec![r.clone()]).collect::<Vec<_>>();
        parts.push(table("Left out", WORDS, &[Column::text("reason")], &list));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> ExploreRecord {
        let point = |name: &str, w4, tokens_per_s, multipliers, pareto| DrawnPoint {
            name: name.into(),
            w4,
            tokens_per_s,
            cycles_per_token: 1_000_000,
            utilisation: 0.9,
            gbytes_per_s: tokens_per_s * 0.15,
            multipliers,
            memory_bits: 19_000_000,
            pareto,
        };
        ExploreRecord {
            model: "<a model>".into(),
            command: "anser explore".into(),
            points: vec![
                point("small", false, 30.0, 81, true),
                point("large", true, 120.5, 309, true),
                point("bad", false, 29.0, 309, false),
            ],
            left_out: vec!["a reason".into()],
        }
    }

    #[test]
    fn the_page_tells_every_point() {
        let html = page(&record()).expect("draws");
        for word in ["120.5", "81", "small ●", "a reason", "&lt;a model&gt;", "4-bit weights", "</html>"] {
            assert!(html.contains(word), "no {word}");
        }
        assert!(!html.contains("bad ●"));
        // two pictures, each twice, three dots each
        assert_eq!(html.matches("<circle").count(), 12);
    }

    #[test]
    fn one_point_is_a_page_too() {
        let mut r = record();
        r.points.truncate(1);
        assert!(page(&r).expect("draws").contains("small"));
    }
}
