//! Frames of the host link: what comes in is checked here, what goes out is wrapped here (`docs/fpga.md`).

use crate::protocol::{status, REPLY_SYNC, SYNC};
use rtl_gen::blocks::prelude::*;

/// One byte of the checksum CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF, nothing reversed).
pub fn crc16() -> Arc<Module> {
    let mut m = Module::combinational(
        "crc16",
        "Checksum CRC-16/CCITT-FALSE, one byte further; combinational. The polynomial is x^16 + x^12 + x^5 + 1.",
    );
    ports! { m; crc_i[16], byte_i[8], crc_o[16] }
    m.body(rtl!("crc16"));
    m.done()
}

/// Bytes to checked frames; `timeout_cycles` without a byte end a frame that has begun.
pub fn frame_rx(timeout_cycles: usize) -> Arc<Module> {
    let mut m = Module::new(
        "frame_rx",
        "Takes the host's bytes and gives its frames: sync, command, 4 bytes argument, 64 bytes data if command bit 3 is\n\
         set, 2 bytes checksum. Outside a frame everything but sync is dropped.\n\
         valid_o holds a frame until take_i: status_o 0 whole, 2 its checksum is wrong, 3 no byte for TIMEOUT_CYCLES.\n\
         The data lie in a buffer of 16 words, word_o is word index_i, combinational. No byte is taken while a frame is held.\n\
         Latency: valid_o one cycle after the last byte is taken.",
    );
    m.param("TIMEOUT_CYCLES", timeout_cycles, 1, "cycles without a byte that end a frame");
    ports! { m;
        byte_valid_i, byte_ready_o, byte_i[8], valid_o, take_i, status_o[2], cmd_o[8] "sequence number, command",
        arg_o[32], index_i[4], word_o[32],
    }
    m.localparams(&[
        ("SYNC", 8, SYNC.into()),
        ("WHOLE", 2, status::DONE.into()),
        ("CHECKSUM", 2, status::CHECKSUM.into()),
        ("CUT_SHORT", 2, status::CUT_SHORT.into()),
    ]);
    m.body(rtl!("frame_rx"));
    instance! { m, "u_crc", crc16(); crc_i: crc_q, byte_i, crc_o: crc_next }
    m.done()
}

/// Replies to bytes.
pub fn reply_tx() -> Arc<Module> {
    let mut m = Module::new(
        "reply_tx",
        "Sends a reply: sync, command, status, 4 bytes data, 2 bytes checksum over all but sync; valid/ready on both sides.\n\
         Latency: the first byte is offered in the cycle after a reply is taken; ready_o is low until the last one is taken.",
    );
    ports! { m; valid_i, ready_o, cmd_i[8], status_i[3], data_i[32], byte_valid_o, byte_ready_i, byte_o[8] }
    m.localparams(&[("REPLY_SYNC", 8, REPLY_SYNC.into())]);
    m.body(rtl!("reply_tx"));
    instance! { m, "u_crc", crc16(); crc_i: crc_q, byte_i: "shift_q[7:0]", crc_o: crc_next }
    m.done()
}
