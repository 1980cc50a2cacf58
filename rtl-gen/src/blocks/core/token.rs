//! Parts only the core uses: start and finish of a token with the done counts, and the operand exponents.

use crate::blocks::prelude::*;
use crate::isa::FORMATS;

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
    ports! { m;
        start_req_i, clear_req_i, clear_busy_i "a memory is being cleared",
        handover_i[4] "an instruction is handed over", done_i[4] "an instruction is finished",
        last_handed_i[4] "the last instruction has been handed over", start_o, clear_o, busy_o, running_o, finished_o,
    }
    if streamed {
        ports! { m; quiet_i "all state is written", zero_o[slots] "the state read by this token is 0" }
        if slots > 1 {
            ports! { m; active_i[slots] "slots that are cleared", slots_i[slots] "slots whose state is read" }
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
    m.body(rtl!("core/token_control"));
    if streamed {
        sizes! { m; SLOTS = slots }
        m.wire("cleared_slots", slots).wire("read_slots", slots);
        let (cleared, read) = if slots > 1 { ("active_i", "slots_i") } else { ("1'b1", "1'b1") };
        m.body(&format!("  assign cleared_slots = {cleared};\n  assign read_slots    = {read};"));
        m.body(rtl!("core/token_zero"));
    }
    m.done()
}

/// Resets of the chip and of its units.
///
/// The masters and the handshakes of the registers outlive a reset of the chip, because the bus remembers what they asked for.
pub fn unit_reset() -> Arc<Module> {
    let mut m = Module::new(
        "unit_reset",
        "Resets of the units. rst_ni is the reset of the bus; chip_rst_ni, which may change at any time, that of the chip alone.\n\
         regs_rst_no follows chip_rst_ni three cycles late, down_o says that it is or will be low. units_rst_no is low while the chip is in\n\
         reset, and after abort_i. Both come from registers and begin and end with the clock.\n\
         stop_o is high while units_rst_no is low: the masters of the bus forget what it has not seen and receive what it still gives, until\n\
         bus_quiet_i; at least 4 cycles.\n\
         Latency: abort_i to stop_o 1 cycle.",
    );
    ports! { m;
        chip_rst_ni "any time", abort_i "pulse", bus_quiet_i "the bus owes the masters nothing", down_o, stop_o,
        regs_rst_no "of what the registers hold", units_rst_no,
    }
    m.body(rtl!("core/unit_reset"));
    m.done()
}

/// The exponents of the 16 matrix operand vectors.
pub fn xexp() -> Arc<Module> {
    let mut m = Module::combinational(
        "xexp",
        "Exponents of the 16 matrix operand vectors: written by the vector unit, read combinationally by the matrix unit.\n\
         A write is seen in the next cycle. No reset: an operand is written before it is used.",
    );
    ports! { m; clk_i, we_i, slot_i[4], exp_i[EXP_BITS], sel_i[4], exp_o[EXP_BITS] }
    m.body(rtl!("core/xexp"));
    m.done()
}
