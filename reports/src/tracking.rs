//! The state-tracking report: how often floats and integers know the running product of group elements, by length.

use crate::page::{
    big_numbers, code_block, definitions, figure, made, paragraph, table, thousands, BigNumber, Column, Figure, Html,
    Page,
};
use crate::palette::{self, Colour};
use crate::pictures::{curves, Curve, CurvesText};
use crate::trust::SIMULATED;
use crate::ReportError;
use records::tracking::{largest_gap, Tracked, TrackingRecord, TOLERANCE};

/// The page as one self-contained HTML document.
///
/// # Errors
/// If a picture cannot be drawn.
pub fn tracking_page(r: &TrackingRecord) -> Result<String, ReportError> {
    let title = format!("State tracking: the group {}", r.group);
    let mut page = Page::new(&title, &[r.model.clone(), made(&r.date, &r.git_revision)]);
    page.add(code_block(&r.command));
    page.add(big_numbers(&headline(r)));
    page.section("In plain words", words(r));
    let float: Vec<&Tracked> = r.results.iter().filter(|t| t.state_bits.is_none()).collect();
    let widest = |weights: &str| r.results.iter().filter(|t| t.weights == weights).max_by_key(|t| t.state_bits);
    let formats: Vec<&str> = r.parts.iter().map(|p| &p.weights[..]).collect();
    let side_by_side: Vec<&Tracked> = float.iter().copied().chain(formats.iter().filter_map(|w| widest(w))).collect();
    let mut parts = vec![picture(
        r,
        "Floats and integers over length",
        "Left to right: elements read, each step twice as many. Upwards: share of right answers. Where lines lie on each other, the \
         integers know as much as the floats.",
        &side_by_side,
    )?];
    parts.push(results_table(r, &side_by_side, "Share of right answers up to each length"));
    page.section("Side by side", parts);
    for weights in &formats {
        let mut shown: Vec<&Tracked> = float.clone();
        shown.extend(r.results.iter().filter(|t| t.weights == *weights));
        if shown.len() > 2 {
            let heading = format!("Width of the state, {}", weights.to_uppercase());
            let reading = "The same axes; one line for each number of bits of a state element. A narrow state rounds more at every token, \
                           and the errors add up with the length.";
            let drawn = picture(r, &heading, reading, &shown)?;
            page.section(&heading, [drawn, results_table(r, &shown, "Share of right answers by width of the state")]);
        }
    }
    page.section("What was run", [facts(r)]);
    Ok(page.render())
}

/// What a result is called.
fn name(t: &Tracked) -> String {
    match t.state_bits {
        None => "float".into(),
        Some(bits) => format!("{}, {bits}-bit state", t.weights.to_uppercase()),
    }
}

/// Enough digits to tell 100 % from nearly so.
fn share(v: f64) -> String {
    if v >= 1.0 {
        "100 %".into()
    } else {
        format!("{:.2} %", (v * 1e4).floor() / 100.0)
    }
}

fn headline(r: &TrackingRecord) -> Vec<BigNumber> {
    let longest = r.lengths.last().copied().unwrap_or(0);
    let times = r
        .trained_length
        .filter(|t| *t > 0)
        .map_or(String::new(), |t| format!(", {} × the training length", thousands(longest / t)));
    let float = r.results.iter().find(|t| t.state_bits.is_none());
    let number = |t: &Tracked, alarm: bool| BigNumber {
        value: share(t.accuracy.last().copied().unwrap_or(0.0)),
        unit: String::new(),
        note: format!("{} at {} elements{times}", name(t), thousands(longest)),
        alarm,
        trust: SIMULATED,
    };
    let mut numbers: Vec<BigNumber> = float.iter().map(|t| number(t, false)).collect();
    for p in &r.parts {
        let widest = r.results.iter().filter(|t| t.weights == p.weights).max_by_key(|t| t.state_bits);
        numbers.extend(widest.map(|t| number(t, float.is_some_and(|f| largest_gap(f, t) > TOLERANCE))));
    }
    numbers
}

fn words(r: &TrackingRecord) -> Vec<Html> {
    let ticks = match r.ticks {
        1 => "Each element is one token.".to_string(),
        n => format!("Each element is {n} tokens: its own and {} clock tokens.", n - 1),
    };
    let mut parts = vec![paragraph(&format!(
        "The network reads random elements of {}, a group of {} permutations, and says after each one what all of them so far make when \
         carried out one after the other. {ticks} A single slip spoils every answer that follows, unless another slip \
         undoes it. Pure chance is right {:.1} % of the time.",
        r.group,
        r.order,
        100.0 / r.order.max(1) as f64
    ))];
    for p in &r.parts {
        let format = p.weights.to_uppercase();
        parts.push(paragraph(&match (p.stays_at_bits, p.parts_at_bits) {
            (Some(stays), Some(parts)) => format!(
                "{format}: with a state of {stays} bits and more the integers stay within 0.1 points of float at every length; at {parts} bits they part."
            ),
            (Some(stays), None) => format!(
                "{format}: the integers stay within 0.1 points of float at every length and at every width measured, down to {stays} bits."
            ),
            (None, Some(parts)) => {
                format!("{format}: the integers part from float at every width measured, the widest of them {parts} bits.")
            }
            (None, None) => format!("{format}: no width was measured."),
        }));
    }
    parts
}

/// Floating point, which comes first, is drawn in ink.
const COLOURS: [&Colour; 8] = [
    &palette::INK,
    &palette::TEAL,
    &palette::MAGENTA,
    &palette::GREEN,
    &palette::ORANGE,
    &palette::SIENNA,
    &palette::LIME,
    &palette::CYAN,
];

fn picture(r: &TrackingRecord, title: &str, reading: &str, shown: &[&Tracked]) -> Result<Html, ReportError> {
    let names: Vec<String> = shown.iter().map(|t| name(t)).collect();
    let colour = |i: usize| COLOURS[i % COLOURS.len()];
    let drawn: Vec<Curve> = shown
        .iter()
        .enumerate()
        .map(|(i, t)| Curve {
            colour: colour(i),
            label: names[i].clone(),
            points: r.lengths.iter().copied().zip(t.accuracy.iter().copied()).collect(),
        })
        .collect();
    let words = CurvesText {
        title,
        description: "Share of right answers over the number of elements read. The table below holds the numbers.",
        axis: "elements read",
        mark: r.trained_length.map(|l| (l, "training")),
        chance: 1.0 / r.order.max(1) as f64,
    };
    let legend: Vec<(&'static Colour, &str)> = names.iter().enumerate().map(|(i, n)| (colour(i), &n[..])).collect();
    Ok(figure(&Figure { title, reading, picture: &curves(words, &drawn)?, legend: &legend, trust: SIMULATED }))
}

fn results_table(r: &TrackingRecord, shown: &[&Tracked], caption: &str) -> Html {
    let names: Vec<String> = shown.iter().map(|t| name(t)).collect();
    let mut columns = vec![Column::number("elements", ""), Column::number("tokens", "")];
    columns.extend(names.iter().map(|n| Column::number(n, "")));
    let rows: Vec<Vec<String>> = r
        .lengths
        .iter()
        .enumerate()
        .map(|(i, length)| {
            let cells = shown.iter().map(|t| t.accuracy.get(i).map_or("–".into(), |a| share(*a)));
            [thousands(*length), thousands(length * r.ticks)].into_iter().chain(cells).collect()
        })
        .collect();
    table(caption, SIMULATED, &columns, &rows)
}

fn facts(r: &TrackingRecord) -> Html {
    let whole: Vec<String> =
        r.results.iter().filter_map(|t| Some(format!("{} {}", name(t), share(*t.throughout.last()?)))).collect();
    definitions(&[
        ("Model", format!("{}, {} parameters", r.model, thousands(r.n_params))),
        (
            "Sequences",
            format!(
                "{} of {} elements, seed {}",
                thousands(r.sequences),
                thousands(r.lengths.last().copied().unwrap_or(0)),
                r.seed
            ),
        ),
        (
            "Training length",
            r.trained_length.map_or("not told by the checkpoint".into(), |l| format!("{} elements", thousands(l))),
        ),
        ("An entry", "share of right answers at all lengths above the row before, over all sequences".into()),
        ("Sequences without a single wrong answer", whole.join("; ")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use records::tracking::Parting;

    fn tracked(weights: &str, state_bits: Option<u32>, accuracy: [f64; 3]) -> Tracked {
        let accuracy = accuracy.to_vec();
        let (at_the_end, throughout) = (accuracy.clone(), accuracy.clone());
        Tracked { weights: weights.into(), state_bits, accuracy, at_the_end, throughout }
    }

    fn record() -> TrackingRecord {
        let results = vec![
            tracked("float", None, [1.0, 1.0, 1.0]),
            tracked("w8", Some(24), [1.0, 1.0, 1.0]),
            tracked("w8", Some(20), [1.0, 1.0, 0.9995]),
            tracked("w8", Some(16), [1.0, 0.99, 0.2]),
            tracked("w4", Some(24), [0.9, 0.5, 0.02]),
        ];
        TrackingRecord {
            schema_version: TrackingRecord::SCHEMA_VERSION,
            model: "<m>".into(),
            n_params: 1000,
            group: "A5".into(),
            order: 60,
            ticks: 16,
            trained_length: Some(16),
            lengths: vec![16, 160, 1600],
            sequences: 8,
            seed: 1,
            parts: TrackingRecord::partings(&results),
            results,
            command: "anser report tracking".into(),
            date: "2026-01-01T00:00:00Z".into(),
            git_revision: None,
        }
    }

    #[test]
    fn the_width_at_which_integers_part() {
        let of = |p: &Parting| (p.weights.clone(), p.stays_at_bits, p.parts_at_bits);
        let parts: Vec<_> = record().parts.iter().map(of).collect();
        assert_eq!(parts, [("w8".to_string(), Some(20), Some(16)), ("w4".to_string(), None, Some(24))]);
        let all = TrackingRecord::partings(&record().results[..3]);
        assert_eq!((all[0].stays_at_bits, all[0].parts_at_bits), (Some(20), None));
    }

    #[test]
    fn the_page_says_what_the_record_holds() {
        let page = tracking_page(&record()).unwrap();
        for text in [
            "with a state of 20 bits and more the integers stay within 0.1 points",
            "W4: the integers part from float at every width measured",
            "100 × the training length",
            "25,600",
            "&lt;m&gt;",
            "W8, 20-bit state",
            "99.95 %",
        ] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("NaN") && !page.contains("<m>"));
        let json = serde_json::to_string(&record()).unwrap();
        assert_eq!(serde_json::from_str::<TrackingRecord>(&json).unwrap(), record());
    }

    #[test]
    fn nearly_all_is_not_all() {
        assert_eq!([share(1.0), share(0.99999), share(0.5)], ["100 %", "99.99 %", "50.00 %"]);
    }
}
