//! The command line as a user sees it.

mod chat;
mod fpga;
mod help;
mod idle;
mod model;
mod parse;
mod report;
mod run;

pub use chat::*;
pub use fpga::*;
pub use model::*;
pub use report::*;
pub use run::*;

use super::{print, Error};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

const MODEL: &str = "Checkpoint or .anser image [default: the project's own model]";
const CHIP: &str = "Simulated chip";
const CONVERSATION: &str = "Conversation";
pub const DEFAULT_CONFIG: &str = "nano";

/// From an RWKV-7 checkpoint to an accelerator.
///
/// MODEL is a BlinkDL .pth, a .safetensors, an rwkv.cpp .bin or an .anser image; without one, the model that comes with the
/// project. Exit status: 0 done, 1 a comparison or check failed, 2 the command cannot run.
#[derive(Parser)]
#[command(name = "anser", version)]
pub struct Anser {
    /// Print exactly one JSON object on standard output (progress and logs go to standard error)
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Subcommand)]
pub enum Verb {
    /// Show the shapes and sizes of a model
    Inspect(Inspect),
    /// Write a checkpoint of any shape with random but sane weights
    Random(Random),
    /// Turn a checkpoint into an .anser image: integers in the order the chip streams them
    Quantize(Quantize),
    /// Generate text
    Generate(Generate),
    /// Talk to a model: a line is said, an answer comes, and the state is kept
    ///
    /// Lines that begin with / are commands: /reset, /save FILE, /load FILE, /help, /quit. Lines may come from a terminal or a pipe.
    Chat(Chat),
    /// Print the logits after the last of the given tokens
    Logits(Logits),
    /// Measure quality on a text: bits per token, agreement with float
    Eval(Eval),
    /// Write the RTL of a configuration: Verilog, and what other tools read of it
    ///
    /// README.md in the folder says what each file is for: register descriptions, IP-XACT, FuseSoC, constraints, memories, assertions.
    /// If there is a MODEL, it also writes image.bin, the weight stream to put into memory, program_*.hex, what the four units run, and tb.sv, a bench for
    /// Icarus and Verilator that runs tokens and compares every logit with the golden model's, and one for cocotb.
    Rtl(Rtl),
    /// Compare the RTL with the golden model, vector by vector
    ///
    /// Stops at the first token that differs, prints the first mismatch and exits with status 1.
    Cosim(Cosim),
    /// Measure speed: tokens a second, simulated cycles a second
    Bench(Bench),
    /// Cycles, memory and multipliers of configurations by calculation, in milliseconds each
    ///
    /// Limits (memories, programs) are what the model needs. Lists make a sweep of all combinations. docs/explore.md says how far from the RTL this is.
    Explore(Explore),
    /// Write a report: JSON, and HTML with pictures
    #[command(subcommand)]
    Report(Report),
    /// Build for an FPGA board, simulate the board, run it, or estimate a larger part
    #[command(subcommand)]
    Fpga(Fpga),
}

/// The whole command line, with examples and topics.
fn command() -> clap::Command {
    help::finish(Anser::command())
}

/// Reads the command line. Usage errors and requests for help end the program here, as is usual; a topic's page gives `None`.
///
/// # Errors
/// An option that would have no effect.
pub fn parse() -> Result<Option<Anser>, Error> {
    let matches = command().try_get_matches().unwrap_or_else(|e| {
        // a usage error, or help, which the parser prints by itself
        if e.use_stderr() && std::env::args_os().any(|a| a == "--json") {
            let text = e.to_string();
            let sentence = text.split("\n\n").next().unwrap_or(&text);
            print::failed(&sentence.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" "));
        }
        e.exit()
    });
    if let Some(name) = matches.subcommand_name().filter(|name| help::is_topic(name)) {
        let mut command = command();
        command.build();
        if let Some(page) = command.find_subcommand_mut(name) {
            page.print_long_help()?;
        }
        return Ok(None);
    }
    idle::check(&matches)?;
    Ok(Some(Anser::from_arg_matches(&matches)?))
}
