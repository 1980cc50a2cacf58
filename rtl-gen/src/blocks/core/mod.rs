//! The whole accelerator: units, memories, queues and registers wired together.

pub mod fetch;
pub mod slice;
pub mod state;
pub mod token;
pub mod vmem;

use crate::blocks::core::fetch::fetch;
use crate::blocks::core::slice::slice;
use crate::blocks::core::state::{STREAMED, STREAMED_SLOTS};
use crate::blocks::core::token::token_control;
use crate::blocks::core::vmem::WORD_ADDR_BITS;
use crate::blocks::dma::columns::columns;
use crate::blocks::dma::dma;
use crate::blocks::dma::state_writer::state_writer;
use crate::blocks::prim::fifo;
use crate::blocks::regs::{regs, sat_bits, LOST, STALLS};
use crate::blocks::wkv::wkv;
use crate::config::Config;
use crate::hdl::{index_bits, Dir, Module};
use crate::isa::{DMA, FORMATS, MAT, VEC, WKV};
use std::sync::Arc;

/// Bits of `stall_i`, in order: what a set bit holds back.
pub const STALL_POINTS: [&str; 8] = [
    "weight fifo to mat",
    "param fifo to vec",
    "drain to vmem",
    "wkv y to vmem",
    "mat start",
    "vec start",
    "wkv start",
    "dma issue",
];

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

    // (instance and prefix of its wires, module)
    let mut units = vec![
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

    m.text("  // Outputs of the instances below: NAME of instance u_X is wire X_NAME.", &[]);
    for (name, unit) in &units {
        for p in unit.ports.iter().filter(|p| p.dir == Dir::Out && boundary(&p.name).is_none()) {
            let range = if p.bits == 1 { String::new() } else { format!("[{}:0] ", p.bits - 1) };
            m.text("  wire {{r}}{{w}};", &[("r", range), ("w", wire_name(name, &p.name))]);
        }
    }
    if many {
        slices(&mut m, config);
    }
    m.text(GLUE, &[]);
    if !many {
        one_slice(&mut m, config);
    }
    for (name, unit) in &units {
        place(&mut m, name, unit, config);
    }
    m.done()
}

/// What a single slice's units, placed in the core itself, need of it.
fn one_slice(m: &mut Module, config: &Config) {
    let x_bits = index_bits(config.xmem_words());
    let vars = [("x", (x_bits - 1).to_string()), ("a", x_bits.to_string())];
    m.text(ONE_SLICE, &vars);
    if !config.streams_state() {
        m.text("  wire       clear_slots = token_clear;", &[]);
    }
    if x_bits < WORD_ADDR_BITS {
        m.text("  wire unused_x_addr = &{1'b0, mat_xr_addr[13:{{a}}], vec_xw_addr[13:{{a}}]};", &vars);
    }
}

/// The slices of several sessions, and what the other units hear of them: control from slice 0, numbers from each.
fn slices(m: &mut Module, config: &Config) {
    let n = config.sessions;
    let unit = slice(config);
    let outputs = slice::outputs(config);
    let wire = |s: usize, name: &str| format!("slice_{s}_{name}");
    let concat = |name: &str| {
        let each: Vec<_> = (0..n).rev().map(|s| wire(s, name)).collect();
        format!("{{{}}}", each.join(", "))
    };
    let range = |bits: usize| if bits == 1 { String::new() } else { format!("[{}:0] ", bits - 1) };
    for o in outputs.iter().filter(|o| is_trace(&o.wire)) {
        m.output(&o.wire, if o.own { n * o.bits } else { o.bits }, if o.own { "slot 0 lowest" } else { "" });
    }
    m.output("trace_apart_o", 1, "a slice does not do what slice 0 does: never");
    for s in 0..n {
        for o in &outputs {
            m.text("  wire {{r}}{{w}};", &[("r", range(o.bits)), ("w", wire(s, &o.wire))]);
        }
    }
    for o in outputs.iter().filter(|o| !o.single) {
        let bits = if o.own { n * o.bits } else { o.bits };
        let value = if o.own { concat(&o.wire) } else { wire(0, &o.wire) };
        let vars = [("r", range(bits)), ("w", o.wire.clone()), ("v", value)];
        m.text(if is_trace(&o.wire) { "  assign {{w}} = {{v}};" } else { "  wire {{r}}{{w}} = {{v}};" }, &vars);
    }
    let control = |s: usize| {
        let all: Vec<_> = outputs.iter().filter(|o| !o.own).map(|o| wire(s, &o.wire)).collect();
        format!("{{{}}}", all.join(", "))
    };
    let apart: Vec<_> = (1..n).map(|s| format!("({} != {})", control(s), control(0))).collect();
    let [mat_bits, vec_bits, _] = sat_bits(config);
    let sum = |name: &str, bits: usize, own: usize| {
        let term = |s: usize| format!("({{{}'b0, {}}} & {{{bits}{{regs_active[{s}]}}}})", bits - own, wire(s, name));
        (0..n).map(term).collect::<Vec<_>>().join("\n    + ")
    };
    let logit = |s: usize| format!("{{5{{{w}[26]}}}}, {w}", w = wire(s, "mat_logit_data"));
    m.text(
        r#"
  assign trace_apart_o = token_running
    && ({{apart}});

  // saturations of sessions at rest do not count
  wire [{{mmsb}}:0] sat_mat = {{sat_mat}};
  wire [{{vmsb}}:0] sat_vec = {{sat_vec}};

  assign m_axis_logits_tdata = { {{logits}}};
{{clear_slots}}  wire unused_exp_slot = &{1'b0, vec_exp_slot[3]};  // the slices' own
"#,
        &[
            ("apart", apart.join("\n    || ")),
            ("mmsb", (mat_bits - 1).to_string()),
            ("vmsb", (vec_bits - 1).to_string()),
            ("sat_mat", sum("mat_sat", mat_bits, 1)),
            ("sat_vec", sum("vec_sat", vec_bits, 6)),
            ("logits", (0..n).rev().map(logit).collect::<Vec<_>>().join(", ")),
            (
                "clear_slots",
                match config.streams_state() {
                    true => String::new(),
                    false => format!("  wire [{}:0] clear_slots = {{{n}{{token_clear}}}} & regs_active;\n", n - 1),
                },
            ),
        ],
    );
    if config.streams_state() {
        state::slots(m, config);
    }
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
            ("ring_i".to_string(), wire(before, "vec_vw_data")),
        ]);
        c.extend(outputs.iter().map(|o| (slice::port(&o.wire), wire(s, &o.wire))));
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
        let range = if p.bits == 1 { String::new() } else { format!("[{}:0] ", p.bits - 1) };
        m.text("  wire {{r}}unused_{{p}};", &[("r", range), ("p", p.name.clone())]);
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

pub(in crate::blocks) fn is_trace(port: &str) -> bool {
    port.starts_with("trace_")
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

/// The core's own port that a unit's port is wired straight to, if there is one.
fn boundary(port: &str) -> Option<&str> {
    let axi = port.starts_with("s_axil_") || port.starts_with("m_axi_");
    match (axi, is_trace(port)) {
        (true, _) => port.strip_suffix("_i").or(port.strip_suffix("_o")),
        (_, true) => Some(port),
        _ => None,
    }
}

/// Wire of the core for output `port` of instance `name`.
pub(in crate::blocks) fn wire_name(name: &str, port: &str) -> String {
    format!("{name}_{}", port.strip_suffix("_o").unwrap_or(port))
}

/// Instantiates `unit`: outputs to their wires, inputs as [`input_of`] says.
fn place(m: &mut Module, name: &str, unit: &Arc<Module>, config: &Config) {
    let connections: Vec<(&str, String)> = (unit.ports.iter())
        .filter(|p| p.name != "clk_i" && p.name != "rst_ni")
        .map(|p| {
            let expression = match (boundary(&p.name), p.dir) {
                (Some(port), _) => port.to_string(),
                (None, Dir::Out) => wire_name(name, &p.name),
                (None, Dir::In) => input_of(name, &p.name, config),
            };
            (p.name.as_str(), expression)
        })
        .collect();
    let connections: Vec<_> = connections.iter().map(|(a, b)| (*a, b.as_str())).collect();
    m.instance(&format!("u_{name}"), unit, &connections);
}

/// What drives input `port` of instance `name`: as [`INPUTS`] says, and before it [`STREAMED`] if the state lies in memory. Panics if no
/// table has a row for it: a bug of the generator.
pub(in crate::blocks) fn input_of(name: &str, port: &str, config: &Config) -> String {
    let (slots, first) = match (config.streams_state(), config.sessions) {
        (false, _) => (&[][..], &[][..]),
        (true, 1) => (&[][..], STREAMED),
        (true, _) => (STREAMED_SLOTS, STREAMED),
    };
    if let Some((_, _, e)) = slots.iter().chain(first).chain(INPUTS).find(|(n, p, _)| *n == name && *p == port) {
        return (*e).to_string();
    }
    // Every unit with a program takes its instructions from its own fetch unit, which all are alike.
    let unit = name.strip_suffix("_fetch").unwrap_or(name);
    let index = FORMATS.iter().position(|f| f.name == unit);
    match (port, index) {
        ("start_i", Some(_)) => "token_start".into(),
        ("no_head_i", Some(_)) => "regs_no_head".into(),
        ("prog_we_i", Some(i)) => format!("regs_prog_we[{i}]"),
        ("prog_lane_i" | "prog_idx_i" | "prog_wdata_i", Some(_)) => format!("regs_{}", port.trim_end_matches("_i")),
        ("instr_ready_i", Some(_)) => format!("{unit}_instr_ready"),
        ("instr_valid_i" | "instr_i" | "instr_idx_i", Some(_)) => {
            format!("{unit}_fetch_{}", port.trim_end_matches("_i"))
        }
        _ => panic!("anser_core: nothing drives {port} of {name}"),
    }
}

/// (instance, input, what drives it); what all units have alike is in [`input_of`].
const INPUTS: &[(&str, &str, &str)] = &[
    ("dma_fetch", "stall_i", "stall_i[7]"),
    ("dma_fetch", "done_a_i", "token_count_vec"),
    ("mat_fetch", "stall_i", "stall_i[4]"),
    ("mat_fetch", "done_a_i", "token_count_vec"),
    ("vec_fetch", "stall_i", "stall_i[5]"),
    ("vec_fetch", "done_a_i", "token_count_mat"),
    ("vec_fetch", "done_b_i", "token_count_wkv"),
    ("wkv_fetch", "stall_i", "stall_i[6]"),
    ("wkv_fetch", "done_a_i", "token_count_vec"),
    ("dma", "image_base_i", "regs_image_base"),
    ("dma", "token_i", "regs_token"),
    ("dma", "w_ready_i", "weights_in_ready"),
    ("dma", "p_ready_i", "params_in_ready"),
    ("dma", "run_valid_i", "columns_run_valid"),
    ("dma", "run_first_i", "columns_run_first"),
    ("dma", "run_len_i", "columns_run_len"),
    ("dma", "run_last_i", "columns_run_last"),
    ("columns", "xw_en_i", "vec_xw_en"),
    ("columns", "xw_addr_i", "vec_xw_addr"),
    ("columns", "xw_data_i", "vec_xw_data"),
    ("columns", "start_i", "dma_scan"),
    ("columns", "x_addr_i", "dma_scan_x_addr"),
    ("columns", "cols_i", "dma_scan_cols"),
    ("columns", "run_ready_i", "dma_run_ready"),
    ("columns", "col_ready_i", "mat_col_ready"),
    ("columns", "active_i", "regs_active"),
    ("wkv", "active_i", "regs_active"),
    ("wkv", "prefill_i", "regs_prefill"),
    ("wkv", "home_i", "regs_home"),
    ("mat", "col_valid_i", "columns_col_valid"),
    ("mat", "col_i", "columns_col"),
    ("mat", "col_last_i", "columns_col_last"),
    ("regs", "skipped_i", "columns_skipped"),
    ("weights", "in_valid_i", "dma_w_valid"),
    ("weights", "in_data_i", "dma_w_data"),
    ("weights", "out_ready_i", "mat_w_ready && !stall_i[0]"),
    ("params", "in_valid_i", "dma_p_valid"),
    ("params", "in_data_i", "dma_p_data"),
    ("params", "out_ready_i", "vec_p_ready && !stall_i[1]"),
    ("mat", "w_valid_i", "weights_out_valid && !stall_i[0]"),
    ("mat", "w_data_i", "weights_out_data"),
    ("mat", "xr_data_i", "xmem_rdata"),
    ("mat", "xexp_i", "xexp_exp"),
    ("mat", "d_ready_i", "vmem_d_ready && !stall_i[2]"),
    ("mat", "logit_ready_i", "m_axis_logits_tready || !regs_logits_on"),
    ("vec", "va_data_i", "vmem_va_data"),
    ("vec", "vb_data_i", "vmem_vb_data"),
    ("vec", "vw_ready_i", "vmem_vw_ready"),
    ("vec", "p_valid_i", "params_out_valid && !stall_i[1]"),
    ("vec", "p_data_i", "params_out_data"),
    ("wkv", "kw_en_i", "vec_kw_en"),
    ("wkv", "kw_slot_i", "vec_kw_slot"),
    ("wkv", "kw_addr_i", "vec_kw_addr"),
    ("wkv", "kw_data_i", "vec_kw_data"),
    ("wkv", "exp_we_i", "vec_exp_we && vec_exp_wkv"),
    ("wkv", "exp_slot_i", "vec_exp_slot[2:0]"),
    ("wkv", "exp_i", "vec_exp"),
    ("wkv", "clear_i", "clear_slots"),
    ("wkv", "y_ready_i", "vmem_y_ready && !stall_i[3]"),
    ("vmem", "va_en_i", "vec_va_en"),
    ("vmem", "va_addr_i", "vec_va_addr"),
    ("vmem", "vb_en_i", "vec_vb_en"),
    ("vmem", "vb_addr_i", "vec_vb_addr"),
    ("vmem", "d_valid_i", "mat_d_valid && !stall_i[2]"),
    ("vmem", "d_addr_i", "mat_d_addr"),
    ("vmem", "d_data_i", "mat_d_data"),
    ("vmem", "y_valid_i", "wkv_y_valid && !stall_i[3]"),
    ("vmem", "y_addr_i", "wkv_y_addr"),
    ("vmem", "y_data_i", "wkv_y_data"),
    ("vmem", "vw_valid_i", "vec_vw_valid"),
    ("vmem", "vw_addr_i", "vec_vw_addr"),
    ("vmem", "vw_data_i", "vec_vw_data"),
    ("vmem", "clear_i", "token_clear"),
    ("xmem", "we_i", "vec_xw_en"),
    ("xmem", "waddr_i", "x_waddr"),
    ("xmem", "wdata_i", "vec_xw_data"),
    ("xmem", "re_i", "mat_xr_en"),
    ("xmem", "raddr_i", "x_raddr"),
    ("xexp", "we_i", "vec_exp_we && !vec_exp_wkv"),
    ("xexp", "slot_i", "vec_exp_slot"),
    ("xexp", "exp_i", "vec_exp"),
    ("xexp", "sel_i", "mat_xexp_sel"),
    ("token", "start_req_i", "regs_start"),
    ("token", "clear_req_i", "regs_clear"),
    ("token", "clear_busy_i", "(|vmem_clear_busy) || wkv_clear_busy"),
    ("token", "handover_i", "handover"),
    ("token", "done_i", "done"),
    ("token", "last_handed_i", "last_handed"),
    ("regs", "busy_i", "token_busy"),
    ("regs", "started_i", "token_start"),
    ("regs", "running_i", "token_running"),
    ("regs", "finished_i", "token_finished"),
    ("regs", "argmax_i", "mat_argmax"),
    ("regs", "read_error_i", "dma_error"),
    ("regs", "beat_i", "dma_beat"),
    ("regs", "sat_mat_i", "sat_mat"),
    ("regs", "sat_vec_i", "sat_vec"),
    ("regs", "sat_wkv_i", "wkv_sat"),
    ("regs", "event_i", "events"),
    ("regs", "lost_i", "lost"),
];

/// Signals made of several units' outputs. `events` is in the order of [`STALLS`], `lost` in that of [`LOST`], bit 0 last.
const GLUE: &str = r#"

  // Bit 0 dma, 1 mat, 2 vec, 3 wkv.
  wire [3:0] handover = {wkv_fetch_instr_valid && wkv_instr_ready, vec_fetch_instr_valid && vec_instr_ready,
                         mat_fetch_instr_valid && mat_instr_ready, dma_fetch_instr_valid && dma_instr_ready};
  wire [3:0] done     = {wkv_done, vec_done, mat_done, dma_done};
  wire [3:0] last_handed = {wkv_fetch_finished, vec_fetch_finished, mat_fetch_finished, dma_fetch_finished};

  // vec keeps an instruction on offer until its last word; it starts with the first
  assign trace_start_o = {handover[3], vec_started, handover[1:0]};
  assign trace_done_o  = done;

  wire [6:0] events = {dma_refused, dma_idle, wkv_busy, vec_busy, mat_stall_drain, mat_stall_weights,
                       mat_fetch_waiting && !mat_busy};

  // why no beat comes in this cycle; a beat is offered and refused, or asked for, or there is nothing to ask for
  wire no_operand = mat_fetch_waiting && !mat_busy;
  wire refused_w  = dma_refused && !dma_refused_param;
  wire nothing    = dma_idle && !dma_beat;
  wire [7:0] lost = {nothing && dma_fetch_finished,
                     nothing && !dma_fetch_finished && !dma_fetch_waiting,
                     nothing && !dma_fetch_finished && dma_fetch_waiting,
                     !dma_idle && !dma_beat && !dma_refused,
                     dma_refused_param,
                     refused_w && !no_operand && !mat_stall_drain,
                     refused_w && !no_operand && mat_stall_drain,
                     refused_w && no_operand};

  assign m_axis_logits_tvalid = mat_logit_valid && regs_logits_on;
  assign m_axis_logits_tlast  = mat_logit_last;

  wire unused_fetch = &{1'b0, dma_fetch_instr_idx, vec_fetch_waiting, wkv_fetch_waiting};
"#;

/// The names that several slices have of their own.
const ONE_SLICE: &str = r#"

  assign m_axis_logits_tdata = { {5{mat_logit_data[26]}}, mat_logit_data};
  wire       sat_mat     = mat_sat;
  wire [5:0] sat_vec     = vec_sat;
  wire [{{x}}:0] x_raddr = mat_xr_addr[{{x}}:0];
  wire [{{x}}:0] x_waddr = vec_xw_addr[{{x}}:0];
"#;

const _: () = assert!(STALLS.len() == 7 && LOST.len() == 8); // GLUE's events, lost
