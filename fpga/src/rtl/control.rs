//! What the board does with a frame: registers, memory, and tokens without the host in between.

use crate::protocol::{command, status, HELLO};
use rtl_gen::hdl::Module;
use std::sync::Arc;

/// The commands of `docs/fpga.md`; `unit_bits` bits number the 64 B units of the memory.
pub fn host_control(unit_bits: usize) -> Arc<Module> {
    let mut m = Module::new(
        "host_control",
        "Executes the host's frames and answers each with one reply; SPEAK also sends one reply a token.\n\
         A frame whose command byte, sequence number included, is that of the frame executed last is answered again and not\n\
         executed again: the host repeats a frame when the reply was lost. HELLO is always executed.\n\
         tok_q is the token that the chip gave last. While owed_q is set, it was said and the chip has to read it before anything else.\n\
         more_i (a byte of the host waits) ends SPEAK after the token that is being computed.",
    );
    m.param("UNIT_BITS", unit_bits, 19, "of the number of a 64 B unit of the memory");
    m.input("frame_valid_i", 1, "").output("frame_take_o", 1, "").input("frame_status_i", 2, "");
    m.input("frame_cmd_i", 8, "").input("frame_arg_i", 32, "");
    m.output("index_o", 4, "").input("word_i", 32, "").input("more_i", 1, "");
    m.output("reply_valid_o", 1, "").input("reply_ready_i", 1, "");
    m.output("reply_cmd_o", 8, "").output("reply_status_o", 3, "").output("reply_data_o", 32, "");
    m.output("lite_start_o", 1, "").output("lite_we_o", 1, "").output("lite_addr_o", 8, "");
    m.output("lite_wdata_o", 32, "").input("lite_done_i", 1, "").input("lite_rdata_i", 32, "");
    m.output("mem_valid_o", 1, "").input("mem_ready_i", 1, "");
    m.output("mem_beat_o", "UNIT_BITS+2", "16 B units").output("mem_data_o", 128, "");
    m.output("busy_o", 1, "a frame is executed").output("error_o", 1, "the last frame was not");
    m.localparams(&[
        ("DO_HELLO", 4, command::HELLO.into()),
        ("DO_READ", 4, command::READ.into()),
        ("DO_SPEAK", 4, command::SPEAK.into()),
        ("DO_WRITE_WORDS", 4, command::WRITE_WORDS.into()),
        ("DO_WRITE_MEMORY", 4, command::WRITE_MEMORY.into()),
        ("DO_FEED", 4, command::FEED.into()),
        ("REPLY_DONE", 3, status::DONE.into()),
        ("REPLY_TOKEN", 3, status::TOKEN.into()),
        ("REPLY_UNKNOWN", 3, status::UNKNOWN.into()),
        ("REPLY_READ_ERROR", 3, status::READ_ERROR.into()),
        ("HELLO_ID", 32, HELLO.into()),
    ]);
    m.body(include_str!("../../rtl/host_control.sv"));
    m.done()
}
