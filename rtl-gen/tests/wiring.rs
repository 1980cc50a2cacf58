//! Every configuration is wired right, and a design that is not is refused by name.

use rtl_gen::blocks::core::{core, top};
use rtl_gen::config::Config;
use rtl_gen::hdl::{check, ports, wires, Module, Wires};
use std::sync::Arc;

/// The project's configurations with every number of sessions they can have.
fn configs() -> Vec<Config> {
    let mut all = vec![];
    for name in ["nano", "wide", "edge", "edge-large"] {
        let path = format!("{}/../configs/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let config = Config::load(std::path::Path::new(&path)).expect("a configuration of the project");
        all.extend([1, 2, 8].map(|sessions| Config { sessions, ..config.clone() }));
        all.push(Config { axi_id_bits: 4, ..config });
    }
    all
}

#[test]
fn every_configuration_is_wired_right() {
    for config in configs() {
        for design in [core(&config), top(&config)] {
            check::all(&design).unwrap_or_else(|e| panic!("{} with {} sessions:\n{e}", config.name, config.sessions));
        }
    }
}

/// Two inverters in a row, for faults to be planted in.
fn leaf() -> Arc<Module> {
    let mut m = Module::new("leaf", "Inverts.");
    m.input("a_i", 4, "").output("b_o", 4, "").body("  assign b_o = ~a_i;");
    m.done()
}

fn pair(first: &[(&str, &str)], second: &[(&str, &str)], body: &str) -> Module {
    let mut m = Module::new("pair", "Two inverters.");
    m.input("x_i", 4, "").output("y_o", 4, "").wire("mid", 4).body(body);
    m.instance("u_first", &leaf(), first).instance("u_second", &leaf(), second);
    m
}

const FIRST: [(&str, &str); 2] = [("a_i", "x_i"), ("b_o", "mid")];
const SECOND: [(&str, &str); 2] = [("a_i", "mid"), ("b_o", "y_o")];

#[track_caller]
fn refused(design: &Module, expected: &str) {
    let found = check::all(design).expect_err("a fault was planted");
    assert!(found.contains(expected), "expected {expected:?} in:\n{found}");
}

#[test]
fn the_pair_itself_is_right() {
    check::all(&pair(&FIRST, &SECOND, "")).unwrap();
}

#[test]
fn a_port_that_is_missing_doubled_unknown_or_of_another_width_is_named() {
    refused(&pair(&FIRST[..1], &SECOND, ""), "anser_pair: u_first: port b_o of anser_leaf is connected 0 times");
    refused(&pair(&[FIRST[0], FIRST[0], FIRST[1]], &SECOND, ""), "port a_i of anser_leaf is connected 2 times");
    refused(&pair(&[FIRST[0], FIRST[1], ("c_i", "x_i")], &SECOND, ""), "u_first: anser_leaf has no port c_i");
    refused(
        &pair(&[("a_i", "x_i[2:0]"), FIRST[1]], &SECOND, ""),
        "port a_i of anser_leaf has 4 bits, 'x_i[2:0]' has 3",
    );
    refused(&pair(&[("a_i", "z"), FIRST[1]], &SECOND, ""), "there is no 'z' here");
    refused(&pair(&[("a_i", ""), FIRST[1]], &SECOND, ""), "input a_i of anser_leaf is left open");
}

#[test]
fn a_signal_without_a_driver_or_with_two_is_named() {
    refused(&pair(&[FIRST[0], ("b_o", "")], &SECOND, ""), "uut.mid: nothing drives it");
    refused(&pair(&FIRST, &[SECOND[0], ("b_o", "")], ""), "uut.y_o: nothing drives it");
    refused(&pair(&FIRST, &SECOND, "  wire stray;"), "uut.stray: nothing drives it");
    refused(&pair(&FIRST, &SECOND, "  assign mid = x_i;"), "mid is driven by an assignment and by u_first.b_o");
    refused(&pair(&FIRST, &SECOND, "  assign mid[2] = 1'b0;"), "mid is driven by");
    let two = "  reg r_q;\n  always_ff @(posedge clk_i) r_q <= 1'b0;\n  always_ff @(posedge clk_i) r_q <= x_i[0];";
    refused(&pair(&FIRST, &SECOND, two), "r_q is driven by a process and by a process");
}

#[test]
fn an_input_that_is_written_is_named() {
    refused(&pair(&FIRST, &SECOND, "  assign x_i = 4'd0;"), "uut.x_i: an input is written");
    refused(
        &pair(&[FIRST[0], ("b_o", "x_i")], &[("a_i", "x_i"), SECOND[1]], "  assign mid = 4'd0;"),
        "an input is written",
    );
}

#[test]
fn a_loop_without_a_register_is_named() {
    refused(&pair(&FIRST, &SECOND, "  wire [3:0] p = q;\n  wire [3:0] q;\n  assign q = p;"), "follows itself");
    refused(&pair(&[("a_i", "mid"), ("b_o", "mid")], &SECOND, ""), "uut.mid: it follows itself");
    let held = "  reg [3:0] p_q;\n  always_ff @(posedge clk_i) p_q <= ~p_q;";
    check::all(&pair(&FIRST, &SECOND, held)).unwrap();
}

#[test]
fn the_rest_of_the_ports_follows_the_rule_and_is_checked_like_all_others() {
    let mut child = Module::new("child", "Two ways through.");
    ports! { child; a_i[4] "one way in", b_i[2], c_o[4], d_o[2] }
    child.body("  assign c_o = a_i;\n  assign d_o = b_i;");
    let child = child.done();
    let parent = |bits: usize, wires: Wires| {
        let mut m = Module::new("parent", "");
        ports! { m; a_i[4], x_i[2], c_o[4], y_o[2] }
        m.wire("d", bits).body("  assign y_o = d[1:0];");
        m.instance("u_child", &child, wires);
        m
    };
    // a port of the parent's comes first, then a wire without the suffix
    let m = parent(2, wires! { b_i: x_i, .. });
    check::all(&m).unwrap();
    let text = m.verilog();
    for connection in [".a_i(a_i)", ".b_i(x_i)", ".c_o(c_o)", ".d_o(d)"] {
        assert!(text.contains(connection), "{connection} in\n{text}");
    }
    refused(&parent(2, wires! { .. }), "there is no 'b' here");
    refused(&parent(3, wires! { b_i: x_i, .. }), "port d_o of anser_child has 2 bits, 'd' has 3");
    refused(&parent(2, wires! { b_i: x_i }), "port a_i of anser_child is connected 0 times");
    refused(&parent(2, wires! { b_i: x_i, b_i: x_i, .. }), "port b_i of anser_child is connected 2 times");
    refused(&parent(2, wires! { b_i: x_i, e_i: x_i, .. }), "anser_child has no port e_i");
}

#[test]
fn a_port_whose_name_says_no_direction_is_named() {
    let mut m = Module::new("bad", "");
    ports! { m; data }
    refused(&m, "port data says no direction: expected a name that ends in _i or _o");
}
