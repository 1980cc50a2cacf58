//! Watts of one instance.

use crate::activity::Activity;
use crate::circuit::Circuit;
use crate::liberty::{Arc, Cell, InternalPower, Sense, Table};
use crate::netlist::PinRef;
use crate::slew::{Slews, FALL, RISE};
use records::shared::Watts;
use std::collections::HashMap;

/// Power of an instance; `activity` covers its pins and then its state nodes.
pub fn of_instance(circuit: &Circuit, slews: &Slews, instance: usize, activity: &[Activity]) -> Watts {
    let cell = circuit.design.cell(instance);
    let mut watts = Watts::default();
    for (pin, p) in cell.pins.iter().enumerate() {
        let at = PinRef { instance, pin };
        let load = circuit.design.net(at).map_or(0.0, |n| circuit.load(n));
        if p.drives() {
            watts.internal += output_internal(cell, slews, at, activity, load);
            watts.switching += 0.5 * load * p.voltage * p.voltage * activity[pin].density;
        } else if p.loads() {
            watts.internal += input_internal(cell, slews, at, activity);
        }
    }
    watts.leakage = leakage(cell, activity);
    watts.total = watts.internal + watts.switching + watts.leakage;
    watts
}

/// Mean energy of a rising and a falling transition: there are as many of each.
fn energy(power: &InternalPower, slew: [f64; 2], load: f64) -> f64 {
    let at = |table: &Option<Table>, slew| table.as_ref().map_or(0.0, |t| t.at(slew, load));
    (at(&power.rise, slew[RISE]) + at(&power.fall, slew[FALL])) / 2.0
}

fn input_internal(cell: &Cell, slews: &Slews, at: PinRef, activity: &[Activity]) -> f64 {
    let slew = slews.at(at);
    let duty = |v: usize| activity[v].duty;
    let groups = cell.pins[at.pin].internal_power.iter();
    let joules: f64 =
        groups.map(|g| energy(g, slew, 0.0) * g.when.as_ref().map_or(1.0, |w| w.probability(&duty))).sum();
    joules * activity[at.pin].density
}

/// The transitions of an output are shared out among the inputs that can cause them and the conditions under which they do,
/// in proportion to how often each does.
fn output_internal(cell: &Cell, slews: &Slews, at: PinRef, activity: &[Activity], load: f64) -> f64 {
    let pin = &cell.pins[at.pin];
    let duty = |v: usize| activity[v].duty;
    let mut sums: HashMap<Option<&str>, (f64, f64)> = HashMap::new();
    let mut shares = Vec::with_capacity(pin.internal_power.len());
    for group in &pin.internal_power {
        let Some(related) = group.related else {
            shares.push(None);
            continue;
        };
        let sensitive = pin.sensitive.iter().find(|(v, _)| *v == related).map(|(_, d)| d);
        let chance = match (sensitive, &group.when) {
            (Some(d), Some(when)) => d.clone().and(when.clone()).probability(&duty),
            (Some(d), None) => d.probability(&duty),
            (None, Some(when)) => when.probability(&duty),
            (None, None) => 0.5,
        };
        let share = activity[related].density * chance;
        let sum = sums.entry(group.supply.as_deref()).or_default();
        sum.0 += share;
        sum.1 += 1.0;
        shares.push(Some(share));
    }
    let mut joules = 0.0;
    for (group, share) in pin.internal_power.iter().zip(shares) {
        let (weight, slew) = match (share, group.related) {
            (Some(share), Some(related)) => {
                let (sum, count) = sums[&group.supply.as_deref()];
                // a measured output may change although nothing measured at the inputs explains it
                let weight = if sum > 0.0 { share / sum } else { 1.0 / count };
                let slew = slews.at(PinRef { pin: related, ..at });
                (weight, if is_inverting(&pin.arcs, related) { [slew[FALL], slew[RISE]] } else { slew })
            }
            _ => (group.when.as_ref().map_or(1.0, |w| w.probability(&duty)), [0.0; 2]),
        };
        joules += weight * energy(group, slew, load);
    }
    joules * activity[at.pin].density
}

fn is_inverting(arcs: &[Arc], from: usize) -> bool {
    arcs.iter().find(|a| a.from == from).is_some_and(|a| a.sense == Sense::Negative)
}

/// Conditional values weighted by how long each condition holds; the rest of the time the value of the whole cell.
///
/// Values without a supply pin are of the whole cell, and those of its supplies are parts of them: so either count, not both. A
/// supply takes its own unconditional value where its conditions leave time, or else an equal part of that of the whole cell.
fn leakage(cell: &Cell, activity: &[Activity]) -> f64 {
    let duty = |v: usize| activity[v].duty;
    let mut supplies: Vec<Option<&str>> = cell.leakage.iter().map(|l| l.supply.as_deref()).collect();
    supplies.sort_unstable();
    supplies.dedup();
    if supplies.first() == Some(&None) {
        supplies.truncate(1);
    }
    let whole = cell.default_leakage;
    let share = whole.map(|w| w / supplies.len().max(1) as f64);
    let mut total = if supplies.is_empty() { whole.unwrap_or(0.0) } else { 0.0 };
    for supply in &supplies {
        let groups = || cell.leakage.iter().filter(|l| l.supply.as_deref() == *supply);
        let unconditional = groups().find(|l| l.when.is_none()).map(|l| l.watts);
        let conditional = groups().filter_map(|l| Some((l.when.as_ref()?.probability(&duty), l.watts)));
        let (any, sum, covered) = conditional.fold((false, 0.0, 0.0), |(_, s, c), (p, w)| (true, s + p * w, c + p));
        let rest = if supplies.len() == 1 { share.or(unconditional) } else { unconditional.or(share) };
        total += match unconditional.filter(|_| !any) {
            Some(watts) => watts,
            None => sum + (1.0 - covered).max(0.0) * rest.unwrap_or(0.0),
        };
    }
    total
}
