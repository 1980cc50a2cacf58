//! Write stage of the vector unit: where a word goes, its trace, exponents and amax.

use crate::blocks::vec::sizes::{field_bits, record, AMAX_BITS, SAT_BITS, SLICE_BITS};
use crate::config::{Config, EXP_BITS, OPERAND_BITS, VEC_BITS};
use crate::hdl::{index_bits, Module};
use crate::widths::{COUNT_BITS, WKV_SLOT_BITS, WORD_ADDR_BITS};
use std::sync::Arc;

/// The last stage: hands the lanes' results over and holds the pipeline for every cycle in which vmem refuses one.
pub fn vec_write(config: &Config) -> Arc<Module> {
    let (lanes, store, several) = (config.vlanes(), config.streams_state(), config.sessions > 1);
    let record = record(config);
    let mut m = Module::new(
        "vec_write",
        format!(
            "Hands a finished word to vmem, xmem or an operand of wkv, and to the trace; latency 0 from the queue of results.\n\
             record_i belongs to the oldest instruction in the pipeline; its words are counted here. en_o is low in the cycle after\n\
             one in which a vmem write was refused, so a later read comes as many cycles later as the writes before it.\n\
             Everything else happens once, in the word's last cycle (commit_o); amax_o may know of it before. finish_o: the\n\
             instruction's last word. xmem and wkv get o clipped to {OPERAND_BITS} bits. The operand's exponent is written with the last word.\n\
             amax_o: OR over live lanes of o ^ (o >>> {}) of the instructions that keep it, from the cycle after a word's commit;\n\
             start_i clears it. Only the bits that S(amax) depends on are kept.\n\
             clipped_o: live lanes saturated in this cycle, vmem writes only.",
            VEC_BITS - 1
        ),
    );
    m.input("start_i", 1, "").input("valid_i", 1, "a word is here").input("to_vmem_i", 1, "").input("last_i", 1, "");
    m.input("record_i", record.bits(), "").input("o_i", lanes * VEC_BITS, "").input("clip_i", lanes, "");
    m.output("en_o", 1, "").output("commit_o", 1, "").output("finish_o", 1, "");
    m.output("amax_o", AMAX_BITS, "the bits of amax above a mantissa's, without the sign");
    m.output("clipped_o", SAT_BITS, "");
    m.output("vw_valid_o", 1, "").input("vw_ready_i", 1, "");
    m.output("vw_addr_o", WORD_ADDR_BITS, "").output("vw_data_o", lanes * VEC_BITS, "");
    m.output("xw_en_o", 1, "").output("xw_addr_o", WORD_ADDR_BITS, "").output("xw_data_o", lanes * OPERAND_BITS, "");
    m.output("kw_en_o", 1, "").output("kw_slot_o", WKV_SLOT_BITS, "");
    m.output("kw_addr_o", WORD_ADDR_BITS, "").output("kw_data_o", lanes * OPERAND_BITS, "");
    m.output("exp_we_o", 1, "").output("exp_wkv_o", 1, "");
    m.output("exp_slot_o", field_bits("slot"), "").output("exp_o", EXP_BITS, "");
    m.output("trace_vec_valid_o", 1, "").output("trace_vec_op_o", COUNT_BITS, "");
    m.output("trace_vec_word_o", field_bits("n_words"), "").output("trace_vec_data_o", lanes * VEC_BITS, "");
    m.output("trace_exp_valid_o", 1, "").output("trace_exp_op_o", COUNT_BITS, "").output(
        "trace_exp_exp_o",
        EXP_BITS,
        "",
    );
    if several {
        m.input("slot_i", SLICE_BITS, "which slice this is").input("prefill_i", 1, "");
        m.input("home_i", 1, "first of the text");
        m.output("vw_en_o", 1, "this slice takes its word");
        m.output("vw_ring_o", 1, "it takes the word of the one before");
    }
    if store {
        m.output("sw_valid_o", 1, "word for memory, on vw_data_o").input("sw_ready_i", 1, "");
        m.output("sw_last_o", 1, "the instruction's last");
    }
    m.sizes(&[("LANES", lanes), ("AMAX_BITS", AMAX_BITS), ("SAT_BITS", SAT_BITS)]);
    record.declare(&mut m);
    m.body(include_str!("../../../rtl/vec/write_record.sv"));
    match several {
        true => m.body(include_str!("../../../rtl/vec/write_slots.sv")),
        false => m.body("  wire here = 1'b1;"),
    };
    match store {
        true => m.body(include_str!("../../../rtl/vec/write_store.sv")),
        false => m.body("  wire store = 1'b0;").body("  wire ready = vw_ready_i;"),
    };
    if store && several {
        let bits = index_bits(config.sessions);
        m.output("sw_slot_o", bits, "the slice it is taken from").sizes(&[("STORE_SLOT_BITS", bits)]);
        m.body(include_str!("../../../rtl/vec/write_store_slot.sv"));
    }
    m.body(include_str!("../../../rtl/vec/write.sv"));
    m.done()
}
