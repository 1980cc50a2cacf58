//! Instruction fetch: one program RAM, prefetch, waits on the done counts of other units.

use crate::blocks::prelude::*;
use crate::blocks::prim::ram_1w1r;
use crate::isa::Format;
pub use crate::widths::{COUNT_BITS, LANE_BITS};

/// The fetch unit of `format` with a program RAM of `depth` instructions; `waits` names up to two 12-bit wait fields, which
/// are compared with the ports `done_a_i` and `done_b_i`, in this order.
///
/// Panics if a wait field is not in the format or not 12 bits wide, or if there are more than two: bugs of the generator.
pub fn fetch(format: &Format, depth: usize, waits: &[&str]) -> Arc<Module> {
    assert!(waits.len() <= 2, "fetch {}: {} wait fields, expected at most 2", format.name, waits.len());
    let lsb = |i: usize| {
        let Some(wait) = waits.get(i) else { return 0 };
        let (at, bits) = format.field(wait);
        assert_eq!(bits, COUNT_BITS, "fetch {}: width of {wait}", format.name);
        at
    };
    let mut m = Module::new(
        "fetch",
        "Instruction fetch of one unit: a program of DEPTH instructions of WIDTH bits, written by the host in 32-bit words.\n\
         start_i (one cycle, unit idle) begins at instruction 0; the instruction with `last` ends the program, with no_head_i\n\
         (which holds while it runs) that with `last_body`.\n\
         An instruction is offered (instr_valid_o) when it is there, its waits held in the cycle before (done count >= wait field;\n\
         counts only rise while a program runs) and stall_i is low.\n\
         Latency: the first instruction is there 4 cycles after start_i; at most two follow each other in successive cycles,\n\
         then there are two without: a read does not depend on instr_ready_i, which comes late in the cycle, and what it brings\n\
         is registered before it is compared.\n\
         waiting_o: an instruction is there and its waits did not hold. finished_o: the last instruction is handed over.\n\
         The program is written while the unit is idle; a program without `last` never finishes.",
    );
    m.param("WIDTH", format.bits, 64, "bits of an instruction, a multiple of 32");
    m.param("DEPTH", depth, 2, "instructions");
    m.param("WAITS", waits.len(), 1, "wait fields, 0 to 2");
    m.param("WAIT_A_LSB", lsb(0), 0, "where the field that done_a_i is compared with begins");
    m.param("WAIT_B_LSB", lsb(1), 0, "where the field that done_b_i is compared with begins");
    m.param("LAST_LSB", format.field("last").0, 0, "bit that ends the program");
    m.param("LAST_BODY_LSB", format.field("last_body").0, 0, "bit that ends it with no_head_i");
    ports! { m;
        start_i, prog_we_i, prog_lane_i[LANE_BITS] "32-bit word within the instruction",
        prog_idx_i[COUNT_BITS] "instruction", prog_wdata_i[32], done_a_i[COUNT_BITS] "used if WAITS is at least 1",
        done_b_i[COUNT_BITS] "used if WAITS is 2", no_head_i "the program ends with last_body", stall_i, instr_valid_o,
        instr_ready_i, instr_o["WIDTH"], instr_idx_o[COUNT_BITS], waiting_o, finished_o,
    }
    m.body(rtl!("core/fetch"));
    m.instances(
        "gen_ram",
        "WIDTH / 32",
        "u_ram",
        &ram_1w1r(32, depth),
        &[("DEPTH", "DEPTH")],
        wires! {
            we_i: "prog_we_i && (prog_lane_i == anser_pkg::PROG_LANE_BITS'(i))", waddr_i: "prog_idx_i[ADDR_BITS-1:0]",
            wdata_i: prog_wdata_i, re_i: read, raddr_i: pc_q, rdata_o: "rdata[32*i +: 32]",
        },
    );
    m.done()
}
