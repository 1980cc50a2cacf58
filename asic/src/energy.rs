//! Power of the replayed netlist, and what a token costs.
//!
//! Watts come from `power`: Liberty tables, pin capacitances, leakage, and the toggles the replay counted on every net,
//! spread over the time those cycles take at the wanted clock. Here they are added up by RTL instance and turned into energy.

use crate::folder::Folder;
use crate::library::Cells;
use crate::memory;
use crate::{timing, Error, Flow, Mapped};
use power::activity::{Measured, Source};
use power::{Inputs, Report};
use records::asic::SCHEMA_VERSION;
use records::power::{BlockPower, External, MemoryPower, PowerRecord, ReplayRecord};
use records::shared::Watts;
use std::collections::BTreeMap;

/// The energy that external memory is assumed to take, in picojoules a bit.
#[derive(Clone, Copy, Debug)]
pub struct ExternalMemory {
    pub low: f64,
    pub typical: f64,
    pub high: f64,
}

impl Default for ExternalMemory {
    fn default() -> Self {
        ExternalMemory { low: 3.9, typical: 20.0, high: 40.0 }
    }
}

/// Where the range is from.
pub const EXTERNAL_SOURCE: &str =
    "20 to 40 pJ a bit: M. Horowitz, Computing's energy problem, ISSCC 2014 (1.3 to 2.6 nJ for 64 bits of DRAM); \
    3.9 pJ a bit: HBM2 in M. O'Connor et al., Fine-Grained DRAM, MICRO 2017";

/// The model on the chip, from which energy a parameter and energy of the external memory follow.
#[derive(Clone, Debug)]
pub struct Work {
    pub model: String,
    pub n_params: u64,
    pub stream_bytes_per_token: u64,
    /// Where the tokens are from, for people
    pub sample: String,
}

/// Power from the toggles of a replay.
pub fn measure(
    config: &str,
    mapped: &Mapped,
    flow: &Flow,
    measured: Measured,
    replay: ReplayRecord,
    work: &Work,
    external: ExternalMemory,
) -> Result<(PowerRecord, Report), Error> {
    let report = watts(mapped, flow, measured)?;
    let seconds_per_token = replay.cycles as f64 / replay.tokens.max(1) as f64 / (flow.clock_mhz * 1e6);
    let found = &report.power;
    let total = found.groups.total.total;
    let external_bits = work.stream_bytes_per_token as f64 * 8.0;
    let joules = total * seconds_per_token;
    let external = External {
        bytes_per_token: work.stream_bytes_per_token,
        pj_per_bit: external.typical,
        pj_per_bit_low: external.low,
        pj_per_bit_high: external.high,
        j_per_token: external_bits * external.typical * 1e-12,
        j_per_token_low: external_bits * external.low * 1e-12,
        j_per_token_high: external_bits * external.high * 1e-12,
        source: EXTERNAL_SOURCE.into(),
    };
    let record = PowerRecord {
        schema_version: SCHEMA_VERSION,
        config: config.into(),
        model: work.model.clone(),
        n_params: work.n_params,
        libraries: flow.cells.names(),
        corner: flow.cells.corner.clone(),
        clock_mhz: flow.clock_mhz,
        level: "L2: toggles of the netlist, no wires".into(),
        annotated: found.annotated,
        n_nets: found.n_nets,
        n_instances: found.n_instances,
        watts: found.watts.into(),
        groups: found.groups.into(),
        blocks: blocks(&report),
        memories: memories(&report, seconds_per_token),
        memory_model: flow.memory.words(),
        tokens: replay.tokens,
        warm_up: replay.warm_up,
        sample: work.sample.clone(),
        cycles_per_token: replay.cycles as f64 / replay.tokens.max(1) as f64,
        seconds_per_token,
        j_per_token: joules,
        pj_per_parameter: joules * 1e12 / work.n_params.max(1) as f64,
        external,
        replay,
        replay_verilator: None,
        values_compared_with_golden: 0,
        notes: found.notes.clone(),
        tools: BTreeMap::from([("yosys".into(), mapped.yosys.clone())]),
        command: String::new(),
        date: String::new(),
        git_revision: None,
    };
    Ok((record, report))
}

fn watts(mapped: &Mapped, flow: &Flow, measured: Measured) -> Result<Report, Error> {
    let work = Folder::new("power")?;
    let mut libraries = vec![];
    for (name, text) in &flow.cells.texts {
        libraries.push(work.write(name, text)?);
    }
    let plans: Vec<memory::Plan> = mapped.memories.values().cloned().collect();
    libraries.push(work.write("memories.lib", &memory::liberty(&plans, flow.cells))?);
    let inputs = Inputs {
        netlist: work.write("netlist.v", &mapped.netlist.verilog())?,
        top: Some(mapped.netlist.top.clone()),
        libraries,
        sdc: Some(work.write("clock.sdc", &timing::clock(flow.cells, flow.clock_mhz))?),
        spef: None,
        activity: Source::Saif("the replay".into()),
        scope: mapped.netlist.top.clone(),
    };
    Ok(power::analyse_measured(&inputs, measured)?)
}

/// Sums by RTL instance, down to the depth that area has.
fn blocks(report: &Report) -> Vec<BlockPower> {
    let mut sums: BTreeMap<String, (Watts, f64)> = BTreeMap::new();
    for i in &report.instances {
        let parts: Vec<&str> = i.name.split('.').collect();
        let is_memory = i.group == "macro";
        for depth in 0..parts.len().min(crate::area::MAX_DEPTH + 1) {
            let path: Vec<&str> = parts[..depth].iter().map(|p| p.trim_start_matches("u_")).collect();
            let path = if path.is_empty() { "top".to_string() } else { path.join(".") };
            let sum = sums.entry(path).or_default();
            sum.0.add(&i.watts);
            sum.1 += if is_memory { i.watts.total } else { 0.0 };
        }
    }
    let blocks = sums.into_iter().map(|(path, (w, memory_w))| BlockPower {
        depth: if path == "top" { 0 } else { path.matches('.').count() + 1 },
        path,
        logic_w: w.total - memory_w,
        memory_w,
        total_w: w.total,
    });
    blocks.collect()
}

/// Each memory on its own: they are few and large.
fn memories(report: &Report, seconds_per_token: f64) -> Vec<MemoryPower> {
    let of = report.instances.iter().filter(|i| i.group == "macro").map(|i| MemoryPower {
        path: i.name.split('.').map(|p| p.trim_start_matches("u_")).collect::<Vec<_>>().join("."),
        module: i.cell.clone(),
        watts: i.watts.total,
        leakage_w: i.watts.leakage,
        j_per_token: i.watts.total * seconds_per_token,
    });
    let mut all: Vec<MemoryPower> = of.collect();
    all.sort_by(|a, b| b.watts.total_cmp(&a.watts));
    all
}

/// Fails unless the libraries can give power at all; said before minutes of work.
pub fn check(cells: &Cells) -> Result<(), Error> {
    match cells.has_power {
        true => Ok(()),
        false => Err(Error::NoPower { libraries: cells.names().join(", ") }),
    }
}
