//! The design for package managers of hardware: a FuseSoC core file and a Bender manifest.

use super::{Design, File, Kind};
use crate::notice::notice;
use std::fmt::Write as _;

/// `anser.core` and `Bender.yml`; `files` are those that were made before.
pub fn files(design: &Design, files: &[File]) -> [File; 2] {
    let name = design.vlnv().join(":");
    let target = if design.bench.is_some() { "sim" } else { "lint" };
    [
        File::new(
            "anser.core",
            Kind::Package,
            fusesoc(design, files),
            "a FuseSoC core with the targets lint, sim (with a model) and synth",
            &format!("fusesoc --cores-root . run --target {target} {name}"),
        ),
        File::new(
            "Bender.yml",
            Kind::Package,
            bender(design, files),
            "a Bender manifest with the targets simulation, fpga and asic",
            "bender script flist",
        ),
    ]
}

fn names(files: &[File], wanted: impl Fn(&File) -> bool) -> Vec<&str> {
    files.iter().filter(|f| wanted(f)).map(|f| f.name.as_str()).collect()
}

fn is_verilog(file: &File) -> bool {
    file.name.ends_with(".sv")
}

/// A set of files of one type as FuseSoC writes it; `copied` ones go into the folder in which the simulator runs.
fn fileset(s: &mut String, name: &str, kind: &str, files: &[&str], copied: bool) {
    if files.is_empty() {
        return;
    }
    let _ = writeln!(s, "  {name}:\n    files:");
    for file in files {
        match copied {
            true => writeln!(s, "      - {file}: {{copyto: {file}}}"),
            false => writeln!(s, "      - {file}"),
        }
        .unwrap_or_default();
    }
    let _ = writeln!(s, "    file_type: {kind}");
}

fn fusesoc(design: &Design, files: &[File]) -> String {
    let mut s = format!("CAPI=2:\n{}", notice("#"));
    let config = design.config;
    let _ = write!(
        s,
        "name: {}\ndescription: {}\n\nfilesets:\n",
        quoted(&design.vlnv().join(":")),
        quoted(&format!("RWKV-7 accelerator, configuration {}", config.name))
    );
    let (verilog, sources) = ("systemVerilogSource", design.sources().collect::<Vec<_>>());
    fileset(&mut s, "rtl", verilog, &sources, false);
    fileset(&mut s, "assertions", verilog, &names(files, |f| f.kind == Kind::Assertions), false);
    for (name, kind) in [("sdc", "SDC"), ("xdc", "xdc")] {
        let end = format!(".{name}");
        fileset(&mut s, name, kind, &names(files, |f| f.name.ends_with(&end)), false);
    }
    if let (Some(bench), Some(program)) = (design.bench, design.program) {
        fileset(&mut s, "bench", verilog, &[&bench.file], false);
        let data: Vec<_> = program.code.iter().chain(&bench.data).map(String::as_str).collect();
        fileset(&mut s, "data", "user", &data, true);
    }
    let top = &design.printed.top;
    let _ = write!(
        s,
        "\ntargets:\n  default:\n    filesets: [rtl]\n    toplevel: {top}\n\n  \
         # fusesoc --cores-root . run --target lint NAME\n  \
         lint:\n    description: Verilator with all its remarks\n    flow: lint\n    filesets: [rtl]\n    toplevel: {top}\n    \
         flow_options:\n      tool: verilator\n      verilator_options: [-Wall]\n"
    );
    if let Some(bench) = design.bench {
        let _ = write!(
            s,
            "\n  # With Verilator, assertions on: --target sim; with Icarus: --target sim_icarus, because Icarus knows no bind.\n  \
             sim:\n    description: The bench that checks itself, in Verilator, with the assertions on the ports\n    flow: sim\n    \
             filesets: [rtl, bench, assertions, data]\n    toplevel: {0}\n    \
             flow_options:\n      tool: verilator\n      mode: binary\n      verilator_options: [--timing, --assert, -Wno-fatal, -j, \"0\"]\n\n  \
             sim_icarus:\n    description: The bench that checks itself, in Icarus\n    flow: sim\n    filesets: [rtl, bench, data]\n    \
             toplevel: {0}\n    flow_options:\n      tool: icarus\n      iverilog_options: [-g2012]\n",
            bench.top
        );
    }
    let _ = write!(
        s,
        "\n  # For another FPGA: set arch to what follows synth_ in Yosys.\n  \
         synth:\n    description: Yosys for an FPGA, memories inferred\n    flow: generic\n    filesets: [rtl, sdc, xdc]\n    toplevel: {top}\n    \
         flow_options:\n      tool: yosys\n      arch: xilinx\n      output_format: verilog\n"
    );
    s
}

/// Text as YAML takes it whatever is in it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn bender(design: &Design, files: &[File]) -> String {
    let mut s = notice("#");
    let [_, _, top, _] = design.vlnv();
    let _ = write!(s, "package:\n  name: {top}\n  description: {}\n\nsources:\n", quoted("RWKV-7 accelerator"));
    let memory = format!("{}.sv", crate::blocks::prim::ram_1w1r(1, 2).name);
    // the package before all others, as the file list has it
    let (first, rest): (Vec<_>, Vec<_>) = design.sources().partition(|f| f.ends_with("_pkg.sv"));
    let in_memory = |folder: &str| names(files, |f| f.kind == Kind::Memory && f.name.contains(folder) && is_verilog(f));
    let group = |s: &mut String, target: &str, list: &[&str]| {
        let _ = write!(s, "  - target: {target}\n    files:\n");
        for file in list {
            let _ = writeln!(s, "      - {file}");
        }
    };
    for file in first {
        let _ = writeln!(s, "  - {file}");
    }
    // one of three files is the memory
    group(&mut s, "not(any(fpga, asic))", &[&memory]);
    group(&mut s, "all(fpga, not(asic))", &in_memory("/fpga/"));
    let (model, macros): (Vec<&str>, Vec<&str>) = in_memory("/macro/").into_iter().partition(|f| f.contains("_model"));
    let (module, boxes): (Vec<&str>, Vec<&str>) = macros.into_iter().partition(|f| f.ends_with(&memory));
    group(&mut s, "all(asic, simulation)", &model);
    group(&mut s, "all(asic, not(simulation))", &boxes);
    group(&mut s, "asic", &module);
    for file in rest.into_iter().filter(|f| *f != memory) {
        let _ = writeln!(s, "  - {file}");
    }
    let mut simulation = names(files, |f| f.kind == Kind::Assertions);
    simulation.extend(design.bench.map(|b| b.file.as_str()));
    group(&mut s, "simulation", &simulation);
    s
}
