//! `report all`: every report of one chip on one page. [`flow`] runs the steps and keeps their results; a step is one of the other
//! verbs.

use super::args::{Accuracy, All, Asic, Chip, FpgaBuild, FpgaEstimate, Latency, Libraries, Numbers, Power};
use super::files::{project_file, OWN_MODEL};
use super::model::{config, held_out_text, Model};
use super::origin::origin;
use super::print::{command_line, note, screen, Out};
use super::{accuracy, asic, chip_power, estimate, fpga, latency, Error, CHECK_FAILED};
use clap::ValueEnum;
use flow::{Inputs, Outcome, Request, Sources, Steps};
use indicatif::{ProgressBar, ProgressStyle};
use records::all::AllRecord;
use records::output::check_folder;
use records::shared::Origin;
use reports::all::Report;
use rtl_gen::config::Config;
use serde::Serialize;
use sim_harness::cache;
use std::process::ExitCode;
use std::time::Duration;

/// Exit status if a step could not run: the page is incomplete.
const INCOMPLETE: u8 = 2;

pub fn all(a: &All, out: &Out) -> Result<ExitCode, Error> {
    check_folder(&a.output)?; // before seconds of work
    let config = config(&a.config)?;
    let (model, name) = Model::open(&a.model)?;
    let inputs = inputs(a, &config, &model)?;
    drop(model);
    let request = Request {
        model: name,
        config,
        only: a.only.clone(),
        place_and_route: a.place_and_route,
        no_run: a.no_run,
        fpga_build: a.fpga_build.clone(),
        cache: cache::default_dir(),
        output: a.output.clone(),
    };
    let page = flow::run(&request, &inputs, &Verbs(a))?;
    note(format_args!("report written to {}", a.output.join("index.html").display()));
    out.result(&page.record, || text(&page.record))?;
    Ok(match page.outcome {
        Outcome::Done => ExitCode::SUCCESS,
        Outcome::Mismatch => ExitCode::from(CHECK_FAILED),
        Outcome::Incomplete => ExitCode::from(INCOMPLETE),
    })
}

/// What the records are made from.
fn inputs(a: &All, config: &Config, model: &Model) -> Result<Inputs, Error> {
    let path = match &a.model {
        Some(path) => path.clone(),
        None => project_file(OWN_MODEL)?,
    };
    let integers = || model.fast(&model.numbers_for(config, &numbers(a))).map_err(|e| e.to_string());
    Ok(Inputs::read(Sources {
        config,
        model: &path,
        integers,
        text: held_out_text().ok().as_deref(),
        libraries: flow::Libraries {
            pdk: a.libraries.pdk.as_deref(),
            liberty: &a.libraries.liberty,
            clock_mhz: a.libraries.clock_mhz,
            ram_um2_per_bit: a.libraries.ram_um2_per_bit,
            ram_pj_per_bit: a.libraries.ram_pj_per_bit,
            ram_clk_to_q_ns: a.libraries.ram_clk_to_q_ns,
        },
        weights: &format!("{:?}", a.weights),
        max_tokens: a.max_tokens,
    })?)
}

/// The numbers of the chip's model.
fn numbers(a: &All) -> Numbers {
    Numbers { weights: a.weights, ..Numbers::default() }
}

/// The other verbs as steps, with the arguments of this one.
struct Verbs<'a>(&'a All);

impl Steps for Verbs<'_> {
    fn make(&self, step: Report) -> Result<String, Error> {
        let line = running(step.name());
        let record = work(step, self.0);
        line.finish_and_clear();
        record
    }

    fn command(&self, step: Report) -> String {
        command(step, self.0)
    }

    fn origin(&self) -> Origin {
        origin(command_line().join(" "))
    }

    fn note(&self, text: &str) {
        note(text);
    }
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
            let args = FpgaBuild { config, output: a.output.join("fpga"), ..FpgaBuild::default_board() };
            json(&fpga::measure(&args, command)?)
        }
    }
}

fn json(record: &impl Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string_pretty(record)? + "\n")
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
