//! Makes the page of `anser report all` again from the records in its folder, with nothing run and nothing judged anew:
//!
//! ```text
//! cargo run --release -p reports --example all_page -- reports/runs/2026-11-21-all
//! ```

use records::all::AllRecord;
use records::input;
use records::output::write;
use records::RecordError;
use reports::all::{headline, page, Records, Report};
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
    let mut all = AllRecord::read(&folder.join("all.json"))?;
    for step in &mut all.steps {
        // a folder that was kept may have been kept without the steps' own pages
        step.page = step.page.take().filter(|p| folder.join(p).is_file());
    }
    let mut records = Records::default();
    for step in &all.steps {
        let (Some(file), Some(report)) = (&step.file, Report::named(&step.name)) else { continue };
        let text = records::text::read(&folder.join(file)).map_err(RecordError::from)?;
        records.take_in(report, &text)?;
    }
    all.headline = headline(&records)?;
    let json = input::pretty(&all)? + "\n";
    write(&folder.join("all.json"), &json)?;
    Ok(write(&folder.join("index.html"), page(&all, &records)?)?)
}
