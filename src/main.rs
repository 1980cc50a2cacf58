//! The `anser` command. It parses, calls the libraries and prints; the work is in the libraries beside it.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    let line = cli::args::parse();
    match line.and_then(|line| line.map_or(Ok(ExitCode::SUCCESS), cli::run)) {
        Ok(code) => code,
        Err(error) => {
            if std::env::args_os().any(|a| a == "--json") {
                cli::print::failed(&error.to_string());
            }
            cli::print::note(error);
            ExitCode::from(2)
        }
    }
}
