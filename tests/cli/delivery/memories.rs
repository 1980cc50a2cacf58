//! The memory of the design and what may stand in its place.

use super::{change, command_of, json, read, Scratch, Tools};
use std::path::Path;

#[test]
fn every_file_list_is_a_whole_design() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let folder = scratch.at("rtl");
    let told = json(&["rtl", "--config=nano", "--prefix=my_", "-o", &folder]);
    for list in ["files.f", "files_fpga.f", "files_macro.f"] {
        let line = command_of(&told, list);
        let quiet = |said: &str| !said.lines().any(|l| l.starts_with('%'));
        // black boxes drive nothing, which is a remark of -Wall and no more
        let said = tools.done(&folder, &line);
        assert!(quiet(&said), "{line}\n{said}");
        let files: Vec<_> = read(&folder, list).lines().map(String::from).collect();
        assert_eq!(files.iter().filter(|f| f.ends_with("my_ram_1w1r.sv")).count(), 1, "{list}: {files:?}");
        assert!(files.iter().all(|f| Path::new(&folder).join(f).is_file()), "{list}: {files:?}");
    }
    // the macros of a memory that the design does not have are missed by name
    change(&folder, "memory/macro/my_ram_1w1r.sv", "WIDTH == 128 && DEPTH == 512", "WIDTH == 128 && DEPTH == 511");
    let said = tools.fails(&folder, &command_of(&told, "files_macro.f"));
    assert!(said.contains("no_macro_of_this_size"), "{said}");
}

#[test]
fn all_memories_are_the_same_memory() {
    let (scratch, tools) = (Scratch::new(), Tools::new());
    let folder = scratch.at("rtl");
    json(&["rtl", "--config=nano", "-o", &folder]);
    let bench = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/delivery/ram.sv");
    let variants = [
        "anser_ram_1w1r.sv",
        "memory/fpga/anser_ram_1w1r.sv",
        "memory/macro/anser_ram_1w1r.sv memory/macro/macros_model.sv",
    ];
    // flip-flops, memory of logic cells, block memory; every size but the first is one of this design
    for (bits, words) in [(8, 16), (64, 64), (27, 4096)] {
        let run = |files: &str| {
            let size = format!("-P ram_bench.WIDTH={bits} -P ram_bench.DEPTH={words}");
            tools.done(
                &folder,
                &format!("iverilog -g2012 {size} -s ram_bench -o ram.vvp {files} {bench} && vvp -n ram.vvp"),
            )
        };
        let lines = run(variants[0]);
        assert!(lines.lines().count() > 300 && !lines.contains('x'.to_string().repeat(2).as_str()), "{lines}");
        for files in &variants[1..] {
            assert_eq!(run(files), lines, "{files}");
        }
    }
    // a memory that gives the new word is another one
    change(
        &folder,
        variants[1],
        "if (re_i) rdata_q <= mem[raddr_i];",
        "if (re_i) rdata_q <= we_i && waddr_i == raddr_i ? wdata_i : mem[raddr_i];",
    );
    let run = |files: &str| {
        tools.done(
            &folder,
            &format!("iverilog -g2012 -s ram_bench -P ram_bench.DEPTH=64 -o ram.vvp {files} {bench} && vvp -n ram.vvp"),
        )
    };
    assert_ne!(run(variants[1]), run(variants[0]));
}
