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
pub mod watts;

pub use activity::Source as ActivitySource;
pub use error::Error;
pub use report::Report;

pub use activity::Measured;
use circuit::Circuit;
use liberty::Library;
use propagate::Activities;
use slew::Slews;
use std::collections::HashSet;
use std::path::PathBuf;

/// The files of one analysis; any may be gzip-compressed.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub netlist: PathBuf,
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
    let wanted: HashSet<String> =
        source.modules.values().flat_map(|m| m.instances.iter().map(|i| i.cell.clone())).collect();
    if inputs.libraries.is_empty() {
        return Err(Error::Invalid { path: inputs.netlist.clone(), what: "no library was given".into() });
    }
    let libraries =
        inputs.libraries.iter().map(|path| Library::load(path, Some(&wanted))).collect::<Result<Vec<_>, _>>()?;
    let design = netlist::flatten(&inputs.netlist, &source, libraries)?;
    let units = design.libraries[0].units;
    let constraints = inputs.sdc.as_deref().map(|path| sdc::load(path, units)).transpose()?.unwrap_or_default();
    let parasitics = inputs.spef.as_deref().map(spef::load).transpose()?.unwrap_or_default();
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
    if !constraints.skipped.is_empty() {
        report
            .power
            .notes
            .push(format!("constraints without bearing on power were skipped: {}", constraints.skipped.join(", ")));
    }
    Ok(report)
}
