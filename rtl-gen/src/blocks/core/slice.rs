//! What holds the numbers of one session: matrix and vector unit with their memories. Several stand side by side and move as one.
//!
//! No control in a slice depends on data, so all slices do the same in the same cycle: the units around them listen to slice 0
//! (`same` below) and take only numbers from each ([`Output::own`]). What could hold one slice back alone, a y of the recurrence that is
//! for it, is offered to all of them and written by one.

use crate::blocks::core::inputs::{input_of, is_trace, tables, STALL_POINTS};
use crate::blocks::core::token::xexp;
use crate::blocks::core::vmem::vmem;
use crate::blocks::dma::columns::COLUMN_BITS;
use crate::blocks::mat::mat;
use crate::blocks::prelude::*;
use crate::blocks::prim::ram_1w1r;
use crate::blocks::vec::vec;
use crate::hdl::assembly::{declare_outputs, place, wire_name, Connection, Table, Units};
use crate::hdl::Dir;
use crate::isa::{MAT, VEC};

/// The units of a slice, by instance name.
pub fn units(config: &Config) -> Units {
    vec![
        ("mat", mat(config)),
        ("vec", vec(config)),
        ("vmem", vmem(config)),
        ("xmem", ram_1w1r(config.vlanes() * OPERAND_BITS, config.xmem_words())),
        ("xexp", xexp()),
    ]
}

/// An output of a slice: a unit's output that units outside need.
pub struct Output {
    /// Name of the wire in the core.
    pub wire: String,
    pub bits: usize,
    /// Every slice has its own; otherwise all are equal.
    pub own: bool,
    /// There is one session, so no other module needs the ports of several side by side.
    pub single: bool,
    doc: String,
}

/// Outputs that carry numbers, and those that differ while memories of some slots are cleared.
const OWN: [&str; 6] = ["mat_argmax", "vec_xw_data", "vec_kw_data", "vec_exp", "vmem_clear_busy", "trace_mat_data_o"];
/// Numbers that are looked at one slice at a time.
const SINGLE: [&str; 4] = ["mat_logit_data", "mat_sat", "vec_sat", "vec_vw_data"];
const OWN_TRACES: [&str; 5] =
    ["trace_vec_data_o", "trace_sreg_mean_o", "trace_sreg_mult_o", "trace_sreg_shift_o", "trace_exp_exp_o"];

/// Everything of one slice that leaves it.
pub fn outputs(config: &Config) -> Vec<Output> {
    let leaves = |name: &str, port: &str| match name {
        "mat" => !["xr_en_o", "xr_addr_o", "xexp_sel_o", "d_valid_o", "d_addr_o", "d_data_o"].contains(&port),
        "vec" => !port.starts_with('v') || port == "vw_data_o",
        "vmem" => ["y_ready_o", "clear_busy_o"].contains(&port),
        _ => false,
    };
    let mut list = vec![];
    for (name, unit) in units(config) {
        for p in unit.ports.iter().filter(|p| p.dir == Dir::Out && leaves(name, &p.name)) {
            let wire = if is_trace(&p.name) { p.name.clone() } else { wire_name(name, &p.name) };
            let single = SINGLE.contains(&wire.as_str());
            let own = single || OWN.contains(&wire.as_str()) || OWN_TRACES.contains(&wire.as_str());
            list.push(Output { own, single, wire, bits: p.bits, doc: p.doc.clone() });
        }
    }
    list
}

/// The port of a slice for a wire of the core.
pub fn port(wire: &str) -> String {
    if is_trace(wire) {
        wire.into()
    } else {
        format!("{wire}_o")
    }
}

/// Wires of the core that the units of a slice listen to: name, bits.
pub fn inputs(config: &Config) -> Vec<(&'static str, usize)> {
    let (mat, vec) = (MAT.bits, VEC.bits);
    let mut list = vec![
        ("token_start", 1),
        ("token_clear", 1),
        ("stall_i", STALL_POINTS.len()),
        ("mat_fetch_instr_valid", 1),
        ("mat_fetch_instr", mat),
        ("mat_fetch_instr_idx", 12),
        ("vec_fetch_instr_valid", 1),
        ("vec_fetch_instr", vec),
        ("vec_fetch_instr_idx", 12),
        ("columns_col_valid", 1),
        ("columns_col", COLUMN_BITS),
        ("columns_col_last", 1),
        ("weights_out_valid", 1),
        ("weights_out_data", config.bus_bits),
        ("params_out_valid", 1),
        ("params_out_data", config.bus_bits),
        ("logits_in_ready", 1),
        ("regs_logits_on", 1),
        ("wkv_y_valid", 1),
        ("wkv_y_addr", 18),
        ("wkv_y_data", VEC_BITS),
        ("regs_prefill", 1),
    ];
    list.extend(config.streams_state().then_some(("state_writer_v_ready", 1)));
    list
}

/// Inputs that every slice has of its own: port, bits, meaning.
pub fn own_inputs(config: &Config) -> Vec<(&'static str, usize, &'static str)> {
    vec![
        ("slot_i", 3, "which slice this is; constant"),
        ("active_i", 1, "its session takes part in this token"),
        ("home_i", 1, "with regs_prefill_i: the first token of the text is here"),
        ("y_here_i", 1, "the y on offer is for this slice"),
        ("ring_i", config.vlanes() * VEC_BITS, "what the slice before this one writes to vmem"),
    ]
}

/// The module `anser_slice`.
pub fn slice(config: &Config) -> Arc<Module> {
    let mut m = Module::new(
        "slice",
        "Matrix and vector unit of one session with their memories. Contracts: mat, vec, vmem; ports are the units' ports.\n\
         All slices get the same instructions, weights and parameters and do the same in the same cycle, whatever their numbers are.\n\
         With active_i low nothing is written to vmem, where the session lives; what else is computed is not used.\n\
         Latency: that of the units.",
    );
    for (name, bits) in inputs(config) {
        let port = if name.ends_with("_i") { name.to_string() } else { format!("{name}_i") };
        m.input(port, bits, "");
    }
    for (port, bits, doc) in own_inputs(config) {
        m.input(port, bits, doc);
    }
    let outputs = outputs(config);
    for o in &outputs {
        m.output(port(&o.wire), o.bits, &o.doc);
    }
    let units = units(config);
    let parent = |_: &str, port: &str| match is_trace(port) {
        true => Connection::Parent(port.to_string()),
        false => Connection::Usual,
    };
    declare_outputs(&mut m, &units, parent);
    // inside, the signals of the core have the names that they have there
    for (name, bits) in inputs(config).into_iter().filter(|(name, _)| !name.ends_with("_i")) {
        m.wire(name, bits).body(&format!("  assign {name} = {name}_i;"));
    }
    for o in outputs.iter().filter(|o| !is_trace(&o.wire)) {
        m.body(&format!("  assign {w}_o = {w};", w = o.wire));
    }
    sizes! { m; XMEM_BITS = index_bits(config.xmem_words()) }
    m.body(rtl!("core/xmem_address"));
    m.body("  wire unused_stalls = &{1'b0, stall_i};  // some are held back outside");
    let mut tables = tables(config);
    tables.insert(0, own());
    let input = |unit: &str, port: &str| input_of(unit, port, &tables);
    place(&mut m, &units, parent, input);
    m.done()
}

/// What drives an input that is different from that of a design with one session.
fn own() -> Table {
    table! {
        vec { slot_i, prefill_i: regs_prefill, home_i }
        vmem {
            d_en_i: active_i, y_en_i: y_here_i, vw_en_i: "active_i && vec_vw_en",
            vw_data_i: "vec_vw_ring ? ring_i : vec_vw_data", clear_i: "token_clear && active_i",
        }
    }
}
