//! `report all`: every report of one chip on one page.
//!
//! A step is one of the other verbs. Its result is kept under the hash of all it was made from ([`keys`]), in the cache and
//! beside the page ([`store`]); [`steps`] runs what is missing, two steps at a time. What cannot run leaves a gap that the page
//! names on top.

mod keys;
mod steps;
mod store;

use super::args::All;
use super::model::{config, Model};
use super::origin::origin;
use super::print::{command_line, note, Out};
use super::{Error, CHECK_FAILED};
use keys::Inputs;
use records::all::{AllRecord, State, Step, SCHEMA_VERSION};
use records::output::{check_folder, write};
use reports::all::{headline, Records, Report};
use std::process::ExitCode;
use steps::Job;
use store::{Kept, Store};

/// Exit status if a step could not run: the page is incomplete.
const INCOMPLETE: u8 = 2;

pub fn all(a: &All, out: &Out) -> Result<ExitCode, Error> {
    check_folder(&a.output)?;
    let config = config(&a.config)?;
    let (model, name) = Model::open(&a.model)?;
    let inputs = Inputs::read(a, &config, &model)?;
    let store = Store::open(&a.output, &name, &config.name);
    let mut jobs: Vec<Job> = Report::ALL.iter().map(|s| Job::new(*s, a, &inputs, &store)).collect();
    drop(model);
    steps::run(&mut jobs, a, &store);

    let mut records = Records::default();
    let mut list = vec![];
    for job in &mut jobs {
        if let Some(text) = job.text() {
            if let Err(e) = records.take_in(job.name(), text) {
                job.lose(&e.to_string());
            }
        }
    }
    // files first, the page that names them last
    for job in &jobs {
        let step = job.step(a);
        if let (Some(file), Some(text)) = (&step.file, job.text()) {
            write(&a.output.join(file), text)?;
        }
        list.push(step);
    }
    for (file, page) in records.pages()? {
        write(&a.output.join(file), page)?;
    }
    let asked = |s: &&Step| s.state != State::LeftOut;
    let origin = origin(command_line().join(" "));
    let all = AllRecord {
        schema_version: SCHEMA_VERSION,
        model: name,
        config: config.name,
        complete: !list.iter().filter(asked).any(|s| s.state.is_bad()),
        headline: headline(&records)?,
        steps: list,
        command: origin.command,
        date: origin.date,
        git_revision: origin.git_revision,
    };
    let page = reports::all::page(&all, &records)?;
    write(&a.output.join("all.json"), serde_json::to_string_pretty(&all)? + "\n")?;
    write(&a.output.join("index.html"), page)?;
    note(format_args!("report written to {}", a.output.join("index.html").display()));
    out.result(&all, || text(&all))?;
    // an older record does not stand in for a step that was to run and could not
    let undone =
        |(step, found): (&Report, &Step)| found.state == State::Missing || (wanted(a, *step) && found.state.is_bad());
    Ok(match all.headline.mismatches {
        _ if Report::ALL.iter().zip(&all.steps).any(undone) && !a.no_run => ExitCode::from(INCOMPLETE),
        Some(n) if n > 0 => ExitCode::from(CHECK_FAILED),
        _ => ExitCode::SUCCESS,
    })
}

fn text(all: &AllRecord) -> String {
    let h = &all.headline;
    let mut text = match all.complete {
        true => String::new(),
        false => {
            "incomplete or out of date: what a step says below that is missing or stale is not of these inputs\n".into()
        }
    };
    let mut line = |what: &str, value: Option<String>| {
        text += &format!("{what:22}{}\n", value.unwrap_or_else(|| "–".into()));
    };
    line("tokens/s", h.tokens_per_s.map(|v| format!("{v:.1} at {} MHz", h.clock_mhz.unwrap_or(0.0))));
    line("power", h.watts.map(|v| format!("{v:.3} W")));
    line("area", h.logic_mm2.zip(h.memory_mm2).map(|(l, m)| format!("{l:.2} mm² of logic, {m:.2} mm² of memory")));
    line("energy a token", h.j_per_token.map(|v| format!("{v:.3e} J")));
    line("external memory", h.external_j_per_token.map(|v| format!("{v:.3e} J more")));
    line(
        "loss of the integers",
        h.loss_percent.map(|v| {
            let error = h.loss_percent_se.map_or(String::new(), |e| format!(" ± {e:.3}"));
            format!("{v:+.3}{error} % bits")
        }),
    );
    line("clock by timing", h.fmax_mhz.map(|v| format!("{v:.1} MHz before placement")));
    for s in &all.steps {
        let why = s.why.as_ref().map_or(String::new(), |w| format!(": {w}"));
        text += &format!("  {:18}{}{why}\n", s.name, s.state.words());
    }
    text
}

/// Whether a step is to run if its record is not there.
fn wanted(a: &All, step: Report) -> bool {
    match step {
        Report::PlaceAndRoute => a.place_and_route || a.only.contains(&step),
        _ => a.only.is_empty() || a.only.contains(&step),
    }
}

/// How fresh a record is, and why it is not if it is not.
fn judge(kept: Option<&Kept>, key: &Result<String, String>) -> (State, Option<String>) {
    match (kept, key) {
        (Some(k), Ok(key)) if k.key.as_deref() == Some(key) => (State::Unchanged, None),
        (Some(_), Ok(_)) => (State::Stale, Some("its inputs have changed since it was made".into())),
        (Some(_), Err(why)) => {
            (State::Stale, Some(format!("made earlier; whether its inputs changed cannot be told: {why}")))
        }
        (None, Err(why)) => (State::Missing, Some(why.clone())),
        (None, Ok(_)) => (State::Missing, Some("it was never run".into())),
    }
}
