//! Damaged files are refused or read; they never bring the program down.

use power::liberty::Library;
use power::sdc::Units;
use power::{activity, netlist, sdc, spef, ActivitySource};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tiny").join(name)).expect("fixture")
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
    prop_oneof![prop::sample::select(b"(){}[];:,\"\\$#*'!&|^+-.0129 \n".to_vec()), any::<u8>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_handled(
        edits in prop::collection::vec((any::<usize>(), byte()), 0..6),
        cut in any::<(usize, usize)>(),
        double in any::<(usize, usize)>(),
    ) {
        let path = Path::new("damaged");
        let dir = tempfile::tempdir().expect("temporary folder");
        let file = |name: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, damage(fixture(name), &edits, cut, double)).expect("written");
            path
        };
        let text = |name: &str| String::from_utf8_lossy(&damage(fixture(name), &edits, cut, double)).into_owned();
        // each also goes through all the rest when it is still readable
        let library = Library::load(&file("tiny.lib"), None);
        if let Ok(source) = netlist::Source::parse(path, &text("tiny.v")) {
            let sound = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tiny/tiny.lib");
            let sound = Library::load(&sound, None).expect("fixture");
            let libraries = library.into_iter().chain([sound]).collect();
            if let Ok(design) = netlist::flatten(path, &source, libraries) {
                let constraints = sdc::parse(path, &text("tiny.sdc"), Units { time: 1e-9, cap: 1e-12 }).unwrap_or_default();
                let parasitics = spef::parse(path, text("tiny.spef").as_bytes()).unwrap_or_default();
                let circuit = power::circuit::Circuit::new(&design, &parasitics, &constraints);
                let slews = power::slew::Slews::new(&circuit, &constraints);
                let source = ActivitySource::Vcd(file("tiny.vcd"));
                if let Ok(measured) = activity::Measured::load(&source, "bench.dut") {
                    let activities = power::propagate::Activities::new(&circuit, &measured);
                    for i in 0..design.instances.len() {
                        power::watts::of_instance(&circuit, &slews, i, &activities.of_instance(&circuit, i));
                    }
                }
            }
        }
        let saif = dir.path().join("tiny.saif");
        let good = b"(SAIFILE (SAIFVERSION \"2.0\") (TIMESCALE 1 ps) (DURATION 125000) (INSTANCE bench (INSTANCE dut (NET (q\\[0\\]\n (T0 1) (T1 5) (TX 0) (TC 1) (IG 0))))))\n";
        std::fs::write(&saif, damage(good.to_vec(), &edits, cut, double)).expect("written");
        let _ = activity::Measured::load(&ActivitySource::Saif(saif), "bench.dut");
        let gz = dir.path().join("cut.gz");
        std::fs::write(&gz, damage(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3], &edits, (0, 0), double)).expect("written");
        let _ = netlist::Source::load(&gz);
    }
}
