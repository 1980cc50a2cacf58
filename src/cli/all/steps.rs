//! The steps: what each runs, what it is called, and the order they run in.

use super::keys::{numbers, Inputs};
use super::store::{Kept, Store};
use super::{judge, wanted};
use crate::cli::args::{Accuracy, All, Asic, Chip, FpgaBuild, FpgaEstimate, Latency, Libraries, Power};
use crate::cli::print::{note, screen};
use crate::cli::{accuracy, asic, chip_power, estimate, fpga, latency, Error};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use records::all::{State, Step};
use reports::all::{Records, Report};
use serde::Serialize;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Two lanes, one a core; power uses what asic has mapped, so it comes after it in the same lane.
const LANES: [&[Report]; 2] = [
    &[Report::Asic, Report::Power],
    &[Report::Latency, Report::Xck26, Report::Lfe5u85f, Report::Accuracy, Report::PlaceAndRoute],
];

/// A step of this run.
pub struct Job {
    step: Report,
    key: Result<String, String>,
    kept: Option<Kept>,
    state: State,
    why: Option<String>,
}

impl Job {
    /// Looks for the step's result and decides whether it has to run.
    pub fn new(step: Report, a: &All, inputs: &Inputs, store: &Store) -> Job {
        let name = step.name();
        let key = inputs.key(step, a);
        let kept = match step {
            Report::PlaceAndRoute if !wanted(a, step) => return built(a, key),
            _ => store.find(name, &step.file(), key.as_deref().ok()),
        };
        // what this program cannot read it did not make
        let kept = kept.filter(|k| Records::default().take_in(step, &k.text).is_ok());
        let (state, why) = judge(kept.as_ref(), &key);
        let (state, why) = match state {
            State::Missing if !wanted(a, step) => (State::LeftOut, None),
            _ => (state, why),
        };
        Job { step, key, kept, state, why }
    }

    fn must_run(&self, a: &All) -> bool {
        !a.no_run && wanted(a, self.step) && self.state.is_bad() && self.key.is_ok()
    }

    pub fn name(&self) -> Report {
        self.step
    }

    pub fn text(&self) -> Option<&str> {
        self.kept.as_ref().map(|k| k.text.as_str())
    }

    /// The record is there and cannot be read.
    pub fn lose(&mut self, why: &str) {
        (self.kept, self.state, self.why) = (None, State::Missing, Some(why.into()));
    }

    /// Returns the step as the page's record holds it.
    pub fn step(&self, a: &All) -> Step {
        let name = self.step.name();
        let made = self.text().and_then(|t| {
            let value: serde_json::Value = serde_json::from_str(t).ok()?;
            Some(value.get("date")?.as_str()?.to_string())
        });
        Step {
            title: self.step.title().into(),
            state: self.state,
            file: self.kept.as_ref().map(|_| self.step.file()),
            page: self.kept.as_ref().map(|_| self.step.page()),
            command: command(self.step, a),
            made,
            seconds: self.kept.as_ref().and_then(|k| k.seconds),
            inputs: self.kept.as_ref().and_then(|k| k.key.clone()),
            why: self.why.clone(),
            name: name.into(),
        }
    }

    fn run(&mut self, a: &All, store: &Store) {
        let name = self.step.name();
        let start = Instant::now();
        let outcome = work(self.step, a).map_err(|e| e.to_string());
        let seconds = (start.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        match outcome {
            Ok(text) => {
                let kept = Kept { text, key: self.key.clone().ok(), seconds: Some(seconds) };
                if let Ok(key) = &self.key {
                    if let Err(e) = store.keep(name, key, &kept) {
                        note(format_args!("{name} is not kept for the next run: {e}"));
                    }
                }
                (self.kept, self.state, self.why) = (Some(kept), State::Made, None);
                note(format_args!("{name}: done in {seconds:.0} s"));
            }
            Err(why) => {
                note(format_args!("{name}: {why}"));
                self.why = Some(why.lines().next().unwrap_or_default().into());
            }
        }
    }
}

/// A finished build that somebody made, if it is there.
fn built(a: &All, key: Result<String, String>) -> Job {
    let mut job = Job { step: Report::PlaceAndRoute, key, kept: None, state: State::LeftOut, why: None };
    let text = match std::fs::read_to_string(a.fpga_build.join(::fpga::build::FINISHED)) {
        Ok(text) => text,
        Err(_) => return job,
    };
    match fpga::is_of(&text, &a.config, &a.fpga_build) {
        Ok(Some(true)) => job.state = State::Unchanged,
        Ok(Some(false)) => {
            job.state = State::Stale;
            job.why =
                Some(format!("the sources in {} are not those of this configuration now", a.fpga_build.display()));
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

/// Runs what must run, a thread a lane; each result is kept as soon as it is there.
pub fn run(jobs: &mut [Job], a: &All, store: &Store) {
    let n = jobs.iter().filter(|j| j.must_run(a)).count();
    if n > 0 {
        note(format_args!("{n} of {} steps to run", jobs.iter().filter(|j| wanted(a, j.step)).count()));
    }
    let mut lanes: [Vec<&mut Job>; 2] = [vec![], vec![]];
    for job in jobs.iter_mut().filter(|j| j.must_run(a)) {
        let lane = usize::from(!LANES[0].contains(&job.step));
        lanes[lane].push(job);
    }
    for (lane, order) in lanes.iter_mut().zip(LANES) {
        lane.sort_by_key(|j| order.iter().position(|s| *s == j.step));
    }
    std::thread::scope(|scope| {
        for lane in lanes {
            scope.spawn(move || {
                for job in lane {
                    let line = running(job.step.name());
                    job.run(a, store);
                    line.finish_and_clear();
                }
            });
        }
    });
}

/// A line that says what runs and for how long.
fn running(name: &str) -> ProgressBar {
    let line = screen().add(ProgressBar::new_spinner());
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
    line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    line.set_message(name.to_string());
    line.enable_steady_tick(Duration::from_millis(200));
    if line.is_hidden() {
        note(format_args!("{name}: running"));
    }
    line
}

/// The command that makes a step's record by itself.
fn command(step: Report, a: &All) -> String {
    let mut words = vec!["anser".to_string()];
    let mut add = |new: &[&str]| words.extend(new.iter().map(|w| w.to_string()));
    let model = a.model.as_ref().map(|m| m.display().to_string());
    let weights = a.weights.and_then(|w| w.to_possible_value()).map(|w| w.get_name().to_string());
    let tokens = a.max_tokens.to_string();
    let verb: &[&str] = match step {
        Report::Latency => &["report", "latency"],
        Report::Accuracy => &["report", "accuracy"],
        Report::Asic => &["report", "asic"],
        Report::Power => &["report", "power"],
        Report::Xck26 => &["fpga", "estimate", "--part", "xck26"],
        Report::Lfe5u85f => &["fpga", "estimate", "--part", "lfe5u-85f"],
        Report::PlaceAndRoute => &["fpga", "build"],
    };
    add(verb);
    let of_model = matches!(step, Report::Latency | Report::Accuracy | Report::Power);
    if let (true, Some(model)) = (of_model, &model) {
        add(&[model]);
    }
    if step == Report::Accuracy {
        add(&["--max-tokens", &tokens]);
    } else {
        add(&["--config", &a.config]);
    }
    if let (Report::Latency | Report::Power, Some(weights)) = (step, &weights) {
        add(&["--weights", weights]);
    }
    if matches!(step, Report::Asic | Report::Power) {
        words.extend(library_words(&a.libraries));
    }
    words.join(" ") + " --json"
}

fn library_words(a: &Libraries) -> Vec<String> {
    let mut words = vec![];
    if let Some(folder) = &a.pdk {
        words.extend(["--pdk".into(), folder.display().to_string()]);
    }
    if !a.liberty.is_empty() {
        words.push("--liberty".into());
        words.extend(a.liberty.iter().map(|f| f.display().to_string()));
    }
    let numbers = [
        ("--clock-mhz", a.clock_mhz),
        ("--ram-um2-per-bit", a.ram_um2_per_bit),
        ("--ram-pj-per-bit", a.ram_pj_per_bit),
        ("--ram-clk-to-q-ns", a.ram_clk_to_q_ns),
    ];
    words.extend(numbers.into_iter().filter_map(|(name, v)| Some(format!("{name} {}", v?))));
    words
}

/// Runs a step and returns its record as JSON.
fn work(step: Report, a: &All) -> Result<String, Error> {
    let command = command(step, a);
    let (model, config) = (a.model.clone(), a.config.clone());
    match step {
        Report::Latency => {
            let chip = Chip { config, ..Chip::default() };
            json(&latency::measure(&Latency { model, output: None, chip, numbers: numbers(a) }, command)?.0)
        }
        Report::Accuracy => {
            let args = Accuracy { model, text: None, max_tokens: a.max_tokens, calibrate: None, output: None };
            json(&accuracy::measure(&args, command)?)
        }
        Report::Asic => json(&asic::measure(&Asic { config, libraries: a.libraries.clone(), output: None }, command)?),
        Report::Power => {
            let args = Power { model, config, libraries: a.libraries.clone(), numbers: numbers(a), ..Power::of_chip() };
            json(&chip_power::measure(&args, command)?.record)
        }
        Report::Xck26 | Report::Lfe5u85f => {
            json(&estimate::measure(&FpgaEstimate { part: step.name().into(), config, output: None }, command)?)
        }
        Report::PlaceAndRoute => {
            let args = FpgaBuild { config, output: build_folder(a), ..FpgaBuild::default_board() };
            json(&fpga::measure(&args, command)?)
        }
    }
}

/// Where this verb places and routes.
fn build_folder(a: &All) -> PathBuf {
    a.output.join("fpga")
}

fn json(record: &impl Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string_pretty(record)? + "\n")
}
