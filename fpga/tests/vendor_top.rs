//! The file with the vendor's cells, as Yosys reads it with the rest of a build: dividers of the clock generator, and pins.

use fpga::board::{Board, ULX3S_85F};
use fpga::build::{reading, sources};
use fpga::pll::{pll, Pll};
use fpga::rtl::system::SystemOptions;
use fpga::tools::YOSYS;
use rtl_gen::config::Config;
use serde_json::Value;
use std::collections::BTreeSet;

const BOARD: &Board = &ULX3S_85F;

/// The board's top in a build at `pll`, elaborated: the `begin` part of the synthesis that a build runs.
fn elaborated(pll: Pll) -> Value {
    let config = Config::parse(include_str!("../../configs/nano.toml"), "nano").expect("a configuration");
    let files = sources(&config, BOARD, &SystemOptions::of(BOARD, pll.clock_khz), pll).expect("sources");
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in &files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let top = BOARD.vendor_top;
    let elaboration = format!("{}; synth_ecp5 -top {top} -run begin:coarse", reading(&files));
    let script = format!("{elaboration}; select {top}; write_json -selected out.json");
    YOSYS.run(folder.path(), &["-p", &script], "yosys.log", &|_| {}).expect("Yosys takes the files");
    let json = std::fs::read_to_string(folder.path().join("out.json")).expect("a netlist");
    serde_json::from_str::<Value>(&json).expect("JSON")["modules"][top].take()
}

/// A number of a cell, which Yosys writes as binary digits.
fn number(cell: &Value, parameter: &str) -> u32 {
    let digits = cell["parameters"][parameter].as_str().unwrap_or_else(|| panic!("{parameter}: {cell}"));
    u32::from_str_radix(digits, 2).unwrap_or_else(|e| panic!("{parameter} is {digits}: {e}"))
}

#[test]
fn the_clock_generator_makes_the_clock_of_the_build() {
    // the slowest, one that is no whole number of MHz, the board's own, the fastest
    for asked_khz in [10_000, 33_300, BOARD.clock_khz, 100_000] {
        let pll = pll(BOARD.oscillator_khz, asked_khz).expect("a clock");
        let top = elaborated(pll);
        let cell = &top["cells"]["u_pll"];
        assert_eq!(cell["type"], "EHXPLLL");
        let vco_khz = BOARD.oscillator_khz * number(cell, "CLKOP_DIV");
        assert_eq!(vco_khz / number(cell, "CLKOS_DIV"), pll.clock_khz, "{asked_khz} kHz: the system's clock");
        assert_eq!(number(cell, "CLKOS_DIV"), number(cell, "CLKOS2_DIV"), "{asked_khz} kHz: the memory's clock");
        // a larger phase is a later edge
        let lead = number(cell, "CLKOS_CPHASE") - number(cell, "CLKOS2_CPHASE");
        assert_eq!(lead, pll.memory_lead(), "{asked_khz} kHz");
        // Yosys puts a space behind a text of 0 and 1 only, so that it is no number
        let mhz = cell["attributes"]["FREQUENCY_PIN_CLKOS"].as_str().and_then(|f| f.trim_end().parse::<f64>().ok());
        assert_eq!(mhz, Some(f64::from(pll.clock_khz) / 1000.0), "{asked_khz} kHz: {cell}");
    }
}

#[test]
fn every_port_has_its_pin_and_every_pin_its_port() {
    let top = elaborated(pll(BOARD.oscillator_khz, BOARD.clock_khz).expect("a clock"));
    let ports = top["ports"].as_object().expect("ports");
    let bits = |(name, port): (&String, &Value)| match port["bits"].as_array().map_or(0, Vec::len) {
        1 => vec![name.clone()],
        n => (0..n).map(|i| format!("{name}[{i}]")).collect(),
    };
    let ports: BTreeSet<String> = ports.iter().flat_map(bits).collect();
    let located = BOARD.pins.lines().filter_map(|l| l.trim().strip_prefix("LOCATE COMP \"")?.split('"').next());
    let pins: BTreeSet<String> = located.map(str::to_string).collect();
    assert_eq!(ports, pins);
}
