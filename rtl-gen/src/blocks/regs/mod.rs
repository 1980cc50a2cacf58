//! Host registers: AXI4-Lite slave, program loading, status and counters (`docs/hardware.md` §6).
//!
//! The table of [`crate::registers`] gives every register its address, its decoder and its place in the read multiplexer; `rtl/regs` says
//! what the registers do.

use crate::blocks::core::fetch::{COUNT_BITS, LANE_BITS};
use crate::blocks::prelude::*;
use crate::blocks::wkv;
use crate::registers::{all, Register, LOST, STALLS};
use std::fmt::Write as _;

/// Bits of the saturations in a cycle of mat, vec and wkv, all slots together.
pub fn sat_bits(config: &Config) -> [usize; 3] {
    let sum = |most: usize| index_bits(config.sessions * most + 1);
    match config.sessions {
        1 => [1, 6, wkv::sat_bits(config.wkv_lanes())],
        _ => [sum(1), sum(63), wkv::sat_bits(config.wkv_lanes())],
    }
}

/// A counter of the register block: `count_i` cycles of `add_i`.
fn counter(add_bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        "counter",
        "Sums add_i over the cycles with count_i; clear_i sets the sum to 0 and wins.\n\
         Latency: what is added was on add_i a cycle before. The sum wraps at 2^32.",
    );
    m.param("ADD_BITS", add_bits, 1, "bits of what is added, at most 32");
    ports! { m; clear_i, count_i, add_i["ADD_BITS"], count_o[32] }
    m.body(rtl!("regs/counter"));
    m.done()
}

/// The register block of `docs/hardware.md` §6.
pub fn regs(config: &Config) -> Arc<Module> {
    let (slots, slot_bits) = (config.sessions, index_bits(config.sessions));
    let registers = all(config);
    let mut m = Module::new(
        "regs",
        "Host registers, AXI4-Lite slave, 32 bits, one write and one read at a time.\n\
         Write address and data may come in any order. SLVERR answers, and nothing changes, where an access is refused: a write with\n\
         a strobe low, an address that is no multiple of 4 or has no register that can be written (read), a register that is to be\n\
         left alone while the chip is busy, and what CTRL, ACTIVE, TOKEN_IN and PROG_DATA say. A refused read gives 0.\n\
         rst_ni resets what the registers hold, bus_rst_ni the handshakes of the bus. While down_i is high accesses wait.\n\
         Latency: a write takes effect one cycle after the later of address and data, its response follows one cycle later;\n\
         read data come two cycles after the address.\n\
         start_o and clear_o are one-cycle requests, given only while busy_i is low. abort_o ends what runs: it follows a write of ABORT,\n\
         read_error_i and the last cycle that WATCHDOG allows by a cycle. irq_o is a level, registered. Counters count from started_i to finished_i,\n\
         one cycle later: what they count comes from all over the core and is registered first.\n\
         Programs: prog_we_o[u] writes word prog_lane_o of instruction prog_idx_o of unit u (0 dma, 1 mat, 2 vec, 3 wkv).",
    );
    ports(&mut m, config);
    let (high, streamed) = (config.axi_addr_bits > 32, config.streams_state());
    let l = &config.limits;
    sizes! { m;
        SLOTS = slots, DMA_DEPTH = l.dma_program, MAT_DEPTH = l.mat_program, VEC_DEPTH = l.vec_program,
        WKV_DEPTH = l.wkv_program,
    }
    if slots > 1 || streamed {
        sizes! { m; SLOT_BITS = slot_bits }
    }
    if high || streamed {
        sizes! { m; ADDR_BITS = config.axi_addr_bits }
    }
    m.body(match config.state_port {
        true => "  wire held = down_i || state_wait_i;",
        false => "  wire held = down_i;",
    });
    m.body(rtl!("regs/bus"));
    m.body(&decoders(&registers));
    m.body(if slots > 1 { rtl!("regs/slots") } else { rtl!("regs/one_slot") });
    m.body(rtl!("regs/counting"));
    counters(&mut m, config);
    m.body(if streamed { "  wire [SLOTS-1:0] pending = pending_i;" } else { "  wire [SLOTS-1:0] pending = '0;" });
    m.body(rtl!("regs/regs"));
    m.body(if high { rtl!("regs/base_high") } else { rtl!("regs/base") });
    if streamed {
        match slots {
            1 => m.body("  wire state_slot = 1'b0;"),
            _ => m.body(rtl!("regs/state_slot")),
        };
        m.body(rtl!("regs/state_base"));
        if high {
            m.body(rtl!("regs/state_base_high"));
        }
    }
    m.body(if config.state_port { rtl!("regs/state_port") } else { "  assign r_may = 1'b1;" });
    m.body(&read_multiplexer(&registers));
    m.done()
}

fn ports(m: &mut Module, config: &Config) {
    let (slots, unit_bits) = (config.sessions, config.axi_addr_bits - 6);
    ports! { m;
        bus_rst_ni "of the bus", down_i "the chip is in reset", s_axil_awaddr_i["anser_pkg::LITE_ADDR_BITS"] "bytes", s_axil_awvalid_i, s_axil_awready_o, s_axil_wdata_i[32], s_axil_wstrb_i[4] "full words only", s_axil_wvalid_i,
        s_axil_wready_o, s_axil_bresp_o[2], s_axil_bvalid_o, s_axil_bready_i, s_axil_araddr_i["anser_pkg::LITE_ADDR_BITS"] "bytes", s_axil_arvalid_i,
        s_axil_arready_o, s_axil_rdata_o[32], s_axil_rresp_o[2], s_axil_rvalid_o, s_axil_rready_i,
        start_o "start a token", clear_o "clear the state first", logits_on_o "logits leave on the stream",
        no_head_o "the token ends before the head", abort_o "end what runs", irq_o "interrupt, a level", token_o[TOKEN_BITS * slots] "slot 0 lowest",
    }
    if slots > 1 {
        ports! { m;
            active_o[slots] "slots that work", prefill_o "they read one text",
            home_o[index_bits(slots)] "slot of that text",
        }
    }
    ports! { m; image_base_o[unit_bits] "64 B units" }
    if config.streams_state() {
        ports! { m; pending_i[slots] "slots whose clear still waits for a token" }
        m.output("state_base_o", slots * unit_bits, if slots > 1 { "64 B units, slot 0 lowest" } else { "64 B units" });
    }
    if config.state_port {
        ports! { m;
            state_at_we_o "an element is selected", state_data_we_o "it is written", state_data_re_o "it was read",
            state_data_o[32], state_data_i[32] "the element", state_wait_i "not yet: no access goes on",
        }
    }
    ports! { m;
        prog_we_o[4], prog_lane_o[LANE_BITS], prog_idx_o[COUNT_BITS], prog_wdata_o[32], busy_i,
        started_i "a token starts", running_i "a token runs", finished_i "the token is finished",
        argmax_i[TOKEN_BITS * slots], read_error_i, beat_i "a beat was received",
    }
    let [sat_mat, sat_vec, sat_wkv] = sat_bits(config);
    ports! { m;
        sat_mat_i[sat_mat] "saturations of this cycle", sat_vec_i[sat_vec], sat_wkv_i[sat_wkv],
        event_i[STALLS.len()] "stall counters, in register order",
        lost_i[LOST.len()] "causes of a cycle without a beat, in register order; at most one",
        skipped_i[SKIPPED_BITS] "columns not read",
    }
}

/// Bits of the number of columns that are skipped in a cycle.
const SKIPPED_BITS: usize = 15;

/// Two wires for each register that can be written (vectors for registers of which there are several): `at_NAME`, the write is for it, and
/// `write_NAME`, it takes place. And whether the write is for any of them, and for one that is left alone while the chip is busy.
fn decoders(registers: &[Register]) -> String {
    let mut s = String::new();
    let (mut known, mut idle_only) = (vec![], vec![]);
    for r in registers.iter().filter(|r| r.is_written()) {
        let (name, constant) = (r.name.to_lowercase(), format!("anser_pkg::REG_{}", r.name));
        let at = match r.count {
            1 => {
                let _ = writeln!(s, "  wire at_{name} = (w_at_q == {constant});");
                let _ = writeln!(s, "  wire write_{name} = write && at_{name};");
                format!("at_{name}")
            }
            n => {
                let _ = writeln!(s, "  wire [{}:0] at_{name};", n - 1);
                for i in 0..n {
                    let _ = writeln!(s, "  assign at_{name}[{i}] = (w_at_q == {constant} + AT_BITS'({i}));");
                }
                let _ = writeln!(s, "  wire [{}:0] write_{name} = at_{name} & {{{n}{{write}}}};", n - 1);
                format!("(|at_{name})")
            }
        };
        if r.idle_only {
            idle_only.push(at.clone());
        }
        known.push(at);
    }
    let _ = writeln!(s, "  assign w_known = {};", any(&known));
    let _ = writeln!(s, "  wire w_idle_only = {};", any(&idle_only));
    s
}

/// A disjunction, a few terms a line.
fn any(terms: &[String]) -> String {
    terms.chunks(5).map(|line| line.join(" || ")).collect::<Vec<_>>().join("\n                 || ")
}

/// What each register reads, and the choice among them.
fn read_multiplexer(registers: &[Register]) -> String {
    let (mut values, mut cases) = (String::new(), String::new());
    for r in registers.iter().filter(|r| r.is_read()) {
        for i in 0..r.count {
            let (name, constant) = (r.name.to_lowercase(), format!("anser_pkg::REG_{}", r.name));
            let (name, label) = match r.count {
                1 => (name, constant),
                _ => (format!("{name}_{i}"), format!("{constant} + AT_BITS'({i})")),
            };
            let _ = writeln!(values, "  wire [31:0] read_{name} = {};", value(r, i));
            let _ = writeln!(cases, "      {label}: rdata_d = read_{name};");
        }
    }
    let known = "  reg r_known_d;\n  assign r_known = r_known_d;\n";
    let default = "      default: begin\n        rdata_d   = 32'b0;\n        r_known_d = 1'b0;\n      end\n";
    format!(
        "{values}{known}\n  always_comb begin\n    r_known_d = 1'b1;\n    case (ar_at_q)\n{cases}{default}    endcase\n  end\n"
    )
}

/// The 32 bits that register `i` of `r` reads.
fn value(r: &Register, i: usize) -> String {
    let mut parts = vec![];
    let mut next = 0;
    let pad = |from: usize, to: usize, parts: &mut Vec<String>| {
        if to > from {
            parts.push(format!("{}'b0", to - from));
        }
    };
    for f in r.fields.iter().filter(|f| !f.signal.is_empty()) {
        pad(next, f.lsb, &mut parts);
        parts.push(match r.count {
            1 => f.signal.clone(),
            _ => format!("{}[{}:{}]", f.signal, (i + 1) * f.bits - 1, i * f.bits),
        });
        next = f.lsb + f.bits;
    }
    pad(next, 32, &mut parts);
    parts.reverse();
    match parts.as_slice() {
        [one] => one.clone(),
        _ => format!("{{{}}}", parts.join(", ")),
    }
}

/// A counter for each register that counts.
fn counters(m: &mut Module, config: &Config) {
    let [sat_mat, sat_vec, sat_wkv] = sat_bits(config);
    let mut list: Vec<(String, usize, String)> = vec![
        ("cycles".into(), 1, "1'b1".into()),
        ("sat_mat".into(), sat_mat, "sat_mat_i".into()),
        ("sat_vec".into(), sat_vec, "sat_vec_i".into()),
        ("sat_wkv".into(), sat_wkv, "sat_wkv_i".into()),
        ("beats".into(), 1, "beat_i".into()),
        ("skipped".into(), SKIPPED_BITS, "skipped_i".into()),
    ];
    list.extend(STALLS.iter().enumerate().map(|(i, (name, _))| (name.to_string(), 1, format!("event_i[{i}]"))));
    list.extend(LOST.iter().enumerate().map(|(i, (name, _))| (name.to_string(), 1, format!("lost_i[{i}]"))));
    for (name, bits, add) in list {
        let count = format!("count_{name}");
        m.wire(&count, 32);
        instance! { m, format!("u_{name}"), counter(bits);
            clear_i: clear_counters_q, count_i: count_q, add_i: &add, count_o: &count,
        }
    }
}
