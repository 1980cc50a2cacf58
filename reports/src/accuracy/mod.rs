//! The accuracy page: what each width costs, where precision is lost, whether it gets worse with time.

mod figures;
mod positions;
mod tables;
mod words;

use crate::page::{big_numbers, code_block, made, percent, thousands, BigNumber, Html, Page};
use crate::pictures::scientific;
use crate::trust::SIMULATED;
use crate::ReportError;
pub(crate) use figures::{state_sweep, widths};
use records::accuracy::{AccuracyRecord, GridPoint, Setting};

/// A part of a page with a heading of its own.
#[derive(Clone, Debug)]
pub struct Section {
    pub heading: &'static str,
    pub parts: Vec<Html>,
}

/// The whole page as one self-contained HTML document.
///
/// # Errors
/// A record that fails [`AccuracyRecord::check`], or a picture that cannot be drawn.
pub fn accuracy_page(record: &AccuracyRecord) -> Result<String, ReportError> {
    let lead = [format!("{} on {}", record.model, record.text), made(&record.date, &record.git_revision)];
    let mut page = Page::new("Accuracy of the integers", &lead);
    page.add(code_block(&record.command));
    page.add(headline(record)?);
    for section in sections(record)? {
        page.section(section.heading, section.parts);
    }
    Ok(page.render())
}

/// The sections of the page, for a page that has other reports too.
///
/// # Errors
/// Fails where [`accuracy_page`] does.
pub fn sections(record: &AccuracyRecord) -> Result<Vec<Section>, ReportError> {
    record.check()?;
    let section = |heading, parts| Section { heading, parts };
    Ok(vec![
        section("In plain words", words::plain(record)),
        section("Weights and operands", vec![figures::widths(record)?, tables::grid(record)]),
        section("The state", vec![figures::state_sweep(record)?, tables::states(record)]),
        section(
            "Ranges against formats",
            vec![
                figures::tap_ranges(record)?,
                tables::taps(record),
                figures::tensor_ranges(record)?,
                tables::tensors(record),
            ],
        ),
        section("Where precision is lost", vec![figures::layer_errors(record)?, tables::errors(record)]),
        section("Position in the text", positions::parts(record)?),
        section("How far to trust these numbers", words::trust(record)),
        section("What was run", vec![words::facts(record)]),
    ])
}

/// The four numbers to see first.
///
/// # Errors
/// A record that fails [`AccuracyRecord::check`].
pub fn headline(record: &AccuracyRecord) -> Result<Html, ReportError> {
    record.check()?;
    let number = |value, unit: &str, note| BigNumber { value, unit: unit.into(), note, alarm: false, trust: SIMULATED };
    let mut numbers = vec![];
    if let Some(p) = record.point(&record.default) {
        let note = format!("± {:.3} %; {}", p.loss_percent_se, record.default.name());
        numbers.push(number(format!("{:+.3} %", p.loss_percent), "bits", note));
        let note = format!("of {} predictions have floating point's likeliest token", thousands(record.float.n_tokens));
        numbers.push(number(format!("{:.2} %", p.top1_agreement * 100.0), "top-1", note));
    }
    numbers.push(match knee(record) {
        Some((bits, _)) => number(bits.to_string(), "state bits", "from here on more bits change nothing".into()),
        None => number("–".into(), "state bits", "no width of the sweep is enough".into()),
    });
    if let Some(run) = record.drift.runs.iter().find(|r| r.setting == record.default) {
        numbers.push(match run.state_fit {
            Some(fit) => number(
                format!("{:+.1} %", fit.slope_per_doubling * 100.0),
                "a doubling",
                format!(
                    "± {} (one standard error): growth of the state's error with the position",
                    percent(fit.slope_se)
                ),
            ),
            None => number("–".into(), "drift", "the text is too short to tell".into()),
        });
    }
    Ok(big_numbers(&numbers))
}

/// Share above the widest state's KL that still counts as no loss.
const KNEE: f64 = 0.1;

/// The narrowest state of the default's sweep from which on every width has a KL within 10 % of the widest one's, and that KL.
pub fn knee(record: &AccuracyRecord) -> Option<(u32, f64)> {
    let sweep = sweep(record, &record.default);
    let widest = sweep.last()?;
    let enough = |p: &&&GridPoint| p.kl <= widest.kl * (1.0 + KNEE);
    let from = sweep.iter().rev().take_while(enough).last()?;
    (sweep.len() > 1).then_some((from.setting.state_bits, from.kl))
}

/// All state widths that were run with the weights and operands of `of`, narrowest first.
fn sweep<'a>(record: &'a AccuracyRecord, of: &Setting) -> Vec<&'a GridPoint> {
    let same = |p: &&GridPoint| p.setting.weights == of.weights && p.setting.operand_bits == of.operand_bits;
    let mut points: Vec<&GridPoint> = record.grid.iter().filter(same).collect();
    points.sort_by_key(|p| p.setting.state_bits);
    points
}

/// The weights that were run, in the order of the record.
fn weights(record: &AccuracyRecord) -> Vec<&str> {
    let mut names: Vec<&str> = vec![];
    for p in &record.grid {
        if !names.contains(&p.setting.weights.as_str()) {
            names.push(&p.setting.weights);
        }
    }
    names
}

fn weights_name(name: &str) -> String {
    match name {
        "w4" => "4 bits".into(),
        "w4-gptq" => "4 bits, gptq".into(),
        "w8" => "8 bits".into(),
        "w16" => "16 bits".into(),
        other => other.into(),
    }
}

fn grid_words(p: &GridPoint) -> String {
    format!(
        "{}: {:+.4} % ± {:.4} bits, KL {} ± {} nats, top-1 {:.2} %",
        p.setting.name(),
        p.loss_percent,
        p.loss_percent_se,
        scientific(p.kl),
        scientific(p.kl_se),
        p.top1_agreement * 100.0
    )
}
