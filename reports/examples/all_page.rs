//! Makes the page of `anser report all` again from the records in its folder, with nothing run and nothing judged anew:
//!
//! ```text
//! cargo run --release -p reports --example all_page -- reports/runs/2026-11-21-all
//! ```

use records::accuracy::AccuracyRecord;
use records::all::AllRecord;
use records::fpga::SCHEMA_VERSION as FPGA;
use records::input;
use records::latency::LatencyRecord;
use records::output::write;
use reports::all::{headline, page, Records};
use reports::ReportError;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("expected one argument: the folder with all.json");
        return ExitCode::from(2);
    };
    match again(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::from(2)
        }
    }
}

fn again(folder: &Path) -> Result<(), ReportError> {
    const ASIC: u32 = records::asic::SCHEMA_VERSION;
    let mut all = AllRecord::read(&folder.join("all.json"))?;
    for step in &mut all.steps {
        // a folder that was kept may have been kept without the steps' own pages
        step.page = step.page.take().filter(|p| folder.join(p).is_file());
    }
    let mut records = Records::default();
    for step in &all.steps {
        let Some(path) = step.file.as_ref().map(|f| folder.join(f)) else { continue };
        match step.name.as_str() {
            "latency" => records.latency = Some(LatencyRecord::read(&path)?),
            "accuracy" => records.accuracy = Some(AccuracyRecord::read(&path)?),
            "asic" => records.asic = Some(input::read(&path, ASIC)?),
            "power" => records.power = Some(input::read(&path, ASIC)?),
            "place-and-route" => records.build = Some(input::read(&path, FPGA)?),
            _ => records.parts.push((step.name.clone(), input::read(&path, FPGA)?)),
        }
    }
    all.headline = headline(&records)?;
    let json = input::pretty(&all)? + "\n";
    write(&folder.join("all.json"), &json)?;
    Ok(write(&folder.join("index.html"), page(&all, &records)?)?)
}
