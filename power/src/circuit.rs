//! What every later step asks of a design: loads of nets, the clock network, an order of evaluation.

use crate::netlist::{Design, Net, PinRef, PortDirection};
use crate::sdc::{self, Constraints};
use crate::spef::{Parasitics, Wire};

/// A design with its wires, loads and clocks.
pub struct Circuit<'a> {
    pub design: &'a Design,
    /// Wire of each net, if extracted
    pub wires: Vec<Option<&'a Wire>>,
    /// Farads each net's driver sees when it rises and when it falls: wire, pins and external load
    pub loads: Vec<[f64; 2]>,
    pub clocks: Vec<Clock>,
    /// Index into `clocks` of the clock each net carries
    pub clock_of: Vec<Option<usize>>,
    /// Driving pins in an order in which inputs come before outputs; those in loops come last
    pub order: Vec<PinRef>,
}

/// A clock as the analysis uses it.
#[derive(Clone, Debug)]
pub struct Clock {
    pub name: String,
    /// Seconds; None when there are no constraints and it was found in the netlist
    pub period: Option<f64>,
    pub duty: f64,
    pub is_propagated: bool,
    pub slew: f64,
}

impl<'a> Circuit<'a> {
    pub fn new(design: &'a Design, parasitics: &'a Parasitics, constraints: &Constraints) -> Circuit<'a> {
        let mut wires: Vec<Option<&Wire>> = vec![None; design.nets.len()];
        for (name, &net) in &design.net_of {
            if let Some(wire) = parasitics.get(name) {
                wires[net] = Some(wire);
            }
        }
        let loads = design.nets.iter().zip(&wires).map(|(net, wire)| load(design, net, *wire, constraints)).collect();
        let mut circuit = Circuit {
            design,
            wires,
            loads,
            clocks: Vec::new(),
            clock_of: vec![None; design.nets.len()],
            order: Vec::new(),
        };
        circuit.order = order(design);
        circuit.find_clocks(constraints);
        circuit
    }

    /// Farads a driver of the net sees, the larger of both edges.
    pub fn load(&self, net: usize) -> f64 {
        self.loads[net][0].max(self.loads[net][1])
    }

    fn find_clocks(&mut self, constraints: &Constraints) {
        if constraints.clocks.is_empty() {
            for net in clock_roots(self.design) {
                let name = self.design.nets[net].name.clone();
                self.clocks.push(Clock { name, period: None, duty: 0.5, is_propagated: false, slew: 0.0 });
                self.spread(net, self.clocks.len() - 1);
            }
        }
        for c in &constraints.clocks {
            let (period, duty) = (Some(c.period), c.duty);
            self.clocks.push(Clock {
                name: c.name.clone(),
                period,
                duty,
                is_propagated: c.is_propagated,
                slew: c.slew,
            });
            let ports = self.design.ports.iter().filter(|p| c.ports.iter().any(|t| sdc::matches(t, &p.name)));
            let nets: Vec<usize> = ports.map(|p| p.net).collect();
            nets.into_iter().for_each(|net| self.spread(net, self.clocks.len() - 1));
        }
    }

    /// Marks everything a level on this net reaches through gates; registers stop it.
    fn spread(&mut self, net: usize, clock: usize) {
        let mut todo = vec![net];
        while let Some(net) = todo.pop() {
            if self.clock_of[net].is_some() || self.design.nets[net].constant.is_some() {
                continue;
            }
            self.clock_of[net] = Some(clock);
            for &load in &self.design.nets[net].loads {
                todo.extend(passes(self.design, load).filter_map(|out| self.design.net(out)));
            }
        }
    }
}

/// Outputs that follow the level of an input pin.
fn passes(design: &Design, input: PinRef) -> impl Iterator<Item = PinRef> + '_ {
    let cell = design.cell(input.instance);
    cell.outputs().filter(move |&o| follows(design, input, o)).map(move |pin| PinRef { instance: input.instance, pin })
}

fn follows(design: &Design, input: PinRef, output: usize) -> bool {
    let pin = &design.cell(input.instance).pins[output];
    if pin.arcs.is_empty() {
        return pin.sensitive.iter().any(|(v, _)| *v == input.pin);
    }
    pin.arcs.iter().any(|a| a.from == input.pin && a.is_combinational)
}

fn load(design: &Design, net: &Net, wire: Option<&Wire>, constraints: &Constraints) -> [f64; 2] {
    let mut load = [wire.map_or(0.0, |w| w.capacitance); 2];
    for pin in &net.loads {
        let pin = &design.cell(pin.instance).pins[pin.pin];
        load[0] += pin.capacitance[0];
        load[1] += pin.capacitance[1];
    }
    for &port in &net.ports {
        let port = &design.ports[port];
        let outside = |(target, _): &&(String, f64)| {
            sdc::matches(target, &port.name) || target == "@outputs" && port.direction == PortDirection::Output
        };
        let farads = constraints.loads.iter().rev().find(outside).map_or(0.0, |l| l.1);
        load[0] += farads;
        load[1] += farads;
    }
    load
}

/// Without constraints: the nets that clock pins are driven from, through buffers, inverters and clock gates.
fn clock_roots(design: &Design) -> Vec<usize> {
    let mut roots = Vec::new();
    let mut seen = vec![false; design.nets.len()];
    let clock_pins = design
        .nets
        .iter()
        .enumerate()
        .filter(|(_, n)| n.loads.iter().any(|l| design.cell(l.instance).pins[l.pin].is_clock));
    let mut todo: Vec<usize> = clock_pins.map(|(i, _)| i).collect();
    while let Some(net) = todo.pop() {
        if std::mem::replace(&mut seen[net], true) || design.nets[net].constant.is_some() {
            continue;
        }
        let Some(&driver) = design.nets[net].drivers.first() else {
            roots.push(net);
            continue;
        };
        let cell = design.cell(driver.instance);
        let inputs: Vec<usize> = (0..cell.pins.len()).filter(|&p| cell.pins[p].loads()).collect();
        let through = match inputs[..] {
            [one] => Some(one),
            _ => inputs.iter().copied().find(|&p| cell.pins[p].is_clock),
        };
        let through = through.map(|pin| PinRef { pin, ..driver }).filter(|&p| follows(design, p, driver.pin));
        match through.and_then(|p| design.net(p)) {
            Some(next) => todo.push(next),
            None => roots.push(net), // a divider: its own clock
        }
    }
    roots.sort_unstable();
    roots
}

/// Kahn's order over driving pins: an output comes after the drivers of the inputs it depends on.
fn order(design: &Design) -> Vec<PinRef> {
    let mut first = Vec::with_capacity(design.instances.len() + 1);
    let mut total = 0;
    for i in &design.instances {
        first.push(total);
        total += i.pins.len();
    }
    let id = |p: PinRef| first[p.instance] + p.pin;
    let depends = |p: PinRef| {
        let pin = &design.cell(p.instance).pins[p.pin];
        let mut inputs: Vec<usize> = pin.arcs.iter().map(|a| a.from).chain(pin.sensitive.iter().map(|s| s.0)).collect();
        inputs.sort_unstable();
        inputs.dedup();
        let pins = design.instances[p.instance].pins.len();
        inputs.into_iter().filter(move |&i| i < pins && i != p.pin).map(move |pin| PinRef { pin, ..p })
    };
    let mut waits = vec![0usize; total];
    let mut after: Vec<Vec<PinRef>> = vec![Vec::new(); total]; // by input pin
    let mut outputs = Vec::new();
    for instance in 0..design.instances.len() {
        for pin in design.cell(instance).outputs() {
            let out = PinRef { instance, pin };
            outputs.push(out);
            for input in depends(out) {
                let drivers = design.net(input).map_or(0, |n| design.nets[n].drivers.len());
                waits[id(out)] += drivers;
                if drivers > 0 {
                    after[id(input)].push(out);
                }
            }
        }
    }
    let mut ready: Vec<PinRef> = outputs.iter().copied().filter(|&o| waits[id(o)] == 0).collect();
    let mut done = vec![false; total];
    let mut next = 0;
    while let Some(&out) = ready.get(next) {
        next += 1;
        done[id(out)] = true;
        let Some(net) = design.net(out) else { continue };
        for &load in &design.nets[net].loads {
            for &o in &after[id(load)] {
                waits[id(o)] -= 1;
                if waits[id(o)] == 0 {
                    ready.push(o);
                }
            }
        }
    }
    ready.extend(outputs.into_iter().filter(|&o| !done[id(o)]));
    ready
}
