//! The whole accelerator: units, memories, queues and registers wired together.

pub mod fetch;
pub mod inputs;
pub mod slice;
pub mod token;
pub mod vmem;

use crate::blocks::core::fetch::fetch;
use crate::blocks::core::inputs::{input_of, is_trace};
use crate::blocks::core::slice::slice;
use crate::blocks::core::token::token_control;
use crate::blocks::dma::columns::columns;
use crate::blocks::dma::dma;
use crate::blocks::dma::state_writer::state_writer;
use crate::blocks::prim::fifo;
use crate::blocks::regs::{regs, sat_bits};
use crate::blocks::wkv::wkv;
use crate::config::{Config, VEC_BITS};
use crate::hdl::assembly::{declare_outputs, place, Connection, Units};
use crate::hdl::{index_bits, Module};
use crate::isa::{DMA, MAT, VEC, WKV};
use crate::registers::{LOST, STALLS};
use std::sync::Arc;

pub use inputs::STALL_POINTS;

/// `anser_core`: everything of the accelerator, with test inputs (`stall_i`) and trace ports.
pub fn core(config: &Config) -> Arc<Module> {
    let l = &config.limits;
    let mut m = Module::new(
        "core",
        "RWKV-7 accelerator: token id in, next token id out. Control on AXI4-Lite, weights over an AXI4 read master, logits on an\n\
         AXI4-Stream master. The contract of every unit is docs/hardware.md.\n\
         stall_i is for tests: each bit holds one internal handshake back; a system ties it to 0 (see anser_top).\n\
         trace_* are for tests: events of the units in order; a system leaves them open and synthesis removes them.",
    );
    axi_ports(&mut m, config);
    m.input("stall_i", STALL_POINTS.len(), STALL_POINTS.join(", "));
    m.output("trace_start_o", 4, "an instruction is handed over: dma, mat, vec, wkv");
    m.output("trace_done_o", 4, "an instruction is finished: dma, mat, vec, wkv");

    let mut units: Units = vec![
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
    ];
    if config.streams_state() {
        units.push(("state_writer", state_writer(config)));
    }
    let many = config.sessions > 1;
    if !many {
        units.extend(slice::units(config));
    }
    for (_, unit) in &units {
        for p in unit.ports.iter().filter(|p| is_trace(&p.name)) {
            m.output(&p.name, p.bits, &p.doc);
        }
    }
    m.body("  // Output PORT_o of instance u_NAME is the wire NAME_PORT.");
    declare_outputs(&mut m, &units, |_, port| parent(port));
    if many {
        slice_wires(&mut m, config);
    }
    m.body(include_str!("../../../rtl/core/core.sv"));
    m.body(&in_order("events", STALLS.map(|(name, _)| name)));
    m.body(&in_order("lost", LOST.map(|(name, _)| name)));
    if many {
        m.body(include_str!("../../../rtl/core/slices.sv"));
        match config.streams_state() {
            true => m.body(include_str!("../../../rtl/core/state_slots.sv")),
            false => m.body(include_str!("../../../rtl/core/clear_slots.sv")),
        };
        slices(&mut m, config);
    } else {
        m.sizes(&[("XMEM_BITS", index_bits(config.xmem_words()))]);
        m.body(include_str!("../../../rtl/core/one_slice.sv"));
        m.body(include_str!("../../../rtl/core/xmem_address.sv"));
        if !config.streams_state() {
            m.body("  wire clear_slots = token_clear;");
        }
    }
    place(&mut m, &units, |_, port| parent(port), |unit, port| input_of(unit, port, config));
    m.done()
}

/// What a unit's port is straight wired to: AXI and trace ports go through.
fn parent(port: &str) -> Connection {
    let through = port.starts_with("s_axil_") || port.starts_with("m_axi_");
    match (through, is_trace(port)) {
        (true, _) => Connection::Parent(port.trim_end_matches("_i").trim_end_matches("_o").to_string()),
        (_, true) => Connection::Parent(port.to_string()),
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
/// hear, which is slice 0 for control and all slices for numbers.
fn slice_wires(m: &mut Module, config: &Config) {
    let n = config.sessions;
    let outputs = slice::outputs(config);
    for o in outputs.iter().filter(|o| is_trace(&o.wire)) {
        m.output(&o.wire, if o.own { n * o.bits } else { o.bits }, if o.own { "slot 0 lowest" } else { "" });
    }
    m.output("trace_apart_o", 1, "a slice does not do what slice 0 does: never");
    let control = outputs.iter().filter(|o| !o.own).map(|o| o.bits).sum();
    let [sat_mat, sat_vec, _] = sat_bits(config);
    m.sizes(&[("SLOTS", n), ("CONTROL_BITS", control), ("SAT_MAT_BITS", sat_mat), ("SAT_VEC_BITS", sat_vec)]);
    if config.streams_state() {
        m.sizes(&[("WORD_BITS", config.vlanes() * VEC_BITS)]);
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
        let mut c: Vec<(String, String)> = vec![];
        for (name, _) in slice::inputs(config) {
            let port = if name.ends_with("_i") { name.to_string() } else { format!("{name}_i") };
            c.push((port, name.to_string()));
        }
        let before = (s + n - 1) % n;
        c.extend([
            ("slot_i".to_string(), format!("3'd{s}")),
            ("active_i".to_string(), format!("regs_active[{s}]")),
            ("home_i".to_string(), format!("(regs_home == {slot_bits}'d{s})")),
            ("y_here_i".to_string(), format!("(wkv_y_slot == {slot_bits}'d{s})")),
            ("ring_i".to_string(), slice_wire(before, "vec_vw_data")),
        ]);
        c.extend(outputs.iter().map(|o| (slice::port(&o.wire), slice_wire(s, &o.wire))));
        let c: Vec<_> = c.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        m.instance(&format!("u_slice_{s}"), &unit, &c);
    }
}

/// `anser_top`: what a system integrates. The core with `stall_i` tied to 0 and the trace ports left open.
pub fn top(config: &Config) -> Arc<Module> {
    let core = core(config);
    let mut m = Module::new(
        "top",
        "RWKV-7 accelerator, as a system integrates it: anser_core without its test inputs and trace ports.\n\
         AXI4-Lite slave for control, AXI4 read master for the weights, AXI4-Stream master for the logits; one clock.",
    );
    axi_ports(&mut m, config);
    let traces: Vec<_> = core.ports.iter().filter(|p| is_trace(&p.name)).collect();
    for p in &traces {
        m.wire(&format!("unused_{}", p.name), p.bits);
    }
    let connections: Vec<(String, String)> = (core.ports.iter().skip(2))
        .map(|p| match p.name.as_str() {
            "stall_i" => (p.name.clone(), format!("{}'b0", p.bits)),
            n if is_trace(n) => (n.to_string(), format!("unused_{n}")),
            n => (n.to_string(), n.to_string()),
        })
        .collect();
    let connections: Vec<_> = connections.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    m.instance("u_core", &core, &connections);
    m.done()
}

/// Host, memory and logits ports: plain AXI names without `_i/_o`, as integrators expect them.
fn axi_ports(m: &mut Module, config: &Config) {
    m.input("s_axil_awaddr", 8, "bytes").input("s_axil_awvalid", 1, "").output("s_axil_awready", 1, "");
    m.input("s_axil_wdata", 32, "").input("s_axil_wstrb", 4, "full words only");
    m.input("s_axil_wvalid", 1, "").output("s_axil_wready", 1, "");
    m.output("s_axil_bresp", 2, "").output("s_axil_bvalid", 1, "").input("s_axil_bready", 1, "");
    m.input("s_axil_araddr", 8, "bytes").input("s_axil_arvalid", 1, "").output("s_axil_arready", 1, "");
    m.output("s_axil_rdata", 32, "").output("s_axil_rresp", 2, "");
    m.output("s_axil_rvalid", 1, "").input("s_axil_rready", 1, "");
    m.output("m_axi_araddr", config.axi_addr_bits, "bytes").output("m_axi_arlen", 8, "beats - 1");
    m.output("m_axi_arsize", 3, "").output("m_axi_arburst", 2, "");
    m.output("m_axi_arvalid", 1, "").input("m_axi_arready", 1, "");
    m.input("m_axi_rdata", config.bus_bits, "").input("m_axi_rresp", 2, "").input("m_axi_rlast", 1, "");
    m.input("m_axi_rvalid", 1, "").output("m_axi_rready", 1, "");
    if config.streams_state() {
        m.output("m_axi_awaddr", config.axi_addr_bits, "bytes").output("m_axi_awlen", 8, "beats - 1");
        m.output("m_axi_awsize", 3, "").output("m_axi_awburst", 2, "");
        m.output("m_axi_awvalid", 1, "").input("m_axi_awready", 1, "");
        m.output("m_axi_wdata", config.bus_bits, "").output("m_axi_wstrb", config.beat_bytes(), "all set");
        m.output("m_axi_wlast", 1, "").output("m_axi_wvalid", 1, "").input("m_axi_wready", 1, "");
        m.input("m_axi_bresp", 2, "").input("m_axi_bvalid", 1, "").output("m_axi_bready", 1, "");
    }
    m.output("m_axis_logits_tvalid", 1, "").input("m_axis_logits_tready", 1, "");
    m.output("m_axis_logits_tdata", 32 * config.sessions, "one logit, sign-extended, of each slot; slot 0 lowest")
        .output("m_axis_logits_tlast", 1, "");
}
