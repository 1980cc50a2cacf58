//! `fpga estimate`: what a larger part would need.

use super::args::FpgaEstimate;
use super::fpga::{steps, write_record};
use super::model::config;
use super::origin::origin;
use super::print::{command_line, Out};
use super::{Error, CHECK_FAILED};
use fpga::estimate::{Part, PARTS};
use records::fpga::FpgaEstimateRecord;
use records::output::check_folder;
use std::process::ExitCode;

/// The part whose estimates are stored without its name.
const DEFAULT_PART: &str = "xck26";

fn part(name: &str) -> Result<&'static Part, Error> {
    let known = PARTS.map(|p| p.name).join(", ");
    let found = PARTS.into_iter().find(|p| p.name == name);
    found.ok_or_else(|| format!("--part {name}: expected {known}").into())
}

pub fn estimate(a: &FpgaEstimate, out: &Out) -> Result<ExitCode, Error> {
    if let Some(folder) = &a.output {
        check_folder(folder)?;
    }
    let record = measure(a, command_line().join(" "))?;
    if let Some(folder) = &a.output {
        let part = if record.part == DEFAULT_PART { String::new() } else { format!("-{}", record.part) };
        write_record(folder, &format!("estimate-{}{part}.json", record.config), &record)?;
    }
    out.result(&record, || {
        let needs: String = (record.resources.iter())
            .map(|r| {
                format!("{:>8} of {:>7} {} ({}), {:.1} %\n", r.used, r.available, r.what, r.name, r.share() * 100.0)
            })
            .collect();
        format!(
            "{needs}{} on {}: {}",
            record.config,
            record.part_title,
            if record.fits { "fits" } else { "does not fit" }
        )
    })?;
    Ok(if record.fits { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
}

/// Synthesises; writes nothing but the cache.
pub fn measure(a: &FpgaEstimate, command: String) -> Result<FpgaEstimateRecord, Error> {
    let part = part(&a.part)?;
    let config = config(&a.config)?;
    let folder = sim_harness::cache::default_dir().join(format!("estimate-{}-{}", part.name, config.name));
    check_folder(&folder)?;
    let (spinner, tell) = steps();
    let done = fpga::estimate::estimate(&config, part, &folder, &tell);
    spinner.finish_and_clear();
    let done = done?;
    Ok(fpga::record::estimate(&config, part, &done, origin(command)))
}
