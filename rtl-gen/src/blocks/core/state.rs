//! What a state in memory adds to the core: who is connected with whom, and with several sessions whose state a pass reads and writes.

use crate::config::{Config, VEC_BITS};
use crate::hdl::Module;

/// What a state in memory adds, or drives otherwise.
pub const STREAMED: &[(&str, &str, &str)] = &[
    ("dma", "state_base_i", "regs_state_base"),
    ("dma", "zero_i", "token_zero"),
    ("dma", "s_ready_i", "wkv_s_ready"),
    ("wkv", "s_valid_i", "dma_s_valid"),
    ("wkv", "s_data_i", "dma_s_data"),
    ("wkv", "so_ready_i", "state_writer_r_ready"),
    ("vec", "sw_ready_i", "state_writer_v_ready"),
    ("state_writer", "start_i", "token_start"),
    ("state_writer", "base_i", "regs_state_base"),
    ("state_writer", "r_valid_i", "wkv_so_valid"),
    ("state_writer", "r_data_i", "wkv_so_data"),
    ("state_writer", "r_flush_i", "wkv_so_flush"),
    ("state_writer", "v_valid_i", "vec_sw_valid"),
    ("state_writer", "v_data_i", "vec_vw_data"),
    ("state_writer", "v_last_i", "vec_sw_last"),
    ("token", "clear_busy_i", "vmem_clear_busy"),
    ("token", "quiet_i", "state_writer_idle"),
    ("regs", "read_error_i", "dma_error || state_writer_error"),
];

/// And with several sessions.
pub const STREAMED_SLOTS: &[(&str, &str, &str)] = &[
    ("dma", "slots_i", "state_slots"),
    ("state_writer", "slots_i", "state_slots"),
    ("state_writer", "r_slot_i", "wkv_so_slot"),
    ("state_writer", "v_slot_i", "vec_sw_slot"),
    ("state_writer", "v_data_i", "session_word"),
    ("token", "active_i", "regs_active"),
    ("token", "slots_i", "state_slots"),
    ("token", "clear_busy_i", "|vmem_clear_busy"),
];

/// Whose state is read and written, and the word of a session vector on its way to memory.
pub fn slots(m: &mut Module, config: &Config) {
    let n = config.sessions;
    let words: Vec<_> = (0..n).rev().map(|s| format!("slice_{s}_vec_vw_data")).collect();
    let word = config.vlanes() * VEC_BITS;
    m.text(
        r#"
  // of one text that all slots read it is the slot that text lives in
  wire [{{top}}:0] state_slots = regs_prefill ? ({{n}}'d1 << regs_home) : regs_active;
  wire [{{all}}:0] slice_words = { {{words}}};
  wire [{{wmsb}}:0] session_word = slice_words[vec_sw_slot*{{w}} +: {{w}}];
"#,
        &[
            ("top", (n - 1).to_string()),
            ("n", n.to_string()),
            ("all", (n * word - 1).to_string()),
            ("wmsb", (word - 1).to_string()),
            ("w", word.to_string()),
            ("words", words.join(", ")),
        ],
    );
}
