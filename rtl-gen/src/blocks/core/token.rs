//! Parts only the core uses: start and finish of a token with the done counts, and the operand exponents.

use crate::config::{Config, EXP_BITS};
use crate::hdl::Module;
use crate::isa::FORMATS;
use crate::widths::COUNT_BITS;
use std::sync::Arc;

/// Starts and finishes a token, clears the state, counts finished instructions.
///
/// If the state lies in memory, a cleared state is one that is read as 0, and a token also waits for its last write.
pub fn token_control(config: &Config) -> Arc<Module> {
    let (streamed, slots) = (config.streams_state(), config.sessions);
    let mut m = Module::new(
        "token_control",
        "Start and finish of a token; done counts.\n\
         clear_req_i and start_req_i (looked at while busy_o is low, may come together) clear the memories, then start a token.\n\
         start_o is high for one cycle; from the next one running_o is high, up to and with the cycle of finished_o (one cycle):\n\
         every unit has been handed its last instruction and has finished all it was handed.\n\
         Vectors over units: bit 0 dma, 1 mat, 2 vec, 3 wkv. Done counts are 0 from the cycle after start_o; a done pulse is\n\
         counted one cycle later; they stay at 4095 once there, which no wait field exceeds.",
    );
    m.input("start_req_i", 1, "").input("clear_req_i", 1, "").input("clear_busy_i", 1, "a memory is being cleared");
    m.input("handover_i", 4, "an instruction is handed over").input("done_i", 4, "an instruction is finished");
    m.input("last_handed_i", 4, "the last instruction has been handed over");
    m.output("start_o", 1, "").output("clear_o", 1, "").output("busy_o", 1, "").output("running_o", 1, "");
    m.output("finished_o", 1, "");
    if streamed {
        m.input("quiet_i", 1, "all state is written").output("zero_o", slots, "the state read by this token is 0");
        if slots > 1 {
            m.input("active_i", slots, "slots that are cleared").input("slots_i", slots, "slots whose state is read");
        }
    }
    for unit in &FORMATS[1..] {
        m.output(format!("count_{}_o", unit.name), COUNT_BITS, "done count");
    }
    m.body(if streamed { "  wire quiet = quiet_i;" } else { "  wire quiet = 1'b1;" });
    m.wire("counts", FORMATS.len() * COUNT_BITS);
    m.body(&format!("  assign counts[{}:0] = '0;  // nothing waits for dma", COUNT_BITS - 1));
    for (i, unit) in FORMATS.iter().enumerate().skip(1) {
        let (hi, lo) = ((i + 1) * COUNT_BITS - 1, i * COUNT_BITS);
        m.body(&format!("  assign count_{}_o = counts[{hi}:{lo}];", unit.name));
    }
    m.body("  wire unused_counts = &{1'b0, counts};");
    m.body(include_str!("../../../rtl/core/token_control.sv"));
    if streamed {
        m.sizes(&[("SLOTS", slots)]);
        m.wire("cleared_slots", slots).wire("read_slots", slots);
        let (cleared, read) = if slots > 1 { ("active_i", "slots_i") } else { ("1'b1", "1'b1") };
        m.body(&format!("  assign cleared_slots = {cleared};\n  assign read_slots    = {read};"));
        m.body(include_str!("../../../rtl/core/token_zero.sv"));
    }
    m.done()
}

/// The exponents of the 16 matrix operand vectors.
pub fn xexp() -> Arc<Module> {
    let mut m = Module::combinational(
        "xexp",
        "Exponents of the 16 matrix operand vectors: written by the vector unit, read combinationally by the matrix unit.\n\
         A write is seen in the next cycle. No reset: an operand is written before it is used.",
    );
    m.input("clk_i", 1, "").input("we_i", 1, "").input("slot_i", 4, "").input("exp_i", EXP_BITS, "");
    m.input("sel_i", 4, "").output("exp_o", EXP_BITS, "");
    m.body(include_str!("../../../rtl/core/xexp.sv"));
    m.done()
}
