//! What mapping leaves undone on nets: constants without a cell, and more sinks than one cell can drive.
//!
//! ABC buffers what it sees, the logic of a module. A net from a register straight to many registers or to many instances
//! it does not see; those get a balanced tree of the library's strong buffer here. Clock and reset stay ideal: their trees
//! belong to place and route, and are in no figure. A tie cell serves as many pins as a buffer would.

use crate::library::{Cells, Part};
use crate::map::MAX_FANOUT;
use crate::netlist::{Bit, Cell, Module, Pin};
use std::collections::{BTreeMap, HashSet};

/// Nets of these ports have no tree.
pub const IDEAL: [&str; 2] = ["clk_i", "rst_ni"];

/// Where a bit is used: cell, pin, bit.
type Sink = (usize, usize, usize);

/// Ties constants and splits nets with more than [`MAX_FANOUT`] sinks; gives the number of buffers added.
pub fn finish(module: &mut Module, cells: &Cells) -> usize {
    // tie cells replace constants first, so that they too obey the limit
    let ties = [(Bit::Zero, &cells.tie_low), (Bit::One, &cells.tie_high)];
    for (value, part) in ties {
        if let Some(part) = part {
            let sinks: Vec<Sink> = sinks(module).remove(&value).unwrap_or_default();
            for group in sinks.chunks(MAX_FANOUT) {
                let net = tie(module, part);
                group.iter().for_each(|&(c, p, b)| module.cells[c].pins[p].bits[b] = Bit::Net(net));
            }
            let open: Vec<(usize, usize)> = constant_outputs(module, value);
            for (port, bit) in open {
                module.ports[port].bits[bit] = Bit::Net(tie(module, part));
            }
        }
    }
    let ideal: HashSet<Bit> =
        module.ports.iter().filter(|p| IDEAL.contains(&p.name.as_str())).flat_map(|p| p.bits.clone()).collect();
    let mut added = 0;
    for (bit, mut sinks) in sinks(module) {
        if !matches!(bit, Bit::Net(_)) || ideal.contains(&bit) {
            continue;
        }
        while sinks.len() > MAX_FANOUT {
            let mut level = vec![];
            for group in sinks.chunks(MAX_FANOUT) {
                let net = module.new_net();
                group.iter().for_each(|&(c, p, b)| module.cells[c].pins[p].bits[b] = Bit::Net(net));
                level.push((module.cells.len(), 0, 0));
                module.cells.push(buffer(&cells.buffer, bit, net));
            }
            added += level.len();
            sinks = level;
        }
    }
    added
}

fn sinks(module: &Module) -> BTreeMap<Bit, Vec<Sink>> {
    let mut map: BTreeMap<Bit, Vec<Sink>> = BTreeMap::new();
    for (c, cell) in module.cells.iter().enumerate() {
        for (p, pin) in cell.pins.iter().enumerate().filter(|(_, pin)| !pin.drives) {
            for (b, bit) in pin.bits.iter().enumerate() {
                map.entry(*bit).or_default().push((c, p, b));
            }
        }
    }
    map
}

fn constant_outputs(module: &Module, value: Bit) -> Vec<(usize, usize)> {
    let ports = module.ports.iter().enumerate().filter(|(_, p)| !p.is_input);
    ports.flat_map(|(i, p)| p.bits.iter().enumerate().filter(|(_, b)| **b == value).map(move |(j, _)| (i, j))).collect()
}

fn tie(module: &mut Module, part: &Part) -> u32 {
    let net = module.new_net();
    let pins = vec![Pin { name: part.output.clone(), drives: true, bits: vec![Bit::Net(net)] }];
    module.cells.push(Cell { name: String::new(), kind: part.cell.clone(), pins });
    net
}

/// The cell from `from` to `to`; its input comes first.
fn buffer(part: &Part, from: Bit, to: u32) -> Cell {
    let pins = vec![
        Pin { name: part.input.clone(), drives: false, bits: vec![from] },
        Pin { name: part.output.clone(), drives: true, bits: vec![Bit::Net(to)] },
    ];
    Cell { name: String::new(), kind: part.cell.clone(), pins }
}

/// The largest number of sinks of a net, ideal ones and constants aside.
pub fn worst_fanout(module: &Module) -> usize {
    let ideal: HashSet<Bit> =
        module.ports.iter().filter(|p| IDEAL.contains(&p.name.as_str())).flat_map(|p| p.bits.clone()).collect();
    let nets = sinks(module).into_iter().filter(|(b, _)| matches!(b, Bit::Net(_)) && !ideal.contains(b));
    nets.map(|(_, s)| s.len()).max().unwrap_or(0)
}
