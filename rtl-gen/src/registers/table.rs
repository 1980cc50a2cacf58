//! The table of registers: the one place where a register, its address, its fields and their meaning are written down.
//!
//! From it come the decoder and the read multiplexer of the RTL, the constants of every host, SystemRDL, a C header, Python constants and
//! the table in `docs/hardware.md`.

use super::counters::{LOST, STALLS};
use super::{Access, Field, Register};
use crate::config::Config;
use crate::widths::{index_bits, TOKEN_BITS};

/// What ID reads: "ANSR".
pub const ID: u32 = 0x414E_5352;
/// What VERSION reads.
pub const VERSION: u32 = 2;
/// Bits of a byte address on the AXI4-Lite port: the 4 KiB that interconnects give a peripheral at least.
pub const ADDR_BITS: usize = 12;

/// Declares the registers: address constants, masks of their fields, and [`all`]. `while idle` marks a register that the host must leave
/// alone while the chip is busy; an access that changes something is then refused.
macro_rules! registers {
    ($c:ident; $(
        $(#[doc = $doc:literal])+
        $name:ident @ $offset:literal $([$count:expr])? $(while $idle:ident)? $(if $when:expr)? => {
            $($field:ident [$lsb:literal, $bits:expr] $access:ident $signal:expr, $reset:expr, $text:literal;)*
        }
    )*) => {
        /// Byte addresses of the registers.
        pub mod reg {
            $($(#[doc = $doc])+ pub const $name: u32 = $offset;)*
        }
        /// The lowest bit of each field, in a module for each register.
        #[allow(non_snake_case)] // a module is called as its register
        pub mod bit {
            /// The bits of STATUS that say why a token ended.
            pub const ERRORS: u32 = STATUS::READ_ERROR | STATUS::ABORTED | STATUS::TIMEOUT | STATUS::TOKEN_ERROR;
            $(pub mod $name { $(#[doc = $text] pub const $field: u32 = 1 << $lsb;)* })*
        }
        /// The registers of a chip of configuration `$c` whose own bits are no counters, in the order of the table.
        fn own($c: &Config) -> Vec<Register> {
            let mut list = vec![];
            $(if true $(&& $when)? {
                list.push(Register {
                    name: stringify!($name).to_string(),
                    offset: $offset,
                    count: [1, $($count)?][..].last().copied().unwrap_or(1),
                    idle_only: [false, $(stringify!($idle) == "idle")?].contains(&true),
                    doc: [$($doc),+].concat().trim().to_string(),
                    fields: vec![$(Field {
                        name: stringify!($field),
                        lsb: $lsb,
                        bits: $bits,
                        access: Access::$access,
                        signal: String::from($signal),
                        reset: $reset,
                        doc: $text,
                    }),*],
                });
            })*
            list
        }
    };
}

registers! { c;
    /// Tells what the chip is.
    ID @ 0x00 => { VALUE[0, 32] ReadOnly format!("32'h{ID:08x}"), ID, "0x414E5352, \"ANSR\""; }
    /// Version of the registers and of the instruction formats.
    VERSION @ 0x04 => { VALUE[0, 32] ReadOnly format!("32'd{VERSION}"), VERSION, "number of the version"; }
    /// Starts and stops work. A write with START or CLEAR is refused while the chip is busy; one with START also if a slot at work is in
    /// INVALID and CLEAR is not set, or has a token that is not below TOKEN_LIMIT. What is refused changes nothing but DONE.
    CTRL @ 0x08 => {
        START[0, 1] Action "", 0, "1 starts a token";
        CLEAR[1, 1] Action "", 0, "1 sets vmem and state to 0, before the start if both are written";
        LOGITS[2, 1] WriteOnly "", 0, "with START: the logits leave on the stream";
        NO_HEAD[3, 1] WriteOnly "", 0, "with START: the token ends before `ln_out` and the head, and TOKEN_OUT stays";
        ABORT[4, 1] Action "", 0, "1 ends what the chip does, at any time; START and CLEAR must be 0. BUSY stays until the bus is quiet";
    }
    /// What the chip does. An error ends the token without DONE, and leaves TOKEN_OUT as it was.
    STATUS @ 0x0C => {
        BUSY[0, 1] ReadOnly "busy", 0, "a token runs, the state is cleared, or a token that was ended waits for the bus";
        DONE[1, 1] ReadOnly "done_q", 0, "the token is done, without an error; START and CLEAR set it to 0, refused or not";
        READ_ERROR[2, 1] WriteOneToClear "read_error_q", 0, "a read, or the response to a write, came back with SLVERR or DECERR";
        ABORTED[3, 1] WriteOneToClear "aborted_q", 0, "ABORT ended a token or a clear";
        TIMEOUT[4, 1] WriteOneToClear "timeout_q", 0, "a token took as many cycles as WATCHDOG says";
        TOKEN_ERROR[5, 1] WriteOneToClear "token_error_q", 0, "a START was refused, because a token is not below TOKEN_LIMIT";
    }
    /// The token to work on; that of slot 0 if there are several.
    TOKEN_IN @ 0x10 while idle => { TOKEN[0, TOKEN_BITS] ReadWrite format!("token_q[{}:0]", TOKEN_BITS - 1), 0, "number of the token"; }
    /// The most likely token after the last one; that of slot 0 if there are several.
    TOKEN_OUT @ 0x14 => { TOKEN[0, TOKEN_BITS] ReadOnly format!("argmax_q[{}:0]", TOKEN_BITS - 1), 0, "number of the token"; }
    /// Where the image lies, low half of the byte address.
    IMAGE_BASE_LO @ 0x18 while idle => { BASE[6, 26] ReadWrite "base_lo_q", 0, "bits 31 to 6 of the address, which is a multiple of 64"; }
    /// Where the image lies, high half of the byte address.
    IMAGE_BASE_HI @ 0x1C while idle if c.axi_addr_bits > 32 => {
        BASE[0, c.axi_addr_bits - 32] ReadWrite "base_hi_q", 0, "bits 32 and up of the address";
    }
    /// Selects the program that PROG_DATA writes, and goes to its first word.
    PROG_SELECT @ 0x20 while idle => { UNIT[0, 2] Select "select_q", 0, "0 dma, 1 mat, 2 vec, 3 wkv"; }
    /// Writes the next 32-bit word of the selected program; refused when the program memory is full.
    PROG_DATA @ 0x24 while idle => { WORD[0, 32] Push "", 0, "a word of an instruction, lowest word first"; }
    /// Cycles of the last token, from its start to its end.
    CYCLES @ 0x28 => { COUNT[0, 32] ReadOnly "count_cycles", 0, "wraps at 2^32"; }
    /// Sums of the matrix unit that were clipped in the last token.
    SAT_MAT @ 0x2C => { COUNT[0, 32] ReadOnly "count_sat_mat", 0, "wraps at 2^32"; }
    /// Results of the vector unit that were clipped in the last token.
    SAT_VEC @ 0x30 => { COUNT[0, 32] ReadOnly "count_sat_vec", 0, "wraps at 2^32"; }
    /// Results of the recurrence that were clipped in the last token.
    SAT_WKV @ 0x34 => { COUNT[0, 32] ReadOnly "count_sat_wkv", 0, "wraps at 2^32"; }
    /// Beats that were read in the last token.
    WEIGHT_BEATS @ 0x38 => { COUNT[0, 32] ReadOnly "count_beats", 0, "wraps at 2^32"; }
    /// Cycles of the last token in which a unit waited or was busy, one register for each name of [`STALLS`].
    STALLS @ 0x3C [STALLS.len()] => { COUNT[0, 32] ReadOnly "", 0, "wraps at 2^32"; }
    /// Columns of `ffn.value` that were not read in the last token.
    SKIPPED_COLUMNS @ 0x58 => { COUNT[0, 32] ReadOnly "count_skipped", 0, "wraps at 2^32"; }
    /// Cycles of the last token without a beat by cause, one register for each name of [`LOST`].
    LOST @ 0x60 [LOST.len()] => { COUNT[0, 32] ReadOnly "", 0, "wraps at 2^32"; }
    /// Which slots work on the next token. A write without any of them is refused.
    ACTIVE @ 0x5C while idle if c.sessions > 1 => {
        SLOTS[0, c.sessions] ReadWrite "active_q", (1 << c.sessions) - 1, "bit s: slot s works";
    }
    /// The token of each slot, slot 0 first, which is also at TOKEN_IN.
    TOKENS_IN @ 0x80 [c.sessions] while idle if c.sessions > 1 => {
        TOKEN[0, TOKEN_BITS] ReadWrite "token_q", 0, "number of the token";
    }
    /// The most likely token of each slot, slot 0 first, which is also at TOKEN_OUT. A slot at rest keeps its own.
    TOKENS_OUT @ 0xA0 [c.sessions] if c.sessions > 1 => {
        TOKEN[0, TOKEN_BITS] ReadOnly "argmax_q", 0, "number of the token";
    }
    /// Reads one text in all slots side by side; then all slots are active.
    PREFILL @ 0xC0 while idle if c.sessions > 1 => {
        HOME[0, index_bits(c.sessions)] ReadWrite "home_q", 0, "the slot that the first token is in and the text lives in";
        ON[4, 1] ReadWrite "prefill_q", 0, "the slots hold tokens of one text that follow each other";
    }
    /// The slot that STATE_BASE is about, for reads and writes.
    STATE_SLOT @ 0xC4 while idle if c.streams_state() && c.sessions > 1 => {
        SLOT[0, index_bits(c.sessions)] ReadWrite "state_slot_q", 0, "number of the slot";
    }
    /// Where the session's state lies in memory, low half of the byte address.
    STATE_BASE_LO @ 0xC8 while idle if c.streams_state() => {
        BASE[6, 26] ReadWrite "state_base[31:6]", 0, "bits 31 to 6 of the address, which is a multiple of 64";
    }
    /// Where the session's state lies in memory, high half of the byte address.
    STATE_BASE_HI @ 0xCC while idle if c.streams_state() && c.axi_addr_bits > 32 => {
        BASE[0, c.axi_addr_bits - 32] ReadWrite format!("state_base[{}:32]", c.axi_addr_bits - 1), 0,
            "bits 32 and up of the address";
    }
    /// Selects an element of what the chip keeps between tokens, for STATE_DATA.
    STATE_AT @ 0xD4 while idle if c.state_port => {
        ELEMENT[0, 31] WriteOnly "", 0, "number of the element";
        S[31, 1] WriteOnly "", 0, "1: of S; 0: of vmem, where the session vectors lie";
    }
    /// The element that STATE_AT selects; a read or a write goes on to the next one.
    STATE_DATA @ 0xD8 while idle if c.state_port => {
        VALUE[0, 32] Walk "state_data_i", 0, "the element, sign-extended";
    }
    /// Tells which configuration the chip was made from; hosts compare it before they load programs.
    CONFIG @ 0xD0 => {
        FINGERPRINT[0, 32] ReadOnly format!("32'h{:08x}", c.fingerprint()), c.fingerprint(),
            "first 32 bits of SHA-256 over the instruction formats and every field that a program depends on";
    }
    /// Which events raise the interrupt `irq_o`, which is high while IRQ_STATUS has a bit that is set here.
    IRQ_ENABLE @ 0x100 => {
        DONE[0, 1] ReadWrite "irq_enable_q[0]", 0, "a token is done";
        ERROR[1, 1] ReadWrite "irq_enable_q[1]", 0, "a token ended with an error, or was refused for its number";
    }
    /// Which events have come since their bit was cleared, enabled or not.
    IRQ_STATUS @ 0x104 => {
        DONE[0, 1] WriteOneToClear "irq_status_q[0]", 0, "a token is done: DONE of STATUS was set";
        ERROR[1, 1] WriteOneToClear "irq_status_q[1]", 0, "an error bit of STATUS was set";
    }
    /// The most cycles that a token may take; one that takes so many ends with TIMEOUT.
    WATCHDOG @ 0x108 => { CYCLES[0, 32] ReadWrite "watchdog_q", 0, "0: no limit"; }
    /// The size of the vocabulary: tokens from this number on are refused.
    TOKEN_LIMIT @ 0x10C while idle => {
        TOKENS[0, TOKEN_BITS + 1] ReadWrite "limit_q", 0, "number of tokens; 0 refuses every token";
    }
    /// How many accesses were refused, that is answered SLVERR. It stays at its largest value.
    REFUSED @ 0x110 => { COUNT[0, 16] ReadOnly "refused_q", 0, "number of accesses"; }
    /// Slots whose session is not sound: nothing is known of it after a reset, and it is half written when a token or a clear was ended.
    /// CLEAR makes those at work sound. A START without CLEAR is refused while one of them is here.
    INVALID @ 0x114 while idle => {
        SLOTS[0, c.sessions] WriteOneToClear "invalid_q", (1 << c.sessions) - 1,
            "bit s: slot s; a host that has put a whole state in place writes 1";
    }
}

/// The address of stall counter `i`. Behind the seventh lies another register, so further ones follow at 0xE0.
pub const fn stall(i: usize) -> u32 {
    match i {
        0..7 => reg::STALLS + 4 * i as u32,
        _ => 0xE0 + 4 * (i as u32 - 7),
    }
}

/// Names the error bits of a value of STATUS, for a sentence: "READ_ERROR and TIMEOUT", or "no error bit".
pub fn status_names(status: u32) -> String {
    let registers = all(&largest());
    let fields = registers.iter().filter(|r| r.offset == reg::STATUS).flat_map(|r| &r.fields);
    let errors = fields.filter(|f| f.access == Access::WriteOneToClear && status >> f.lsb & 1 == 1);
    match errors.map(|f| f.name).collect::<Vec<_>>().as_slice() {
        [] => "no error bit".into(),
        names => names.join(" and "),
    }
}

/// The configuration that would have every register: several sessions, the state in memory, addresses of more than 32 bits, and the port to
/// a state on the chip, which no configuration has together.
pub fn largest() -> Config {
    let text = include_str!("../../../configs/edge-large.toml");
    let config = Config::parse(text, "edge-large.toml").expect("a configuration of the project");
    Config { sessions: 8, axi_addr_bits: 64, state_port: true, ..config }
}

/// Every register of a chip of configuration `config`, by address. The counters of a list are registers of their own.
pub fn all(config: &Config) -> Vec<Register> {
    let mut list = vec![];
    for mut r in own(config) {
        if r.idle_only {
            r.doc.push_str(" Refused while the chip is busy.");
        }
        let counters: &[(&str, &str)] = match r.name.as_str() {
            "STALLS" => &STALLS,
            "LOST" => &LOST,
            _ => {
                list.push(r);
                continue;
            }
        };
        list.extend(counters.iter().enumerate().map(|(i, (name, doc))| {
            let mut fields = r.fields.clone();
            fields[0].signal = format!("count_{name}");
            Register {
                name: name.to_uppercase(),
                offset: if r.offset == reg::STALLS { stall(i) } else { r.offset + 4 * i as u32 },
                count: 1,
                idle_only: false,
                doc: format!("Cycles of the last token: {doc}."),
                fields,
            }
        }));
    }
    list.sort_by_key(|r| r.offset);
    list
}
