//! Libraries as foundries ship them: every cell is built.
//!
//! Debian's osu018 is always read, since `scripts/setup` installs it. The libraries of two open process design kits are not
//! part of the project; their tests are ignored unless asked for, and `ANSER_TEST_DATA` names their folder (CONTRIBUTING.md).

use power::liberty::{Kind, Library};
use power::{analyse, ActivitySource, Inputs};
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the folder of the process design kits.
fn pdk() -> PathBuf {
    let folder = std::env::var_os("ANSER_TEST_DATA").expect("ANSER_TEST_DATA names the folder, see CONTRIBUTING.md");
    Path::new(&folder).join("pdk")
}

/// Reads osu018, whose cells are counted and checked by name.
#[test]
fn every_cell_of_osu018_is_built() {
    let path = Path::new("/usr/share/qflow/tech/osu018/osu018_stdcells.lib");
    let library =
        Library::load(path, None).unwrap_or_else(|e| panic!("{e} (scripts/setup installs qflow-tech-osu018)"));
    let text = fs::read_to_string(path).expect("read a moment ago");
    let declared =
        text.lines().filter(|l| l.trim_start().starts_with("cell ") || l.trim_start().starts_with("cell(")).count();
    assert_eq!(library.cells.len(), declared);
    let kind = |cell: &str| library.cells[cell].kind;
    assert_eq!((kind("NAND2X1"), kind("DFFPOSX1")), (Kind::Combinational, Kind::Sequential));
    let groups: usize = library.cells.values().flat_map(|c| &c.pins).map(|p| p.internal_power.len()).sum();
    assert!(groups > declared, "{groups} internal_power groups");
}

#[test]
#[ignore = "needs the kits in ANSER_TEST_DATA/pdk (CONTRIBUTING.md)"]
fn every_cell_of_every_library_is_built() {
    let pdk = pdk();
    let mut libraries = 0;
    for (folder, least) in [("sky130", 428), ("ihp-sg13g2", 1)] {
        for entry in fs::read_dir(pdk.join(folder)).expect("folder") {
            let path = entry.expect("entry").path();
            if !path.to_string_lossy().contains(".lib") {
                continue;
            }
            let library = Library::load(&path, None).unwrap_or_else(|e| panic!("{e}"));
            libraries += 1;
            assert!(library.cells.len() >= least, "{}: {} cells", library.name, library.cells.len());
            let groups: usize = library.cells.values().flat_map(|c| &c.pins).map(|p| p.internal_power.len()).sum();
            assert!(groups > 0, "{}", library.name);
            if library.name.starts_with("RM_") {
                let cell = library.cells.values().next().expect("one cell");
                assert_eq!(cell.kind, Kind::Macro);
                let bits = &cell.buses["A_ADDR"];
                // what the bus and a range of it say holds for each bit, and what is said of one bit for that one
                assert!(bits.iter().all(|&b| cell.pins[b].internal_power.len() == 2), "{}", library.name);
                assert!(cell.pins[cell.pin("A_CLK").expect("clock")].is_clock);
            }
        }
    }
    assert!(libraries >= 3, "{libraries} libraries");
}

/// A memory that reads every cycle: its clock takes what its library says of a read, and it is in the macro group.
#[test]
#[ignore = "needs the kits in ANSER_TEST_DATA/pdk (CONTRIBUTING.md)"]
fn a_memory_is_counted_as_a_macro() {
    let pdk = pdk();
    let dir = tempfile::tempdir().expect("temporary folder");
    let netlist = dir.path().join("m.v");
    fs::write(
        &netlist,
        "module m (input clk, input men, input ren, input [5:0] a, output [63:0] q);\n\
         wire ck; sg13g2_buf_2 b (.A(clk), .X(ck));\n\
         RM_IHPSG13_1P_64x64_c2_bm_bist ram (.A_CLK(ck), .A_MEN(men), .A_REN(ren), .A_WEN(1'b0), .A_ADDR(a), .A_DIN(64'h0), .A_DLY(1'b1),\n\
         .A_BM({64{1'b0}}), .A_DOUT(q), .A_BIST_EN(1'b0));\nendmodule\n",
    )
    .expect("written");
    let vcd = dir.path().join("m.vcd");
    let mut text = String::from(
        "$timescale 1 ns $end\n$scope module t $end\n$var wire 1 c clk $end\n$var wire 1 m men $end\n$var wire 1 r ren $end\n\
         $var wire 6 a a [5:0] $end\n$upscope $end\n$enddefinitions $end\n#0\n0c\n1m\n1r\nb0 a\n",
    );
    for i in 1..=40 {
        text.push_str(&format!("#{}\n{}c\n", i * 5, i % 2));
    }
    fs::write(&vcd, text).expect("written");
    let ihp = pdk.join("ihp-sg13g2");
    let library = |name: &str| ihp.join(format!("{name}_typ_1p20V_25C.lib.gz"));
    let run = |scope: &str| {
        analyse(&Inputs {
            netlist: netlist.clone(),
            top: None,
            libraries: vec![library("sg13g2_stdcell"), library("RM_IHPSG13_1P_64x64_c2_bm_bist")],
            sdc: None,
            spef: None,
            activity: ActivitySource::Vcd(vcd.clone()),
            scope: scope.into(),
        })
    };
    let r = run("t").unwrap_or_else(|e| panic!("{e}"));
    assert!(r.power.groups.macros.internal > 1e-5, "{:?}", r.power.groups);
    assert!(
        r.power.groups.macros.leakage > 0.0
            && r.power.groups.clock.total > 0.0
            && r.power.groups.sequential.total == 0.0,
        "{:?}",
        r.power.groups
    );
    assert_eq!(r.power.corner.voltage_v, 1.2);
    eprintln!("{:?} {:?}", r.power.groups.macros, r.power.notes);
}
