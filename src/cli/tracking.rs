//! `report tracking`: floats and integers on the running product of group elements.

use super::args::{Tracking, Weights as Format};
use super::files::{project_file, OWN_TRACKER};
use super::origin::origin;
use super::print::{bar, command_line, note, Out};
use super::Error;
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::checkpoint::weights::Weights;
use golden_model::checkpoint::Checkpoint;
use golden_model::fast;
use golden_model::network::session::FloatSession;
use golden_model::quantise::calibrate::calibrate;
use golden_model::quantise::options::QuantOptions;
use golden_model::quantise::quantise;
use golden_model::tracking::{measure, Point, Task};
use records::output::{check_file, write};
use records::tracking::{Tracked, TrackingRecord};
use reports::tracking::tracking_page;
use std::process::ExitCode;
use std::sync::Arc;

/// Calibration: elements of one sequence that no test draws.
const CALIBRATION_ELEMENTS: usize = 64;
const CALIBRATION_SEED: u64 = u64::MAX;

pub fn tracking(a: &Tracking, out: &Out) -> Result<ExitCode, Error> {
    let path = match &a.model {
        Some(path) => path.clone(),
        None => project_file(OWN_TRACKER)?,
    };
    let checkpoint = Checkpoint::open(&path)?;
    if let Some(page) = &a.output {
        check_file(page)?;
    }
    let about = checkpoint.metadata();
    let group =
        a.group.as_ref().or(about.get("group")).ok_or_else(|| {
            format!("{}: does not say for which group it was trained, expected --group", path.display())
        })?;
    let number = |name: &str| about.get(name).and_then(|n| n.parse::<u32>().ok());
    let ticks = a.ticks.or(number("ticks")).unwrap_or(1);
    let task = Task::new(group, ticks as usize, checkpoint.shape().vocab_size)
        .map_err(|e| format!("{}: {e}", path.display()))?;
    let mut lengths: Vec<usize> = a.lengths.iter().map(|l| *l as usize).collect();
    lengths.sort_unstable();
    lengths.dedup();

    let weights = Weights::read(&checkpoint)?;
    let models = 1 + a.weights.len() * a.state_bits.len();
    let elements = a.sequences as usize * lengths.last().copied().unwrap_or(0);
    let bar = bar((models * elements) as u64, "elements");
    let progress = |n: usize| bar.inc(n as u64);
    let (sequences, seed) = (u64::from(a.sequences), a.seed);
    let float = measure(&task, || FloatSession::new(&weights), &lengths, sequences, seed, progress)?;
    let mut results = vec![tracked("float", None, &float, sequences)];
    let tokens = task.tokens(CALIBRATION_SEED, 0, CALIBRATION_ELEMENTS);
    let ranges = calibrate(&weights, &tokens, |_| ());
    let mut widths = a.state_bits.clone();
    widths.sort_unstable_by(|a, b| b.cmp(a));
    widths.dedup();
    let mut formats = a.weights.clone();
    formats.dedup();
    for format in formats {
        let (name, bits) = match format {
            Format::W8 => ("w8", WeightBits::W8),
            Format::W4 => ("w4", WeightBits::W4),
            Format::Auto => return Err("--weights auto: expected w8 or w4, which are compared".into()),
        };
        for state_bits in &widths {
            let options = QuantOptions { bits, head: Some(bits), state_bits: *state_bits, ..QuantOptions::default() };
            let model = Arc::new(fast::from_model(&quantise(&checkpoint, &ranges, &options)?.model)?);
            let points = measure(&task, || fast::Conversation::new(&model, 1), &lengths, sequences, seed, progress)?;
            results.push(tracked(name, Some(*state_bits), &points, sequences));
        }
    }
    bar.finish_and_clear();
    let origin = origin(command_line().join(" "));
    let record = TrackingRecord {
        schema_version: TrackingRecord::SCHEMA_VERSION,
        model: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        n_params: checkpoint.shape().n_params(),
        group: task.group.name().into(),
        order: task.group.order() as u64,
        ticks: u64::from(ticks),
        trained_length: number("length").map(u64::from),
        lengths: lengths.iter().map(|l| *l as u64).collect(),
        sequences,
        seed,
        parts: TrackingRecord::partings(&results),
        results,
        command: origin.command,
        date: origin.date,
        git_revision: origin.git_revision,
    };
    if let Some(page) = &a.output {
        write(page, tracking_page(&record)?)?;
        note(format_args!("report written to {}", page.display()));
    }
    out.result(&record, || text(&record))?;
    Ok(ExitCode::SUCCESS)
}

fn tracked(weights: &str, state_bits: Option<u32>, points: &[Point], sequences: u64) -> Tracked {
    let share = |n: u64| n as f64 / sequences.max(1) as f64;
    Tracked {
        weights: weights.into(),
        state_bits,
        accuracy: points.iter().map(Point::accuracy).collect(),
        at_the_end: points.iter().map(|p| share(p.right_at_the_end)).collect(),
        throughout: points.iter().map(|p| share(p.right_throughout)).collect(),
    }
}

/// A table for people: one column a network, one row a length.
fn text(r: &TrackingRecord) -> String {
    let name = |t: &Tracked| t.state_bits.map_or(t.weights.clone(), |b| format!("{}/{b}", t.weights));
    let head: String = r.results.iter().map(|t| format!("{:>10}", name(t))).collect();
    let mut text = format!(
        "{}: right answers on {} ({} elements, chance {:.1} %), {} sequences; columns are weights/state bits\n{:>9}{head}\n",
        r.model,
        r.group,
        r.order,
        100.0 / r.order as f64,
        r.sequences,
        "elements"
    );
    for (i, length) in r.lengths.iter().enumerate() {
        let row: String = r.results.iter().map(|t| format!("{:>8.2} %", t.accuracy[i] * 100.0)).collect();
        text += &format!("{length:>9}{row}\n");
    }
    for p in &r.parts {
        let bits = |b: Option<u32>, none: &str| b.map_or(none.into(), |b| format!("{b} bits"));
        text += &format!(
            "{}: stays within 0.1 points of float down to a state of {}; parts at {}\n",
            p.weights,
            bits(p.stays_at_bits, "no width measured"),
            bits(p.parts_at_bits, "no width measured")
        );
    }
    text
}
