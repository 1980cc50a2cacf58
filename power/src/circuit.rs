//! What every later step asks of a design: loads of nets, the clock network, an order of evaluation.

use crate::netlist::names::{count, normal};
use crate::netlist::{Design, Net, PinRef};
use crate::sdc::{selects, Constraints, Period};
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
    /// Whether a clock enters at each net
    pub is_root: Vec<bool>,
    /// The value of each net that the constraints hold constant
    pub cases: Vec<Option<bool>>,
    /// Sentences about constraints and wires that a reader of the watts should know
    pub notes: Vec<String>,
    /// Driving pins in an order in which inputs come before outputs; those in loops come last
    pub order: Vec<PinRef>,
}

/// A clock as the analysis uses it.
#[derive(Clone, Debug)]
pub struct Clock {
    pub name: String,
    /// Seconds; none when it was found in the netlist, without constraints, or when nothing says what a generated clock is made of
    pub period: Option<f64>,
    pub duty: f64,
    pub is_propagated: bool,
    pub slew: f64,
}

impl<'a> Circuit<'a> {
    pub fn new(design: &'a Design, parasitics: &'a Parasitics, constraints: &Constraints) -> Circuit<'a> {
        let mut wires: Vec<Option<&Wire>> = vec![None; design.nets.len()];
        for (name, &net) in &design.net_of {
            wires[net] = parasitics.get(name).or(wires[net]);
        }
        let loads = design.nets.iter().zip(&wires).map(|(net, wire)| load(design, net, *wire, constraints)).collect();
        let mut circuit = Circuit {
            design,
            wires,
            loads,
            clocks: Vec::new(),
            clock_of: vec![None; design.nets.len()],
            is_root: vec![false; design.nets.len()],
            cases: vec![None; design.nets.len()],
            notes: constraints.notes.clone(),
            order: order(design),
        };
        let strange = parasitics.keys().filter(|name| !design.net_of.contains_key(*name));
        circuit.notes.extend(count(strange, |n, such| {
            format!("{n} of {} extracted wires are of no net of the netlist (such as {such})", parasitics.len())
        }));
        circuit.constrain(constraints);
        circuit
    }

    /// The nets that a target of the constraints stands for: those of ports, else those of a pin, else one by its name.
    fn targets(&self, target: &str) -> Vec<usize> {
        let design = self.design;
        let ports = design.ports.iter().filter(|p| selects(target, &p.name, Some(p.direction)));
        let nets: Vec<usize> = ports.map(|p| p.net).collect();
        if !nets.is_empty() {
            return nets;
        }
        let name = normal(target);
        let pins = design.instances.iter().enumerate().flat_map(|(instance, i)| {
            let pins = design.cell(instance).pins.iter().enumerate();
            pins.map(move |(pin, p)| (PinRef { instance, pin }, i, p))
        });
        let (instances, pin_name) = name.rsplit_once('.').unwrap_or(("", ""));
        let pins = pins.filter(|(_, i, p)| selects(pin_name, &p.name, None) && selects(instances, &i.name, None));
        let nets: Vec<usize> = pins.filter_map(|(at, ..)| design.net(at)).collect();
        if nets.is_empty() {
            design.net_of.get(&name).copied().into_iter().collect()
        } else {
            nets
        }
    }

    /// Farads a driver of the net sees, the larger of both edges.
    pub fn load(&self, net: usize) -> f64 {
        self.loads[net][0].max(self.loads[net][1])
    }

    /// Finds the nets of clocks and constants, and the names that match nothing.
    fn constrain(&mut self, constraints: &Constraints) {
        let mut unmatched = Vec::new();
        for (target, value) in &constraints.cases {
            let nets = self.targets(target);
            unmatched.extend(nets.is_empty().then(|| target.clone()));
            nets.into_iter().for_each(|net| self.cases[net] = Some(*value));
        }
        let mut roots = Vec::new();
        if constraints.clocks.is_empty() {
            for net in clock_roots(self.design) {
                let name = self.design.nets[net].name.clone();
                roots.push((net, self.clocks.len()));
                self.clocks.push(Clock { name, period: None, duty: 0.5, is_propagated: false, slew: 0.0 });
            }
        }
        for c in &constraints.clocks {
            let period = if let Period::Seconds(period) = c.period { Some(period) } else { None };
            for target in &c.targets {
                let nets = self.targets(target);
                unmatched.extend(nets.is_empty().then(|| target.clone()));
                roots.extend(nets.into_iter().map(|net| (net, self.clocks.len())));
            }
            let (name, duty) = (c.name.clone(), c.duty.unwrap_or(0.5));
            self.clocks.push(Clock { name, period, duty, is_propagated: c.is_propagated, slew: c.slew });
        }
        // a clock ends where another enters
        for &(net, clock) in &roots {
            self.clock_of[net].get_or_insert(clock);
            self.is_root[net] = true;
        }
        roots.iter().for_each(|&(net, clock)| self.spread(net, clock));
        for (i, c) in constraints.clocks.iter().enumerate() {
            let Period::Of { factor, master, source } = &c.period else { continue };
            let named = master.as_ref().and_then(|m| self.clocks.iter().position(|c| c.name == *m));
            let reaching = || source.iter().flat_map(|s| self.targets(s)).find_map(|net| self.clock_of[net]);
            let master = named.or_else(reaching).filter(|m| *m != i);
            match master.and_then(|m| Some((self.clocks[m].period? * factor, self.clocks[m].duty))) {
                Some((period, duty)) => {
                    (self.clocks[i].period, self.clocks[i].duty) = (Some(period), c.duty.unwrap_or(duty));
                }
                None => self.notes.push(format!(
                    "no clock reaches the source of the generated clock {}, so its period is unknown",
                    c.name
                )),
            }
        }
        let inputs = constraints.inputs.iter().map(|(target, _)| target);
        let of_ports = inputs.chain(constraints.loads.iter().map(|(target, _)| target));
        let is_there = |t: &&String| self.design.ports.iter().any(|p| selects(t, &p.name, Some(p.direction)));
        unmatched.extend(of_ports.filter(|t| !t.starts_with('@') && !is_there(t)).cloned());
        self.notes.extend(count(unmatched.iter(), |n, such| {
            format!("{n} names of the constraints stand for nothing in the netlist (such as {such})")
        }));
    }

    /// Marks everything a level on the net of a clock reaches through gates; registers and constants stop it.
    fn spread(&mut self, root: usize, clock: usize) {
        let mut todo = vec![root];
        while let Some(net) = todo.pop() {
            let is_other =
                self.clock_of[net].is_some_and(|c| c != clock) || net != root && self.clock_of[net].is_some();
            if is_other || self.design.nets[net].constant.or(self.cases[net]).is_some() {
                continue;
            }
            self.clock_of[net] = Some(clock);
            for &load in &self.design.nets[net].loads {
                todo.extend(passes(self.design, load).filter_map(|out| self.design.net(out)).filter(|&n| n != root));
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
        let selected = |(target, _): &&(String, f64)| selects(target, &port.name, Some(port.direction));
        let farads = constraints.loads.iter().rev().find(selected).map_or(0.0, |l| l.1);
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
