//! A way for the host to a state that the chip keeps: element by element through two registers, between tokens.

use crate::blocks::prelude::*;
use crate::blocks::wkv::STATE_READ_LATENCY;

/// The unit `state_port` of `docs/hardware.md` §6, for a configuration with one session and its state on the chip.
pub fn state_port(config: &Config) -> Arc<Module> {
    let (lanes, s_lanes, state_bits) = (config.vlanes(), config.wkv_lanes(), config.numbers.state_bits);
    let elements = config.limits.state_elements.max(config.limits.vmem_elements);
    let (s_word, s_addr) = (s_lanes * state_bits, index_bits(config.state_words()));
    let mut m = Module::new(
        "state_port",
        format!(
            "Reads and writes what a session keeps on the chip, one element at a time: of S, or of vmem, where the session vectors lie.\n\
             at_we_i selects an element: bit 31 of data_i S and not vmem, the lower bits its number. data_re_i: data_o was read; data_we_i:\n\
             data_i is written there; both then go to the next element. data_o is the selected element, sign-extended, while wait_o is low.\n\
             Requests are pulses; they are ignored while busy_i or wait_o is high.\n\
             Latency: wait_o is high from the next cycle on, for {} cycles after a selection or a read, at most {} after a write of S.",
            STATE_READ_LATENCY + 1,
            2 * STATE_READ_LATENCY + 3
        ),
    );
    ports! { m;
        busy_i "a token runs, or the state is cleared", at_we_i "pulse", data_we_i "pulse", data_re_i "pulse", data_i[32],
        data_o[32], wait_o,
        s_re_o, s_we_o, s_addr_o[s_addr] "word", s_data_o[s_word], s_data_i[s_word],
        va_en_o, va_addr_o[WORD_ADDR_BITS] "word", va_data_i[lanes * VEC_BITS],
        y_valid_o, y_ready_i, y_addr_o[ELEMENT_ADDR_BITS] "element", y_data_o[VEC_BITS],
    }
    sizes! { m;
        LANES = lanes, S_LANES = s_lanes, STATE_BITS = state_bits, S_WORD_BITS = s_word, S_ADDR_BITS = s_addr,
        AT_BITS = index_bits(elements), READ_CYCLES = STATE_READ_LATENCY,
    }
    m.body(rtl!("core/state_port"));
    m.done()
}
