//! The `anser` command. It parses, calls the libraries and prints; the work is in the libraries beside it.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(cli::args::Anser::parse()) {
        Ok(code) => code,
        Err(error) => {
            cli::print::note(error);
            ExitCode::from(2)
        }
    }
}
