//! The assertions, each of which sees a planted fault.

use super::{json, read, streamed, Scratch, Tools};
use rtl_gen::config::Config;
use rtl_gen::hdl::Port;
use std::collections::BTreeSet;
use std::path::Path;

/// A module in place of the chip, with a variable for each port and `body`.
fn stand_in(ports: &[Port], body: &str) -> String {
    let variables: String =
        ports.iter().map(|p| format!("  logic [{}:0] {};\n", p.bits - 1, p.name).replace("[0:0] ", "")).collect();
    format!("module anser_top;\n{variables}{body}\nendmodule\n")
}

/// The names of the assertions in a file.
fn labels(text: &str, of: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|l| l.trim().split_once(of));
    lines.map(|(name, _)| name.trim().to_string()).filter(|n| !n.contains(' ')).collect()
}

#[test]
fn each_rule_sees_the_fault_that_breaks_it() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let (folder, path) = (scratch.at("rtl"), streamed(&scratch));
    json(&["rtl", "--config", &path, "-o", &folder]);
    let config = Config::load(Path::new(&path)).expect("a configuration");
    let top = rtl_gen::blocks::core::top(&config);
    let body = include_str!("faults.sv");
    let sizes = format!(
        "  localparam [2:0] BEAT_SIZE = {};\n  localparam [63:0] BEAT_BYTES = {};\n  localparam int MAX_OUTSTANDING = {};\n",
        config.beat_bytes().ilog2(),
        config.beat_bytes(),
        config.max_outstanding
    );
    std::fs::write(Path::new(&folder).join("faults.sv"), stand_in(&top.ports, &(sizes + body))).expect("written");
    tools.done(
        &folder,
        "verilator --binary --timing --assert -Wno-fatal -j 0 faults.sv sva/assertions.sv sva/known.sv --top anser_top -o faults",
    );

    let rules = labels(&read(&folder, "sva/assertions.sv"), ": assert property");
    assert!(rules.len() > 35, "{rules:?}");
    let said = tools.done(&folder, "obj_dir/faults");
    assert!(said.contains("END: none"), "{said}");
    let faults: BTreeSet<&str> =
        body.lines().filter_map(|l| l.trim().strip_prefix('"')?.split_once("\": ")).map(|(name, _)| name).collect();
    let seen: BTreeSet<String> = faults.iter().map(|f| f.split(':').next().unwrap_or(f).to_string()).collect();
    let planted: BTreeSet<String> = seen.into_iter().filter(|f| f != "none").collect();
    assert_eq!(planted, rules, "rules without a fault, or faults without a rule");
    for fault in faults.into_iter().filter(|f| *f != "none") {
        let rule = fault.split(':').next().unwrap_or(fault);
        let said = tools.fails(&folder, &format!("obj_dir/faults +fault={fault}"));
        assert!(said.contains(&format!("u_assertions.{rule}:")), "{fault}: {said}");
    }
}

/// Unknown values need a simulator with four states, and Icarus has no `bind`, so the module is instantiated.
#[test]
fn an_unknown_value_is_seen_on_each_signal() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let (folder, path) = (scratch.at("rtl"), streamed(&scratch));
    json(&["rtl", "--config", &path, "-o", &folder]);
    let ports = rtl_gen::blocks::core::top(&Config::load(Path::new(&path)).expect("a configuration")).ports.clone();
    let watched: Vec<_> = ports.iter().filter(|p| p.name != "clk_i" && !p.name.ends_with("rst_ni")).collect();
    let high: String = watched.iter().map(|p| format!("    {} = '1;\n", p.name)).collect();
    let faults: String = watched
        .iter()
        .map(|p| {
            let (name, top_bit) = (&p.name, if p.bits > 1 { format!("[{}]", p.bits - 1) } else { String::new() });
            format!("    $display(\"FAULT {name}\"); {name}{top_bit} = 1'bx; cycle; {name} = '1;\n")
        })
        .collect();
    let resets: Vec<_> =
        ports.iter().filter(|p| p.name.ends_with("rst_ni")).map(|p| format!("{} = VALUE;", p.name)).collect();
    let resets = resets.join(" ");
    let body = format!(
        "  anser_known u_known (.*);\n  task cycle;\n    begin #1 clk_i = 1; #1 clk_i = 0; end\n  endtask\n  initial begin\n    \
         clk_i = 0; {}\n    cycle; cycle;\n{high}    {}\n    cycle; cycle;\n    $display(\"GOOD\");\n{faults}    cycle;\n  end",
        resets.replace("VALUE", "1'b0"),
        resets.replace("VALUE", "1'b1"),
    );
    std::fs::write(Path::new(&folder).join("unknown.sv"), stand_in(&ports, &body)).expect("written");
    let said = tools
        .done(&folder, "iverilog -g2012 -s anser_top -o unknown.vvp unknown.sv sva/known.sv && vvp -n unknown.vvp");
    let (before, after) = said.split_once("GOOD").expect("the end of what is right");
    assert!(!before.contains("ERROR"), "{before}");
    let found: Vec<_> = after.split("FAULT ").skip(1).collect();
    assert_eq!(found.len(), watched.len());
    for (port, said) in watched.iter().zip(found) {
        assert!(said.contains(&format!("{} is ", port.name)) && said.contains("ERROR"), "{}: {said}", port.name);
    }
}
