//! What the board does with a frame: registers, memory, and tokens without the host in between.

use crate::protocol::{command, status, HELLO};
use rtl_gen::blocks::prelude::*;

/// The commands of `docs/fpga.md`; `unit_bits` bits number the 64 B units of the memory.
pub fn host_control(unit_bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        "host_control",
        "Executes the host's frames and answers each with one reply; SPEAK also sends one reply a token.\n\
         A frame whose command byte, sequence number included, is that of the frame executed last is answered again and not\n\
         executed again: the host repeats a frame when the reply was lost. HELLO is always executed.\n\
         tok_q is the token that the chip gave last. While owed_q is set, it was said and the chip has to read it before anything else.\n\
         A register access that the chip refuses, and a token that ends with an error, end the command; what was said is then forgotten.\n\
         more_i (a byte of the host waits) ends SPEAK after the token that is being computed.",
    );
    m.param("UNIT_BITS", unit_bits, 19, "of the number of a 64 B unit of the memory");
    ports! { m;
        frame_valid_i, frame_take_o, frame_status_i[2], frame_cmd_i[8], frame_arg_i[32], index_o[4], word_i[32], more_i,
        reply_valid_o, reply_ready_i, reply_cmd_o[8], reply_status_o[3], reply_data_o[32], lite_start_o, lite_we_o,
        lite_addr_o["anser_pkg::LITE_ADDR_BITS"], lite_wdata_o[32], lite_done_i, lite_error_i, lite_rdata_i[32], mem_valid_o, mem_ready_i,
        mem_beat_o["UNIT_BITS+2"] "16 B units", mem_data_o[128], busy_o "a frame is executed",
        error_o "the last frame was not",
    }
    m.localparams(&[
        ("DO_HELLO", 4, command::HELLO.into()),
        ("DO_READ", 4, command::READ.into()),
        ("DO_SPEAK", 4, command::SPEAK.into()),
        ("DO_WRITE_WORDS", 4, command::WRITE_WORDS.into()),
        ("DO_WRITE_MEMORY", 4, command::WRITE_MEMORY.into()),
        ("DO_FEED", 4, command::FEED.into()),
        ("DO_FEED_TOKENS", 4, command::FEED_TOKENS.into()),
        ("REPLY_DONE", 3, status::DONE.into()),
        ("REPLY_TOKEN", 3, status::TOKEN.into()),
        ("REPLY_UNKNOWN", 3, status::UNKNOWN.into()),
        ("REPLY_ENDED", 3, status::ENDED.into()),
        ("REPLY_REFUSED", 3, status::REFUSED.into()),
        ("HELLO_ID", 32, HELLO.into()),
    ]);
    m.body(rtl!("host_control"));
    m.done()
}
