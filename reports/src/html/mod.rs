//! The latency page: one record as text, pictures and tables for someone who sees this accelerator for the first time.

mod figures;
pub mod fpga;
mod tables;
mod words;

use crate::page::{big_numbers, code_block, made, percent, thousands, BigNumber, Page};
use crate::spans;
use crate::summary::summary;
use crate::trust::{AT_ASSUMED_CLOCK, SIMULATED};
use crate::ReportError;
use figures::{layers_figure, port_figure, stream_figure};
pub(crate) use figures::{shares_figure, timelines};
use records::latency::LatencyRecord;
use records::summary::LatencySummary;
use tables::{layers_table, ops_table, stalls_table, units_table};
use words::{all_tokens, facts, plain_words, trust};

/// The whole page as one self-contained HTML document.
///
/// # Errors
/// A record that fails [`LatencyRecord::check`], or a picture that cannot be drawn.
pub fn latency_page(record: &LatencyRecord) -> Result<String, ReportError> {
    let s = summary(record)?;
    let gaps = spans::mat_gaps(record);
    let mut page = Page::new(
        "Latency of one token",
        &[format!("{} on configuration {}", record.model, record.config), made(&record.date, &record.git_revision)],
    );
    page.add(code_block(&record.command));
    page.add(big_numbers(&headline(record, &s)));
    page.section("In plain words", plain_words(record, &s));
    page.section("One token in time", timelines(record, &gaps)?);
    page.section("Where the cycles go", [shares_figure(&s)?, stalls_table(&s), ops_table(&s)]);
    page.section("Layer by layer", [layers_figure(&s)?, layers_table(&s)]);
    page.section("The weight stream", [port_figure(&s)?, stream_figure(record, &s)?, units_table(&s)]);
    page.section("How far to trust these numbers", trust(record, &s));
    page.section("What was run", [facts(record, &s), all_tokens(record)]);
    Ok(page.render())
}

fn headline(record: &LatencyRecord, s: &LatencySummary) -> Vec<BigNumber> {
    let number = |value, unit: &str, note| BigNumber { value, unit: unit.into(), note, alarm: false, trust: SIMULATED };
    let tokens = match (s.tokens_measured, s.cycles_min == s.cycles_max) {
        (1, _) => "one token measured".to_string(),
        (n, true) => format!("the same for each of {} tokens", thousands(n)),
        (n, false) => {
            format!("{} to {} over {} tokens", thousands(s.cycles_min), thousands(s.cycles_max), thousands(n))
        }
    };
    let mut numbers = vec![
        number(thousands(s.cycles_per_token), if s.sessions == 1 { "cycles/token" } else { "cycles/pass" }, tokens),
        BigNumber {
            trust: AT_ASSUMED_CLOCK,
            ..number(
                rate(s.tokens_per_s),
                "tokens/s",
                format!(
                    "{} µs {}, if the clock runs at {} MHz",
                    thousands(s.us_per_token.round() as u64),
                    if s.sessions == 1 { "a token".into() } else { format!("a pass of {} texts", s.sessions) },
                    s.clock_mhz
                ),
            )
        },
        number(
            percent(s.utilisation),
            "bus utilisation",
            format!("useful bytes over {} B × {} cycles", record.bus_bytes, thousands(s.cycles_per_token)),
        ),
    ];
    numbers.push(match (s.mismatches, s.values_checked) {
        (Some(mismatches), Some(checked)) => BigNumber {
            alarm: mismatches > 0,
            ..number(
                thousands(mismatches),
                "mismatches",
                format!("in {} values compared with the golden model", thousands(checked)),
            )
        },
        _ => number("–".into(), "mismatches", "this run compared no values".into()),
    });
    numbers
}

/// A rate with as many digits as it deserves.
fn rate(per_s: f64) -> String {
    if per_s >= 100.0 {
        thousands(per_s.round() as u64)
    } else {
        format!("{per_s:.2}")
    }
}
