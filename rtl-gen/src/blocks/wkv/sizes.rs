//! What the widths of the recurrence follow from, and the ports that many of its modules share.

use crate::blocks::prelude::*;

/// Bits of the number of words of a head: a head has fewer rows than 2^8 and fewer words a row than 2^6.
pub const HEAD_TOTAL_BITS: usize = 14;

/// Sizes of one configuration.
pub struct Sizes {
    /// Elements of a word.
    pub vl: usize,
    /// Elements of a word of the vector unit, which writes the operands.
    pub written: usize,
    /// Sessions side by side.
    pub slots: usize,
    /// Bits of the number of a slot.
    pub slot_bits: usize,
    /// Bits of a state element.
    pub sw: usize,
    /// Words of one slot's state memory, and bits of the address of one.
    pub state_words: usize,
    pub state_addr: usize,
    /// Words of an operand, and bits of the address of one.
    pub operand_words: usize,
    pub word_addr: usize,
    /// The state comes from memory and goes back there, so words may be late.
    pub streamed: bool,
    /// Bits of a state element that leaves for memory.
    pub stored: usize,
    /// State words from memory that can wait.
    pub stream_words: usize,
    /// A host reads and writes the state between tokens.
    pub port: bool,
}

impl Sizes {
    /// The sizes of `config`.
    pub fn of(config: &Config) -> Self {
        let vl = config.wkv_lanes();
        let operand_words = config.limits.n_embd / vl;
        Sizes {
            vl,
            written: config.vlanes(),
            slots: config.sessions,
            slot_bits: index_bits(config.sessions),
            sw: config.numbers.state_bits,
            state_words: config.state_words(),
            state_addr: index_bits(config.state_words()),
            operand_words,
            word_addr: index_bits(operand_words),
            streamed: config.streams_state(),
            stored: config.stored_bits(),
            stream_words: config.limits.state_fifo_beats,
            port: config.state_port,
        }
    }

    /// Whether there are several sessions.
    pub fn many(&self) -> bool {
        self.slots > 1
    }

    /// Whether pass 1 must ask the state memories late enough: with several sessions and the state on the chip a slot may read what
    /// another one wrote. State that comes from memory sees to that itself ([`super::stream_slots`]).
    pub fn ordered(&self) -> bool {
        self.many() && !self.streamed
    }

    /// Bits of a word of the state.
    pub fn word_bits(&self) -> usize {
        self.vl * self.sw
    }

    /// Bits of a word of an operand.
    pub fn operand_bits(&self) -> usize {
        self.vl * OPERAND_BITS
    }

    /// Rows that may wait for pass 2 (`sa_i`), and rows that may wait for vmem (`y_i`): as many as the pipelines hold at full
    /// rate if a row has 16 elements or more.
    pub fn row_queue(&self) -> usize {
        (2 * self.vl).min(32)
    }

    /// Bits of the number of elements of a word that were clipped in one cycle.
    pub fn clip_bits(&self) -> usize {
        index_bits(self.vl + 1).max(6)
    }

    /// Adds the fields of an instruction that say how many rows and heads there are.
    pub fn row_ports(&self, m: &mut Module) {
        ports! { m;
            n_head_i["anser_pkg::WKV_N_HEAD_BITS"] "heads",
            head_size_i["anser_pkg::WKV_HEAD_SIZE_BITS"] "rows of a head",
        }
    }

    /// Adds [`Self::row_ports`] and how many words a row has.
    pub fn word_ports(&self, m: &mut Module) {
        self.row_ports(m);
        ports! { m; head_words_i["anser_pkg::WKV_HEAD_WORDS_BITS"] "words of a row" }
    }

    /// Adds the inputs that say which slots take part, if there are several.
    pub fn slot_ports(&self, m: &mut Module) {
        if self.many() {
            ports! { m;
                active_i[self.slots] "slots that take part; stable while an instruction runs",
                prefill_i "they work on one text", home_i[self.slot_bits] "whose first token is here",
            }
        }
    }
}
