//! `report latency`: one token on the chip, cycle by cycle.

use super::args::Latency;
use super::model::Model;
use super::origin::origin;
use super::print::{bar, command_line, note, Out};
use super::{chip, Error, CHECK_FAILED};
use records::latency::LatencyRecord;
use records::output::check_folder;
use sim_harness::latency::TOKENS;
use std::process::ExitCode;

pub fn latency(a: &Latency, out: &Out) -> Result<ExitCode, Error> {
    if let Some(folder) = &a.output {
        check_folder(folder)?;
    }
    let (record, failed) = measure(a, command_line().join(" "))?;
    let summary = reports::summary::summary(&record)?;
    if let Some(folder) = &a.output {
        let files = reports::output::write_latency_report(&record, folder)?;
        note(format_args!("report written to {}", files.page.display()));
    }
    out.result(&summary, || {
        format!(
            "{} on {}: {} cycles a token, weight stream utilisation {:.1} %, {:.1} tokens/s at {} MHz",
            record.model,
            record.config,
            summary.cycles_per_token,
            summary.utilisation * 100.0,
            summary.tokens_per_s,
            record.clock_mhz
        )
    })?;
    Ok(if failed { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

/// Runs the tokens and writes nothing. Returns whether a value differed from the golden model.
pub fn measure(a: &Latency, command: String) -> Result<(LatencyRecord, bool), Error> {
    let (model, name) = Model::open(&a.model)?;
    let mut chip = chip::build(&model, &a.numbers, &a.chip, 0)?;
    let bar = bar(TOKENS as u64, "tokens");
    let record = sim_harness::latency::measure(&mut chip, &name, origin(command), || bar.inc(1))?;
    bar.finish_and_clear();
    let failed = chip::report_mismatch(&chip, &a.chip, 0);
    Ok((record, failed))
}
