//! The yardstick: a placed design whose power OpenSTA reports from the same files.
//!
//! The files are not part of the project, so these tests are ignored unless asked for; `ANSER_TEST_DATA` names the folder that
//! holds `pdk/` (CONTRIBUTING.md). The tests in `tiny.rs` and `ring.rs` compare with power calculated by other means.

use power::activity::Measured;
use power::{analyse, ActivitySource, Inputs, Report};
use records::shared::Watts;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the folder of the process design kits.
fn pdk() -> PathBuf {
    let folder = std::env::var_os("ANSER_TEST_DATA").expect("ANSER_TEST_DATA names the folder, see CONTRIBUTING.md");
    Path::new(&folder).join("pdk")
}

fn inputs(pdk: &Path, activity: ActivitySource) -> Inputs {
    let at = |name: &str| pdk.join("opensta-gcd").join(name);
    Inputs {
        netlist: at("gcd_sky130hd.v"),
        top: None,
        libraries: vec![pdk.join("sky130/sky130hd_tt.lib.gz")],
        sdc: Some(at("gcd_sky130hd.sdc")),
        spef: Some(at("gcd_sky130hd.spef")),
        activity,
        scope: "gcd_tb/gcd1".into(),
    }
}

fn gcd(pdk: &Path, activity: ActivitySource) -> Report {
    analyse(&inputs(pdk, activity)).unwrap_or_else(|e| panic!("{e}"))
}

/// Rows of an OpenSTA power report: internal, switching, leakage, total.
fn rows(text: &str) -> Vec<(String, [f64; 4])> {
    let mut out = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let numbers: Vec<f64> = words.iter().skip(1).take(4).filter_map(|w| w.parse().ok()).collect();
        if let (Some(name), &[a, b, c, d]) = (words.first(), numbers.as_slice()) {
            out.push((name.to_lowercase(), [a, b, c, d]));
        }
    }
    out
}

fn compare(report: &Report, text: &str, limit: f64) {
    let g = &report.power.groups;
    let mut compared = 0;
    let mut worst = 0.0f64;
    for (name, want) in rows(text) {
        let w: &Watts = match name.as_str() {
            "sequential" => &g.sequential,
            "combinational" => &g.combinational,
            "clock" => &g.clock,
            "macro" => &g.macros,
            "pad" => &g.pad,
            "total" => &g.total,
            _ => continue,
        };
        for (column, got, want) in [
            ("internal", w.internal, want[0]),
            ("switching", w.switching, want[1]),
            ("leakage", w.leakage, want[2]),
            ("total", w.total, want[3]),
        ] {
            if want == 0.0 {
                assert!(got == 0.0, "{name} {column}: {got:e} instead of nothing");
                continue;
            }
            let error = got / want - 1.0;
            eprintln!("{name:14} {column:10} {got:.4e} W, OpenSTA {want:.2e} W, {:+.2} %", error * 100.0);
            worst = worst.max(error.abs());
            compared += 1;
        }
    }
    assert_eq!(compared, 16, "rows of the reference");
    assert!(worst <= limit, "{:.2} % off", worst * 100.0);
}

#[test]
#[ignore = "needs pdk/opensta-gcd in ANSER_TEST_DATA (CONTRIBUTING.md)"]
fn gcd_with_a_vcd_is_within_two_percent_of_opensta() {
    let pdk = pdk();
    let report = gcd(&pdk, ActivitySource::Vcd(pdk.join("opensta-gcd/gcd_sky130hd.vcd.gz")));
    let reference = fs::read_to_string(pdk.join("opensta-gcd/power_vcd.ok")).expect("reference");
    eprintln!("{:?}", report.power.notes);
    assert!(report.power.annotated > 0.99, "annotated {}", report.power.annotated);
    compare(&report, &reference, 0.02);
}

/// The SAIF was made from the same VCD by a converter that counts no change from or to x; apart from these, at most two halves
/// of a transition a net when the simulation leaves its unknown start, both must say the same of every net.
#[test]
#[ignore = "needs pdk/opensta-gcd in ANSER_TEST_DATA (CONTRIBUTING.md)"]
fn gcd_with_a_saif_agrees_with_the_vcd_net_by_net() {
    let pdk = pdk();
    let vcd = ActivitySource::Vcd(pdk.join("opensta-gcd/gcd_sky130hd.vcd.gz"));
    let saif = ActivitySource::Saif(pdk.join("opensta-gcd/gcd_sky130hd.saif.gz"));
    let load = |source: &ActivitySource| Measured::load(source, "gcd_tb.gcd1").unwrap_or_else(|e| panic!("{e}"));
    let (v, s) = (load(&vcd), load(&saif));
    assert!(
        (v.seconds - s.seconds).abs() < 1e-15 && s.nets.len() > 200,
        "{} {} {}",
        v.seconds,
        s.seconds,
        s.nets.len()
    );
    for (name, a) in &s.nets {
        let b = v.nets.get(name).unwrap_or_else(|| panic!("{name} is not in the VCD"));
        let halves = (b.density - a.density) * v.seconds * 2.0;
        assert!((-0.01..2.01).contains(&halves), "{name}: {halves} halves of a transition apart");
        assert!((a.duty - b.duty).abs() < 1e-6, "{name}: duty {} and {}", a.duty, b.duty);
    }
    let (v, s) = (gcd(&pdk, vcd), gcd(&pdk, saif));
    assert!((s.power.watts.clock / v.power.watts.clock - 1.0).abs() < 1e-3, "clocks know no x");
    assert!(
        s.power.watts.total < v.power.watts.total && s.power.watts.total > 0.9 * v.power.watts.total,
        "{} {}",
        s.power.watts.total,
        v.power.watts.total
    );
}

/// OpenSTA's result without a simulation: every input changes once in ten periods, reset never, the clock network has slews.
/// Everything behind the inputs is carried through the netlist.
#[test]
#[ignore = "needs pdk/opensta-gcd in ANSER_TEST_DATA (CONTRIBUTING.md)"]
fn gcd_from_its_inputs_alone_is_within_two_percent_of_opensta() {
    let pdk = pdk();
    let dir = tempfile::tempdir().expect("temporary folder");
    let (saif, sdc) = (dir.path().join("inputs.saif"), dir.path().join("gcd.sdc"));
    let mut text =
        String::from("(SAIFILE (TIMESCALE 1 ps) (DURATION 1000000) (INSTANCE top (NET (reset (T1 500000) (TC 0))");
    let bits = (0..32).map(|i| format!("req_msg\\[{i}\\]"));
    for name in bits.chain(["req_val", "resp_rdy"].map(str::to_string)) {
        text.push_str(&format!("({name} (T1 500000) (TC 20))"));
    }
    fs::write(&saif, text + ")))").expect("written");
    let mut inputs = inputs(&pdk, ActivitySource::Saif(saif));
    let given = fs::read_to_string(pdk.join("opensta-gcd/gcd_sky130hd.sdc")).expect("constraints");
    fs::write(&sdc, given + "\nset_propagated_clock clk\n").expect("written");
    (inputs.sdc, inputs.scope) = (Some(sdc), "top".into());
    let report = analyse(&inputs).unwrap_or_else(|e| panic!("{e}"));
    assert!((report.power.levels.measured, report.power.levels.assumed) == (35, 0), "{:?}", report.power.levels);
    let reference = fs::read_to_string(pdk.join("opensta-gcd/power.ok")).expect("reference");
    compare(&report, &reference, 0.02);
}
