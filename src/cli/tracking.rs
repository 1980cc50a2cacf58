//! `report tracking`: floats and integers on the running product of group elements.

use super::args::{Tracking, Weights as Format};
use super::files::{project_file, OWN_TRACKER};
use super::origin::origin;
use super::print::{bar, command_line, note, Out};
use super::Error;
use golden_model::arithmetic::tensor::WeightBits;
use golden_model::checkpoint::Checkpoint;
use golden_model::tracking::record::{task_of, Comparison};
use records::output::{check_file, write};
use records::tracking::{Tracked, TrackingRecord};
use reports::tracking::tracking_page;
use std::process::ExitCode;

pub fn tracking(a: &Tracking, out: &Out) -> Result<ExitCode, Error> {
    let path = match &a.model {
        Some(path) => path.clone(),
        None => project_file(OWN_TRACKER)?,
    };
    let checkpoint = Checkpoint::open(&path)?;
    if let Some(page) = &a.output {
        check_file(page)?;
    }
    let task = task_of(&checkpoint, &path.display().to_string(), a.group.as_deref(), a.ticks)?;
    let mut lengths: Vec<usize> = a.lengths.iter().map(|l| *l as usize).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let mut state_bits = a.state_bits.clone();
    state_bits.sort_unstable_by(|a, b| b.cmp(a));
    state_bits.dedup();
    let mut weights: Vec<_> = (a.weights.iter())
        .filter_map(|format| match format {
            Format::W8 => Some(("w8", WeightBits::W8)),
            Format::W4 => Some(("w4", WeightBits::W4)),
            Format::Auto => None, // refused with the other options that have no effect
        })
        .collect();
    weights.dedup();
    let comparison = Comparison {
        model: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        checkpoint: &checkpoint,
        task,
        lengths,
        sequences: u64::from(a.sequences),
        seed: a.seed,
        weights,
        state_bits,
    };
    let bar = bar(comparison.total(), "elements");
    let record = comparison.run(origin(command_line().join(" ")), |n| bar.inc(n as u64))?;
    bar.finish_and_clear();
    if let Some(page) = &a.output {
        write(page, tracking_page(&record)?)?;
        note(format_args!("report written to {}", page.display()));
    }
    out.result(&record, || text(&record))?;
    Ok(ExitCode::SUCCESS)
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
