//! The result as other programs read it.

use crate::circuit::Circuit;
use crate::liberty::Kind;
use crate::netlist::names::count;
use crate::propagate::{Activities, Level};
use crate::slew::Slews;
use crate::watts;
use records::power::{ClockPower, Groups, Levels, NetlistPower, Totals};
use records::shared::{Corner, Watts};

/// Power of a netlist, and of each of its instances.
#[derive(Clone, Debug)]
pub struct Report {
    pub power: NetlistPower,
    /// Every instance, in the order of the netlist.
    pub instances: Vec<InstanceReport>,
}

impl Report {
    /// The watts of every instance as comma-separated values, with a heading.
    pub fn instances_csv(&self) -> String {
        let mut text = String::from("instance,cell,group,internal_w,switching_w,leakage_w,total_w\n");
        for i in &self.instances {
            let (w, quote) = (&i.watts, if i.name.contains([',', '"']) { "\"" } else { "" });
            let name = i.name.replace('"', "\"\"");
            let watts = format!("{:e},{:e},{:e},{:e}", w.internal, w.switching, w.leakage, w.total);
            text += &format!("{quote}{name}{quote},{},{},{watts}\n", i.cell, i.group);
        }
        text
    }
}

/// Power of one instance.
#[derive(Clone, Debug)]
pub struct InstanceReport {
    pub name: String,
    pub cell: String,
    /// `sequential`, `combinational`, `clock`, `macro` or `pad`.
    pub group: &'static str,
    pub watts: Watts,
}

/// Adds up all instances.
pub(crate) fn build(circuit: &Circuit, slews: &Slews, activities: &Activities, simulated_s: f64) -> Report {
    let design = circuit.design;
    let mut groups = Groups::default();
    let mut instances = Vec::with_capacity(design.instances.len());
    for (i, instance) in design.instances.iter().enumerate() {
        let watts = watts::of_instance(circuit, slews, i, &activities.of_instance(circuit, i));
        let name = group(circuit, i);
        groups.total.add(&watts);
        match name {
            "macro" => groups.macros.add(&watts),
            "pad" => groups.pad.add(&watts),
            "clock" => groups.clock.add(&watts),
            "sequential" => groups.sequential.add(&watts),
            _ => groups.combinational.add(&watts),
        }
        instances.push(InstanceReport { name: instance.name.clone(), cell: instance.cell.clone(), group: name, watts });
    }
    let used: Vec<usize> =
        (0..design.nets.len()).filter(|&n| design.nets[n].is_used() && design.nets[n].constant.is_none()).collect();
    let count = |level| used.iter().filter(|&&n| activities.levels[n] == level).count();
    let levels = Levels {
        assumed: count(Level::Assumed),
        propagated: count(Level::Propagated),
        measured: count(Level::Measured),
    };
    let share = |part: usize| if used.is_empty() { 0.0 } else { part as f64 / used.len() as f64 };
    let clocks = circuit.clocks.iter().enumerate().map(|(c, clock)| {
        let mut nets =
            used.iter().filter(|&&n| circuit.clock_of[n] == Some(c) && activities.levels[n] == Level::Measured);
        let density = nets.next().map(|&n| activities.nets[n].density).filter(|d| *d > 0.0);
        ClockPower {
            name: clock.name.clone(),
            period_ns: clock.period.map(|p| p * 1e9),
            measured_period_ns: density.map(|d| 2e9 / d),
            is_propagated: clock.is_propagated,
        }
    });
    let clocks: Vec<ClockPower> = clocks.collect();
    let libraries: Vec<Corner> = design.libraries.iter().map(|l| l.corner.clone()).collect();
    let power = NetlistPower {
        design: design.top.clone(),
        watts: Totals {
            sequential: groups.sequential.total,
            combinational: groups.combinational.total,
            clock: groups.clock.total,
            macros: groups.macros.total,
            pad: groups.pad.total,
            total: groups.total.total,
        },
        annotated: share(levels.measured),
        notes: notes(circuit, activities, &levels, &clocks, &libraries),
        groups,
        levels,
        corner: libraries[0].clone(),
        libraries,
        clocks,
        simulated_s,
        n_nets: used.len(),
        n_instances: design.instances.len(),
        extracted: share(used.iter().filter(|&&n| circuit.wires[n].is_some()).count()),
    };
    Report { power, instances }
}

/// Hard blocks and pads by what they are; then whatever only drives clocks; then registers; then the rest.
fn group(circuit: &Circuit, instance: usize) -> &'static str {
    let cell = circuit.design.cell(instance);
    let pins = &circuit.design.instances[instance].pins;
    let mut outputs = cell.outputs().filter_map(|p| pins[p]).peekable();
    let drives_clocks = outputs.peek().is_some() && outputs.all(|n| circuit.clock_of[n].is_some());
    match cell.kind {
        Kind::Macro => "macro",
        Kind::Pad => "pad",
        _ if drives_clocks => "clock",
        Kind::Sequential => "sequential",
        Kind::Combinational => "combinational",
    }
}

fn notes(
    circuit: &Circuit,
    activities: &Activities,
    levels: &Levels,
    clocks: &[ClockPower],
    libraries: &[Corner],
) -> Vec<String> {
    let mut notes = circuit.design.notes.clone();
    notes.extend(circuit.notes.clone());
    let differs = |(net, case): (usize, &Option<bool>)| {
        let (activity, duty) = (activities.nets[net], f64::from(u8::from((*case)?)));
        (activity.density > 0.0 || activity.duty != duty).then_some(&circuit.design.nets[net].name)
    };
    notes.extend(count(circuit.cases.iter().enumerate().filter_map(differs), |n, such| {
        format!("{n} nets that the constraints hold constant are not so in the simulation (such as {such}); the simulation counts")
    }));
    for clock in clocks {
        if let (Some(given), Some(measured)) = (clock.period_ns, clock.measured_period_ns) {
            if (given - measured).abs() > 0.1 * given {
                notes.push(format!(
                    "clock {} has a period of {given} ns in the constraints but {measured:.3} ns in the simulation",
                    clock.name
                ));
            }
        }
    }
    if clocks.is_empty() {
        notes.push("no clock was found: nothing is in the clock group".into());
    }
    if levels.assumed + levels.propagated > 0 {
        notes.push(format!(
            "{} nets were not measured; {} of them have an assumed activity",
            levels.assumed + levels.propagated,
            levels.assumed
        ));
    }
    if circuit.wires.iter().all(Option::is_none) {
        notes.push("no wire was extracted: loads are pins only, so switching power is a lower bound".into());
    }
    if libraries.iter().any(|l| !l.is_same_as(&libraries[0])) {
        let all: Vec<String> = libraries.iter().map(ToString::to_string).collect();
        notes.push(format!("the libraries are of different corners: {}", all.join(", ")));
    }
    notes
}
