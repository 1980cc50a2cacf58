//! Issue of the vector unit: from the instruction offered to one word a cycle.

use crate::blocks::prelude::*;
use crate::blocks::vec::lane::TABLE_STAGES;
use crate::blocks::vec::reduce::QUEUE;
use crate::blocks::vec::sizes::{field_bits, record, seg_bits, tag, AMAX_BITS};

/// The fields of the instruction that the issue depends on.
const FIELDS: [&str; 18] = [
    "drain",
    "a_addr",
    "b_addr",
    "d_addr",
    "n_words",
    "tail",
    "seg_words",
    "x_sel",
    "m_sel",
    "c_sel",
    "shift_sel",
    "shift",
    "lut",
    "post",
    "amax",
    "amax_keep",
    "dest",
    "slot",
];

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
    ports! { m;
        instr_valid_i, instr_ready_o "the last word goes", instr_i[isa::VEC.bits] "isa VEC", instr_idx_i[COUNT_BITS],
        en_i "the pipeline advances", drained_i "nothing unfinished", record_ready_i, red_busy_i, report_full_i,
        p_valid_i, sum_popped_i, amax_i[AMAX_BITS] "the bits of amax above a mantissa's, without the sign",
    }
    for port in ["va", "vb"] {
        m.output(format!("{port}_en_o"), 1, "").output(format!("{port}_addr_o"), WORD_ADDR_BITS, "");
    }
    ports! { m; go_o, open_o, last_o, reduce_o, begin_o }
    if config.streams_state() {
        ports! { m; wide_o "with take_params_o: the word is one of a session vector" }
    }
    ports! { m;
        take_params_o, seg_o[seg_bits(config)], shift_o[field_bits("shift")], tag_o[tag().bits()],
        record_o[record.bits()],
    }
    sizes! { m; LANES = config.vlanes(), SEG_BITS = seg_bits(config), AMAX_BITS, QUEUE, TABLE_STAGES }
    tag().declare(&mut m);
    record.declare(&mut m);
    m.body("  // The fields that decide about the issue; the rest of the instruction goes to the stages that use it.");
    m.body(&isa::VEC.decode_wires("instr_i", &FIELDS));
    match config.streams_state() {
        true => m.body(rtl!("vec/issue_store")),
        false => m.body("  wire is_session = 1'b0;"),
    };
    if config.sessions > 1 {
        m.body(rtl!("vec/issue_slots"));
    }
    m.body(rtl!("vec/issue"));
    m.done()
}
