//! The counters of a token. Names, order and meaning are those of the latency record ([`records::latency`]), the one place where a counter is
//! written down: each is a register, an input of the register block, a value of the host and a figure of the reports.

use records::latency::PORT_CYCLES;

/// The stall counters in the order of their registers.
pub use records::latency::STALLS;

/// The cycles without a beat by cause, in the order of their registers: all of [`PORT_CYCLES`] but the beats, which WEIGHT_BEATS counts.
pub const LOST: [(&str, &str); PORT_CYCLES.len() - 1] = {
    let mut lost = [("", ""); PORT_CYCLES.len() - 1];
    let mut i = 0;
    while i < lost.len() {
        lost[i] = PORT_CYCLES[i + 1];
        i += 1;
    }
    lost
};
