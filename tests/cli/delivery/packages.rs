//! Package managers and constraints: FuseSoC, Bender, SDC and XDC.

use super::{change, command_of, json, read, streamed, strings, text, with_model, Scratch, Tools};
use rtl_gen::config::Config;
use rtl_gen::hdl::Dir;
use std::path::Path;
use std::process::Command;

#[test]
fn fusesoc_lints_and_sets_synthesis_up() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let folder = scratch.at("rtl");
    let told = json(&["rtl", "--config=nano", "-o", &folder]);
    // without a model there is nothing to simulate, and the command of the page says lint
    let lint = command_of(&told, "anser.core");
    assert!(lint.contains("--target lint"), "{lint}");
    tools.done(&folder, &lint);
    tools.done(&folder, &lint.replace("--target lint", "--target synth --setup"));
    let script = read(&folder, "build/anser_nano_anser_top_0.1.0/synth/edalize_yosys_procs.tcl");
    assert!(script.contains("anser_top.sv") && script.contains("anser_pkg.sv"), "{script}");
    // lint is not deaf
    change(&folder, "anser_fifo.sv", "endmodule", "  wire [3:0] nobody = 5'd1;\nendmodule");
    assert!(tools.fails(&folder, &lint).contains("WIDTH"));
}

#[test]
fn the_bench_passes_in_fusesoc_with_icarus() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let (folder, told) = with_model(&scratch, "rtl", "nano");
    let line = command_of(&told, "anser.core").replace("--target sim", "--target sim_icarus");
    let said = tools.done(&folder, &line);
    assert!(said.contains("PASS: 2 tokens, 80 logits"), "{said}");
}

#[test]
fn bender_takes_each_file_once_and_one_memory() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let (folder, told) = with_model(&scratch, "rtl", "nano");
    let found = tools.read("bender", &folder);
    let sources = strings(&told["sources"]);
    let memory = "anser_ram_1w1r.sv";
    for (targets, files) in found.as_object().expect("lists") {
        let files = strings(files);
        let mut once = files.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), files.len(), "{targets}: {files:?}");
        assert!(files.iter().all(|f| Path::new(&folder).join(f).is_file()), "{targets}: {files:?}");
        assert!(sources.iter().all(|s| s == memory || files.contains(s)), "{targets}: {files:?}");
        assert_eq!(files.iter().filter(|f| f.ends_with(memory)).count(), 1, "{targets}: {files:?}");
        assert_eq!(files.contains(&"tb.sv".into()), targets.contains("simulation"), "{targets}: {files:?}");
        let black_boxes = files.iter().any(|f| f.ends_with("/macros.sv"));
        let model = files.iter().any(|f| f.ends_with("/macros_model.sv"));
        assert_eq!((black_boxes, model), (targets == "asic", targets == "asic simulation"), "{targets}: {files:?}");
    }
    assert_eq!(strings(&found["rtl"]).len(), sources.len());
}

/// What OpenSTA says of constraints `name` in `folder` on a netlist that has the ports of `config` and nothing else.
fn timing(scratch: &Scratch, folder: &str, name: &str, config: &Config) -> String {
    let top = rtl_gen::blocks::core::top(config);
    let names: Vec<_> = top.ports.iter().map(|p| p.name.clone()).collect();
    let ports: String = top
        .ports
        .iter()
        .map(|p| {
            let side = if p.dir == Dir::In { "input" } else { "output" };
            format!("  {side} [{}:0] {};\n", p.bits - 1, p.name).replace("[0:0] ", "")
        })
        .collect();
    scratch.file("ports.v", format!("module anser_top ({});\n{ports}endmodule\n", names.join(", ")));
    let thresholds = ["rise", "fall"].map(|edge| {
        let pct = |what: &str, n| format!("{what}_pct_{edge} : {n};");
        [
            pct("input_threshold", 50),
            pct("output_threshold", 50),
            pct("slew_lower_threshold", 20),
            pct("slew_upper_threshold", 80),
        ]
        .join(" ")
    });
    let library =
        format!("library (empty) {{ delay_model : table_lookup; time_unit : \"1ns\"; {} }}\n", thresholds.join(" "));
    scratch.file("empty.lib", library);
    let script = format!(
        "read_liberty {dir}/empty.lib\nread_verilog {dir}/ports.v\nlink_design anser_top\nsource {folder}/{name}\ncheck_setup -verbose -no_clock -no_input_delay\n\
         report_clock_properties\nputs \"delay $port_delay\"\nexit\n",
        dir = scratch.path().display()
    );
    let out = Command::new("sta").args(["-exit", &scratch.file("check.tcl", script)]).output();
    let out = out.unwrap_or_else(|e| panic!("sta: {e}; install it with scripts/setup"));
    text(&out.stdout) + &text(&out.stderr)
}

#[test]
fn constraints_reach_every_port() {
    let scratch = Scratch::new();
    let folder = scratch.at("rtl");
    let path = streamed(&scratch);
    json(&["rtl", "--config", &path, "-o", &folder]);
    let config = Config::load(Path::new(&path)).expect("a configuration");
    for name in ["constraints.sdc", "constraints.xdc"] {
        let said = timing(&scratch, &folder, name, &config);
        assert!(said.contains("delay 4.0") && said.contains("10.0"), "{said}");
        for bad in ["Error", "Warning", "missing", "not found"] {
            assert!(!said.contains(bad), "{name}: {said}");
        }
        // the netlist has nothing behind its ports, so the reader does not miss delays of outputs
        let text = read(&folder, name);
        for p in rtl_gen::blocks::core::top(&config).ports.iter().filter(|p| p.name != "clk_i") {
            let side = if p.dir == Dir::In { "input" } else { "output" };
            let port = if p.bits > 1 { format!("{{{}[*]}}", p.name) } else { p.name.clone() };
            assert!(
                text.contains(&format!("set_{side}_delay -clock clk_i $port_delay [get_ports {port}]\n")),
                "{port}"
            );
        }
        // XDC has no control flow: only these commands
        for line in read(&folder, name).lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let known = ["set ", "create_clock ", "set_input_delay ", "set_output_delay ", "set_false_path "];
            assert!(known.iter().any(|k| line.starts_with(k)), "{name}: {line}");
        }
        change(&folder, name, "set_input_delay -clock clk_i $port_delay [get_ports m_axi_rvalid]\n", "");
        let said = timing(&scratch, &folder, name, &config);
        assert!(said.contains("missing"), "a port without a delay is not seen: {said}");
    }
}
