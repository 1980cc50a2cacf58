//! Areas added up: by library cell, by RTL module, by RTL instance.

use crate::library::Cells;
use crate::memory::Plan;
use crate::netlist::Netlist;
use records::asic::{Area, Block, CellCount, ModuleArea};
use std::collections::BTreeMap;

/// Blocks deeper than this are in their parents only.
pub const MAX_DEPTH: usize = 4;

#[derive(Clone, Copy, Default)]
struct Sum {
    logic: f64,
    memory: f64,
    cells: usize,
}

pub struct Areas {
    pub area: Area,
    pub blocks: Vec<Block>,
    pub modules: Vec<ModuleArea>,
    pub cells: BTreeMap<String, CellCount>,
}

/// Adds up `netlist`; `plans` gets the number of instances of each memory.
pub fn areas(netlist: &Netlist, cells: &Cells, plans: &mut BTreeMap<String, Plan>) -> Areas {
    let instances = netlist.instances();
    for (module, plan) in plans.iter_mut() {
        plan.ram.instances = instances.get(module).copied().unwrap_or(0);
    }
    let mut all = Areas { area: Area::default(), blocks: vec![], modules: vec![], cells: BTreeMap::new() };
    for module in netlist.modules.values() {
        let n = instances.get(&module.name).copied().unwrap_or(0);
        let mut own =
            ModuleArea { module: module.name.clone(), instances: n, own_um2: 0.0, own_cells: 0, flip_flops: 0 };
        for kind in module.cells.iter().map(|c| &c.kind) {
            let Some(cell) = cells.cells.get(kind) else { continue };
            own.own_um2 += cell.area_um2;
            own.own_cells += 1;
            if cell.register.is_some() {
                own.flip_flops += 1;
                all.area.sequential_um2 += cell.area_um2 * n as f64;
            }
            let count = all.cells.entry(kind.clone()).or_default();
            count.count += n;
            count.um2 += cell.area_um2 * n as f64;
        }
        all.area.n_cells += own.own_cells * n;
        all.area.n_flip_flops += own.flip_flops * n;
        if n > 0 {
            all.modules.push(own);
        }
    }
    all.modules.sort_by(|a, b| (b.own_um2 * b.instances as f64).total_cmp(&(a.own_um2 * a.instances as f64)));
    let mut known = BTreeMap::new();
    let total = sum(netlist, &netlist.top, cells, plans, &mut known);
    blocks(netlist, &netlist.top, "", 0, &known, plans, &mut all.blocks);
    all.area.logic_um2 = total.logic;
    all.area.memory_um2 = total.memory;
    all.area.total_um2 = total.logic + total.memory;
    all.area.nand2_um2 = cells.nand2_um2;
    all.area.gate_equivalents = total.logic / cells.nand2_um2;
    all.area.memory_bits = plans.values().map(|p| p.ram.bits * p.ram.words * p.ram.instances).sum();
    all
}

/// The module with all that is in it.
fn sum(
    netlist: &Netlist,
    module: &str,
    cells: &Cells,
    plans: &BTreeMap<String, Plan>,
    known: &mut BTreeMap<String, Sum>,
) -> Sum {
    if let Some(s) = known.get(module) {
        return *s;
    }
    let mut s = Sum::default();
    if let Some(plan) = plans.get(module) {
        s.memory = plan.ram.area_um2;
    } else if let Some(m) = netlist.modules.get(module) {
        for cell in &m.cells {
            if let Some(c) = cells.cells.get(&cell.kind) {
                s.logic += c.area_um2;
                s.cells += 1;
            } else {
                let inner = sum(netlist, &cell.kind, cells, plans, known);
                s.logic += inner.logic;
                s.memory += inner.memory;
                s.cells += inner.cells;
            }
        }
    }
    known.insert(module.to_string(), s);
    s
}

fn blocks(
    netlist: &Netlist,
    module: &str,
    path: &str,
    depth: usize,
    known: &BTreeMap<String, Sum>,
    plans: &BTreeMap<String, Plan>,
    out: &mut Vec<Block>,
) {
    let s = known.get(module).copied().unwrap_or_default();
    let name = if path.is_empty() { "top" } else { path };
    out.push(Block {
        path: name.into(),
        module: module.into(),
        depth,
        logic_um2: s.logic,
        memory_um2: s.memory,
        n_cells: s.cells,
    });
    let Some(m) = netlist.modules.get(module).filter(|_| depth < MAX_DEPTH) else { return };
    let mut children: Vec<_> =
        m.cells.iter().filter(|c| netlist.modules.contains_key(&c.kind) || plans.contains_key(&c.kind)).collect();
    children.sort_by(|a, b| a.name.cmp(&b.name));
    for child in children {
        let own = child.name.trim_start_matches("u_");
        let inner = if path.is_empty() { own.to_string() } else { format!("{path}.{own}") };
        blocks(netlist, &child.kind, &inner, depth + 1, known, plans, out);
    }
}
