//! A whole token on the delivered chip: the bench in FuseSoC with the assertions bound, and the bench for cocotb.

use super::{change, command_of, read, with_model, Scratch, Tools};
use std::path::Path;

/// One build serves all runs: two faults are planted behind arguments that nobody else gives.
#[test]
fn a_token_keeps_every_rule_and_a_fault_is_seen() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let (folder, told) = with_model(&scratch, "rtl", "nano");
    let last = "m_axi_rlast <= beats_left[oldest] == 1;";
    change(&folder, "tb.sv", last, "m_axi_rlast <= (beats_left[oldest] == 1) != $test$plusargs(\"early\");");
    change(&folder, "anser_top.sv", ".s_axil_bvalid(s_axil_bvalid)", ".s_axil_bvalid(bvalid)");
    change(
        &folder,
        "anser_top.sv",
        "endmodule",
        "  wire bvalid;\n  assign s_axil_bvalid = bvalid || ($test$plusargs(\"extra\") && m_axi_arvalid);\nendmodule",
    );
    let said = tools.done(&folder, &command_of(&told, "anser.core"));
    assert!(said.contains("PASS: 2 tokens, 80 logits"), "{said}");
    let built = Path::new(&folder).join("build/anser_nano_anser_top_0.1.0/sim");
    let built = built.to_str().expect("UTF-8");
    let said = tools.done(built, "./Vanser_tb +stall=30 +seed=3");
    assert!(said.contains("PASS: 2 tokens, 80 logits"), "{said}");
    let said = tools.fails(built, "./Vanser_tb +early");
    assert!(said.contains("u_assertions.system_mr_last:"), "{said}");
    let said = tools.fails(built, "./Vanser_tb +extra");
    assert!(said.contains("u_assertions.chip_b_asked:"), "{said}");
}

/// The FPGA's memories, and the check for unknown values in a simulator that has some.
#[test]
fn no_port_is_unknown_in_a_token() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let (folder, _) = with_model(&scratch, "rtl", "nano");
    let ports = read(&folder, "anser_top.sv");
    let names = ports.lines().filter_map(|l| l.strip_prefix("  input  wire ").or(l.strip_prefix("  output wire ")));
    let names = names.map(|l| l.split("//").next().unwrap_or(l).trim().trim_end_matches(','));
    let names: Vec<_> = names.map(|l| l.rsplit(' ').next().unwrap_or(l)).collect();
    let watch: Vec<_> = names.iter().map(|n| format!(".{n}(anser_tb.u_chip.{n})")).collect();
    let watch = format!("module watch;\n  anser_known u_known ({});\nendmodule\n", watch.join(", "));
    std::fs::write(Path::new(&folder).join("watch.sv"), watch).expect("written");
    let compile = "iverilog -g2012 -f files_fpga.f tb.sv sva/known.sv watch.sv -s anser_tb -s watch -o tb.vvp";
    let said = tools.done(&folder, &format!("{compile} && vvp -n tb.vvp +tokens=1"));
    assert!(said.contains("PASS: 1 tokens, 40 logits") && !said.contains("ERROR"), "{said}");
}

/// Most of a run is the programs that go through a register, so each simulator runs one of the two tests.
#[test]
fn the_cocotb_bench_passes_and_sees_a_wrong_logit() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let (folder, told) = with_model(&scratch, "rtl", "nano");
    let line = |test: &str, simulator: &str| {
        let command = command_of(&told, "cocotb_bench/run.py").replace("verilator", simulator);
        format!("ANSER_TOKENS=1 COCOTB_TEST_FILTER={test} {command}")
    };
    for line in [line("pauses", "verilator"), line("golden", "icarus")] {
        let said = tools.done(&folder, &line);
        assert!(said.contains("PASS: 1 tests, 0 failures"), "{said}");
    }
    let logits = read(&folder, "expected_logits.hex");
    let (first, rest) = logits.split_once('\n').expect("lines");
    let wrong = u32::from_str_radix(first, 16).expect("a word") ^ 1;
    std::fs::write(Path::new(&folder).join("expected_logits.hex"), format!("{wrong:08x}\n{rest}")).expect("written");
    let said = tools.fails(&folder, &line("golden", "icarus"));
    assert!(said.contains("token 0, row 0: found 0x") && said.contains("FAIL: 1 tests, 1 failures"), "{said}");
}
