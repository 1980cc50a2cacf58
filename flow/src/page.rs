//! A run from the first look at what is there to the page.

use crate::error::FlowError;
use crate::job::Job;
use crate::keys::Inputs;
use crate::lanes;
use crate::request::{Request, Steps};
use crate::store::Store;
use records::all::{AllRecord, State, Step, SCHEMA_VERSION};
use records::output::{check_folder, write};
use records::RecordError;
use reports::all::{headline, Records, Report};

/// A page that is written.
pub struct Page {
    /// What the page shows, as it stands in `all.json`.
    pub record: AllRecord,
    pub outcome: Outcome,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every step that was to run has a record of the present inputs, and no comparison failed.
    Done,
    /// A value of the chip differed from the one that was expected.
    Mismatch,
    /// A step was to run and could not.
    Incomplete,
}

/// Runs what is missing or stale and writes the records, their pages and the page that shows them all.
///
/// # Errors
/// A folder that cannot be written, or records that cannot be shown. A step that cannot run is no error: the page has a gap then.
pub fn run(request: &Request, inputs: &Inputs, steps: &dyn Steps) -> Result<Page, FlowError> {
    let folder = &request.output;
    check_folder(folder)?;
    let store = Store::open(request);
    let mut jobs: Vec<Job> = Report::ALL.iter().map(|r| Job::new(*r, request, inputs, &store)).collect();
    lanes::run(&mut jobs, request, steps, &store);

    let mut records = Records::default();
    for job in &mut jobs {
        if let Some(text) = job.text() {
            if let Err(e) = records.take_in(job.report(), text) {
                job.lose(&e.to_string());
            }
        }
    }
    // files first, the page that names them last
    let mut list = vec![];
    for job in &jobs {
        let step = job.step(steps.command(job.report()));
        if let (Some(file), Some(text)) = (&step.file, job.text()) {
            write(&folder.join(file), text)?;
        }
        list.push(step);
    }
    for (file, page) in records.pages()? {
        write(&folder.join(file), page)?;
    }
    let asked = |s: &&Step| s.state != State::LeftOut;
    let origin = steps.origin();
    let record = AllRecord {
        schema_version: SCHEMA_VERSION,
        model: request.model.clone(),
        config: request.config.name.clone(),
        complete: !list.iter().filter(asked).any(|s| s.state.is_bad()),
        headline: headline(&records)?,
        steps: list,
        command: origin.command,
        date: origin.date,
        git_revision: origin.git_revision,
    };
    let page = reports::all::page(&record, &records)?;
    let json = serde_json::to_string_pretty(&record).map_err(RecordError::Print)?;
    write(&folder.join("all.json"), json + "\n")?;
    write(&folder.join("index.html"), page)?;
    Ok(Page { outcome: outcome(request, &record), record })
}

/// How a run with this record ended. An older record does not stand in for a step that was to run and could not.
fn outcome(request: &Request, record: &AllRecord) -> Outcome {
    let undone = |(report, step): (&Report, &Step)| {
        step.state == State::Missing || (request.wants(*report) && step.state.is_bad())
    };
    match record.headline.mismatches {
        _ if Report::ALL.iter().zip(&record.steps).any(undone) && !request.no_run => Outcome::Incomplete,
        Some(n) if n > 0 => Outcome::Mismatch,
        _ => Outcome::Done,
    }
}
