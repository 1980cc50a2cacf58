//! Power of the chip itself: its mapped netlist runs tokens on the bench of the co-simulation, and their toggles become watts.

use crate::energy::{self, ExternalMemory, Work};
use crate::replay::{self, Bench, Cycles, Expected};
use crate::{area, synthesise, Error, Flow};
use records::power::{PowerRecord, ReplayRecord};
use records::shared::Origin;
use sim_harness::chip::{Chip, ChipError};
use sim_harness::session::TokenOptions;
use sim_harness::verilate::Progress;
use std::sync::Arc;

/// The work of one measurement.
pub struct Run<'a> {
    /// Name of the model on the chip.
    pub model: &'a str,
    /// The weight stream in the chip's memory.
    pub image: &'a [u8],
    /// The tokens, `warm_up` of them before the counting begins.
    pub tokens: Vec<u32>,
    pub warm_up: usize,
    /// Where the tokens come from, for people.
    pub sample: String,
    pub external: ExternalMemory,
    /// Runs the netlist in Verilator too, which is told about the progress of its build.
    pub verilator: Option<Progress>,
}

/// The result of a measurement.
pub struct Found {
    pub record: PowerRecord,
    pub report: power::Report,
}

impl Found {
    /// The comparisons of the netlist with the RTL, each with the name of its simulator.
    pub fn replays(&self) -> impl Iterator<Item = (&'static str, &ReplayRecord)> {
        [("own", Some(&self.record.replay)), ("Verilator", self.record.replay_verilator.as_ref())]
            .into_iter()
            .filter_map(|(name, replay)| Some((name, replay?)))
    }
}

/// Maps the chip, runs its RTL and its netlist on the same tokens and turns the netlist's toggles into watts.
///
/// `begin` is called with the cycles that the netlist is going to run; what it returns is told how many of them are done. Differences
/// between the RTL and the golden model are in `chip.totals`, those between netlist and RTL in the record.
///
/// # Errors
/// Libraries without power, a missing or failing tool, or a chip that does not answer.
pub fn measure(
    chip: &mut Chip,
    run: Run,
    flow: &Flow,
    origin: Origin,
    begin: impl FnOnce(u64) -> Cycles,
) -> Result<Found, Error> {
    energy::check(flow.cells)?;
    let config = chip.config.clone();
    let rtl = rtl_gen::hdl::print_specialised(&rtl_gen::blocks::core::top(&config)).map_err(Error::Rtl)?;
    let mut mapped = synthesise(&rtl, flow)?;
    area::areas(&mapped.netlist, flow.cells, &mut mapped.memories);
    let step = |token: &u32| Ok(chip.step(*token, TokenOptions { logits: true, timeline: false })?.result);
    let results = run.tokens.iter().map(step).collect::<Result<Vec<_>, ChipError>>()?;
    let cycles: u64 = chip.totals.cycles.iter().sum();
    let expected = Expected { warm_up: run.warm_up, tokens_in: run.tokens, results, memory: chip.memory_stats() };
    let names = Arc::new(chip.names());
    let bench =
        Bench { config: &config, image: run.image, programs: &chip.program.code, tokens: chip.program.tokens, names };
    let (replay, measured) =
        replay::counted(&mapped.netlist, flow.cells, &bench, &expected, flow.clock_mhz, begin(cycles))?;
    let second = match run.verilator {
        Some(progress) => {
            Some(replay::verilated(&mapped.netlist, flow.cells, &rtl, &bench, &expected, Some(progress))?)
        }
        None => None,
    };
    let stream_units: usize = chip.program.stream.iter().map(|p| p.len).sum();
    let work = Work {
        model: run.model.into(),
        n_params: chip.golden().shape.n_params(),
        stream_bytes_per_token: stream_units as u64 * 64,
        sample: run.sample,
    };
    let (mut record, report) = energy::measure(&config.name, &mapped, flow, measured, replay, &work, run.external)?;
    record.replay_verilator = second;
    record.values_compared_with_golden = chip.totals.outcome.values_checked;
    (record.command, record.date, record.git_revision) = (origin.command, origin.date, origin.git_revision);
    Ok(Found { record, report })
}
