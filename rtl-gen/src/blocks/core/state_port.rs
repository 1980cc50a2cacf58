//! A way for the host to a state that the chip keeps: element by element through two registers, between tokens.

use crate::blocks::wkv::state::READ_LATENCY;
use crate::config::{Config, VEC_BITS};
use crate::hdl::{index_bits, Module};
use crate::widths::{ELEMENT_ADDR_BITS, WORD_ADDR_BITS};
use std::sync::Arc;

/// The unit `state_port` of `docs/hardware.md` §6, for a configuration with one session and its state on the chip.
pub fn state_port(config: &Config) -> Arc<Module> {
    let (lanes, s_lanes, state_bits) = (config.vlanes(), config.wkv_lanes(), config.numbers.state_bits);
    let elements = config.limits.state_elements.max(config.limits.vmem_elements);
    let s_word = s_lanes * state_bits;
    let mut m = Module::new(
        "state_port",
        format!(
            "Reads and writes what a session keeps on the chip, one element at a time: of S, or of vmem, where the session vectors lie.\n\
             at_we_i selects an element: bit 31 of data_i S and not vmem, the lower bits its number. data_re_i: data_o was read; data_we_i:\n\
             data_i is written there; both then go to the next element. data_o is the selected element, sign-extended, while wait_o is low.\n\
             Requests are pulses; they are ignored while busy_i or wait_o is high.\n\
             Latency: wait_o is high from the next cycle on, for {} cycles after a selection or a read, at most {} after a write of S.",
            READ_LATENCY + 1,
            2 * READ_LATENCY + 3
        ),
    );
    m.input("busy_i", 1, "a token runs, or the state is cleared");
    m.input("at_we_i", 1, "pulse").input("data_we_i", 1, "pulse").input("data_re_i", 1, "pulse");
    m.input("data_i", 32, "").output("data_o", 32, "").output("wait_o", 1, "");
    let s_addr = index_bits(config.state_words());
    m.output("s_re_o", 1, "").output("s_we_o", 1, "").output("s_addr_o", s_addr, "word");
    m.output("s_data_o", s_word, "").input("s_data_i", s_word, "");
    m.output("va_en_o", 1, "").output("va_addr_o", WORD_ADDR_BITS, "word").input("va_data_i", lanes * VEC_BITS, "");
    m.output("y_valid_o", 1, "").input("y_ready_i", 1, "");
    m.output("y_addr_o", ELEMENT_ADDR_BITS, "element").output("y_data_o", VEC_BITS, "");
    m.sizes(&[("LANES", lanes), ("S_LANES", s_lanes), ("STATE_BITS", state_bits), ("S_WORD_BITS", s_word)]);
    m.sizes(&[("S_ADDR_BITS", s_addr), ("AT_BITS", index_bits(elements)), ("READ_CYCLES", READ_LATENCY)]);
    m.body(include_str!("../../../rtl/core/state_port.sv"));
    m.done()
}
