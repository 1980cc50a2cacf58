//! Records of FPGA work: what a build, an estimate and the board in simulation leave behind.

use crate::board::{find, Board, BOARDS};
use crate::build::{BuildRequest, BuildResult, BITSTREAM, FINISHED};
use crate::estimate::{Estimate, Part};
use crate::link::{Host, LinkError};
use crate::sim::board::SimBoard;
use crate::FpgaError;
use records::fpga::{
    Block, FpgaBuildRecord, FpgaEstimateRecord, FpgaSimulationRecord, PathStep, Resource, SCHEMA_VERSION,
};
use records::shared::Origin;
use rtl_gen::config::Config;
use rtl_gen::registers::reg;
use std::path::Path;

/// The clock of `board` in kHz: `asked` in MHz, else the board's own.
pub fn clock_khz(board: &Board, asked: Option<f64>) -> u32 {
    asked.map_or(board.clock_khz, |mhz| (mhz * 1000.0).round().min(1e9) as u32)
}

/// Bytes a cycle that the data pins of a board's 16-bit memory can give.
const PINS_BYTES_PER_CYCLE: f64 = 2.0;

/// nextpnr's names of resources, each with what it is.
const ECP5_RESOURCES: [(&str, &str); 7] = [
    ("TRELLIS_COMB", "LUTs"),
    ("TRELLIS_FF", "flip-flops"),
    ("DP16KD", "block RAMs, 18 Kb"),
    ("MULT18X18D", "multipliers"),
    ("TRELLIS_RAMW", "distributed RAM writers"),
    ("TRELLIS_IO", "pins"),
    ("EHXPLLL", "clock generators"),
];

/// The record of a finished build.
pub fn build(config: &Config, request: &BuildRequest, done: &BuildResult, origin: Origin) -> FpgaBuildRecord {
    let board = request.board;
    let utilisation: Vec<Resource> = (ECP5_RESOURCES.iter())
        .filter_map(|(name, what)| {
            let u = done.utilisation.get(*name)?;
            Some(resource(name, what, u.used as f64, u.available as f64))
        })
        .collect();
    FpgaBuildRecord {
        schema_version: SCHEMA_VERSION,
        board: board.name.into(),
        device: board.device_name.into(),
        config: config.name.clone(),
        clock_mhz: done.clock_mhz,
        fmax_mhz: done.fmax_mhz,
        meets_clock: done.fmax_mhz >= done.clock_mhz,
        fits: utilisation.iter().all(|r| r.used <= r.available),
        utilisation,
        blocks: (done.blocks.iter())
            .map(|b| Block {
                name: b.name.clone(),
                luts: b.luts,
                ffs: b.ffs,
                dsps: b.multipliers,
                brams: b.brams as f64,
                urams: 0,
            })
            .collect(),
        critical_path: (done.report.critical_path.iter())
            .map(|s| PathStep {
                block: s.block.clone(),
                cell: s.cell.clone(),
                kind: s.kind.clone(),
                delay_ns: s.delay_ns,
            })
            .collect(),
        bitstream: BITSTREAM.into(),
        bitstream_bytes: done.bitstream_bytes,
        seed: request.seed,
        tools: done.tools.iter().map(|(k, v)| (k.to_string(), v.clone())).collect(),
        seconds: done.seconds.iter().map(|(k, v)| (k.to_string(), *v)).collect(),
        command: origin.command,
        date: origin.date,
        git_revision: origin.git_revision,
    }
}

fn resource(name: &str, what: &str, used: f64, available: f64) -> Resource {
    Resource { name: name.into(), what: what.into(), used, available }
}

/// Whether the finished build in `folder`, whose record is `text`, was made from what `config` gives now; `None` if it is of another
/// configuration.
///
/// # Errors
/// A record that cannot be read, or one of a board that this program does not know.
pub fn is_of(text: &str, config: &Config, folder: &Path) -> Result<Option<bool>, FpgaError> {
    let origin = folder.join(FINISHED).display().to_string();
    let record: FpgaBuildRecord = records::input::parse(text, &origin, SCHEMA_VERSION)?;
    if record.config != config.name {
        return Ok(None);
    }
    let known = || BOARDS.map(|b| b.name).join(", ");
    let board =
        find(&record.board).ok_or_else(|| FpgaError::UnknownBoard { name: record.board.clone(), known: known() })?;
    let request = BuildRequest { board, clock_khz: clock_khz(board, Some(record.clock_mhz)), seed: record.seed };
    Ok(Some(crate::build::is_of(config, &request, folder)?))
}

/// The record of an estimate of `config` on `part`.
pub fn estimate(config: &Config, part: &Part, done: &Estimate, origin: Origin) -> FpgaEstimateRecord {
    let n = &done.needs;
    let used = [n.luts as f64, n.ffs as f64, n.dsps as f64, n.brams, n.urams as f64];
    let has = [part.luts, part.ffs, part.dsps, part.brams, part.urams].map(|n| n as f64);
    let mut record = FpgaEstimateRecord {
        schema_version: SCHEMA_VERSION,
        part: part.name.into(),
        part_title: part.title.into(),
        part_source: part.source.into(),
        config: config.name.clone(),
        resources: (part.family.resources().iter().zip(used).zip(has))
            .map(|(((name, what), used), has)| resource(name, what, used, has))
            .collect(),
        fits: false,
        fullest: String::new(),
        fullest_share: 0.0,
        units: (done.units.iter())
            .map(|(name, r)| Block {
                name: name.clone(),
                luts: r.luts,
                ffs: r.ffs,
                dsps: r.dsps,
                brams: r.brams,
                urams: r.urams,
            })
            .collect(),
        yosys: done.yosys.clone(),
        command: origin.command,
        date: origin.date,
        git_revision: origin.git_revision,
    };
    record.judge();
    record
}

/// A text that the board in simulation has said.
pub struct Run<'a> {
    pub config: &'a Config,
    pub board: &'a Board,
    /// The clock of the system.
    pub clock_khz: u32,
    pub model: &'a str,
    pub prompt: &'a str,
    /// The tokens after the prompt.
    pub said: Vec<u32>,
    /// The same as text.
    pub text: String,
    /// The tokens that the golden model gives.
    pub expected: Vec<u32>,
    /// Whether the image came over the serial line, not only programs and text.
    pub loaded_over_the_line: bool,
    /// Wall-clock seconds of the run.
    pub seconds: f64,
}

/// The record of `run`, with the counters of the board behind `host`.
///
/// # Errors
/// A board that does not answer.
pub fn simulation(host: &mut Host<SimBoard>, run: Run, origin: Origin) -> Result<FpgaSimulationRecord, LinkError> {
    let cycles = host.read(reg::CYCLES)?;
    let beats = host.read(reg::WEIGHT_BEATS)?;
    let mhz = f64::from(run.clock_khz) / 1000.0;
    let bus_bytes_per_cycle = run.config.beat_bytes() as f64;
    let per_cycle = f64::from(beats) * bus_bytes_per_cycle / f64::from(cycles.max(1));
    let counts = host.line.chip.counts;
    Ok(FpgaSimulationRecord {
        schema_version: SCHEMA_VERSION,
        board: run.board.name.into(),
        config: run.config.name.clone(),
        model: run.model.into(),
        prompt: run.prompt.into(),
        text: run.text,
        golden_equal: run.said == run.expected,
        tokens: run.said,
        clock_mhz: mhz,
        cycles_per_token: cycles.into(),
        tokens_per_s: f64::from(run.clock_khz) * 1000.0 / f64::from(cycles.max(1)),
        memory_bytes_per_cycle: per_cycle,
        memory_mb_per_s: per_cycle * f64::from(run.clock_khz) / 1000.0,
        memory_pins_bytes_per_cycle: PINS_BYTES_PER_CYCLE,
        bus_bytes_per_cycle,
        refresh_gap_us: counts.refresh_gap as f64 * 1000.0 / f64::from(run.clock_khz),
        sdram_reads: counts.reads,
        sdram_activates: counts.activates,
        simulated_cycles: host.line.cycles(),
        seconds: (run.seconds * 10.0).round() / 10.0,
        loaded_over_the_line: run.loaded_over_the_line,
        command: origin.command,
        date: origin.date,
        git_revision: origin.git_revision,
    })
}
