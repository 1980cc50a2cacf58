//! The simulated chip for a verb.

use super::args::{Chip as ChipArgs, Memory, Numbers};
use super::model::{config_for, Model};
use super::print::{command_line, note};
use super::Error;
use golden_model::image::layout::{stream, StreamLayout};
use golden_model::network::model::QModel;
use records::output::check_file;
use records::run::GeneratedOnChip;
use sim_harness::chip::{Chip, ChipError, ChipOptions};
use sim_harness::toolchain;
use sim_harness::verilate::BuildOptions;
use std::sync::Arc;

/// Builds (or takes from the cache) the simulator of the configuration and puts the model on it.
///
/// The image stays in memory until the program ends: a command has one chip.
pub fn build(model: &Model, numbers: &Numbers, args: &ChipArgs, seed: u64) -> Result<Chip<'static>, Error> {
    Ok(with_image(model, numbers, args, seed)?.0)
}

/// [`build`], and the image that lies in the simulated memory.
pub fn with_image(
    model: &Model,
    numbers: &Numbers,
    args: &ChipArgs,
    seed: u64,
) -> Result<(Chip<'static>, &'static [u8]), Error> {
    if let Some(path) = &args.trace {
        check_file(path)?;
    }
    let mut config = config_for(&args.config, args.sessions)?;
    if !config.streams_state() {
        if args.state_needed && config.sessions > 1 {
            return Err(ChipError::StateStays(config.name).into());
        }
        // registers that are used between tokens change no cycle of a token
        config.state_port |= (args.state_needed || args.state_wanted) && config.sessions == 1;
    }
    match args.memory {
        Some(Memory::Ideal) => config.memory.ddr4 = None,
        Some(Memory::Ddr4) if config.memory.ddr4.is_none() => {
            return Err(format!(
                "configuration {} has no section [memory.ddr4], expected one for --memory ddr4",
                config.name
            )
            .into())
        }
        _ => {}
    }
    toolchain::check_simulator()?;
    let (golden, _) = model.quantised(&model.numbers_for(&config, numbers))?;
    let image = lasting_stream(model, &golden);
    let mut view = rtl_gen::program::model::view(&golden, &StreamLayout::of(&golden));
    view.skip_columns = args.skip_columns;
    // called only when the cache has no simulator for this configuration
    let build = BuildOptions { progress: Some(Arc::new(|step| note(step))), ..BuildOptions::default() };
    let options = ChipOptions { stall: args.stall, seed, trace: args.trace.clone(), build };
    Ok((Chip::new(&config, golden, &view, image, &options)?, image))
}

/// The weight stream of `golden`, kept until the program ends: of an image where it lies in its file, of a checkpoint encoded here.
pub fn lasting_stream(model: &Model, golden: &QModel) -> &'static [u8] {
    match model {
        Model::Image(image) => Box::leak(Box::new(image.clone())).stream(),
        Model::Checkpoint(_) => Box::leak(stream(golden).into_boxed_slice()),
    }
}

/// What `chip` did so far, as `generate` and `chat` print it.
pub fn on_chip(chip: &Chip<'static>) -> GeneratedOnChip {
    let totals = &chip.totals;
    GeneratedOnChip {
        config: chip.config.name.clone(),
        cycles_per_token: totals.a_token(&totals.cycles),
        bytes_per_token: totals.a_token(&totals.bytes),
        skipped_columns: totals.a_token(&totals.skipped_columns),
        mismatches: totals.outcome.mismatches,
        values_checked: totals.outcome.values_checked,
    }
}

/// Prints the first mismatch and the command that shows it with a waveform. Returns whether there was one.
pub fn report_mismatch(chip: &Chip, args: &ChipArgs, seed: u64) -> bool {
    let outcome = &chip.totals.outcome;
    let Some(first) = &outcome.first else { return outcome.mismatches > 0 };
    note(format_args!("{} mismatches, the first: {first}", outcome.mismatches));
    let arguments: Vec<String> = command_line().into_iter().filter(|a| a != "--json").collect();
    let trace = if args.trace.is_some() { "" } else { " --trace mismatch.fst" };
    note(format_args!("to see it (cycle n is time 2n of the waveform, seed {seed}): {}{trace}", arguments.join(" ")));
    true
}
