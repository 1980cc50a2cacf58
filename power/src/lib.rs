//! Power of any mapped netlist from measured activity.
//!
//! Takes a structural Verilog netlist, the Liberty libraries of its cells, and what a simulation counted (VCD or SAIF), with
//! optional constraints (SDC) and extracted wires (SPEF). Gives watts by group and cause. `docs/power.md` has the method,
//! what it leaves out, and how close it comes to an independent tool.
//!
//! Every file is opened by [`records::text`]. The path of a number: [`netlist`] links cells; [`circuit`] finds loads and clocks; [`slew`] how fast pins switch;
//! [`propagate`] how often; [`watts`] reads the tables. All quantities are SI units.

pub mod activity;
pub mod circuit;
mod error;
pub mod liberty;
pub mod netlist;
pub mod propagate;
pub mod report;
pub mod sdc;
pub mod slew;
pub mod spef;
pub mod units;
pub mod watts;

pub use activity::Source as ActivitySource;
pub use error::Error;
pub use report::Report;

pub use activity::Measured;
use circuit::Circuit;
use liberty::Library;
use netlist::names::count;
use propagate::Activities;
use slew::Slews;
use std::collections::HashSet;
use std::path::PathBuf;
use units::Units;

/// The files of one analysis; any may be gzip-compressed.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub netlist: PathBuf,
    /// The module that is the design; needed where several are instantiated by none
    pub top: Option<String>,
    /// At least one; the first that has a cell gives it
    pub libraries: Vec<PathBuf>,
    pub sdc: Option<PathBuf>,
    pub spef: Option<PathBuf>,
    pub activity: ActivitySource,
    /// Instance path of the netlist in the simulation, `testbench.dut`
    pub scope: String,
}

/// Reads all files and finds the power.
///
/// Fails on the first file that is missing, malformed or does not fit the others; nothing is guessed around an error.
pub fn analyse(inputs: &Inputs) -> Result<Report, Error> {
    analyse_measured(inputs, Measured::load(&inputs.activity, &inputs.scope)?)
}

/// [`analyse`] with activity from elsewhere, such as a simulator in the same program; `inputs.activity` only names it.
pub fn analyse_measured(inputs: &Inputs, measured: Measured) -> Result<Report, Error> {
    let source = netlist::Source::load(&inputs.netlist)?;
    let mut wanted: HashSet<String> =
        source.modules.values().flat_map(|m| m.instances.iter().map(|i| i.cell.clone())).collect();
    if inputs.libraries.is_empty() {
        return Err(Error::Invalid { path: inputs.netlist.clone(), what: "no library was given".into() });
    }
    let constraints =
        |units| Ok::<_, Error>(inputs.sdc.as_deref().map(|p| sdc::load(p, units)).transpose()?.unwrap_or_default());
    // the cells that drive inputs are named before a library says what the numbers beside them mean
    let drivers = drivers(&constraints(Units { time: 1.0, cap: 1.0 })?);
    wanted.extend(drivers.iter().cloned());
    let libraries =
        inputs.libraries.iter().map(|path| Library::load(path, Some(&wanted))).collect::<Result<Vec<_>, _>>()?;
    if let Some(cell) = drivers.iter().find(|c| !libraries.iter().any(|l| l.cells.contains_key(*c))) {
        let path = inputs.sdc.clone().unwrap_or_default();
        return Err(Error::Invalid { path, what: format!("the driving cell {cell} is in none of the libraries") });
    }
    let design = netlist::flatten(&inputs.netlist, &source, libraries, inputs.top.as_deref())?;
    let constraints = constraints(design.libraries[0].units)?;
    let parasitics = inputs.spef.as_deref().map(spef::load).transpose()?.unwrap_or_default();
    let strange = measured.nets.keys().filter(|name| !design.net_of.contains_key(*name));
    let unmatched = count(strange, |n, such| {
        format!("{n} of {} recorded names are of no net of the netlist (such as {such})", measured.nets.len())
    });
    if !measured.nets.keys().any(|name| design.net_of.contains_key(name)) {
        let (ActivitySource::Vcd(path) | ActivitySource::Saif(path)) = &inputs.activity;
        let example = design.net_of.keys().min().cloned().unwrap_or_default();
        return Err(Error::NothingMatches {
            path: path.clone(),
            scope: inputs.scope.clone(),
            names: measured.nets.len(),
            example,
        });
    }
    let circuit = Circuit::new(&design, &parasitics, &constraints);
    let slews = Slews::new(&circuit, &constraints);
    let activities = Activities::new(&circuit, &measured);
    let mut report = report::build(&circuit, &slews, &activities, measured.seconds);
    report.power.notes.extend(measured.notes.into_iter().chain(unmatched));
    Ok(report)
}

/// The cells that the constraints put before inputs.
fn drivers(constraints: &sdc::Constraints) -> HashSet<String> {
    let cells = constraints.inputs.iter().filter_map(|(_, input)| match input {
        sdc::Input::Driver { cell, .. } => Some(cell.clone()),
        sdc::Input::Slew(_) => None,
    });
    cells.collect()
}
