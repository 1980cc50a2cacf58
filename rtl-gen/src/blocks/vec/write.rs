//! Write stage of the vector unit: where a word goes, its trace, exponents and amax.

use crate::blocks::prelude::*;
use crate::blocks::vec::sizes::{field_bits, record, AMAX_BITS, SAT_BITS, SLICE_BITS};

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
    ports! { m;
        start_i, valid_i "a word is here", to_vmem_i, last_i, record_i[record.bits()], o_i[lanes * VEC_BITS],
        clip_i[lanes], en_o, commit_o, finish_o,
        amax_o[AMAX_BITS] "the bits of amax above a mantissa's, without the sign", clipped_o[SAT_BITS], vw_valid_o,
        vw_ready_i, vw_addr_o[WORD_ADDR_BITS], vw_data_o[lanes * VEC_BITS], xw_en_o, xw_addr_o[WORD_ADDR_BITS],
        xw_data_o[lanes * OPERAND_BITS], kw_en_o, kw_slot_o[WKV_SLOT_BITS], kw_addr_o[WORD_ADDR_BITS],
        kw_data_o[lanes * OPERAND_BITS], exp_we_o, exp_wkv_o, exp_slot_o[field_bits("slot")], exp_o[EXP_BITS],
        trace_vec_valid_o, trace_vec_op_o[COUNT_BITS], trace_vec_word_o[field_bits("n_words")],
        trace_vec_data_o[lanes * VEC_BITS], trace_exp_valid_o, trace_exp_op_o[COUNT_BITS], trace_exp_exp_o[EXP_BITS],
    }
    if several {
        ports! { m;
            slot_i[SLICE_BITS] "which slice this is", prefill_i, home_i "first of the text",
            vw_en_o "this slice takes its word", vw_ring_o "it takes the word of the one before",
        }
    }
    if store {
        ports! { m; sw_valid_o "word for memory, on vw_data_o", sw_ready_i, sw_last_o "the instruction's last" }
    }
    sizes! { m; LANES = lanes, AMAX_BITS, SAT_BITS }
    record.declare(&mut m);
    m.body(rtl!("vec/write_record"));
    match several {
        true => m.body(rtl!("vec/write_slots")),
        false => m.body("  wire here = 1'b1;"),
    };
    match store {
        true => m.body(rtl!("vec/write_store")),
        false => m.body("  wire store = 1'b0;").body("  wire ready = vw_ready_i;"),
    };
    if store && several {
        let bits = index_bits(config.sessions);
        ports! { m; sw_slot_o[bits] "the slice it is taken from" }
        sizes! { m; STORE_SLOT_BITS = bits }
        m.body(rtl!("vec/write_store_slot"));
    }
    m.body(rtl!("vec/write"));
    m.done()
}
