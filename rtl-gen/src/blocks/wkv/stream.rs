//! What stands in place of the state memory if the state lies outside the chip: a queue on the way in and one on the way out.

use super::sizes::Sizes;
use super::state::READ_LATENCY;
use crate::blocks::prelude::*;
use crate::blocks::prim::fifo;

/// Updated words that may wait for the way out; more than the cycles from a take to its write, so that pass 2 runs at full rate.
const OUT_WORDS: usize = 32;

/// The ports that [`wkv_stream`] and [`super::stream_slots`] share.
pub fn ports(m: &mut Module, sizes: &Sizes) {
    let word = sizes.word_bits();
    ports! { m;
        in_valid_i, in_ready_o, in_data_i[MEMORY_ELEMENT_BITS * sizes.vl], have_o, re_i, rdata_o[word], room_o, take_i,
        we_i, wdata_i[word], out_valid_o, out_ready_i, out_data_o[sizes.vl * sizes.stored],
        finish_i "pulse, after the last we_i", flush_o,
    }
}

/// Words of `sizes.vl` elements; `sizes.stream_words` of them can wait for pass 1. Elements leave with `sizes.stored` bits.
pub fn wkv_stream(sizes: &Sizes) -> Arc<Module> {
    const { assert!(READ_LATENCY == 3) }; // word_1_q to word_3_q
    let Sizes { vl, sw, stored, stream_words, .. } = *sizes;
    let mut m = Module::new(
        "wkv_stream",
        format!(
            "State that lies in memory: words of {vl} elements come in the order of the walk, and the low {sw} of each {MEMORY_ELEMENT_BITS} bits are kept;\n\
             updated words leave in the same order, sign-extended to {stored} bits an element.\n\
             have_o: the next word is here; re_i (only with it) takes it, and rdata_o is that word {READ_LATENCY} cycles later, as from a memory.\n\
             room_o: a word may be taken into pass 2 (take_i, only with it); its we_i follows whenever pass 2 has it. The way out holds\n\
             {OUT_WORDS} words and never refuses one that had room. flush_o (pulse): all words up to the end of an instruction (finish_i)\n\
             have left. Latency: in_* to have_o one or two cycles, we_i to out_valid_o one. {stream_words} words wait on the way in."
        ),
    );
    ports(&mut m, sizes);
    sizes! { m; LANES = vl, STATE_BITS = sw, STORED_BITS = stored, OUT_WORDS }
    m.body(rtl!("wkv/wkv_stream"));
    instance! { m, "u_in", fifo(sizes.word_bits(), stream_words);
        in_valid_i, in_ready_o, in_data_i: cut, out_valid_o: have_o, out_ready_i: re_i, out_data_o: next,
    }
    instance! { m, "u_out", fifo(sizes.word_bits(), OUT_WORDS);
        in_valid_i: we_i, in_ready_o: unused_room, in_data_i: wdata_i, out_valid_o, out_ready_i, out_data_o: updated,
    }
    m.done()
}
