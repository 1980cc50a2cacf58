//! One step of a run: the record that is there, how fresh it is, and what is done about it.

use crate::keys::Inputs;
use crate::request::{Request, Steps};
use crate::store::{Kept, Store};
use records::all::{State, Step};
use reports::all::{Records, Report};
use std::time::Instant;

/// A step of this run.
pub struct Job {
    report: Report,
    key: Result<String, String>,
    kept: Option<Kept>,
    state: State,
    why: Option<String>,
}

impl Job {
    /// Looks for the step's result and decides whether it has to run.
    pub fn new(report: Report, request: &Request, inputs: &Inputs, store: &Store) -> Job {
        let key = inputs.key(report, &request.fpga_build);
        let kept = match report {
            Report::PlaceAndRoute if !request.wants(report) => return built(request, key),
            _ => store.find(report.name(), &report.file(), key.as_deref().ok()),
        };
        // what this program cannot read it did not make
        let kept = kept.filter(|k| Records::default().take_in(report, &k.text).is_ok());
        let (state, why) = judge(kept.as_ref(), &key);
        let (state, why) = match state {
            State::Missing if !request.wants(report) => (State::LeftOut, None),
            _ => (state, why),
        };
        Job { report, key, kept, state, why }
    }

    /// Whether the step has to run now. A step without a key cannot.
    pub fn must_run(&self, request: &Request) -> bool {
        !request.no_run && request.wants(self.report) && self.state.is_bad() && self.key.is_ok()
    }

    pub fn report(&self) -> Report {
        self.report
    }

    /// The record as JSON, if there is one.
    pub fn text(&self) -> Option<&str> {
        self.kept.as_ref().map(|k| k.text.as_str())
    }

    /// Counts the record as missing, because it is there and cannot be read.
    pub fn lose(&mut self, why: &str) {
        (self.kept, self.state, self.why) = (None, State::Missing, Some(why.into()));
    }

    /// Returns the step as the page's record holds it; `command` makes its record by itself.
    pub fn step(&self, command: String) -> Step {
        let made = self.text().and_then(|t| {
            let value: serde_json::Value = serde_json::from_str(t).ok()?;
            Some(value.get("date")?.as_str()?.to_string())
        });
        Step {
            title: self.report.title().into(),
            state: self.state,
            file: self.kept.as_ref().map(|_| self.report.file()),
            page: self.kept.as_ref().map(|_| self.report.page()),
            command,
            made,
            seconds: self.kept.as_ref().and_then(|k| k.seconds),
            inputs: self.kept.as_ref().and_then(|k| k.key.clone()),
            why: self.why.clone(),
            name: self.report.name().into(),
        }
    }

    /// Runs the step and keeps its record, or the reason why it cannot run.
    pub fn run(&mut self, steps: &dyn Steps, store: &Store) {
        let name = self.report.name();
        let start = Instant::now();
        let outcome = steps.make(self.report).map_err(|e| e.to_string());
        let seconds = (start.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        match outcome {
            Ok(text) => {
                let kept = Kept { text, key: self.key.clone().ok(), seconds: Some(seconds) };
                if let Ok(key) = &self.key {
                    if let Err(e) = store.keep(name, key, &kept) {
                        steps.note(&format!("{name} is not kept for the next run: {e}"));
                    }
                }
                (self.kept, self.state, self.why) = (Some(kept), State::Made, None);
                steps.note(&format!("{name}: done in {seconds:.0} s"));
            }
            Err(why) => {
                steps.note(&format!("{name}: {why}"));
                self.why = Some(why.lines().next().unwrap_or_default().into());
            }
        }
    }
}

/// A finished build that somebody made, if it is there.
fn built(request: &Request, key: Result<String, String>) -> Job {
    let mut job = Job { report: Report::PlaceAndRoute, key, kept: None, state: State::LeftOut, why: None };
    let folder = &request.fpga_build;
    let text = match std::fs::read_to_string(folder.join(fpga::build::FINISHED)) {
        Ok(text) => text,
        Err(_) => return job,
    };
    match fpga::record::is_of(&text, &request.config, folder) {
        Ok(Some(true)) => job.state = State::Unchanged,
        Ok(Some(false)) => {
            job.state = State::Stale;
            job.why = Some(format!("the sources in {} are not those of this configuration now", folder.display()));
        }
        Ok(None) => return job,
        Err(e) => {
            (job.state, job.why) = (State::Missing, Some(e.to_string()));
            return job;
        }
    }
    job.kept = Some(Kept { text, key: job.key.clone().ok(), seconds: None });
    job
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
