//! Issue of the vector unit: from the instruction offered to one word a cycle.

use crate::blocks::vec::lane::TABLE_STAGES;
use crate::blocks::vec::reduce::QUEUE;
use crate::blocks::vec::sizes::{field_bits, record, seg_bits, tag, AMAX_BITS};
use crate::config::Config;
use crate::hdl::Module;
use crate::isa;
use crate::widths::{COUNT_BITS, WORD_ADDR_BITS};
use std::sync::Arc;

/// Word counter, hazards and the record of each instruction for the write stage.
pub fn vec_issue(config: &Config) -> Arc<Module> {
    let record = record(config);
    let mut m = Module::new(
        "vec_issue",
        format!(
            "Issues an instruction's words, one a cycle, straight from the instruction offered; latency 1: the cycle in which it is\n\
             first on offer decides whether it may begin, and what it is, for the next one.\n\
             go_o: a word is read in this cycle; never while en_i is low, a parameter word is missing, or its segment's sum would find\n\
             no room among {QUEUE}. The first word (open_o) also waits for room in the write stage's queue of records, for drained_i\n\
             if the instruction drains, and for the reduction before it if it reduces; after a table instruction an instruction\n\
             without table waits {TABLE_STAGES} cycles, the length by which the table's path is longer, so that words stay in order.\n\
             begin_o: the first word of a reduction goes as soon as nothing holds it; high until it does.\n\
             shift_o is the word's shift unless it comes from sreg; S(amax) is taken with the first word and kept for the others.\n\
             tag_o: live lanes, last word, segment end, part of a reduction, goes to vmem. record_o: see vec_write."
        ),
    );
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "the last word goes");
    m.input("instr_i", isa::VEC.bits, "isa VEC").input("instr_idx_i", COUNT_BITS, "");
    m.input("en_i", 1, "the pipeline advances").input("drained_i", 1, "nothing unfinished");
    m.input("record_ready_i", 1, "").input("red_busy_i", 1, "").input("report_full_i", 1, "");
    m.input("p_valid_i", 1, "").input("sum_popped_i", 1, "");
    m.input("amax_i", AMAX_BITS, "the bits of amax above a mantissa's, without the sign");
    for port in ["va", "vb"] {
        m.output(format!("{port}_en_o"), 1, "").output(format!("{port}_addr_o"), WORD_ADDR_BITS, "");
    }
    m.output("go_o", 1, "").output("open_o", 1, "").output("last_o", 1, "").output("reduce_o", 1, "");
    m.output("begin_o", 1, "");
    if config.streams_state() {
        m.output("wide_o", 1, "with take_params_o: the word is one of a session vector");
    }
    m.output("take_params_o", 1, "").output("seg_o", seg_bits(config), "").output("shift_o", field_bits("shift"), "");
    m.output("tag_o", tag().bits(), "").output("record_o", record.bits(), "");
    m.sizes(&[("LANES", config.vlanes()), ("SEG_BITS", seg_bits(config)), ("AMAX_BITS", AMAX_BITS)]);
    m.sizes(&[("QUEUE", QUEUE), ("TABLE_STAGES", TABLE_STAGES)]);
    tag().declare(&mut m);
    record.declare(&mut m);
    m.body(include_str!("../../../rtl/vec/issue_decode.sv"));
    match config.streams_state() {
        true => m.body(include_str!("../../../rtl/vec/issue_store.sv")),
        false => m.body("  wire is_session = 1'b0;"),
    };
    if config.sessions > 1 {
        m.body(include_str!("../../../rtl/vec/issue_slots.sv"));
    }
    m.body(include_str!("../../../rtl/vec/issue.sv"));
    m.done()
}
