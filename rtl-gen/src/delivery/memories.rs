//! The memory of the design, `anser_ram_1w1r`, and what may stand in its place: an own file for FPGA synthesis, and one for memory macros.
//!
//! All have the module's name and ports, so the RTL does not change; the file list chooses. The flows of this project find memories by the
//! mark of the module ([`crate::hdl::Kind::Memory`]), which is a matter of the module tree and not of these files.

use super::{Design, File, Kind, FILE_LIST};
use crate::blocks::prim::{ram_1w1r, REGISTER_WORDS};
use crate::hdl::{self, index_bits, Module, PREFIX};
use crate::notice::notice;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const FPGA: &str = "memory/fpga/anser_ram_1w1r.sv";
const MACRO: &str = "memory/macro/anser_ram_1w1r.sv";
const BLACK_BOXES: &str = "memory/macro/macros.sv";
const MODEL: &str = "memory/macro/macros_model.sv";

/// Bits and words of every memory under `module`.
pub fn sizes(module: &Module) -> BTreeSet<(usize, usize)> {
    let own = match module.kind {
        hdl::Kind::Memory { bits, words } => Some((bits, words)),
        hdl::Kind::Logic => None,
    };
    own.into_iter().chain(module.instances.iter().flat_map(|i| sizes(&i.module))).collect()
}

/// The file that holds the memory of the RTL.
fn inferred() -> String {
    format!("{}.sv", ram_1w1r(1, 2).name)
}

/// Lists of the RTL, one for each way to build memories.
pub fn file_lists(design: &Design) -> Vec<File> {
    let top = &design.printed.top;
    let list = |memory: &[&str]| {
        let mut s = String::new();
        for file in design.sources() {
            if file == inferred() {
                memory.iter().for_each(|m| s += &format!("{m}\n"));
            } else {
                let _ = writeln!(s, "{file}");
            }
        }
        s
    };
    let file = |name: &str, memory: &[&str], purpose: &str, command: &str| {
        File::new(name, Kind::FileList, list(memory), purpose, command)
    };
    vec![
        file(
            FILE_LIST,
            &[&inferred()],
            "the RTL, a file a line, in the order in which tools read it; memories are inferred",
            &format!("verilator --lint-only -Wall -f {FILE_LIST} --top-module {top}"),
        ),
        file(
            "files_fpga.f",
            &[FPGA],
            "the same with memories that say which FPGA memory they want",
            &format!("verilator --lint-only -Wall -f files_fpga.f --top-module {top}"),
        ),
        file(
            "files_macro.f",
            &[MACRO, BLACK_BOXES],
            "the same with memory macros, which the integrator supplies",
            &format!("verilator --lint-only -f files_macro.f --top-module {top}"),
        ),
    ]
}

/// The files that stand in for the inferred memory.
pub fn files(design: &Design) -> [File; 4] {
    let deep: Vec<_> = sizes(design.top).into_iter().filter(|(_, words)| *words > REGISTER_WORDS).collect();
    [
        File::new(FPGA, Kind::Memory, fpga(), "the memory with attributes for FPGA synthesis", ""),
        File::new(MACRO, Kind::Memory, macros(&deep), "the memory as one macro for each size that this design has", ""),
        File::new(
            BLACK_BOXES,
            Kind::Memory,
            black_boxes(&deep),
            "the macros as black boxes: put your memories here, the file says how",
            "",
        ),
        File::new(
            MODEL,
            Kind::Memory,
            model(&deep),
            "the macros as they must behave, for simulation in place of the black boxes",
            "",
        ),
    ]
}

/// The memory with another text inside.
fn variant(more: &str, body: &str) -> String {
    let mut m = (*ram_1w1r(1, 2)).clone();
    m.items.clear();
    m.doc = format!("{}\n\n{more}", m.doc);
    m.body(body);
    m.verilog()
}

fn fpga() -> String {
    variant(
        "For FPGA synthesis: ram_style is read by Vivado and Yosys, syn_ramstyle by Synplify (Lattice, Microchip). What is shallow goes\n\
         into the memory of logic cells, everything else into block memory.",
        include_str!("sv/ram_fpga.sv"),
    )
}

fn macro_name((bits, words): (usize, usize)) -> String {
    format!("{PREFIX}macro_{bits}x{words}")
}

fn macros(deep: &[(usize, usize)]) -> String {
    let mut body = format!(
        "  if (DEPTH <= {REGISTER_WORDS}) begin : gen_registers\n{}",
        include_str!("sv/ram_registers.sv").trim_end_matches('\n')
    );
    for size in deep {
        let (bits, words) = size;
        let _ = write!(
            body,
            "\n  end else if (WIDTH == {bits} && DEPTH == {words}) begin : gen_{bits}x{words}\n    \
             {} u_macro (.*);",
            macro_name(*size)
        );
    }
    // a module that nobody has: every tool stops here and names it, also those that know no $error among module items
    body += "\n  end else begin : gen_none\n    \
             no_macro_of_this_size #(.WIDTH(WIDTH), .DEPTH(DEPTH)) u_none (.rdata_o(rdata_o));\n  end";
    variant(
        &format!(
            "For memory macros: each size of this design is a module of its own, which stands as a black box in macros.sv.\n\
             Up to {REGISTER_WORDS} words are flip-flops."
        ),
        &body,
    )
}

/// The macro of one size with `body` inside.
fn macro_module(size @ (bits, words): (usize, usize), body: &str) -> String {
    let address = index_bits(words);
    let range = |n: usize| if n == 1 { String::new() } else { format!("[{}:0] ", n - 1) };
    let (a, d) = (range(address), range(bits));
    format!(
        "module {} (\n  input  wire clk_i,\n  input  wire we_i,\n  input  wire {a}waddr_i,\n  input  wire {d}wdata_i,\n  \
         input  wire re_i,\n  input  wire {a}raddr_i,\n  output wire {d}rdata_o\n);\n{body}endmodule\n",
        macro_name(size)
    )
}

/// All sizes in one file; Verilator's remark about a file's name does not fit that.
fn in_one_file(deep: &[(usize, usize)], head: &str, module: impl Fn((usize, usize)) -> String) -> String {
    let mut s = notice("//");
    s += "//\n";
    for line in head.trim().lines() {
        let _ = writeln!(s, "//{}{line}", if line.is_empty() { "" } else { " " });
    }
    for size in deep {
        let _ = write!(s, "\n{}", module(*size));
    }
    s
}

fn black_boxes(deep: &[(usize, usize)]) -> String {
    in_one_file(deep, include_str!("sv/macros.txt"), |size| format!("(* blackbox *)\n{}", macro_module(size, "")))
}

fn model(deep: &[(usize, usize)]) -> String {
    let head = "The macros as they must behave, for simulation. Not for synthesis: every bit would be a flip-flop.\n\
                verilator lint_off DECLFILENAME\nverilator lint_off MULTITOP";
    in_one_file(deep, head, |size| {
        let body = format!(
            "  reg [{}:0] mem [0:{}];\n  reg [{}:0] rdata_q;\n{}",
            size.0 - 1,
            size.1 - 1,
            size.0 - 1,
            include_str!("sv/ram_ports.sv")
        );
        macro_module(size, &body)
    })
}
