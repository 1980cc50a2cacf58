//! Every report of one chip on one page, made for people who would rather look than read.
//!
//! Like all of this crate it reads records and runs nothing; what was run, what was still fresh and what is missing stands in
//! the [`AllRecord`]. A missing step leaves a gap that the page names, never a number.

mod compare;
mod headline;
pub mod published;
mod report;
mod sections;
mod units;

pub use headline::headline;
pub use report::Report;

use crate::page::{banner, big_numbers_in, contents, joules, made, percent, thousands, BigNumber, Html, Page};
use crate::trust::{AT_ASSUMED_CLOCK, MAPPED, SIMULATED};
use crate::{asic, power, ReportError};
use records::accuracy::AccuracyRecord;
use records::all::{AllRecord, State, Step};
use records::asic::AsicRecord;
use records::fpga::{FpgaBuildRecord, FpgaEstimateRecord};
use records::latency::LatencyRecord;
use records::power::PowerRecord;

/// What the steps left behind; a step without a record leaves nothing.
#[derive(Clone, Debug, Default)]
pub struct Records {
    pub latency: Option<LatencyRecord>,
    pub accuracy: Option<AccuracyRecord>,
    pub asic: Option<AsicRecord>,
    pub power: Option<PowerRecord>,
    /// Estimates for FPGA parts, each with the name of its step.
    pub parts: Vec<(String, FpgaEstimateRecord)>,
    pub build: Option<FpgaBuildRecord>,
}

/// The whole page as one self-contained HTML document; links lead to files beside it and to sources.
///
/// # Errors
/// A record that contradicts itself, or a picture that cannot be drawn.
pub fn page(all: &AllRecord, records: &Records) -> Result<String, ReportError> {
    let lead = [
        format!(
            "{} on configuration {}: every number comes from simulation and synthesis, none from silicon.",
            all.model, all.config
        ),
        made(&all.date, &all.git_revision),
    ];
    let mut page = Page::new("One chip on one page", &lead);
    if let Some(warning) = warning(all) {
        page.add(warning);
    }
    page.add(big_numbers_in("numbers six", &big_headline(all, records)));
    let sections = sections::sections(all, records)?;
    let ways: Vec<(&str, &str)> = sections.iter().map(|s| (s.id, s.heading)).collect();
    page.add(contents(&ways));
    for s in sections {
        page.anchored(s.id, s.heading, s.parts);
    }
    Ok(page.render())
}

/// What is wrong with the page, if anything is.
fn warning(all: &AllRecord) -> Option<Html> {
    let bad: Vec<&Step> = all.steps.iter().filter(|s| s.state.is_bad()).collect();
    let heading = match (all.complete, bad.iter().any(|s| s.state == State::Missing)) {
        (true, _) if all.headline.mismatches.is_none_or(|n| n == 0) => return None,
        (true, _) => "A comparison failed: these are numbers of a chip that computes wrong values.",
        (false, true) => "This page is incomplete.",
        (false, false) => "This page is out of date.",
    };
    let lines: Vec<Html> = bad
        .iter()
        .map(|s| {
            let why = s.why.as_deref().unwrap_or("no reason was recorded");
            Html::text(&format!("{} is {}: {why}", s.title, s.state.words()))
        })
        .collect();
    Some(banner(heading, &lines))
}

fn big_headline(all: &AllRecord, records: &Records) -> Vec<BigNumber> {
    let h = &all.headline;
    let number = |trust, value: Option<String>, unit: &str, note: String, alarm: bool| BigNumber {
        trust,
        alarm,
        note: if value.is_some() { note } else { "this step has no record".into() },
        value: value.unwrap_or("–".into()),
        unit: unit.into(),
    };
    let rate = |r: f64| if r >= 100.0 { thousands(r.round() as u64) } else { format!("{r:.1}") };
    let cycles = h.cycles_per_token.map_or(String::new(), |c| format!("{} cycles a token", thousands(c)));
    let clock = h.clock_mhz.map_or(String::new(), |c| format!(" at {c} MHz"));
    let library = records.asic.as_ref().map_or(String::new(), |r| r.corner.library.clone());
    let (slow, timed) = match (h.fmax_mhz, h.clock_mhz, h.tokens_per_s_at_fmax) {
        (Some(f), Some(c), Some(t)) if f < c => (true, format!("; {library} allows {f:.0} MHz: {}", rate(t))),
        _ => (false, String::new()),
    };
    let external =
        h.external_j_per_token.map_or(String::new(), |j| format!("; external memory takes {} more", joules(j)));
    let energy = h.j_per_token.map(joules);
    let (energy, energy_unit) = match energy.as_deref().and_then(|e| e.split_once(' ')) {
        Some((value, unit)) => (Some(value.to_string()), format!("{unit}/token")),
        None => (None, "/token".into()),
    };
    let mm2 = h.logic_mm2.zip(h.memory_mm2);
    let watts = h.watts.map(|w| if w >= 1.0 { (format!("{w:.2}"), "W") } else { (format!("{:.0}", w * 1e3), "mW") });
    let watted = records.power.as_ref().map_or(MAPPED, power::cells_and_memories);
    let fullest = records.parts.iter().max_by(|a, b| a.1.fullest_share.total_cmp(&b.1.fullest_share));
    let fpga = fullest.map(|(_, e)| {
        let what = e.resources.iter().find(|r| r.name == e.fullest).map_or(&e.fullest, |r| &r.what);
        (percent(e.fullest_share), format!("of the {what} of {}: the fullest resource of {}", e.part, parts(records)))
    });
    vec![
        number(AT_ASSUMED_CLOCK, h.tokens_per_s.map(rate), "tokens/s", format!("{cycles}{clock}{timed}"), slow),
        number(
            watted,
            watts.as_ref().map(|w| w.0.clone()),
            watts.as_ref().map_or("W", |w| w.1),
            format!("the chip while it works{clock}, {library}; no wires, no clock tree"),
            false,
        ),
        number(
            records.asic.as_ref().map_or(MAPPED, asic::logic_and_memories),
            mm2.map(|(l, m)| format!("{:.1}", l + m)),
            "mm²",
            mm2.map_or(String::new(), |(l, m)| {
                format!("{l:.1} of logic and {m:.1} of memory in {library}, before placement")
            }),
            false,
        ),
        number(watted, energy, &energy_unit, format!("the chip{external}"), false),
        number(
            SIMULATED,
            h.loss_percent.map(|l| format!("{l:+.3} %")),
            "bits of text",
            h.top1_agreement.zip(h.loss_percent_se).map_or(String::new(), |(t, se)| {
                format!("± {se:.3} %, against floating point; {:.2} % of its likeliest tokens are found", t * 100.0)
            }),
            false,
        ),
        number(
            MAPPED,
            fpga.as_ref().map(|f| f.0.clone()),
            "of an FPGA",
            fpga.map_or(String::new(), |f| f.1),
            records.parts.iter().any(|p| !p.1.fits),
        ),
    ]
}

/// `xck26 and lfe5u-85f`.
fn parts(records: &Records) -> String {
    let names: Vec<&str> = records.parts.iter().map(|p| p.1.part.as_str()).collect();
    names.join(" and ")
}

/// Whether a step is about FPGAs.
fn is_fpga(step: &str) -> bool {
    Report::named(step).is_none_or(Report::is_fpga)
}
