//! From printed RTL to silicon figures: area, timing, a netlist that simulates, power of what it did. Runs tools, gives records.
//!
//! The path of a module: [`front`] splits the design into pieces, [`map`] turns each into library cells (kept by content, so
//! that a changed block is mapped alone), [`buffers`] finishes its nets, [`timing`] asks OpenSTA about the whole and names the
//! worst paths by RTL module, [`area`] adds up. Memories are cut out at the start; [`memory`] says what stands in for them.
//! `docs/asic.md` has the method, its parameters and what it leaves out.

pub mod area;
pub mod buffers;
pub mod chip_power;
pub mod energy;
pub mod error;
pub mod flat;
mod folder;
pub mod front;
pub mod interpret;
pub mod library;
pub mod map;
pub mod memory;
pub mod netlist;
pub mod replay;
pub mod run;
pub mod simulate;
pub mod timing;
pub mod tools;

pub use error::Error;

use folder::Folder;
use library::Cells;
use memory::{Model, Plan};
use netlist::Netlist;
use records::asic::{Ram, Timing};
use rtl_gen::hdl::Printed;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The parameters of a run of the flow.
pub struct Flow<'a> {
    pub cells: &'a Cells,
    pub memory: Model,
    /// The clock that mapping aims at
    pub clock_mhz: f64,
    /// Folder of finished results
    pub cache: PathBuf,
    /// Receives a sentence about each step
    pub progress: Option<&'a (dyn Fn(&str) + Sync)>,
}

impl Flow<'_> {
    fn say(&self, text: &str) {
        if let Some(progress) = self.progress {
            progress(text);
        }
    }
}

/// A design as cells.
pub struct Mapped {
    pub netlist: Netlist,
    /// By module name; the number of instances is filled in by [`area::areas`]
    pub memories: BTreeMap<String, Plan>,
    /// Buffers added to what ABC did
    pub buffers_added: usize,
    pub worst_fanout: usize,
    pub yosys: String,
}

/// Maps a design.
///
/// Fails when Yosys is missing or refuses, and when the result holds a cell that no library has.
pub fn synthesise(printed: &Printed, flow: &Flow) -> Result<Mapped, Error> {
    let cut = memory::cut(printed)?;
    let yosys = tools::yosys()?;
    let pieces = front::split(printed, &cut, &yosys, &Folder::new("asic")?)?;
    let mut netlist = map::map(&pieces, &printed.top, cut, flow, &yosys)?;
    let directions: BTreeMap<(String, String), bool> = netlist
        .modules
        .values()
        .flat_map(|m| m.ports.iter().map(|p| ((m.name.clone(), p.name.clone()), !p.is_input)))
        .collect();
    let cut = netlist.memories.clone();
    let is_child = |kind: &str| cut.contains_key(kind) || pieces.contains_key(kind);
    let mut memories = BTreeMap::new();
    let (mut buffers_added, mut worst_fanout) = (0, 0);
    let mut loads = buffers::Loads::new();
    for name in netlist.inner_first() {
        let Some(module) = netlist.modules.get_mut(&name) else { continue };
        module.set_directions(|kind, pin| match flow.cells.cells.get(kind) {
            Some(cell) => Some(cell.outputs.iter().any(|(name, _)| name == pin)),
            None if cut.contains_key(kind) => Some(pin == "rdata_o"),
            None => directions.get(&(kind.to_string(), pin.to_string())).copied(),
        })?;
        buffers_added += buffers::finish(module, flow.cells, &mut loads);
        worst_fanout = worst_fanout.max(buffers::worst_fanout(module, &loads));
        module.rename(|kind| flow.cells.cells.get(kind).is_some_and(|c| c.register.is_some()), is_child);
        for kind in module.cells.iter().map(|c| &c.kind) {
            if let Some((bits, words)) = cut.get(kind) {
                memories.entry(kind.clone()).or_insert_with(|| flow.memory.plan(kind, *bits, *words, flow.cells));
            }
        }
    }
    Ok(Mapped { netlist, memories, buffers_added, worst_fanout, yosys: yosys.version })
}

/// Times a mapped design; kept by content like everything else.
pub fn timed(mapped: &Mapped, flow: &Flow) -> Result<(Timing, String), Error> {
    let sta = tools::sta()?;
    let plans: Vec<Plan> = mapped.memories.values().cloned().collect();
    let liberty = memory::liberty(&plans, flow.cells);
    let verilog = mapped.netlist.verilog();
    let sdc = timing::sdc(flow.cells, flow.clock_mhz);
    let texts = flow.cells.texts.iter().map(|(_, t)| t.as_str());
    let own = [verilog.as_str(), &liberty, &sdc, &sta.version, timing::VERSION];
    let key = map::key("timing", own.into_iter().chain(texts));
    let build = |dir: &std::path::Path| -> Result<(), Error> {
        flow.say("OpenSTA: timing the whole design");
        let work = Folder::new("sta")?;
        let timing = timing::analyse(&mapped.netlist, flow.cells, &liberty, flow.clock_mhz, &sta, &work)?;
        let path = dir.join("timing.json");
        std::fs::write(&path, serde_json::to_vec(&timing).unwrap_or_default()).map_err(Error::io(path))
    };
    let entry = sim_harness::cache::get(&flow.cache, &key, build).map_err(Error::io(&flow.cache))??;
    Ok((folder::json(&entry.join("timing.json"), "an earlier run")?, sta.version))
}

/// The memories with their number of instances, largest first.
pub fn rams(memories: &BTreeMap<String, Plan>) -> Vec<Ram> {
    let mut rams: Vec<Ram> = memories.values().map(|p| p.ram.clone()).collect();
    rams.sort_by(|a, b| (b.area_um2 * b.instances as f64).total_cmp(&(a.area_um2 * a.instances as f64)));
    rams
}
