//! Whole runs with steps that hand out the records of the project's committed run, so that no tool is needed.

use crate::keys::Inputs;
use crate::{run, Outcome, Page, Request, Steps};
use records::all::State;
use records::shared::Origin;
use reports::all::Report;
use rtl_gen::config::Config;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tempfile::TempDir;

/// The record of a step in the committed run, as JSON.
fn committed(step: Report) -> String {
    let file = crate::store::committed().expect("a committed run").join(step.file());
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// Steps that hand out those records.
#[derive(Default)]
struct Handed {
    /// A step that fails, and what it says.
    fails: Option<(Report, &'static str)>,
    /// In the record of one step, a text that stands there and what it is replaced by.
    exchanged: Option<(Report, &'static str, &'static str)>,
    made: Mutex<Vec<Report>>,
    notes: Mutex<Vec<String>>,
}

impl Handed {
    fn made(&self) -> Vec<Report> {
        std::mem::take(&mut self.made.lock().expect("no panic"))
    }
}

impl Steps for Handed {
    fn make(&self, step: Report) -> Result<String, Box<dyn std::error::Error>> {
        self.made.lock().expect("no panic").push(step);
        match self.fails {
            Some((failing, why)) if failing == step => Err(why.into()),
            _ => Ok(match self.exchanged {
                Some((exchanged, old, new)) if exchanged == step => committed(step).replace(old, new),
                _ => committed(step),
            }),
        }
    }

    fn command(&self, step: Report) -> String {
        format!("make {}", step.name())
    }

    fn origin(&self) -> Origin {
        Origin { command: "make all".into(), date: "2026-01-01T00:00:00Z".into(), git_revision: None }
    }

    fn note(&self, text: &str) {
        self.notes.lock().expect("no panic").push(text.into());
    }
}

fn request(scratch: &TempDir) -> Request {
    Request {
        model: "m".into(),
        config: Config::parse(include_str!("../../configs/nano.toml"), "nano").expect("a configuration"),
        only: vec![],
        place_and_route: false,
        no_run: false,
        fpga_build: scratch.path().join("none"),
        cache: scratch.path().join("cache"),
        output: scratch.path().join("page"),
    }
}

fn inputs() -> Inputs {
    let known = |text: &str| Ok(text.to_string());
    Inputs {
        config: "config".into(),
        model: "model".into(),
        text: "text".into(),
        core: "core".into(),
        top: "top".into(),
        program: known("program"),
        libraries: known("libraries"),
        verilator: known("verilator"),
        yosys: known("yosys"),
        sta: known("sta"),
        weights: "None".into(),
        max_tokens: 64,
    }
}

fn state(page: &Page, step: Report) -> (State, Option<&str>) {
    let step = page.record.step(step.name()).expect("every step is in the record");
    (step.state, step.why.as_deref())
}

fn page_text(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("index.html")).expect("a page")
}

const USUAL: [Report; 6] =
    [Report::Latency, Report::Accuracy, Report::Asic, Report::Power, Report::Xck26, Report::Lfe5u85f];

#[test]
fn everything_runs_once_and_power_after_the_mapping_it_uses() {
    let scratch = TempDir::new().expect("a folder");
    let (request, steps) = (request(&scratch), Handed::default());
    let page = run(&request, &inputs(), &steps).expect("a page");
    let made = steps.made();
    let at = |step| made.iter().position(|s| *s == step).expect("it ran");
    assert_eq!(made.len(), USUAL.len(), "{made:?}");
    assert!(at(Report::Asic) < at(Report::Power), "{made:?}");
    assert!(USUAL.iter().all(|s| state(&page, *s) == (State::Made, None)));
    assert_eq!(state(&page, Report::PlaceAndRoute), (State::LeftOut, None));
    assert_eq!((page.outcome, page.record.complete), (Outcome::Done, true));
    assert!(page.record.headline.cycles_per_token.is_some() && page.record.headline.watts.is_some());
    assert!(page_text(&request.output).contains("make latency"), "the page shows the commands");
    assert!(steps.notes.lock().expect("no panic").contains(&"6 of 6 steps to run".to_string()));
    // a page elsewhere finds the records in the cache
    let elsewhere = Request { output: scratch.path().join("other"), ..request };
    let page = run(&elsewhere, &inputs(), &steps).expect("a page");
    assert_eq!(steps.made(), []);
    assert!(USUAL.iter().all(|s| state(&page, *s) == (State::Unchanged, None)));
}

#[test]
fn what_changed_is_stale_and_runs_again() {
    let scratch = TempDir::new().expect("a folder");
    let (mut request, steps) = (request(&scratch), Handed::default());
    run(&request, &inputs(), &steps).expect("a page");
    steps.made();
    let longer = Inputs { max_tokens: 128, ..inputs() };
    request.no_run = true;
    let page = run(&request, &longer, &steps).expect("a page");
    assert_eq!(state(&page, Report::Accuracy), (State::Stale, Some("its inputs have changed since it was made")));
    assert_eq!(state(&page, Report::Latency), (State::Unchanged, None));
    assert_eq!((page.outcome, page.record.complete), (Outcome::Done, false), "nothing was to run");
    request.no_run = false;
    let page = run(&request, &longer, &steps).expect("a page");
    assert_eq!(steps.made(), [Report::Accuracy]);
    assert_eq!((state(&page, Report::Accuracy), page.record.complete), ((State::Made, None), true));
}

#[test]
fn a_step_that_fails_leaves_a_gap_and_the_others_run() {
    let scratch = TempDir::new().expect("a folder");
    let request = request(&scratch);
    let steps = Handed { fails: Some((Report::Asic, "no cell fits\nsecond line")), ..Handed::default() };
    let page = run(&request, &inputs(), &steps).expect("a page");
    assert_eq!(state(&page, Report::Asic), (State::Missing, Some("no cell fits")));
    assert_eq!(state(&page, Report::Power), (State::Made, None));
    assert_eq!((page.outcome, page.record.complete), (Outcome::Incomplete, false));
    assert!(!request.output.join("asic.json").exists() && request.output.join("power.json").exists());
    let text = page_text(&request.output);
    assert!(text.contains("This page is incomplete") && text.contains("no cell fits"));
}

#[test]
fn a_step_without_a_key_is_not_tried() {
    let scratch = TempDir::new().expect("a folder");
    let (mut request, steps) = (request(&scratch), Handed::default());
    request.only = vec![Report::Latency, Report::Xck26];
    let without = Inputs { verilator: Err("verilator is not there".into()), ..inputs() };
    let page = run(&request, &without, &steps).expect("a page");
    assert_eq!(steps.made(), [Report::Xck26]);
    assert_eq!(state(&page, Report::Latency), (State::Missing, Some("verilator is not there")));
    assert_eq!(state(&page, Report::Asic), (State::LeftOut, None));
    assert_eq!(page.outcome, Outcome::Incomplete);
}

#[test]
fn a_record_that_nobody_can_read_is_made_again() {
    let scratch = TempDir::new().expect("a folder");
    let (mut request, steps) = (request(&scratch), Handed::default());
    request.only = vec![Report::Latency];
    run(&request, &inputs(), &steps).expect("a page");
    steps.made();
    std::fs::write(request.output.join("latency.json"), "{}").expect("written");
    request.cache = scratch.path().join("another");
    let page = run(&request, &inputs(), &steps).expect("a page");
    assert_eq!((steps.made(), state(&page, Report::Latency)), (vec![Report::Latency], (State::Made, None)));
}

#[test]
fn a_wrong_value_is_the_outcome() {
    let scratch = TempDir::new().expect("a folder");
    for step in [Report::Latency, Report::Power] {
        let exchanged = Some((step, "\"mismatches\": 0", "\"mismatches\": 1"));
        let request = Request { cache: scratch.path().join(step.name()), ..request(&scratch) };
        let page = run(&request, &inputs(), &Handed { exchanged, ..Handed::default() }).expect("a page");
        assert_eq!((page.outcome, page.record.complete), (Outcome::Mismatch, true));
    }
}

#[test]
fn a_finished_build_counts_while_its_sources_are_those_of_now() {
    let scratch = TempDir::new().expect("a folder");
    let mut request = Request { no_run: true, ..request(&scratch) };
    let state_now = |request: &Request| {
        let page = run(request, &inputs(), &Handed::default()).expect("a page");
        let step = page.record.step("place-and-route").expect("a step");
        (step.state, step.file.is_some())
    };
    assert_eq!(state_now(&request), (State::LeftOut, false), "there is no build");
    let board = &fpga::board::ULX3S_85F;
    let pll = fpga::pll::pll(board.oscillator_khz, board.clock_khz).expect("a clock");
    let options = fpga::rtl::system::SystemOptions::of(board, pll.clock_khz);
    let sources = fpga::build::sources(&request.config, board, &options, pll).expect("sources");
    std::fs::create_dir(&request.fpga_build).expect("a folder");
    for (name, text) in &sources {
        std::fs::write(request.fpga_build.join(name), text).expect("written");
    }
    let record = request.fpga_build.join(fpga::build::FINISHED);
    std::fs::write(&record, committed(Report::PlaceAndRoute)).expect("written");
    assert_eq!(state_now(&request), (State::Unchanged, true));
    std::fs::write(request.fpga_build.join("pins.lpf"), "other pins").expect("written");
    assert_eq!(state_now(&request), (State::Stale, true));
    request.config.name = "another".into();
    assert_eq!(state_now(&request), (State::LeftOut, false), "a build of another configuration");
    std::fs::write(&record, "{}").expect("written");
    assert_eq!(state_now(&request), (State::Missing, false), "no record");
}

#[test]
fn a_page_goes_into_a_folder() {
    let scratch = TempDir::new().expect("a folder");
    let file = scratch.path().join("file");
    std::fs::write(&file, "").expect("written");
    let steps = Handed::default();
    let error = run(&Request { output: file, ..request(&scratch) }, &inputs(), &steps).err().expect("refused");
    assert!(error.to_string().contains("is a file") && steps.made().is_empty(), "{error}");
}

#[test]
fn an_input_is_in_the_keys_of_the_steps_that_read_it() {
    use Report::{Accuracy, Asic, Latency, Lfe5u85f, PlaceAndRoute, Power, Xck26};
    let keys = |inputs: &Inputs, build: &str| {
        Report::ALL.map(|step| inputs.key(step, &PathBuf::from(build)).expect("every input is known"))
    };
    let changed = || "changed".to_string();
    let before = keys(&inputs(), "build");
    for (what, inputs, build, expected) in [
        ("config", Inputs { config: changed(), ..inputs() }, "build", &[Latency, Asic, Power, PlaceAndRoute][..]),
        ("model", Inputs { model: changed(), ..inputs() }, "build", &[Accuracy]),
        ("text", Inputs { text: changed(), ..inputs() }, "build", &[Accuracy, Power]),
        ("core", Inputs { core: changed(), ..inputs() }, "build", &[Latency, Power]),
        ("top", Inputs { top: changed(), ..inputs() }, "build", &[Asic, Power, Xck26, Lfe5u85f, PlaceAndRoute]),
        ("program", Inputs { program: Ok(changed()), ..inputs() }, "build", &[Latency, Power]),
        ("libraries", Inputs { libraries: Ok(changed()), ..inputs() }, "build", &[Asic, Power]),
        ("verilator", Inputs { verilator: Ok(changed()), ..inputs() }, "build", &[Latency, Power]),
        ("yosys", Inputs { yosys: Ok(changed()), ..inputs() }, "build", &[Asic, Power, Xck26, Lfe5u85f]),
        ("sta", Inputs { sta: Ok(changed()), ..inputs() }, "build", &[Asic]),
        ("weights", Inputs { weights: changed(), ..inputs() }, "build", &Report::ALL),
        ("max_tokens", Inputs { max_tokens: 1, ..inputs() }, "build", &[Accuracy]),
        ("fpga_build", inputs(), "another", &[PlaceAndRoute]),
    ] {
        let after = keys(&inputs, build);
        let differ: Vec<Report> =
            Report::ALL.into_iter().zip(before.iter().zip(&after)).filter(|(_, (b, a))| b != a).map(|x| x.0).collect();
        assert_eq!(differ, expected, "steps whose key changes with {what}");
    }
}
