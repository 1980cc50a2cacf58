//! A bench for cocotb: the chip with the IDs that cocotbext-axi asks for, a test, and what starts it.

use super::ports::{Ports, Protocol};
use super::{Design, File, Kind};
use crate::hdl::{Module, Wires};
use crate::notice::notice;

/// The folder of the bench. It is not called `cocotb`, because Python would find that for the package.
const FOLDER: &str = "cocotb_bench";

/// The bench, if there are programs to run.
pub fn files(design: &Design, ports: &Ports) -> Vec<File> {
    if design.bench.is_none() {
        return vec![];
    }
    let file = |name: &str, text: String, purpose: &str, command: &str| {
        File::new(&format!("{FOLDER}/{name}"), Kind::Bench, text, purpose, command)
    };
    let hash = |text: &str| notice("#") + text;
    vec![
        file(
            "run.py",
            hash(include_str!("cocotb_bench/run.py")),
            "builds a simulator and runs the cocotb bench",
            &format!("python3 {FOLDER}/run.py verilator"),
        ),
        file(
            "test_anser.py",
            hash(include_str!("cocotb_bench/test_anser.py")),
            "the cocotb bench: host, memory and receiver of logits around the chip",
            "",
        ),
        file(
            "anser_cocotb.sv",
            wrapper(design, ports).verilog(),
            "the chip with the IDs that the bench's AXI memory asks for",
            "",
        ),
        file(
            "requirements.txt",
            hash(include_str!("cocotb_bench/requirements.txt")),
            "the Python packages of the cocotb bench",
            &format!("pip install -r {FOLDER}/requirements.txt"),
        ),
    ]
}

/// The chip as a slave with IDs sees it: every request has ID 0, and IDs of responses are ignored. A configuration may have them already.
fn wrapper(design: &Design, ports: &Ports) -> Module {
    let doc = "\nThe chip with AXI IDs on its master: every request has ID 0, and the IDs of responses are ignored, because data return in order.\n\
               verilator lint_off UNUSEDSIGNAL";
    let mut m = Module::bench("cocotb", doc);
    for p in &design.top.ports {
        m.port_like(&p.name, p);
    }
    if let Some(bus) = ports.bus(Protocol::Axi4) {
        for channel in bus.channels() {
            // of these five channels all have an ID but that of written data
            let id = format!("{}id", channel.prefix);
            match channel.from_chip {
                _ if channel.prefix.ends_with("_w") || channel.payload.contains(&id) => {}
                true => {
                    m.output(&id, 1, "").body(&format!("  assign {id} = 1'b0;"));
                }
                false => {
                    m.input(&id, 1, "");
                }
            }
        }
    }
    m.instance("u_chip", design.top, Wires::default().with_rest());
    m
}
