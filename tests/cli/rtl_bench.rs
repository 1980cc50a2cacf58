//! The bench that `rtl` writes, run as a hardware engineer runs it: in Icarus and in Verilator, with nothing of this project around it.

use super::{done, json, list, refused, text, Scratch};
use serde_json::Value;
use sim_harness::toolchain::{Compiler, Verilator};
use std::path::Path;
use std::process::{Command, Output};

/// The least that goes through every kind of instruction: Icarus is slow.
const TINY: &[&str] = &["--layers=1", "--embd=32", "--head-size=16", "--vocab=40", "--ffn=48", "--ranks=8,9,10,11"];
const TOP: &str = "my_tb";

/// Writes chip and bench of a tiny model into `folder` and gives what was printed.
fn write(scratch: &Scratch, folder: &str, config: &str, more: &[&str]) -> Value {
    let model = scratch.random("tiny.safetensors", TINY);
    json(&[&["rtl", &model, "--config", config, "--prefix=my_", "-o", folder], more].concat())
}

fn at(folder: &str, program: &str, args: &[&str]) -> Output {
    let said = Command::new(program).args(args).current_dir(folder).output();
    said.unwrap_or_else(|e| panic!("{program}: {e}; install it with scripts/setup"))
}

/// Standard output, if the program did its work.
fn fine(out: &Output) -> String {
    assert!(out.status.success(), "{}{}", text(&out.stdout), text(&out.stderr));
    text(&out.stdout)
}

/// What a run that must fail said.
fn failed(out: &Output) -> String {
    let said = text(&out.stdout) + &text(&out.stderr);
    assert!(!out.status.success() && !said.contains("PASS"), "{said}");
    said
}

fn icarus(folder: &str) {
    // what lint of the chip leaves out, too: no delays without a unit, no memories in combinational processes
    let quiet = ["-Wall", "-Wno-timescale", "-Wno-sensitivity-entire-array"];
    let args = [&["-g2012", "-f", "files.f", "tb.sv", "-s", TOP, "-o", "tb.vvp"][..], &quiet].concat();
    let out = at(folder, "iverilog", &args);
    assert_eq!(fine(&out) + &text(&out.stderr), "", "Icarus complains");
}

fn verilator(folder: &str, args: &[&str]) {
    let tool = Verilator::find().expect("Verilator");
    let mut command = tool.command();
    command.args(args).args(["--timing", "-Wall", "-f", "files.f", "tb.sv", "--top", TOP]);
    let out = command.current_dir(folder).output().expect("Verilator starts");
    fine(&out);
    let said = text(&out.stdout) + &text(&out.stderr);
    assert!(!said.lines().any(|l| l.starts_with('%')), "{said}");
}

/// What differs from one run of a simulator to another is left out: only lines about tokens, and the last one.
fn told(out: &Output) -> Vec<String> {
    let lines = fine(out);
    lines.lines().filter(|l| l.starts_with("token ") || l.starts_with("PASS")).map(String::from).collect()
}

#[test]
fn the_bench_passes_in_both_simulators_and_fails_when_a_value_or_the_chip_is_wrong() {
    let scratch = Scratch::new();
    let folder = scratch.at("rtl");
    let manifest = write(&scratch, &folder, "nano", &["--prompt-tokens=7", "--tokens=1"]);
    let bench = &manifest["bench"];
    assert_eq!((&bench["top"], &bench["file"]), (&TOP.into(), &"tb.sv".into()), "{manifest}");
    assert_eq!((&bench["tokens"], &bench["logits"]), (&2.into(), &80.into()), "{manifest}");
    icarus(&folder);
    // the environment of Verilator that scripts/setup installs is not made for a compiler: two settings of its make file are missing
    let flags = match Compiler::find().expect("a compiler").is_gcc() {
        true => "CFG_CXXFLAGS_COROUTINES=-fcoroutines CFG_CXXFLAGS_PCH_I=-include",
        false => "CFG_CXXFLAGS_STD=-std=c++20 CFG_CXXFLAGS_PCH_I=-include-pch",
    };
    let quick = format!("{flags} OPT_FAST=-O0 OPT_GLOBAL=-O0");
    verilator(&folder, &["--binary", "-j", "0", "-MAKEFLAGS", &quick, "-o", TOP]);
    let binary = Path::new(&folder).join("obj_dir").join(TOP);
    let binary = binary.to_str().expect("UTF-8");

    // the cycles are those of co-simulation, whose memory is the same one
    let calm = told(&at(&folder, "vvp", &["tb.vvp"]));
    let model = scratch.at("tiny.safetensors");
    let cycles = list(&json(&["cosim", &model, "--prompt-tokens=7", "--tokens=1"]), "cycles_per_token");
    assert_eq!(calm.len(), 3, "{calm:?}");
    assert!(
        calm[0].starts_with("token 0, slot 0: 7 in,") && calm[0].ends_with(&format!(" {} cycles", cycles[0])),
        "{calm:?}"
    );
    assert_eq!(calm[2], format!("PASS: 2 tokens, 80 logits, {} cycles", cycles[0] + cycles[1]));
    assert_eq!(told(&at(&folder, binary, &[])), calm);
    // stalls cost cycles, the same ones everywhere
    let stalls = ["+stall=20", "+seed=7", "+tokens=1"];
    let stalled = told(&at(&folder, "vvp", &[&["tb.vvp"][..], &stalls].concat()));
    assert_eq!(told(&at(&folder, binary, &stalls)), stalled);
    assert!(stalled[1].starts_with("PASS: 1 tokens, 40 logits, ") && stalled[0] != calm[0], "{stalled:?}");
    for (bad, words) in [("+stall=100", "0 to 99"), ("+tokens=3", "1 to 2"), ("+tokens=0", "1 to 2")] {
        assert!(failed(&at(&folder, binary, &[bad])).contains(words), "{bad}");
    }

    // one bit of one logit, one bit of a token
    for (file, line, difference) in [
        ("expected_logits.hex", 45, "token 1, slot 0, row 5: found "),
        ("expected_tokens.hex", 1, "token 1, slot 0: TOKEN_OUT is "),
    ] {
        let path = Path::new(&folder).join(file);
        let right = std::fs::read_to_string(&path).expect("the file");
        let changed = right.lines().enumerate().map(|(i, l)| match u32::from_str_radix(l, 16).expect("a word") {
            word if i == line => format!("{:08x}\n", word ^ 1),
            word => format!("{word:08x}\n"),
        });
        std::fs::write(&path, changed.collect::<String>()).expect("written");
        let said = failed(&at(&folder, binary, &[]));
        assert!(said.contains(difference) && said.contains("token 0, slot 0: 7 in,"), "{said}");
        std::fs::write(&path, right).expect("written");
    }

    // a chip whose matrix unit forgets the sign when it rounds
    let path = Path::new(&folder).join("my_mat_drain.sv");
    let right = std::fs::read_to_string(&path).expect("the module");
    let wrong = right.replace("$signed(coarse_6_q) >>> fine_6_q", "coarse_6_q >> fine_6_q");
    assert_ne!(right, wrong);
    std::fs::write(&path, wrong).expect("written");
    icarus(&folder);
    let said = failed(&at(&folder, "vvp", &["tb.vvp", "+tokens=1"]));
    assert!(said.contains("token 0, slot 0, row ") && said.contains("expected "), "{said}");
}

#[test]
fn wider_chips_have_a_bench_without_a_remark_too() {
    let scratch = Scratch::new();
    // one of them with AXI IDs and what comes with them
    let text = std::fs::read_to_string("configs/wide.toml").expect("a configuration");
    let with_ids = scratch.file("wide.toml", text.replace("bus_bits", "axi_id_bits = 4\nbus_bits"));
    for (name, config) in [("wide", with_ids.as_str()), ("edge", "edge")] {
        let folder = scratch.at(name);
        write(&scratch, &folder, config, &["--tokens=0"]);
        icarus(&folder);
        verilator(&folder, &["--lint-only"]);
    }
    let said = told(&at(&scratch.at("wide"), "vvp", &["tb.vvp"]));
    assert!(said[1].starts_with("PASS: 1 tokens, 40 logits, "), "{said:?}");
}

#[test]
fn several_sessions_with_their_states_in_memory_have_texts_of_their_own() {
    let scratch = Scratch::new();
    let folder = scratch.at("rtl");
    let nano = std::fs::read_to_string("configs/nano.toml").expect("a configuration");
    let config = scratch.file("my.toml", nano.replace("bus_bits", "state = \"memory\"\nsessions = 2\nbus_bits"));
    let manifest = write(&scratch, &folder, &config, &["--tokens=1", "--prompt-tokens=39"]);
    assert_eq!((&manifest["bench"]["tokens"], &manifest["bench"]["logits"]), (&2.into(), &160.into()), "{manifest}");
    icarus(&folder);
    verilator(&folder, &["--lint-only"]);
    let said = told(&at(&folder, "vvp", &["tb.vvp", "+stall=30"]));
    assert_eq!(said.len(), 5, "{said:?}");
    assert!(
        said[0].starts_with("token 0, slot 0: 39 in,") && said[1].starts_with("token 0, slot 1: 0 in,"),
        "{said:?}"
    );
    assert!(said[4].starts_with("PASS: 4 tokens, 160 logits, "), "{said:?}");
    // a state that is not read is missed: the second token depends on what the first one wrote
    let bench = Path::new(&folder).join("tb.sv");
    let right = std::fs::read_to_string(&bench).expect("the bench");
    let wrong = right.replace("data[first_beat[INDEX_BITS-1:0]] = write_data[oldest * MAX_BURST + i];", "");
    assert_ne!(right, wrong);
    std::fs::write(&bench, wrong).expect("written");
    icarus(&folder);
    let said = failed(&at(&folder, "vvp", &["tb.vvp"]));
    assert!(said.contains("token 0, slot 1: 0 in,") && said.contains("token 1, slot "), "{said}");
}

#[test]
fn an_earlier_bench_goes_with_its_chip() {
    let scratch = Scratch::new();
    let folder = scratch.at("rtl");
    let there = |name: &str| Path::new(&folder).join(name).exists();
    let files = ["tb.sv", "image.hex", "tokens.hex", "expected_tokens.hex", "expected_logits.hex"];
    write(&scratch, &folder, "nano", &["--tokens=0"]);
    assert!(files.iter().all(|f| there(f)));
    json(&["rtl", "-o", &folder]);
    assert!(there("anser_top.sv") && !there("my_top.sv") && !files.iter().any(|f| there(f)));
}

#[test]
fn prompts_of_the_bench() {
    let scratch = Scratch::new();
    let folder = scratch.at("rtl");
    let tokens = |name: &str| std::fs::read_to_string(Path::new(&folder).join(name)).expect("a list");
    assert_eq!(write(&scratch, &folder, "nano", &[])["bench"]["tokens"], 3);
    let (read, said) = (tokens("tokens.hex"), tokens("expected_tokens.hex"));
    assert!(read.starts_with("00000000\n") && read.lines().skip(1).eq(said.lines().take(2)), "{read}{said}");
    let small = scratch.small();
    assert_eq!(json(&["rtl", &small, "-o", &folder, "--prompt=ab", "--tokens=0"])["bench"]["tokens"], 2);
    assert_eq!(tokens("tokens.hex"), "00000061\n00000062\n");
    // the last token that goes in is the first that generate picks, and so on
    done(&["rtl", &small, "-o", &folder, "--prompt=ab", "--tokens=4"]);
    let generated = json(&["generate", &small, "--backend=golden", "--prompt=ab", "--tokens=4"]);
    let said: Vec<f64> =
        tokens("tokens.hex").lines().skip(2).map(|l| u32::from_str_radix(l, 16).expect("a word").into()).collect();
    assert_eq!(said, list(&generated, "tokens"));
    refused(&["rtl", "-o", &folder, "--tokens=1"], &["MODEL"]);
    refused(&["rtl", &small, "-o", &folder, "--prompt-tokens=256"], &["token 256", "expected 0 to 255"]);
    refused(&["rtl", &small, "-o", &folder, "--prompt=a", "--prompt-tokens=1"], &["--prompt-tokens"]);
    refused(&["rtl", &small, "-o", &folder, "--prompt="], &["--prompt", "at least one token"]);
    refused(&["rtl", &small, "-o", &folder, "--tokens=4294967295"], &["31 bits", "256 logits", "too many"]);
}
