//! What must hold on the ports of the chip, as SystemVerilog assertions that are bound to it.
//!
//! Two modules: `anser_assertions` has the rules of the protocols as concurrent assertions (`sv/axi_*.sv`), and `anser_known` says which
//! signals have a value when. The second keeps to immediate assertions, because unknown values exist only in simulators with four states,
//! and the free one of these knows no others. Names of assertions begin with who must keep the rule: `chip` or `system`.

use super::ports::{Channel, Ports, Protocol};
use super::{Design, File, Kind};
use crate::hdl::{Module, PREFIX};
use std::fmt::Write as _;

/// Cycles within which the chip answers on AXI4-Lite once it has the whole request, given that the response before was taken.
const LITE_CYCLES: u64 = 64;

/// `sva/assertions.sv` and `sva/known.sv`.
pub fn files(design: &Design, ports: &Ports) -> [File; 2] {
    let bench = match design.bench {
        Some(bench) => format!(
            "verilator --binary --timing --assert -j 0 -f files.f {} sva/assertions.sv sva/known.sv --top {} -o anser_tb && obj_dir/anser_tb",
            bench.file, bench.top
        ),
        None => String::new(),
    };
    [
        File::new(
            "sva/assertions.sv",
            Kind::Assertions,
            protocols(design, ports),
            "the rules of AXI on the chip's ports, bound to the chip",
            &bench,
        ),
        File::new(
            "sva/known.sv",
            Kind::Assertions,
            known(design, ports),
            "which signals of the ports have a value when, bound to the chip by assertions.sv",
            "",
        ),
    ]
}

/// A module that sees every port of the chip.
fn observer(name: &str, doc: &str, top: &Module) -> Module {
    let mut m = Module::bench(name, doc);
    for p in &top.ports {
        m.input(&p.name, p.bits, "");
    }
    m
}

const PROTOCOLS: &str = "
The rules of AXI4-Lite, AXI4 and AXI4-Stream on the ports of the chip, and the chip's own limits. chip_* are promises of the chip,
system_* what it takes for granted. Compile this file and known.sv beside the RTL; the binds at the end connect them.
verilator lint_off DECLFILENAME";

fn protocols(design: &Design, ports: &Ports) -> String {
    let config = design.config;
    let mut m = observer("assertions", PROTOCOLS, design.top);
    m.localparams(&[
        ("LITE_CYCLES", 32, LITE_CYCLES),
        ("BEAT_SIZE", 3, u64::from(config.beat_bytes().ilog2())),
        ("MAX_BURST", 32, config.max_burst_beats as u64),
        ("MAX_OUTSTANDING", 32, config.max_outstanding as u64),
    ]);
    m.body(include_str!("sv/head.sv"));
    for bus in &ports.buses {
        match bus.protocol {
            Protocol::Axi4Lite => m.body(include_str!("sv/axi_lite.sv")),
            Protocol::Axi4 => {
                m.body(include_str!("sv/axi_read.sv"));
                match bus.has("AWVALID") {
                    true => m.body(include_str!("sv/axi_write.sv")),
                    false => &mut m,
                }
            }
            Protocol::Axi4Stream => m.body(include_str!("sv/axi_stream.sv")),
        };
    }
    let top = &design.printed.top;
    format!(
        "{}\nbind {top} {PREFIX}assertions u_assertions (.*);\nbind {top} {PREFIX}known u_known (.*);\n",
        m.verilog()
    )
}

const KNOWN: &str = "
No port of the chip is unknown (x or z) when it counts: valid and ready always, everything else while its valid is high. Immediate
assertions only, for simulators that know no others. assertions.sv binds it; without bind, instantiate it beside the chip.
verilator lint_off DECLFILENAME";

fn known(design: &Design, ports: &Ports) -> String {
    let mut m = observer("known", KNOWN, design.top);
    let mut text = String::from("  always @(posedge clk_i) begin\n    if (bus_rst_ni === 1'b1) begin\n");
    for channel in ports.buses.iter().flat_map(|b| b.channels()) {
        channel_known(&mut text, &channel);
    }
    for port in &ports.interrupts {
        check(&mut text, "chip", &port.name, None);
    }
    m.body(&(text + "    end\n  end"));
    m.verilog()
}

fn channel_known(text: &mut String, c: &Channel) {
    let (sender, receiver) = if c.from_chip { ("chip", "system") } else { ("system", "chip") };
    let (valid, ready) = (format!("{}valid", c.prefix), format!("{}ready", c.prefix));
    check(text, sender, &valid, None);
    check(text, receiver, &ready, None);
    for signal in &c.payload {
        check(text, sender, signal, Some(&valid));
    }
}

/// One assertion: while `valid` is high, or always, `signal` is known. Its parity is unknown if any of its bits is.
fn check(text: &mut String, who: &str, signal: &str, valid: Option<&str>) {
    let when = valid.map_or(String::new(), |valid| format!("{valid} !== 1'b1 || "));
    let _ = write!(
        text,
        "      begin : {who}_{signal}_known\n        assert ({when}(^{signal}) !== 1'bx)\n        \
         else $error(\"{signal} is %b when it counts\", {signal});\n      end\n"
    );
}
