//! A design with a clock tree, wires and two rows of gates, against power that `scripts/fixture_power.py` calculated from the
//! library's formulas: from a VCD and from a SAIF of the same simulation.

use power::{analyse, ActivitySource, Inputs, Report};
use records::shared::Watts;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ring").join(name)
}

fn report(activity: ActivitySource) -> Report {
    let inputs = Inputs {
        netlist: file("ring.v"),
        top: None,
        libraries: vec![file("../tiny/tiny.lib")],
        sdc: Some(file("ring.sdc")),
        spef: Some(file("ring.spef")),
        activity,
        scope: "bench.dut".into(),
    };
    analyse(&inputs).unwrap_or_else(|e| panic!("{e}"))
}

/// Compares each group and cause with the calculated watts.
fn check(report: &Report) {
    let text = std::fs::read_to_string(file("ring.json")).expect("the calculated power");
    let want: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let g = &report.power.groups;
    let mut sum = 0.0;
    for (group, got) in [("clock", g.clock), ("sequential", g.sequential), ("combinational", g.combinational)] {
        let Watts { internal, switching, leakage, total } = got;
        for (cause, got) in [("internal", internal), ("switching", switching), ("leakage", leakage)] {
            let want = want[group][cause].as_f64().expect("a number");
            assert!((got - want).abs() <= 1e-9 * want, "{group} {cause}: {got:e} W instead of {want:e} W");
        }
        sum += total;
    }
    assert!((g.total.total - sum).abs() <= 1e-12 * sum, "no other group has power");
    assert_eq!((report.power.levels.propagated, report.power.levels.assumed), (0, 0));
    assert_eq!(report.power.annotated, 1.0);
}

#[test]
fn a_vcd_gives_the_calculated_watts() {
    check(&report(ActivitySource::Vcd(file("ring.vcd"))));
}

#[test]
fn a_saif_gives_the_calculated_watts() {
    check(&report(ActivitySource::Saif(file("ring.saif"))));
}
