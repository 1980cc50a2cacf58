//! The whole flow for one configuration, as a record.

use crate::{area, rams, synthesise, timed, tools, Error, Flow, Mapped};
use records::asic::{AsicRecord, SCHEMA_VERSION};
use records::shared::Origin;
use rtl_gen::hdl::Printed;
use std::collections::BTreeMap;

/// Maps, times and adds up `printed`, the top of configuration `config`.
///
/// # Errors
/// A missing or failing tool, and a design that the libraries cannot build.
pub fn report(config: &str, printed: &Printed, flow: &Flow, origin: Origin) -> Result<(AsicRecord, Mapped), Error> {
    tools::check()?;
    let mut mapped = synthesise(printed, flow)?;
    let areas = area::areas(&mapped.netlist, flow.cells, &mut mapped.memories);
    let (timing, sta) = timed(&mapped, flow)?;
    let notes = vec![
        format!(
            "hierarchy is kept: each module with a clock is mapped by itself, modules without one melt into their parents; \
             {} buffers of {} were added between modules, and no net but clock and reset has more than {} sinks",
            mapped.buffers_added, flow.cells.buffer.cell, mapped.worst_fanout
        ),
        "clock and reset are ideal nets: no tree is in the area, no skew in the timing".into(),
        "no placement: wires have neither area nor delay, so real silicon is larger and slower".into(),
        "paths from and to the ports of the chip are not timed".into(),
    ];
    let record = AsicRecord {
        schema_version: SCHEMA_VERSION,
        config: config.into(),
        top: printed.top.clone(),
        libraries: flow.cells.names(),
        corner: flow.cells.corner.clone(),
        clock_mhz: flow.clock_mhz,
        area: areas.area,
        blocks: areas.blocks,
        modules: areas.modules,
        cells: areas.cells,
        memories: rams(&mapped.memories),
        memory_model: flow.memory.words(),
        timing,
        tools: BTreeMap::from([("yosys".into(), mapped.yosys.clone()), ("opensta".into(), sta)]),
        notes,
        command: origin.command,
        date: origin.date,
        git_revision: origin.git_revision,
    };
    Ok((record, mapped))
}
