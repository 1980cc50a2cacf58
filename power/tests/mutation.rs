//! Damaged files are refused or read; they never bring the program down, and never keep it busy.

use power::activity::Measured;
use power::liberty::Library;
use power::units::Units;
use power::{analyse, netlist, sdc, spef, ActivitySource, Inputs};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SAIF: &[u8] = b"(SAIFILE (SAIFVERSION \"2.0\") (TIMESCALE 1 ps) (DURATION 125000) (INSTANCE bench (INSTANCE dut (NET (q\\[0\\]\n (T0 1) (T1 5) (TX 0) (TC 1) (IG 0))))))\n";
const SDC: &[u8] = b"set_units -time ns\nset n {y z}\ncreate_clock -name c -period [expr 2 * (3 + 1)] -waveform {0 4} [get_ports {clk a\\[3\\]}] ;# clock\n\
    create_generated_clock -name g -source c -divide_by 2 [get_pins r/Q]\nset_load 2 \"$n\"\nset_driving_cell -lib_cell CKBUF [remove_from_collection [all_inputs] clk]\nset_case_analysis 0 d\n";
const NETLIST: &[u8] = b"`define A\n`ifdef A\nmodule inner #(parameter W = 1) ({i, o}, .p(q[1:0])); input i; output o; inout [1:0] q;\n`else\n`endif\n\
    AND2 g (.A(i), .B(1'b1), .Y(o)); endmodule\nmodule tiny (input clk, d, output \\y[0] ); supply1 [1:0] h; wire [3:0] w = {2{2'b10}};\n\
    inner \\u.1 ({d, \\y[0] }, ); assign w = 'h3; CKBUF b (.A(clk), .Y()); TAP t (); endmodule\n";

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(sound(name)).expect("fixture")
}

fn sound(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tiny").join(name)
}

/// Some bytes replaced, a part removed, a part doubled.
fn damage(mut bytes: Vec<u8>, edits: &[(usize, u8)], cut: (usize, usize), double: (usize, usize)) -> Vec<u8> {
    let range = |n: usize, (a, b): (usize, usize)| {
        let (a, b) = (a % (n + 1), b % (n + 1));
        a.min(b)..a.max(b)
    };
    for &(at, byte) in edits {
        let n = bytes.len();
        bytes[at % n] = byte;
    }
    let part: Vec<u8> = bytes[range(bytes.len(), double)].iter().copied().take(64).collect();
    let at = double.0 % (bytes.len() + 1);
    bytes.splice(at..at, part);
    let mut cut = range(bytes.len(), cut);
    cut.end = cut.end.min(cut.start + 200);
    bytes.drain(cut);
    bytes
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(b"(){}[];:,\"\\$#*'`!&|^+-./<>=_019abex \n".to_vec()), any::<u8>()]
}

/// Gives `read` damaged forms of `sample`, and bytes that have nothing to do with it.
fn fuzz(sample: Vec<u8>, read: impl Fn(&Path)) {
    let edits =
        (prop::collection::vec((any::<usize>(), byte()), 0..6), any::<(usize, usize)>(), any::<(usize, usize)>());
    let damaged = edits.prop_map(move |(edits, cut, double)| damage(sample.clone(), &edits, cut, double));
    let bytes = prop_oneof![4 => damaged, 1 => prop::collection::vec(byte(), 0..300)];
    let dir = tempfile::tempdir().expect("temporary folder");
    let path = dir.path().join("file");
    let mut runner = TestRunner::new(Config { cases: 400, ..Config::default() });
    let outcome = runner.run(&bytes, |bytes| {
        std::fs::write(&path, bytes).expect("written");
        let began = Instant::now();
        read(&path);
        prop_assert!(began.elapsed() < Duration::from_secs(20), "kept busy for {:?}", began.elapsed());
        Ok(())
    });
    outcome.unwrap_or_else(|e| panic!("{e}"));
}

/// Analyses the sound files with some of them replaced.
fn analysis(change: impl Fn(&mut Inputs)) {
    let mut inputs = Inputs {
        netlist: sound("tiny.v"),
        top: None,
        libraries: vec![sound("tiny.lib")],
        sdc: Some(sound("tiny.sdc")),
        spef: Some(sound("tiny.spef")),
        activity: ActivitySource::Vcd(sound("tiny.vcd")),
        scope: "bench.dut".into(),
    };
    change(&mut inputs);
    let _ = analyse(&inputs);
}

#[test]
fn vcd() {
    fuzz(fixture("tiny.vcd"), |path| {
        let _ = Measured::load(&ActivitySource::Vcd(path.into()), "bench.dut");
        analysis(|i| i.activity = ActivitySource::Vcd(path.into()));
    });
}

#[test]
fn saif() {
    fuzz(SAIF.to_vec(), |path| analysis(|i| i.activity = ActivitySource::Saif(path.into())));
}

#[test]
fn verilog() {
    for sample in [fixture("tiny.v"), NETLIST.to_vec()] {
        fuzz(sample, |path| {
            let _ = netlist::Source::load(path);
            analysis(|i| i.netlist = path.into());
        });
    }
}

#[test]
fn liberty() {
    fuzz(fixture("tiny.lib"), |path| {
        let _ = Library::load(path, None);
        // the sound one behind it has what the damaged one lost
        analysis(|i| i.libraries.insert(0, path.into()));
    });
}

#[test]
fn constraints() {
    for sample in [fixture("tiny.sdc"), SDC.to_vec()] {
        fuzz(sample, |path| {
            let _ = sdc::load(path, Units { time: 1e-9, cap: 1e-12 });
            analysis(|i| i.sdc = Some(path.into()));
        });
    }
}

#[test]
fn parasitics() {
    fuzz(fixture("tiny.spef"), |path| {
        let _ = spef::load(path);
        analysis(|i| i.spef = Some(path.into()));
    });
}

#[test]
fn compressed() {
    fuzz(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], |path| {
        let _ = netlist::Source::load(path);
    });
}

/// The samples are sound: what is damaged above begins as a file that is read.
#[test]
fn samples_are_read() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    netlist::Source::load(&file("n.v", NETLIST)).unwrap_or_else(|e| panic!("{e}"));
    sdc::load(&file("c.sdc", SDC), Units { time: 1e-9, cap: 1e-12 }).unwrap_or_else(|e| panic!("{e}"));
    Measured::load(&ActivitySource::Saif(file("r.saif", SAIF)), "bench.dut").unwrap_or_else(|e| panic!("{e}"));
}
