//! Error by position: pictures, table and verdict.

use crate::page::{details, figure, paragraph, table, thousands, Column, Figure, Html};
use crate::palette::{Colour, SERIES};
use crate::pictures::{lines, scientific, LinePoint, Lines, Series};
use crate::trust::SIMULATED;
use crate::ReportError;
use records::accuracy::{AccuracyRecord, DriftRun, Fit};

pub(super) fn parts(record: &AccuracyRecord) -> Result<Vec<Html>, ReportError> {
    let mut parts: Vec<Html> = vec![];
    parts.extend(record.drift.runs.iter().map(|r| paragraph(&verdict(record, r))));
    let of_state = |r: &DriftRun| {
        let point = |s: &records::accuracy::StateSample| LinePoint {
            x: (s.position as f64).log2(),
            y: s.relative_error,
            error: 0.0,
            tip: format!(
                "{} after {} tokens: {}",
                r.setting.name(),
                thousands(s.position),
                scientific(s.relative_error)
            ),
        };
        r.states.iter().map(point).collect()
    };
    parts.push(picture(
        record,
        "The state's error by position",
        "RMS of the integer state's difference from the floating-point state over RMS of that state, all layers together, looked at \
         every 256 tokens and at the powers of two before. A state that drifted would leave the level it has reached.",
        "RMS error of S over RMS of S",
        of_state,
    )?);
    let of_kl = |r: &DriftRun| {
        let point = |b: &records::accuracy::PositionBin| LinePoint {
            x: ((b.from + b.to) as f64 / 2.0).log2(),
            y: b.kl,
            error: b.kl_se.unwrap_or(0.0),
            tip: format!(
                "{}, positions {} to {}: KL {}, top-1 {:.2} %{}",
                r.setting.name(),
                thousands(b.from),
                thousands(b.to),
                scientific(b.kl),
                b.top1_agreement * 100.0,
                b.clipped.filter(|n| *n > 0).map_or(String::new(), |n| format!(", {} results clipped", thousands(n)))
            ),
        };
        r.bins.iter().map(point).collect()
    };
    parts.push(picture(
        record,
        "KL divergence by position",
        "What a drift would do to predictions: mean KL divergence from floating point over ranges of positions, two an octave. Bars are \
         one standard error; passages of text differ more than positions do.",
        "KL divergence from floating point, nats a token",
        of_kl,
    )?);
    parts.push(fits(record));
    parts.push(details("The numbers by position", bins(record)));
    Ok(parts)
}

fn verdict(record: &AccuracyRecord, run: &DriftRun) -> String {
    let what = format!("With {}", run.setting.name());
    let Some(fit) = run.state_fit else {
        return format!(
            "{what}: {} tokens are too few to tell whether the state drifts.",
            thousands(record.drift.n_tokens)
        );
    };
    let words = match (fit.grows(), fit.slope_per_doubling < -2.0 * fit.slope_se) {
        (true, _) => "the state drifts: its error grows",
        (_, true) => "the state does not drift: its error even shrinks",
        _ => "the state does not drift: its error does not change beyond the uncertainty",
    };
    let (from, to) = (record.drift.fit_from, record.drift.n_tokens);
    let doublings = (to as f64 / from.max(1) as f64).log2();
    format!(
        "{what}, {words}, {} a doubling of the position; from token {} to {} that makes {:+.0} % ± {:.0} % of the mean, {}.",
        slope(&fit),
        thousands(from),
        thousands(to),
        fit.slope_per_doubling * doublings * 100.0,
        fit.slope_se * doublings * 100.0,
        scientific(fit.mean)
    )
}

fn slope(fit: &Fit) -> String {
    format!("{:+.2} % ± {:.2} %", fit.slope_per_doubling * 100.0, fit.slope_se * 100.0)
}

fn picture(
    record: &AccuracyRecord,
    title: &str,
    reading: &str,
    y_axis: &str,
    points: impl Fn(&DriftRun) -> Vec<LinePoint>,
) -> Result<Html, ReportError> {
    let runs = &record.drift.runs;
    let series: Vec<Series> =
        runs.iter().zip(SERIES.iter().cycle()).map(|(r, colour)| Series { colour, points: points(r) }).collect();
    let last = (record.drift.n_tokens.max(2) as f64).log2();
    let ticks = (0..=last as i32).map(|i| (f64::from(i), thousands(1u64 << i))).collect();
    let drawing = lines(&Lines {
        title,
        description: "One line an integer network over the position in the text, on logarithmic axes.",
        x_axis: "tokens read",
        y_axis,
        x_ticks: ticks,
        series: series.clone(),
        mark: None,
    })?;
    let names: Vec<String> = runs.iter().map(|r| r.setting.name()).collect();
    let legend: Vec<(&'static Colour, &str)> =
        series.iter().map(|s| s.colour).zip(names.iter().map(String::as_str)).collect();
    Ok(figure(&Figure { title, reading, picture: &drawing, legend: &legend, trust: SIMULATED }))
}

fn fits(record: &AccuracyRecord) -> Html {
    let none = || ["–".to_string(), "–".to_string()];
    let cells = |fit: &Option<Fit>| fit.map_or_else(none, |f| [scientific(f.mean), slope(&f)]);
    let row = |r: &DriftRun| {
        let [state, state_slope] = cells(&r.state_fit);
        let [logits, logit_slope] = cells(&r.logit_fit);
        vec![r.setting.name(), state, state_slope, logits, logit_slope]
    };
    let caption = format!(
        "Straight lines over log2 of the position, from token {} on: mean error, and its growth with every doubling of the position. The uncertainty \
         is one standard error from leaving out one sixteenth of the text after the other.",
        thousands(record.drift.fit_from)
    );
    let columns = [
        Column::text("network"),
        Column::number("state's error", ""),
        Column::number("a doubling", ""),
        Column::number("logits' error", ""),
        Column::number("a doubling", ""),
    ];
    table(&caption, SIMULATED, &columns, &record.drift.runs.iter().map(row).collect::<Vec<_>>())
}

fn bins(record: &AccuracyRecord) -> Html {
    let rows: Vec<Vec<String>> = record
        .drift
        .runs
        .iter()
        .flat_map(|r| {
            r.bins.iter().map(|b| {
                vec![
                    r.setting.name(),
                    format!("{} to {}", thousands(b.from), thousands(b.to)),
                    scientific(b.kl),
                    b.kl_se.map_or("–".into(), scientific),
                    scientific(b.logit_error),
                    format!("{:.2} %", b.top1_agreement * 100.0),
                    b.clipped.map_or("–".into(), thousands),
                ]
            })
        })
        .collect();
    let columns = [
        Column::text("network"),
        Column::text("predictions"),
        Column::number("KL", "nats"),
        Column::number("±", "nats"),
        Column::number("logits' error", ""),
        Column::number("top-1", ""),
        Column::number("clipped", ""),
    ];
    table("Prediction 0 is the one after the first token.", SIMULATED, &columns, &rows)
}
