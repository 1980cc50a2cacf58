//! `report power`: watts of a netlist.

use super::args::Power;
use super::print::{note, Out};
use super::Error;
use power::{ActivitySource, Inputs};
use records::output::{check_folder, write};
use records::power::NetlistPower;
use records::shared::Watts;
use std::path::Path;
use std::process::ExitCode;

pub fn power(a: &Power, out: &Out) -> Result<ExitCode, Error> {
    match &a.netlist {
        Some(netlist) => of_netlist(netlist, a, out),
        None => super::chip_power::chip_power(a, out),
    }
}

fn of_netlist(netlist: &Path, a: &Power, out: &Out) -> Result<ExitCode, Error> {
    let activity = match (&a.activity.vcd, &a.activity.saif) {
        (Some(path), _) => ActivitySource::Vcd(path.clone()),
        (None, Some(path)) => ActivitySource::Saif(path.clone()),
        (None, None) => return Err("one of --vcd and --saif is needed".into()),
    };
    if let Some(folder) = &a.output {
        check_folder(folder)?;
    }
    let report = power::analyse(&Inputs {
        netlist: netlist.into(),
        top: a.top.clone(),
        libraries: a.libraries.liberty.clone(),
        sdc: a.sdc.clone(),
        spef: a.spef.clone(),
        activity,
        scope: a.scope.clone().unwrap_or_default(),
    })?;
    for text in &report.power.notes {
        note(text);
    }
    if let Some(folder) = &a.output {
        let json = serde_json::to_string_pretty(&report.power)? + "\n";
        write(&folder.join("power.json"), json)?;
        write(&folder.join("instances.csv"), report.instances_csv())?;
        note(format_args!("report written to {}", folder.display()));
    }
    out.result(&report.power, || table(&report.power))?;
    Ok(ExitCode::SUCCESS)
}

fn table(r: &NetlistPower) -> String {
    let g = &r.groups;
    let rows: [(&str, &Watts); 6] = [
        ("sequential", &g.sequential),
        ("combinational", &g.combinational),
        ("clock", &g.clock),
        ("macro", &g.macros),
        ("pad", &g.pad),
        ("total", &g.total),
    ];
    let mut text = format!("{:14}{:>11}{:>11}{:>11}{:>11}\n", "W", "internal", "switching", "leakage", "total");
    for (name, w) in rows {
        let share = if g.total.total > 0.0 { 100.0 * w.total / g.total.total } else { 0.0 };
        text += &format!(
            "{name:14}{:>11.3e}{:>11.3e}{:>11.3e}{:>11.3e}{share:>7.1} %\n",
            w.internal, w.switching, w.leakage, w.total
        );
    }
    let c = &r.corner;
    text + &format!(
        "{}: {} instances, {} nets, {:.1} % of them measured over {:.4} us, {:.1} % extracted; {} V, {} °C",
        r.design,
        r.n_instances,
        r.n_nets,
        r.annotated * 100.0,
        r.simulated_s * 1e6,
        r.extracted * 100.0,
        c.voltage_v,
        c.temperature_c
    )
}
