//! The whole design, in both shapes, passes all three lint tools, with one session and with several.

mod common;

use rtl_gen::blocks::core::{core, top};
use rtl_gen::config::Config;
use rtl_gen::hdl::print;
use sim_harness::lint::assert_clean;

fn check(config: &str) {
    let config = Config::parse(config, "config").unwrap();
    assert_clean(&print(&top(&config)).unwrap());
    assert_clean(&print(&core(&config)).unwrap());
}

#[test]
fn nano_is_clean() {
    check(include_str!("../../configs/nano.toml"));
}

/// The signals of AXI4 that never change, of both masters.
#[test]
fn ids_are_clean() {
    let nano =
        include_str!("../../configs/nano.toml").replace("bus_bits", "state = \"memory\"\naxi_id_bits = 6\nbus_bits");
    assert_clean(&print(&top(&Config::parse(&nano, "config").unwrap())).unwrap());
}

/// Two sessions, and four with a recurrence of more lanes than the vector unit has.
#[test]
fn sessions_are_clean() {
    let nano = include_str!("../../configs/nano.toml");
    for more in ["sessions = 2\nwkv_lanes = 4", "sessions = 4\nwkv_lanes = 16"] {
        check(&nano.replace("bus_bits", &format!("{more}\nbus_bits")));
    }
}

/// Registers through which a host reaches the state on the chip, in words of several widths.
#[test]
fn a_port_to_the_state_is_clean() {
    let nano = include_str!("../../configs/nano.toml").replace("bus_bits", "state_port = true\nbus_bits");
    check(&nano);
    check(&nano.replace("bus_bits", "wkv_lanes = 8\nbus_bits").replace("state_bits = 24", "state_bits = 32"));
}

#[test]
fn wide_is_clean() {
    check(include_str!("../../configs/wide.toml"));
}

#[test]
fn both_are_clean_with_the_state_in_memory() {
    check(&common::streamed(include_str!("../../configs/nano.toml")));
    check(&common::streamed(include_str!("../../configs/wide.toml")));
}

/// One bit for a slot's number, and more; words as wide as a unit of memory, and narrower.
#[test]
fn sessions_are_clean_with_the_state_in_memory() {
    let several = |text: &str, n: usize| text.replace("bus_bits", &format!("sessions = {n}\nbus_bits"));
    let nano = common::streamed(include_str!("../../configs/nano.toml"));
    check(&several(&nano, 2));
    check(&several(&nano.replace("axi_addr_bits = 40", "axi_addr_bits = 64"), 4));
    check(&several(&common::streamed(include_str!("../../configs/wide.toml")), 8));
}

#[test]
fn edge_large_is_clean() {
    check(include_str!("../../configs/edge-large.toml"));
}
