//! Activity of every net: measured where the simulation has it, else carried through the functions of the cells.

use crate::activity::{Activity, Measured};
use crate::circuit::Circuit;
use crate::liberty::{Cell, Expr};
use crate::netlist::PinRef;

/// Passes through registers before giving up on a fixed point.
const MAX_PASSES: usize = 50;
const TOLERANCE: f64 = 1e-3;
/// Transitions a clock period assumed where nothing is known
const ASSUMED_TOGGLES: f64 = 0.1;

/// How well the activity of a net is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing is known: 0.1 transitions a clock period, half the time at 1
    Assumed,
    /// Carried through cells from other nets, or given by a clock
    Propagated,
    /// Counted in the simulation (or tied to a constant)
    Measured,
}

/// Activity of every net of a circuit.
pub struct Activities {
    pub nets: Vec<Activity>,
    pub levels: Vec<Level>,
}

impl Activities {
    /// Measured where `measured` has a name of the net, else found from the other nets.
    pub fn new(circuit: &Circuit, measured: &Measured) -> Activities {
        let design = circuit.design;
        let n = design.nets.len();
        let mut nets = vec![None; n];
        let mut names: Vec<(&String, &usize)> = design.net_of.iter().collect();
        names.sort_unstable(); // one net may have several names; the same one must win every time
        for (name, &net) in names {
            if let (Some(activity), None) = (measured.nets.get(name), nets[net]) {
                nets[net] = Some((*activity, Level::Measured));
            }
        }
        for (net, slot) in design.nets.iter().zip(&mut nets) {
            if let Some(value) = net.constant {
                *slot = Some((Activity { density: 0.0, duty: f64::from(u8::from(value)) }, Level::Measured));
            }
        }
        for (case, slot) in circuit.cases.iter().zip(&mut nets).filter(|(_, slot)| slot.is_none()) {
            *slot = case.map(|value| (Activity { density: 0.0, duty: f64::from(u8::from(value)) }, Level::Propagated));
        }
        let density_of = |net: usize| nets[net].map(|(a, _): (Activity, Level)| a.density);
        let periods = circuit.clocks.iter().enumerate().map(|(i, c)| {
            c.period
                .or_else(|| (0..n).find(|&net| circuit.clock_of[net] == Some(i)).and_then(density_of).map(|d| 2.0 / d))
        });
        let periods: Vec<Option<f64>> = periods.map(|p| p.filter(|p| p.is_finite())).collect();
        for (net, slot) in nets.iter_mut().enumerate() {
            if slot.is_some() {
                continue;
            }
            // a gated clock is found through its gate below
            let clock = circuit.clock_of[net].filter(|_| design.nets[net].drivers.is_empty() || circuit.is_root[net]);
            if let Some(period) = clock.and_then(|c| periods[c]) {
                let duty = clock.map_or(0.5, |c| circuit.clocks[c].duty);
                *slot = Some((Activity { density: 2.0 / period, duty }, Level::Propagated));
            }
        }
        let shortest = periods.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let assumed =
            Activity { density: if shortest.is_finite() { ASSUMED_TOGGLES / shortest } else { 0.0 }, duty: 0.5 };
        let known: Vec<bool> = nets.iter().map(Option::is_some).collect();
        let mut out = Activities {
            nets: nets.iter().map(|s| s.map_or(assumed, |s| s.0)).collect(),
            levels: nets.iter().map(|s| s.map_or(Level::Assumed, |s| s.1)).collect(),
        };
        out.propagate(circuit, &known, assumed);
        out
    }

    /// Evaluates what depends on a change until nothing changes by more than the tolerance.
    fn propagate(&mut self, circuit: &Circuit, known: &[bool], assumed: Activity) {
        let design = circuit.design;
        let open: Vec<(PinRef, usize)> =
            circuit.order.iter().filter_map(|&o| Some((o, design.net(o)?))).filter(|&(_, n)| !known[n]).collect();
        // places in `open` of each instance's outputs
        let mut outputs: Vec<Vec<usize>> = vec![Vec::new(); design.instances.len()];
        open.iter().enumerate().for_each(|(i, (o, _))| outputs[o.instance].push(i));
        let mut states: Vec<Vec<Activity>> = vec![Vec::new(); design.instances.len()];
        for (instance, state) in states.iter_mut().enumerate().filter(|(i, _)| !outputs[*i].is_empty()) {
            *state = vec![assumed; design.cell(instance).states.len()];
        }
        let mut stale = vec![true; open.len()];
        let mut unclocked: Vec<bool> = states.iter().map(|s| !s.is_empty()).collect();
        let mut pins = Vec::new();
        for _ in 0..MAX_PASSES {
            let mut is_done = true;
            for (i, &(out, net)) in open.iter().enumerate() {
                if !std::mem::replace(&mut stale[i], false) {
                    continue;
                }
                self.pins(circuit, out.instance, &mut pins);
                let Some(new) = output(design.cell(out.instance), out.pin, &pins, &states[out.instance]) else {
                    continue;
                };
                let old = std::mem::replace(&mut self.nets[net], new);
                self.levels[net] = Level::Propagated;
                if (new.duty - old.duty).abs().max(relative(new.density, old.density)) < TOLERANCE {
                    continue;
                }
                is_done = false;
                for load in &design.nets[net].loads {
                    outputs[load.instance].iter().for_each(|&o| stale[o] = true);
                    unclocked[load.instance] |= !states[load.instance].is_empty();
                }
            }
            for instance in 0..unclocked.len() {
                if std::mem::replace(&mut unclocked[instance], false) {
                    self.pins(circuit, instance, &mut pins);
                    if clock_registers(design.cell(instance), &pins, &mut states[instance]) >= TOLERANCE {
                        is_done = false;
                        outputs[instance].iter().for_each(|&o| stale[o] = true);
                    }
                }
            }
            if is_done {
                return;
            }
        }
    }

    fn pins(&self, circuit: &Circuit, instance: usize, out: &mut Vec<Activity>) {
        out.clear();
        out.extend(circuit.design.instances[instance].pins.iter().map(|n| self.of(*n)));
    }

    /// Activity of a net, or of a pin without one: always 0.
    pub fn of(&self, net: Option<usize>) -> Activity {
        net.map_or(Activity::default(), |n| self.nets[n])
    }

    /// Activity of all pins of an instance and, behind them, of its state nodes.
    pub fn of_instance(&self, circuit: &Circuit, instance: usize) -> Vec<Activity> {
        let cell = circuit.design.cell(instance);
        let nets = &circuit.design.instances[instance].pins;
        let mut all: Vec<Activity> = nets.iter().map(|n| self.of(*n)).collect();
        let n = all.len();
        let mut states = vec![None; cell.states.len()];
        for pin in cell.outputs().filter(|&p| nets[p].is_some()) {
            let (state, inverted) = match &cell.pins[pin].function {
                Some(Expr::Var(v)) if *v >= n => (v - n, false),
                Some(Expr::Not(e)) => match **e {
                    Expr::Var(v) if v >= n => (v - n, true),
                    _ => continue,
                },
                _ => continue,
            };
            let other = state ^ 1; // states come in pairs: the value and its inverse
            let value = if inverted { not(all[pin]) } else { all[pin] };
            states[state] = Some(value);
            if let Some(slot) = states.get_mut(other) {
                *slot = slot.or(Some(not(value)));
            }
        }
        let mut inner: Vec<Activity> = states.iter().map(|s| s.unwrap_or_default()).collect();
        if states.iter().any(Option::is_none) {
            clock_registers(cell, &all, &mut inner);
            inner.iter_mut().zip(&states).for_each(|(i, s)| *i = s.unwrap_or(*i));
        }
        for pin in cell.outputs().filter(|&p| nets[p].is_none()) {
            if let Some(activity) = output(cell, pin, &all[..n], &inner) {
                all[pin] = activity;
            }
        }
        all.extend(inner);
        all
    }
}

fn not(a: Activity) -> Activity {
    Activity { density: a.density, duty: 1.0 - a.duty }
}

fn relative(new: f64, old: f64) -> f64 {
    if new == old {
        0.0
    } else {
        (new - old).abs() / new.abs().max(old.abs())
    }
}

/// Activity of an output from those of the other pins and the state; None when the cell does not say.
fn output(cell: &Cell, pin: usize, pins: &[Activity], states: &[Activity]) -> Option<Activity> {
    let of = |v: usize| pins.get(v).or_else(|| states.get(v - pins.len())).copied().unwrap_or_default();
    let p = &cell.pins[pin];
    if let Some(function) = &p.function {
        let duty = function.probability(&|v| of(v).duty);
        let density = p.sensitive.iter().map(|(v, d)| of(*v).density * d.probability(&|v| of(v).duty)).sum();
        return Some(Activity { density, duty });
    }
    // a clock gate: the clock while the enable is 1
    let clock = p
        .arcs
        .iter()
        .find(|a| a.is_combinational && cell.pins.get(a.from).is_some_and(|p| p.is_clock))
        .map(|a| a.from)?;
    let enable = cell.pins.iter().position(|p| p.is_enable).map_or(1.0, |e| of(e).duty);
    Some(Activity { density: of(clock).density * enable, duty: of(clock).duty * enable })
}

/// Gives the states of registers the activity that they take over from their data; returns the largest change.
fn clock_registers(cell: &Cell, pins: &[Activity], states: &mut [Activity]) -> f64 {
    let mut change = 0.0f64;
    for register in &cell.registers {
        let before = states.to_vec();
        let of = |v: usize| pins.get(v).or_else(|| before.get(v - pins.len())).copied().unwrap_or_default();
        let eval = |e: &Expr| {
            let density = e
                .variables()
                .iter()
                .map(|&v| of(v).density * e.difference(v).probability(&|v| of(v).duty))
                .sum::<f64>();
            Activity { density, duty: e.probability(&|v| of(v).duty) }
        };
        let (data, clock) = (eval(&register.data), eval(&register.clock));
        let cycles = clock.density / 2.0;
        let density = if register.is_latch {
            data.density.min(data.density * clock.duty + cycles)
        } else if data.density > cycles {
            // It cannot change more than once a cycle. Data that seem to change more often are less and less related to their last
            // value, down to a random one, which differs with 2 d (1 - d). Without a step at one: loops would never settle.
            let random = 2.0 * data.duty * (1.0 - data.duty);
            random * cycles + (1.0 - random) * cycles * cycles / data.density
        } else {
            data.density
        };
        let new = Activity { density, duty: data.duty };
        for (state, value) in [(register.state, new), (register.inverse, not(new))] {
            if let Some(slot) = states.get_mut(state - pins.len()) {
                let old = std::mem::replace(slot, value);
                change = change.max((value.duty - old.duty).abs()).max(relative(value.density, old.density));
            }
        }
    }
    change
}
