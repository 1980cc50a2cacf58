//! The verbs: each reads its arguments, calls the libraries and prints.

mod accuracy;
mod all;
pub mod args;
mod asic;
mod bench;
mod chat;
mod chip;
mod chip_power;
mod conversation;
mod engine;
mod estimate;
mod eval;
mod explore;
mod files;
mod fpga;
mod generate;
mod inspect;
mod integers;
mod latency;
mod model;
mod npy;
mod origin;
mod overlay;
mod power;
pub mod print;
mod quantise;
mod rtl;
mod rtl_bench;
mod rtl_folder;
mod tracking;

use args::{Anser, Fpga, Report, Verb};
use std::process::ExitCode;

/// Anything that keeps a command from running; its text is the one sentence the user sees.
pub type Error = Box<dyn std::error::Error>;

/// Exit status 1: the command ran and a comparison or check failed.
pub const CHECK_FAILED: u8 = 1;

/// Runs one verb. `Err` is exit status 2.
pub fn run(anser: Anser) -> Result<ExitCode, Error> {
    let out = print::Out { json: anser.json };
    match anser.verb {
        Verb::Inspect(a) => inspect::inspect(&a, &out),
        Verb::Random(a) => inspect::random(&a, &out),
        Verb::Quantize(a) => quantise::quantize(&a, &out),
        Verb::Generate(a) => generate::generate(&a, &out),
        Verb::Chat(a) => chat::chat(&a, &out),
        Verb::Logits(a) => generate::logits(&a, &out),
        Verb::Eval(a) => eval::eval(&a, &out),
        Verb::Rtl(a) => rtl::rtl(&a, &out),
        Verb::Cosim(a) => generate::cosim(&a, &out),
        Verb::Bench(a) => bench::bench(&a, &out),
        Verb::Explore(a) => explore::explore(&a, &out),
        Verb::Report(Report::Latency(a)) => latency::latency(&a, &out),
        Verb::Report(Report::Accuracy(a)) => accuracy::accuracy(&a, &out),
        Verb::Report(Report::Power(a)) => power::power(&a, &out),
        Verb::Report(Report::All(a)) => all::all(&a, &out),
        Verb::Report(Report::Tracking(a)) => tracking::tracking(&a, &out),
        Verb::Report(Report::Asic(a)) => asic::asic(&a, &out),
        Verb::Fpga(Fpga::Build(a)) => fpga::build(&a, &out),
        Verb::Fpga(Fpga::Simulate(a)) => fpga::simulate(&a, &out),
        Verb::Fpga(Fpga::Load(a)) => fpga::load(&a, &out),
        Verb::Fpga(Fpga::Run(a)) => fpga::run(&a, &out),
        Verb::Fpga(Fpga::Overlay(a)) => overlay::overlay(&a, &out),
        Verb::Fpga(Fpga::Bus(a)) => overlay::bus(&a, &out),
        Verb::Fpga(Fpga::Estimate(a)) => estimate::estimate(&a, &out),
    }
}
