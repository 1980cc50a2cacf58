//! Slews: how fast each pin switches, from the tables of its driver and the wire behind it.

use crate::circuit::Circuit;
use crate::liberty::{Pin, Sense};
use crate::netlist::PinRef;
use crate::sdc::{selects, Constraints, Input};
use crate::spef::Wire;

/// Rise and fall slews (seconds, as the libraries' tables count them) at each pin of each instance.
pub struct Slews(Vec<Vec<[f64; 2]>>);

pub const RISE: usize = 0;
pub const FALL: usize = 1;

impl Slews {
    pub fn at(&self, pin: PinRef) -> [f64; 2] {
        self.0[pin.instance][pin.pin]
    }

    /// Propagates slews from ports and clocks through the netlist, the slowest arc of an output counting.
    ///
    /// In an ideal clock network every pin has the slew of the clock.
    pub fn new(circuit: &Circuit, constraints: &Constraints) -> Slews {
        let design = circuit.design;
        let mut slews = Slews(design.instances.iter().map(|i| vec![[0.0; 2]; i.pins.len()]).collect());
        for port in design.ports.iter().filter(|p| design.nets[p.net].drivers.is_empty()) {
            let mut slew = [0.0; 2];
            for (_, input) in constraints.inputs.iter().filter(|(t, _)| selects(t, &port.name, Some(port.direction))) {
                slew = match input {
                    Input::Slew([rise, fall]) => [rise.unwrap_or(slew[RISE]), fall.unwrap_or(slew[FALL])],
                    Input::Driver { cell, output, from, slews } => {
                        driven(circuit, port.net, cell, output.as_deref(), from.as_deref(), *slews)
                    }
                };
            }
            slews.spread(circuit, port.net, &port.name, None, slew);
        }
        for &out in &circuit.order {
            let pin = &design.cell(out.instance).pins[out.pin];
            let load = design.net(out).map_or([0.0; 2], |n| circuit.loads[n]);
            let slew = output_slew(pin, load, |from| Some(slews.at(PinRef { pin: from, ..out })));
            slews.0[out.instance][out.pin] = slew;
            if let Some(net) = design.net(out) {
                let node = format!("{}:{}", design.instances[out.instance].name, pin.name);
                slews.spread(circuit, net, &node, Some(out), slew);
            }
        }
        slews
    }

    /// Brings the slew of a driver to the loads of its net. A wire adds its own slew, an exponential of the Elmore delay,
    /// as the root of the sum of squares.
    fn spread(&mut self, circuit: &Circuit, net: usize, node: &str, driver: Option<PinRef>, slew: [f64; 2]) {
        let design = circuit.design;
        let clock = circuit.clock_of[net].map(|c| &circuit.clocks[c]).filter(|c| !c.is_propagated);
        let delays = circuit.wires[net].filter(|_| clock.is_none()).map(|w| (w, elmore(circuit, net, w, node)));
        for &load in &design.nets[net].loads {
            let value = match (clock, &delays) {
                (Some(clock), _) => [clock.slew; 2],
                (None, Some((wire, delays))) => {
                    let name = format!(
                        "{}:{}",
                        design.instances[load.instance].name,
                        design.cell(load.instance).pins[load.pin].name
                    );
                    let delay = wire.nodes.get(&name).and_then(|&n| delays.get(n).copied().flatten()).unwrap_or(0.0);
                    let library = &design.libraries[design.instances[load.instance].library];
                    let wire_slew =
                        delay * ((1.0 - library.slew_low) / (1.0 - library.slew_high)).ln() / library.slew_derate;
                    slew.map(|s| s.hypot(wire_slew))
                }
                (None, None) => slew,
            };
            // with several drivers the slowest counts
            let at = &mut self.0[load.instance][load.pin];
            *at = [at[RISE].max(value[RISE]), at[FALL].max(value[FALL])];
        }
        if let (Some(driver), Some(clock)) = (driver, clock) {
            self.0[driver.instance][driver.pin] = [clock.slew; 2];
        }
    }
}

/// The slew of an output with `load` farads, when rising and falling, from those of the inputs that count.
fn output_slew(pin: &Pin, load: [f64; 2], input: impl Fn(usize) -> Option<[f64; 2]>) -> [f64; 2] {
    let mut slew = [0.0f64; 2];
    for arc in &pin.arcs {
        let Some(input) = input(arc.from) else { continue };
        for (to, table) in [(RISE, &arc.rise_slew), (FALL, &arc.fall_slew)] {
            let Some(table) = table else { continue };
            let from: &[usize] = match arc.sense {
                Sense::Positive => &[to],
                Sense::Negative => &[1 - to],
                Sense::Both => &[RISE, FALL],
                Sense::RisingEdge => &[RISE],
                Sense::FallingEdge => &[FALL],
            };
            for &edge in from {
                slew[to] = slew[to].max(table.at(input[edge], load[to]));
            }
        }
    }
    slew
}

/// The slew that a cell outside gives to the net of a port.
fn driven(
    circuit: &Circuit,
    net: usize,
    cell: &str,
    output: Option<&str>,
    from: Option<&str>,
    slews: [f64; 2],
) -> [f64; 2] {
    let Some(cell) = circuit.design.libraries.iter().find_map(|l| l.cells.get(cell)) else { return [0.0; 2] };
    let is_from = |pin: usize| from.is_none_or(|name| cell.pins[pin].name == name);
    let outputs = cell.outputs().filter(|&o| output.is_none_or(|name| cell.pins[o].name == name));
    let outputs = outputs.map(|o| output_slew(&cell.pins[o], circuit.loads[net], |pin| is_from(pin).then_some(slews)));
    outputs.reduce(|a, b| [a[RISE].max(b[RISE]), a[FALL].max(b[FALL])]).unwrap_or_default()
}

fn elmore(circuit: &Circuit, net: usize, wire: &Wire, node: &str) -> Vec<Option<f64>> {
    let Some(&driver) = wire.nodes.get(node) else { return Vec::new() };
    let mut farads = vec![0.0; wire.nodes.len()];
    for load in &circuit.design.nets[net].loads {
        let pin = &circuit.design.cell(load.instance).pins[load.pin];
        let name = format!("{}:{}", circuit.design.instances[load.instance].name, pin.name);
        if let Some(&n) = wire.nodes.get(&name) {
            farads[n] += pin.capacitance[0].max(pin.capacitance[1]);
        }
    }
    wire.elmore(driver, |n| farads[n])
}
