//! Proofs without a bound on time, by Yosys and ABC: a property that is proved holds in every cycle that can ever come, whatever the inputs do.

use rtl_gen::blocks::regs::regs;
use rtl_gen::config::Config;
use rtl_gen::hdl::{print, Printed};
use sim_harness::toolchain::{Program, ABC, YOSYS};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const LITE: &str = include_str!("../formal/axi_lite.sv");

fn printed() -> Printed {
    let config = Config::parse(include_str!("../../configs/nano.toml"), "nano").unwrap();
    print(&regs(&config)).unwrap()
}

/// The register block beside its properties; every input of the block is free.
fn harness() -> String {
    let config = Config::parse(include_str!("../../configs/nano.toml"), "nano").unwrap();
    let block = regs(&config);
    let is_input = |name: &str| name.ends_with("_i") || name.ends_with("_ni");
    let inputs = block.ports.iter().filter(|p| is_input(&p.name));
    let inputs: Vec<String> = inputs.map(|p| format!("input wire [{}:0] {}", p.bits - 1, p.name)).collect();
    let mut text = format!("module harness ({});\n", inputs.join(", "));
    for p in block.ports.iter().filter(|p| !is_input(&p.name)) {
        let _ = writeln!(text, "  wire [{}:0] {};", p.bits - 1, p.name);
    }
    let all: Vec<String> = block.ports.iter().map(|p| format!(".{0}({0})", p.name)).collect();
    let _ = writeln!(text, "  {} u_regs ({});", block.name, all.join(", "));
    let mut properties: Vec<String> = ["clk_i", "bus_rst_ni", "rst_ni"].map(|p| format!(".{p}({p})")).to_vec();
    properties.push(".held_i(down_i)".into());
    properties.push(".image_base_i(image_base_o[25:0])".into());
    // the properties see every wire of the bus as an input
    for p in &block.ports {
        if let Some(name) = p.name.strip_prefix("s_axil_") {
            properties.push(format!(".{}_i({})", &name[..name.len() - 2], p.name));
        }
    }
    let _ = writeln!(text, "  axi_lite_properties u_properties ({});\nendmodule", properties.join(", "));
    text
}

fn run(dir: &Path, program: &Program, args: &[&str]) -> String {
    let found = program.find().unwrap_or_else(|e| panic!("{e}"));
    let out = Command::new(&found).current_dir(dir).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
    said
}

/// How many assertions there are, and the names of those that are not proved.
fn proof(printed: &Printed) -> (usize, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    let mut files: Vec<&str> = printed.files.keys().map(String::as_str).collect();
    files.sort_by_key(|f| !f.contains("pkg")); // the package comes first
    printed.files.iter().for_each(|(name, text)| write(name, text));
    write("properties.sv", LITE);
    write("harness.sv", &harness());
    let script = format!(
        "read_verilog -formal -sv {} properties.sv harness.sv; prep -flatten -top harness; memory_map; async2sync; \
         dffunmap; opt -full; formalff -clk2ff -ff2anyinit; setundef -anyseq; simplemap; opt; dffunmap; opt_clean; aigmap; \
         opt_clean; write_aiger -zinit -ywmap map.json -I -B proof.aig",
        files.join(" ")
    );
    run(dir.path(), &YOSYS, &["-q", "-p", &script]);
    let map = std::fs::read_to_string(dir.path().join("map.json")).unwrap();
    let map: serde_json::Value = serde_json::from_str(&map).unwrap();
    let names: Vec<String> = (map["asserts"].as_array().unwrap().iter())
        .map(|path| path.as_array().unwrap().last().unwrap().as_str().unwrap().trim_start_matches('\\').to_string())
        .collect();
    let said = run(dir.path(), &ABC, &["-c", "read_aiger proof.aig; fold; scorr; dc2; pdr -a -T 50"]);
    // Output 17 was asserted in frame 3 …, and at the end: Properties: All = 20. Proved = 19. Disproved = 1. Undecided = 0.
    let number =
        |text: &str| text.trim().split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<usize>().unwrap();
    let after = |word: &str| said.rsplit_once(word).map(|(_, rest)| number(rest));
    let [all, proved] = ["All = ", "Proved = "].map(|w| after(w).unwrap_or_else(|| panic!("no verdict in: {said}")));
    assert_eq!(all, names.len(), "{said}");
    let failed = said.lines().filter_map(|l| l.strip_prefix("Output ")).filter(|l| l.contains("was asserted"));
    let mut left: Vec<String> = failed.map(|l| names[number(l)].clone()).collect();
    if left.len() != all - proved {
        left.push(format!("{} undecided", all - proved - left.len()));
    }
    (all, left)
}

#[test]
fn the_axi_lite_slave_keeps_its_rules_for_ever() {
    let (all, left) = proof(&printed());
    assert_eq!(all, LITE.matches("assert (").count(), "assertions");
    assert!(left.is_empty(), "not proved: {left:?}");
}

/// Each rule is broken by a fault that is planted for it.
#[test]
fn a_planted_fault_breaks_its_rule() {
    const REGS: &str = "anser_regs.sv";
    let faults: [(&[&str], &str, &str); 12] = [
        (&["a_b_held"], "else if (s_axil_bready_i) b_valid_q <= 1'b0;", "else b_valid_q <= 1'b0;"),
        (&["a_b_same"], "if (act) b_error_q <= !w_good;", "b_error_q <= !w_good;"),
        (&["a_r_held"], "else if (s_axil_rready_i) r_valid_q <= 1'b0;", "else r_valid_q <= 1'b0;"),
        (&["a_r_same"], "    if (answer) begin\n      rdata_q", "    begin\n      rdata_q"),
        (&["a_b_asked"], "wire act    = aw_valid_q && w_valid_q &&", "wire act    = aw_valid_q &&"),
        (&["a_r_asked"], "wire answer = ar_valid_q &&", "wire answer ="),
        (&["a_aw_room"], "assign s_axil_awready_o = !aw_valid_q;", "assign s_axil_awready_o = 1'b1;"),
        (&["a_b_soon"], "if (act) b_valid_q <= 1'b1;", "if (act && w_good) b_valid_q <= 1'b1;"),
        (&["a_b_partial"], "w_full_q <= &s_axil_wstrb_i;", "w_full_q <= |s_axil_wstrb_i;"),
        (&["a_b_odd"], "w_odd_q <= |s_axil_awaddr_i[1:0];", "w_odd_q <= s_axil_awaddr_i[0];"),
        (&["a_kept"], "if (write_image_base_lo) base_lo_q", "if (write_image_base_lo && !w_data_q[31]) base_lo_q"),
        (&["a_r_odd"], "r_odd_q <= |s_axil_araddr_i[1:0];", "r_odd_q <= 1'b0;"),
    ];
    for (rules, from, to) in faults {
        let mut broken = printed();
        let text = broken.files.get_mut(REGS).unwrap();
        assert!(text.contains(from), "{REGS} has changed: choose another line than {from} to break");
        *text = text.replacen(from, to, 1);
        let (_, left) = proof(&broken);
        assert!(
            rules.iter().all(|rule| left.iter().any(|l| l == rule)),
            "{to}: broken are {left:?}, expected {rules:?}"
        );
    }
}
