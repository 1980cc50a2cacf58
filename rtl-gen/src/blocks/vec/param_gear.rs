//! Parameter beats to parameter words, with the padding of each block dropped.

use crate::blocks::prelude::*;
use crate::blocks::vec::sizes::param_bits;

/// The gear between the parameter fifo and the vector pipeline: a beat is two words of VL 16-bit parameters, or one of VL session elements.
pub fn param_gear(config: &Config) -> Arc<Module> {
    let wide = config.streams_state();
    let lanes = config.vlanes();
    let beat = config.bus_bits;
    let mut m = Module::new(
        "param_gear",
        format!(
            "Cuts {beat}-bit beats into words of {} bits, low half first, and realigns to {UNIT_BYTES} bytes after each block.\n\
             valid_o: data_o is the next word. take_i (with valid_o) consumes it; take_i with last_i also drops the rest of the\n\
             {UNIT_BYTES}-byte unit, one beat a cycle, during which valid_o is low. start_i: the next beat is the first of a unit.\n\
             Latency 0: data_o is a half of p_data_i; p_ready_o is high in the cycle the beat's last word is taken.{}",
            lanes * OPERAND_BITS,
            match wide {
                true => format!(
                    "\nwide_i: a whole beat is one word of {MEMORY_ELEMENT_BITS}-bit elements; no half of it is taken before. data_o has {VEC_BITS} bits\n\
                     an element, sign-extended."
                ),
                false => String::new(),
            }
        ),
    );
    ports! { m;
        start_i, p_valid_i, p_ready_o, p_data_i[beat], valid_o, data_o[lanes * param_bits(config)], take_i, last_i,
    }
    sizes! { m; LANES = lanes, BEATS = UNIT_BYTES / config.beat_bytes() }
    if wide {
        ports! { m; wide_i "with take_i" }
    }
    m.body(if wide { "  wire whole_beat = wide_i;" } else { "  wire whole_beat = 1'b0;" });
    m.body(rtl!("vec/param_gear"));
    match wide {
        true => m.body(rtl!("vec/param_gear_elements")),
        false => m.body("  assign data_o = half;"),
    };
    m.done()
}
