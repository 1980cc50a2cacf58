//! A design small enough to compute by hand, and what goes wrong with files that do not fit together.

use power::{analyse, ActivitySource, Inputs, Report};
use records::shared::Watts;
use std::fs;
use std::path::{Path, PathBuf};

fn inputs() -> Inputs {
    let at = |name: &str| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tiny").join(name);
    Inputs {
        netlist: at("tiny.v"),
        top: None,
        libraries: vec![at("tiny.lib")],
        sdc: Some(at("tiny.sdc")),
        spef: Some(at("tiny.spef")),
        activity: ActivitySource::Vcd(at("tiny.vcd")),
        scope: "bench.dut".into(),
    }
}

fn report(inputs: &Inputs) -> Report {
    analyse(inputs).unwrap_or_else(|e| panic!("{e}"))
}

fn check(what: &str, got: Watts, internal: f64, switching: f64, leakage: f64) {
    for (column, got, want) in [
        ("internal", got.internal, internal),
        ("switching", got.switching, switching),
        ("leakage", got.leakage, leakage),
        ("total", got.total, internal + switching + leakage),
    ] {
        assert!((got - want).abs() <= 1e-9 * want.abs(), "{what} {column}: {got:e} W instead of {want:e} W");
    }
}

/// 40 ns at 2 V. Transitions a second: clk 8 in 40 ns, d, q and y 2 in 40 ns each. Shares of time at 1: clk, d, q 1/2.
#[test]
fn watts_by_hand() {
    let r = report(&inputs());
    let (pj, nw, v2) = (1e-12, 1e-9, 4.0);
    let (clk, data) = (8.0 / 40e-9, 2.0 / 40e-9);
    // buffer: mean of 0.3 and 0.1 pJ; drives the 0.02 pF of CK (the larger of both edges); 3 nW half the time, 1 nW the other
    check("clock", r.power.groups.clock, 0.2 * pj * clk, 0.5 * 0.02e-12 * v2 * clk, 2.0 * nw);
    // register: 0.4 pJ a clock edge, and 0.1 + 0.05 pJ for Q, as an ideal clock has no slew and Q drives 0.04 + 0.01 pF
    check(
        "sequential",
        r.power.groups.sequential,
        0.4 * pj * clk + 0.15 * pj * data,
        0.5 * 0.05e-12 * v2 * data,
        5.0 * nw,
    );
    // gate: A and B cause its output's transitions equally often (0.4 and 0.8 pJ); A costs 0.2 + 0.1 slew while B is 0; the slew is
    // 0.1 + 0.05 ns at Q, and the wire, 100 ohms before 0.02 pF, adds ln 4 times its Elmore delay
    let slew = 0.15f64.hypot(4f64.ln() * 100.0 * 0.02e-3);
    let internal = 0.6 * pj * data + (0.2 + 0.1 * slew) * 0.5 * pj * data;
    check(
        "combinational",
        r.power.groups.combinational,
        internal,
        0.5 * 0.05e-12 * v2 * data,
        (0.25 * 10.0 + 0.75 * 4.0) * nw,
    );
    check("macro", r.power.groups.macros, 0.0, 0.0, 0.0);
    let sum = r.power.watts.clock + r.power.watts.sequential + r.power.watts.combinational;
    assert!((r.power.watts.total - sum).abs() <= 1e-12 * sum);
    // ck is not in the recording
    assert!((r.power.annotated - 0.8).abs() < 1e-12, "{}", r.power.annotated);
    assert_eq!((r.power.levels.measured, r.power.levels.propagated, r.power.levels.assumed), (4, 1, 0));
    assert_eq!((r.power.corner.voltage_v, r.power.clocks[0].period_ns), (2.0, Some(10.0)));
    assert_eq!(r.power.clocks[0].measured_period_ns.map(|p| p.round()), Some(10.0));
}

/// Without constraints the clock is found from the register; loads outside the chip are unknown.
#[test]
fn without_constraints_and_wires() {
    let r = report(&Inputs { sdc: None, spef: None, ..inputs() });
    assert_eq!(r.power.clocks.len(), 1);
    let data = 2.0 / 40e-9;
    assert!((r.power.groups.sequential.switching - 0.5 * 0.01e-12 * 4.0 * data).abs() < 1e-15);
    assert!(r.power.groups.clock.total > 0.0 && r.power.groups.combinational.switching == 0.0);
    assert!(r.power.notes.iter().any(|n| n.contains("lower bound")), "{:?}", r.power.notes);
}

/// A hierarchy gives the same watts as the flat netlist, and compressed files the same as plain ones.
#[test]
fn hierarchy_and_compression_change_nothing() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let netlist = dir.path().join("h.v.gz");
    let text = "module gate (input [1:0] i, output o); AND2 g (.A(i[1]), .B(i[0]), .Y(o)); endmodule\n\
        module tiny (input clk, input d, output y); wire ck; wire signed [0:0] q; wire yy; assign y = yy;\n\
        CKBUF cb (.A(clk), .Y(ck)); DFF \\r[0] (.CK(ck), .D(d), .Q(q[0]));\n\
        gate u (.i({q[0], d}), .o(yy)); endmodule\n";
    let mut gz = flate2::write::GzEncoder::new(fs::File::create(&netlist).expect("file"), flate2::Compression::fast());
    std::io::Write::write_all(&mut gz, text.as_bytes()).expect("written");
    gz.finish().expect("written");
    let (flat, deep) =
        (report(&Inputs { spef: None, ..inputs() }), report(&Inputs { netlist, spef: None, ..inputs() }));
    assert!(
        (flat.power.watts.total - deep.power.watts.total).abs() < 1e-15,
        "{} {}",
        flat.power.watts.total,
        deep.power.watts.total
    );
    assert_eq!(deep.power.levels.measured, flat.power.levels.measured);
}

/// Only the ports are recorded: registers and gates are found from their inputs.
#[test]
fn activity_is_carried_through_registers_and_gates() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let vcd =
        fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tiny/tiny.vcd")).expect("fixture");
    let vcd: String = vcd
        .lines()
        .filter(|l| !l.contains("var wire 1 #") && !l.contains("var wire 1 $"))
        .map(|l| format!("{l}\n"))
        .collect();
    let path = dir.path().join("ports.vcd");
    fs::write(&path, vcd).expect("written");
    let r = report(&Inputs { activity: ActivitySource::Vcd(path), ..inputs() });
    assert_eq!((r.power.levels.measured, r.power.levels.propagated, r.power.levels.assumed), (2, 3, 0));
    // q takes over the 2 transitions and the half of d; y changes when either input does while the other is 1
    let data = 2.0 / 40e-9;
    assert!((r.power.groups.sequential.switching - 0.5 * 0.05e-12 * 4.0 * data).abs() < 1e-15);
    assert!((r.power.groups.combinational.switching - 0.5 * 0.05e-12 * 4.0 * data).abs() < 1e-15);
}

/// Data that change five times a clock cycle: between one change a cycle and a random value each cycle, which differs half the time.
#[test]
fn a_register_changes_at_most_once_a_cycle() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let mut text = String::from(
        "$timescale 1 ns $end\n$scope module t $end\n$var wire 1 ! clk $end\n$var wire 1 d d $end\n$upscope $end\n\
         $enddefinitions $end\n#0\n0!\n0d\n",
    );
    for t in 1..=40 {
        text.push_str(&format!("#{t}\n"));
        if t % 5 == 0 {
            text.push_str(&format!("{}!\n", t / 5 % 2));
        }
        if t % 2 == 0 {
            text.push_str(&format!("{}d\n", t / 2 % 2));
        }
    }
    let path = dir.path().join("fast.vcd");
    fs::write(&path, text).expect("written");
    let r = report(&Inputs { activity: ActivitySource::Vcd(path), scope: "t".into(), ..inputs() });
    let q = 4.0 * (0.5 + 0.5 / 5.0) / 40e-9; // four cycles
    assert!(
        (r.power.groups.sequential.switching - 0.5 * 0.05e-12 * 4.0 * q).abs() < 1e-15,
        "{:?}",
        r.power.groups.sequential
    );
}

/// Replaces text in one file of the design and gives the error.
fn broken(file: &str, from: &str, to: &str) -> String {
    let dir = tempfile::tempdir().expect("temporary folder");
    let mut inputs = inputs();
    let mut replace = |path: &mut PathBuf| {
        if path.file_name().is_some_and(|n| n == file) {
            let text = fs::read_to_string(&*path).expect("fixture");
            assert!(text.contains(from), "{file} has no `{from}`");
            *path = dir.path().join(file);
            fs::write(&*path, text.replacen(from, to, 1)).expect("written");
        }
    };
    replace(&mut inputs.netlist);
    replace(&mut inputs.libraries[0]);
    inputs.sdc.as_mut().map(&mut replace);
    inputs.spef.as_mut().map(&mut replace);
    if let ActivitySource::Vcd(path) = &mut inputs.activity {
        replace(path);
    }
    let message = analyse(&inputs).err().unwrap_or_else(|| panic!("{file} without `{from}` passes")).to_string();
    let folder = format!("{}/", dir.path().display());
    message.replace(&folder, "")
}

#[test]
fn errors_say_where_what_and_what_was_expected() {
    for (file, from, to, want) in [
        ("tiny.v", "AND2 g", "NAND9 g", "tiny.v:9: cell NAND9 of instance g is in none of the libraries"),
        ("tiny.v", "TAP t ()", "TAP t (.X(d))", "tiny.v:10: cell TAP of instance t is in none of the libraries"),
        ("tiny.v", ".B(d)", ".C(d)", "tiny.v:9: cell AND2 of instance g has no pin C"),
        ("tiny.v", ".B(d)", ".B({d, d})", "tiny.v:9: pin B of g is 1 bits wide but is connected to 2"),
        (
            "tiny.v",
            "endmodule",
            "",
            "tiny.v:12: expected a declaration, an instance or endmodule, found the end of the file",
        ),
        ("tiny.v", "wire ck;", "always @* ck = d;", "tiny.v:5: expected a mapped netlist"),
        ("tiny.lib", "\"A B\"", "\"A ! B C\"", "tiny.lib:99: expected a pin of the cell instead of `C`"),
        (
            "tiny.lib",
            "\"0.1, 1.1\", \"0.3, 1.3\"",
            "\"0.1, 1.1\"",
            "tiny.lib:72: expected 4 values for the axes of this table",
        ),
        ("tiny.lib", "nom_voltage : 2.0;", "nom_voltage : two;", "tiny.lib:10: expected a number, found `two`"),
        ("tiny.lib", "library (tiny)", "libary (tiny)", "tiny.lib:1: expected a library group"),
        ("tiny.sdc", "-period $period", "", "tiny.sdc:2: expected -period of the clock"),
        ("tiny.spef", "*2:Q 0.03", "*2:Q much", "tiny.spef:15: expected a number, found `much`"),
        ("tiny.vcd", "module dut", "module dud", "tiny.vcd: no scope bench.dut; the file has bench, bench.dud"),
        ("tiny.vcd", "1!\n", "7!\n", "tiny.vcd:"),
        ("tiny.vcd", "$timescale 1 ns $end", "", "tiny.vcd: the file has no $timescale"),
    ] {
        let message = broken(file, from, to);
        assert!(message.starts_with(want), "{message}\ninstead of\n{want}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn a_library_without_power_is_refused() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let text = fs::read_to_string(&inputs().libraries[0]).expect("fixture").replace("internal_power", "external_power");
    let path = dir.path().join("timing.lib");
    fs::write(&path, text).expect("written");
    let message = analyse(&Inputs { libraries: vec![path], ..inputs() }).expect_err("no power").to_string();
    assert!(
        message.ends_with("no cell of this library has an internal_power table, so power cannot be found from it"),
        "{message}"
    );
}

#[test]
fn missing_and_foreign_files_are_refused() {
    let message =
        analyse(&Inputs { netlist: Path::new("nowhere.v").into(), ..inputs() }).expect_err("missing").to_string();
    assert!(message.starts_with("nowhere.v: "), "{message}");
    let message = analyse(&Inputs { scope: "bench".into(), ..inputs() }).expect_err("one scope too high").to_string();
    assert!(message.contains("none of the 4 names in scope bench is a net of the netlist"), "{message}");
}
