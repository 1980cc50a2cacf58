//! The whole accelerator: units, memories, queues and registers wired together.

pub mod fetch;
pub mod inputs;
pub mod slice;
pub mod state_port;
pub mod token;
pub mod vmem;

use crate::blocks::core::fetch::fetch;
use crate::blocks::core::inputs::{input_of, is_trace, tables};
use crate::blocks::core::slice::slice;
use crate::blocks::core::state_port::state_port;
use crate::blocks::core::token::{token_control, unit_reset};
use crate::blocks::dma::columns::columns;
use crate::blocks::dma::dma;
use crate::blocks::dma::state_writer::state_writer;
use crate::blocks::prelude::*;
use crate::blocks::prim::{fifo, keep};
use crate::blocks::regs::{regs, sat_bits};
use crate::blocks::wkv::wkv;
use crate::hdl::assembly::{declare_outputs, place, Connection, Units};
use crate::hdl::stem;
use crate::isa::{DMA, MAT, VEC, WKV};
use crate::registers::{LOST, STALLS};

pub use inputs::STALL_POINTS;

/// `anser_core`: everything of the accelerator, with test inputs (`stall_i`) and trace ports.
pub fn core(config: &Config) -> Arc<Module> {
    let l = &config.limits;
    let mut m = Module::new(
        "core",
        "RWKV-7 accelerator: token id in, next token id out. Control on AXI4-Lite, weights over an AXI4 read master, logits on an\n\
         AXI4-Stream master. The contract of every unit is docs/hardware.md.\n\
         bus_rst_ni is the reset of the bus and everything on it, rst_ni that of the chip alone, which may begin and end at any time;\n\
         a system with one reset ties both together.\n\
         stall_i is for tests: each bit holds one internal handshake back; a system ties it to 0 (see anser_top).\n\
         trace_* are for tests: events of the units in order; a system leaves them open and synthesis removes them.",
    );
    ports! { m; bus_rst_ni "of the bus" }
    let mut units: Units = vec![
        ("reset", unit_reset()),
        ("dma_fetch", fetch(&DMA, l.dma_program, &["wait_vec"])),
        ("mat_fetch", fetch(&MAT, l.mat_program, &["wait_vec"])),
        ("vec_fetch", fetch(&VEC, l.vec_program, &["wait_mat", "wait_wkv"])),
        ("wkv_fetch", fetch(&WKV, l.wkv_program, &["wait_vec"])),
        ("dma", dma(config)),
        ("wkv", wkv(config)),
        ("columns", columns(config)),
        ("weights", fifo(config.bus_bits, l.weight_fifo_beats)),
        ("params", fifo(config.bus_bits, l.param_fifo_beats)),
        ("regs", regs(config)),
        ("token", token_control(config)),
        ("logits", keep(32 * config.sessions + 1)),
    ];
    if config.streams_state() {
        units.push(("state_writer", state_writer(config)));
    }
    if config.state_port {
        units.push(("state_port", state_port(config)));
    }
    let many = config.sessions > 1;
    if !many {
        units.extend(slice::units(config));
    }
    // the units' own AXI ports, by plain AXI names without _i and _o, as integrators expect them
    for unit in ["regs", "dma", "state_writer"] {
        let ports = units.iter().filter(|(name, _)| *name == unit).flat_map(|(_, unit)| &unit.ports);
        for p in ports.filter(|p| is_axi(&p.name)) {
            m.port_like(stem(&p.name), p);
        }
    }
    m.output("m_axis_logits_tvalid", 1, "").input("m_axis_logits_tready", 1, "");
    let doc = "one logit, sign-extended, of each slot; slot 0 lowest";
    m.output("m_axis_logits_tdata", 32 * config.sessions, doc).output("m_axis_logits_tlast", 1, "");
    ports! { m; irq_o "interrupt, a level: an event of IRQ_STATUS that is enabled" }
    m.input("stall_i", STALL_POINTS.len(), STALL_POINTS.join(", "));
    ports! { m;
        trace_start_o[4] "an instruction is handed over: dma, mat, vec, wkv",
        trace_done_o[4] "an instruction is finished: dma, mat, vec, wkv",
    }
    for p in units.iter().flat_map(|(_, unit)| &unit.ports).filter(|p| is_trace(&p.name)) {
        m.port_like(&p.name, p);
    }
    m.body("  // Output PORT_o of instance u_NAME is the wire NAME_PORT.");
    declare_outputs(&mut m, &units, |_, port| parent(port));
    if many {
        slice_wires(&mut m, config);
    }
    m.body(rtl!("core/core"));
    m.body(&in_order("events", STALLS.map(|(name, _)| name)));
    m.body(&in_order("lost", LOST.map(|(name, _)| name)));
    if many {
        m.body(rtl!("core/slices"));
        match config.streams_state() {
            true => m.body(rtl!("core/state_slots")),
            false => m.body(rtl!("core/clear_slots")),
        };
        slices(&mut m, config);
    } else {
        sizes! { m; XMEM_BITS = index_bits(config.xmem_words()) }
        m.body(rtl!("core/one_slice"));
        m.body(rtl!("core/xmem_address"));
        if !config.streams_state() {
            m.body("  wire clear_slots = token_clear;");
        }
    }
    let tables = tables(config);
    let input = |unit: &str, port: &str| match port {
        "rst_ni" => Some(reset_of(unit).into()),
        _ => input_of(unit, port, &tables),
    };
    place(&mut m, &units, |_, port| parent(port), input);
    m.done()
}

/// The reset of unit `name`. What the bus remembers has the bus's.
fn reset_of(name: &str) -> &'static str {
    match name {
        "reset" | "dma" | "state_writer" | "logits" => "bus_rst_ni",
        "regs" => "reset_regs_rst_n",
        _ => "reset_units_rst_n",
    }
}

/// Whether a unit's port belongs to a bus of the chip.
fn is_axi(port: &str) -> bool {
    port.starts_with("s_axil_") || port.starts_with("m_axi_")
}

/// What a unit's port is straight wired to: AXI and trace ports go through.
fn parent(port: &str) -> Connection {
    match (is_axi(port), is_trace(port)) {
        (true, _) => Connection::Parent(stem(port).to_string()),
        (_, true) => Connection::Parent(port.to_string()),
        _ if port == "irq_o" => Connection::Parent(port.to_string()),
        _ => Connection::Usual,
    }
}

/// A vector of named signals, the first one in bit 0.
fn in_order<const N: usize>(vector: &str, names: [&str; N]) -> String {
    let list: Vec<&str> = names.into_iter().rev().collect();
    format!("  wire [{}:0] {vector} = {{{}}};", N - 1, list.join(", "))
}

/// Wire of output `name` of slice `s`.
fn slice_wire(s: usize, name: &str) -> String {
    format!("slice_{s}_{name}")
}

/// Declares what the slices give: each its own, all side by side as `slices_NAME`, and under the plain name what the other units
/// see, which is slice 0 for control and all slices for numbers.
fn slice_wires(m: &mut Module, config: &Config) {
    let n = config.sessions;
    let outputs = slice::outputs(config);
    for o in outputs.iter().filter(|o| is_trace(&o.wire)) {
        m.output(&o.wire, if o.own { n * o.bits } else { o.bits }, if o.own { "slot 0 lowest" } else { "" });
    }
    ports! { m; trace_apart_o "a slice does not do what slice 0 does: never" }
    let control = outputs.iter().filter(|o| !o.own).map(|o| o.bits).sum();
    let [sat_mat, sat_vec, _] = sat_bits(config);
    sizes! { m; SLOTS = n, CONTROL_BITS = control, SAT_MAT_BITS = sat_mat, SAT_VEC_BITS = sat_vec }
    if config.streams_state() {
        sizes! { m; WORD_BITS = config.vlanes() * VEC_BITS }
    }
    for s in 0..n {
        for o in &outputs {
            m.wire(&slice_wire(s, &o.wire), o.bits);
        }
    }
    let side_by_side = |name: &str| {
        let each: Vec<_> = (0..n).rev().map(|s| slice_wire(s, name)).collect();
        format!("{{{}}}", each.join(", "))
    };
    // the words that a slice writes to vmem are side by side only to choose one for memory
    for o in outputs.iter().filter(|o| config.streams_state() || o.wire != "vec_vw_data") {
        let value = if o.own { side_by_side(&o.wire) } else { slice_wire(0, &o.wire) };
        let name = if o.single { format!("slices_{}", o.wire) } else { o.wire.clone() };
        if !is_trace(&name) {
            m.wire(&name, if o.own { n * o.bits } else { o.bits });
        }
        m.body(&format!("  assign {name} = {value};"));
    }
    let each: Vec<_> = (0..n)
        .rev()
        .map(|s| {
            let all: Vec<_> = outputs.iter().filter(|o| !o.own).map(|o| slice_wire(s, &o.wire)).collect();
            format!("{{{}}}", all.join(", "))
        })
        .collect();
    m.wire("slices_control", n * control);
    m.body(&format!("  assign slices_control = {{{}}};", each.join(", ")));
}

/// The slices of several sessions.
fn slices(m: &mut Module, config: &Config) {
    let n = config.sessions;
    let unit = slice(config);
    let outputs = slice::outputs(config);
    let slot_bits = index_bits(n);
    for s in 0..n {
        let before = (s + n - 1) % n;
        let mut c = wires! {
            rst_ni: "reset_units_rst_n", slot_i: format!("3'd{s}"), active_i: format!("regs_active[{s}]"),
            home_i: format!("(regs_home == {slot_bits}'d{s})"), y_here_i: format!("(wkv_y_slot == {slot_bits}'d{s})"),
            ring_i: slice_wire(before, "vec_vw_data"), ..
        };
        for o in &outputs {
            c.add(&slice::port(&o.wire), slice_wire(s, &o.wire));
        }
        m.instance(format!("u_slice_{s}"), &unit, c);
    }
}

/// The AXI4 signals that never change, for interconnects that want them: one ID, normal memory that is not cached, an access like any other.
/// Answers come in order, so their IDs are not looked at.
fn sideband(m: &mut Module, config: &Config) {
    let mut unused = vec![];
    let masters: &[&str] = if config.streams_state() { &["ar", "aw"] } else { &["ar"] };
    for channel in masters {
        let signals = [("id", config.axi_id_bits, 0), ("lock", 1, 0), ("cache", 4, 3), ("prot", 3, 0), ("qos", 4, 0)];
        for (signal, bits, value) in signals {
            let port = format!("m_axi_{channel}{signal}");
            m.output(&port, bits, "constant").body(&format!("  assign {port} = {bits}'d{value};"));
        }
        let answer = if *channel == "ar" { "m_axi_rid" } else { "m_axi_bid" };
        m.input(answer, config.axi_id_bits, "answers come in order");
        unused.push(answer);
    }
    m.body(&format!("  wire unused_id = &{{1'b0, {}}};", unused.join(", ")));
}

/// `anser_top`: what a system integrates. The core with `stall_i` tied to 0 and the trace ports left open.
pub fn top(config: &Config) -> Arc<Module> {
    let core = core(config);
    let mut m = Module::new(
        "top",
        "RWKV-7 accelerator, as a system integrates it: anser_core without its test inputs and trace ports.\n\
         AXI4-Lite slave for control, AXI4 read master for the weights, AXI4-Stream master for the logits; one clock.",
    );
    if config.axi_id_bits > 0 {
        sideband(&mut m, config);
    }
    let mut c = wires! { .. };
    for p in core.ports.iter().skip(2) {
        match p.name.as_str() {
            "stall_i" => c.add("stall_i", format!("{}'b0", p.bits)),
            name if is_trace(name) => {
                let unused = format!("unused_{name}");
                m.wire(&unused, p.bits);
                c.add(name, unused);
            }
            name => {
                m.port_like(name, p);
            }
        }
    }
    m.instance("u_core", &core, c);
    m.done()
}
