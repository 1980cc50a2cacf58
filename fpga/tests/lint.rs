//! Every module of the board system passes Verilator, Icarus and Yosys, alone and as a whole.

use fpga::board::ULX3S_85F;
use fpga::rtl::system::{system, SystemOptions};
use fpga::rtl::{axi_read, control, frame, lite, sdram, uart};
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use sim_harness::lint::{assert_clean, lint, TOOLS};

#[test]
fn every_block_is_clean() {
    let cycles = ULX3S_85F.sdram_timing.cycles(80_000);
    let mut messages = vec![];
    for m in [
        uart::uart_rx(80),
        uart::uart_tx(80),
        frame::frame_rx(2_000_000),
        frame::reply_tx(),
        lite::lite_master(),
        control::host_control(19),
        sdram::sdram(&ULX3S_85F.sdram, &cycles),
        axi_read::axi_read(40, 21),
    ] {
        messages.extend(
            lint(&print(&m).unwrap(), &TOOLS).unwrap().into_iter().map(|c| format!("{:?}: {}", c.tool, c.text)),
        );
    }
    assert!(messages.is_empty(), "{}", messages.join("\n"));
}

#[test]
fn the_system_is_clean() {
    let config = Config::parse(include_str!("../../configs/nano.toml"), "nano").unwrap();
    let options = SystemOptions::of(&ULX3S_85F, ULX3S_85F.clock_khz);
    assert_eq!(options.clocks_per_bit, 80);
    let printed = print(&system(&config, &ULX3S_85F, &options).unwrap()).unwrap();
    for (file, text) in &printed.files {
        for bad in ["`ifdef", "initial", "$display", "translate_off", "lint_off", "EHXPLLL", "ODDRX1F"] {
            assert!(!text.contains(bad), "{file} contains {bad}");
        }
    }
    assert_clean(&printed);
}

#[test]
fn another_bus_is_refused() {
    let config = Config::parse(include_str!("../../configs/wide.toml"), "wide").unwrap();
    let options = SystemOptions::of(&ULX3S_85F, 80_000);
    let error = system(&config, &ULX3S_85F, &options).unwrap_err().to_string();
    assert!(error.contains("wide") && error.contains("512"), "{error}");
    let writing = include_str!("../../configs/nano.toml").replace("[limits]", "state = \"memory\"\n[limits]");
    let config = Config::parse(&writing, "nano").unwrap();
    let error = system(&config, &ULX3S_85F, &options).unwrap_err().to_string();
    assert!(error.contains("nano") && error.contains("state"), "{error}");
}
