//! Parameter beats to parameter words, with the padding of each block dropped.

use crate::blocks::vec::sizes::param_bits;
use crate::config::{Config, OPERAND_BITS, VEC_BITS};
use crate::hdl::Module;
use crate::widths::MEMORY_ELEMENT_BITS;
use golden_model::image::UNIT;
use std::sync::Arc;

/// Bytes that a block of parameters is padded to.
const UNIT_BYTES: usize = UNIT;

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
    m.input("start_i", 1, "");
    m.input("p_valid_i", 1, "").output("p_ready_o", 1, "").input("p_data_i", beat, "");
    m.output("valid_o", 1, "").output("data_o", lanes * param_bits(config), "").input("take_i", 1, "");
    m.input("last_i", 1, "");
    m.sizes(&[("LANES", lanes), ("BEATS", UNIT_BYTES / config.beat_bytes())]);
    if wide {
        m.input("wide_i", 1, "with take_i");
    }
    m.body(if wide { "  wire whole_beat = wide_i;" } else { "  wire whole_beat = 1'b0;" });
    m.body(include_str!("../../../rtl/vec/param_gear.sv"));
    match wide {
        true => m.body(include_str!("../../../rtl/vec/param_gear_elements.sv")),
        false => m.body("  assign data_o = half;"),
    };
    m.done()
}
