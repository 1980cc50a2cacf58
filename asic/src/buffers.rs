//! What mapping leaves undone on nets: constants without a cell, and more sinks than one cell can drive.
//!
//! ABC buffers what it sees, the logic of a module. A net from a register straight to many registers or to many instances
//! it does not see; those get a balanced tree of the library's strong buffer here. A port of an instance counts as many sinks as
//! hang on it inside, and an output that is used inside as well may drive as many fewer outside. Clock and reset stay ideal: their
//! trees belong to place and route, and are in no figure. A tie cell serves as many pins as a buffer would.

use crate::library::{Cells, Part};
use crate::map::MAX_FANOUT;
use crate::netlist::{Bit, Cell, Module, Pin};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Nets of these ports, and nets that drive such a port of an instance, have no tree.
pub const IDEAL: [&str; 3] = ["clk_i", "rst_ni", "bus_rst_ni"];

/// Where a bit is used: cell, pin, bit; and how many pins of cells that is.
#[derive(Clone, Copy)]
struct Sink {
    at: (usize, usize, usize),
    load: usize,
}

/// Pins of cells that hang on each bit of a module's port, inside of it: (module, port), a number a bit.
pub type Loads = HashMap<(String, String), Vec<usize>>;

/// Ties constants and splits nets with more than [`MAX_FANOUT`] sinks; gives the number of buffers added. `loads` must know the modules
/// that stand in this one; this one is added.
pub fn finish(module: &mut Module, cells: &Cells, loads: &mut Loads) -> usize {
    // tie cells replace constants first, so that they too obey the limit
    let ties = [(Bit::Zero, &cells.tie_low), (Bit::One, &cells.tie_high)];
    for (value, part) in ties {
        if let Some(part) = part {
            let sinks = sinks(module, loads).remove(&value).unwrap_or_default();
            for group in groups(&sinks) {
                let net = tie(module, part);
                connect(module, group, net);
            }
            let open: Vec<(usize, usize)> = constant_outputs(module, value);
            for (port, bit) in open {
                module.ports[port].bits[bit] = Bit::Net(tie(module, part));
            }
        }
    }
    let ideal = ideal(module);
    let mut taken = inside_drivers(module, loads);
    // a net that leaves drives one pin out there
    for bit in module.ports.iter().filter(|p| !p.is_input).flat_map(|p| &p.bits) {
        *taken.entry(*bit).or_default() += 1;
    }
    let mut added = 0;
    for (bit, mut sinks) in sinks(module, loads) {
        if !matches!(bit, Bit::Net(_)) || ideal.contains(&bit) {
            continue;
        }
        let room = MAX_FANOUT.saturating_sub(taken.get(&bit).copied().unwrap_or(0)).max(1);
        while total(&sinks) > room {
            let mut level = vec![];
            for group in groups(&sinks) {
                let net = module.new_net();
                connect(module, group, net);
                level.push(Sink { at: (module.cells.len(), 0, 0), load: 1 });
                module.cells.push(buffer(&cells.buffer, bit, net));
            }
            added += level.len();
            sinks = level;
        }
    }
    let by_bit = sinks(module, loads);
    for port in &module.ports {
        let load = port.bits.iter().map(|bit| by_bit.get(bit).map_or(0, |s| total(s))).collect();
        loads.insert((module.name.clone(), port.name.clone()), load);
    }
    added
}

fn total(sinks: &[Sink]) -> usize {
    sinks.iter().map(|s| s.load).sum()
}

/// Neighbours with at most [`MAX_FANOUT`] pins together, or one that has more alone.
fn groups(sinks: &[Sink]) -> Vec<&[Sink]> {
    let (mut groups, mut first, mut load) = (vec![], 0, 0);
    for (i, sink) in sinks.iter().enumerate() {
        if load + sink.load > MAX_FANOUT && i > first {
            groups.push(&sinks[first..i]);
            (first, load) = (i, 0);
        }
        load += sink.load;
    }
    if first < sinks.len() {
        groups.push(&sinks[first..]);
    }
    groups
}

fn connect(module: &mut Module, sinks: &[Sink], net: u32) {
    for Sink { at: (cell, pin, bit), .. } in sinks {
        module.cells[*cell].pins[*pin].bits[*bit] = Bit::Net(net);
    }
}

fn ideal(module: &Module) -> HashSet<Bit> {
    let ports = module.ports.iter().filter(|p| IDEAL.contains(&p.name.as_str())).flat_map(|p| &p.bits);
    let pins = module.cells.iter().flat_map(|c| &c.pins);
    ports.chain(pins.filter(|p| !p.drives && IDEAL.contains(&p.name.as_str())).flat_map(|p| &p.bits)).copied().collect()
}

/// Nets that an instance drives and uses itself, with the pins it has on them.
fn inside_drivers(module: &Module, loads: &Loads) -> HashMap<Bit, usize> {
    let pins = module.cells.iter().flat_map(|c| c.pins.iter().filter(|p| p.drives).map(move |p| (&c.kind, p)));
    let loaded = pins.filter_map(|(kind, pin)| Some((pin, loads.get(&(kind.clone(), pin.name.clone()))?)));
    loaded.flat_map(|(pin, loads)| pin.bits.iter().copied().zip(loads.iter().copied())).collect()
}

/// By bit: what uses it. A pin that nothing hangs on counts as one, because a wire leads there.
fn sinks(module: &Module, loads: &Loads) -> BTreeMap<Bit, Vec<Sink>> {
    let mut map: BTreeMap<Bit, Vec<Sink>> = BTreeMap::new();
    for (c, cell) in module.cells.iter().enumerate() {
        for (p, pin) in cell.pins.iter().enumerate().filter(|(_, pin)| !pin.drives) {
            let inside = loads.get(&(cell.kind.clone(), pin.name.clone()));
            for (b, bit) in pin.bits.iter().enumerate() {
                let load = inside.and_then(|loads| loads.get(b)).map_or(1, |load| (*load).max(1));
                map.entry(*bit).or_default().push(Sink { at: (c, p, b), load });
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

/// The largest number of pins of cells on a net of this module, those inside of its instances too; ideal nets and constants aside.
pub fn worst_fanout(module: &Module, loads: &Loads) -> usize {
    let (ideal, inside) = (ideal(module), inside_drivers(module, loads));
    let nets = sinks(module, loads).into_iter().filter(|(b, _)| matches!(b, Bit::Net(_)) && !ideal.contains(b));
    nets.map(|(bit, sinks)| total(&sinks) + inside.get(&bit).unwrap_or(&0)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::DEFAULT;
    use crate::netlist::{Netlist, Port};

    fn cell(kind: &str, pins: &[(&str, bool, u32)]) -> Cell {
        let pins = pins.iter().map(|(name, drives, net)| Pin {
            name: (*name).into(),
            drives: *drives,
            bits: vec![Bit::Net(*net)],
        });
        Cell { name: String::new(), kind: kind.into(), pins: pins.collect() }
    }

    fn port(name: &str, is_input: bool, net: u32) -> Port {
        Port { name: name.into(), is_input, bits: vec![Bit::Net(net)] }
    }

    /// Pins of cells on a net, through the instances.
    fn pins(netlist: &Netlist, module: &Module, bit: Bit) -> usize {
        let all = module.cells.iter().flat_map(|c| c.pins.iter().map(move |p| (c, p)));
        all.filter(|(_, p)| p.bits[0] == bit)
            .map(|(c, p)| match netlist.modules.get(&c.kind) {
                Some(inner) => {
                    inner.ports.iter().filter(|q| q.name == p.name).map(|q| pins(netlist, inner, q.bits[0])).sum()
                }
                None => usize::from(!p.drives),
            })
            .sum()
    }

    /// A register whose output is used inside and outside of its module, there by instances with many pins each.
    #[test]
    fn a_net_through_modules_drives_sixteen_pins() {
        let cells = Cells::load(&[DEFAULT.into()]).unwrap();
        for (inside, instances, each) in [(3, 16, 16), (40, 5, 9), (15, 2, 1), (0, 100, 40), (16, 1, 1)] {
            let mut source = Module {
                name: "source".into(),
                ports: vec![port("q_o", false, 2)],
                next_net: 100,
                ..Module::default()
            };
            source.cells.push(cell("REG", &[("Q", true, 2)]));
            source.cells.extend((0..inside).map(|_| cell("AND", &[("A", false, 2)])));
            let mut lane =
                Module { name: "lane".into(), ports: vec![port("en_i", true, 2)], next_net: 100, ..Module::default() };
            lane.cells.extend((0..each).map(|_| cell("AND", &[("A", false, 2)])));
            let mut top = Module { name: "top".into(), next_net: 100, ..Module::default() };
            top.cells.extend((0..instances).map(|_| cell("lane", &[("en_i", false, 2)])));
            top.cells.push(cell("source", &[("q_o", true, 2)]));
            let modules = [source, lane, top].map(|m| (m.name.clone(), m)).into_iter().collect();
            let mut netlist = Netlist { top: "top".into(), modules, ..Netlist::default() };
            let (mut loads, mut worst) = (Loads::new(), 0);
            let order = netlist.inner_first();
            assert_eq!(order.last().map(String::as_str), Some("top"));
            for name in order {
                let module = netlist.modules.get_mut(&name).unwrap();
                finish(module, &cells, &mut loads);
                worst = worst.max(worst_fanout(module, &loads));
            }
            let found = (netlist.modules.values())
                .flat_map(|m| (1..m.next_net).map(|n| pins(&netlist, m, Bit::Net(n))))
                .max()
                .unwrap();
            assert_eq!(found, worst, "{inside} {instances} {each}: what is reported is what is there");
            assert!(found <= MAX_FANOUT, "{inside} {instances} {each}: {found}");
        }
    }
}
