//! Frames of the host link: what comes in is checked here, what goes out is wrapped here (`docs/fpga.md`).

use crate::protocol::{status, REPLY_SYNC, SYNC};
use rtl_gen::hdl::Module;
use std::sync::Arc;

/// One byte of the checksum CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF, nothing reversed).
pub fn crc16() -> Arc<Module> {
    let mut m = Module::combinational(
        "crc16",
        "Checksum CRC-16/CCITT-FALSE, one byte further; combinational. The polynomial is x^16 + x^12 + x^5 + 1.",
    );
    m.input("crc_i", 16, "").input("byte_i", 8, "").output("crc_o", 16, "");
    m.body(include_str!("../../rtl/crc16.sv"));
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
    m.input("byte_valid_i", 1, "").output("byte_ready_o", 1, "").input("byte_i", 8, "");
    m.output("valid_o", 1, "").input("take_i", 1, "").output("status_o", 2, "");
    m.output("cmd_o", 8, "sequence number, command").output("arg_o", 32, "");
    m.input("index_i", 4, "").output("word_o", 32, "");
    m.localparams(&[
        ("SYNC", 8, SYNC.into()),
        ("WHOLE", 2, status::DONE.into()),
        ("CHECKSUM", 2, status::CHECKSUM.into()),
        ("CUT_SHORT", 2, status::CUT_SHORT.into()),
    ]);
    m.body(include_str!("../../rtl/frame_rx.sv"));
    m.instance("u_crc", &crc16(), &[("crc_i", "crc_q"), ("byte_i", "byte_i"), ("crc_o", "crc_next")]);
    m.done()
}

/// Replies to bytes.
pub fn reply_tx() -> Arc<Module> {
    let mut m = Module::new(
        "reply_tx",
        "Sends a reply: sync, command, status, 4 bytes data, 2 bytes checksum over all but sync; valid/ready on both sides.\n\
         Latency: the first byte is offered in the cycle after a reply is taken; ready_o is low until the last one is taken.",
    );
    m.input("valid_i", 1, "").output("ready_o", 1, "");
    m.input("cmd_i", 8, "").input("status_i", 3, "").input("data_i", 32, "");
    m.output("byte_valid_o", 1, "").input("byte_ready_i", 1, "").output("byte_o", 8, "");
    m.localparams(&[("REPLY_SYNC", 8, REPLY_SYNC.into())]);
    m.body(include_str!("../../rtl/reply_tx.sv"));
    m.instance("u_crc", &crc16(), &[("crc_i", "crc_q"), ("byte_i", "shift_q[7:0]"), ("crc_o", "crc_next")]);
    m.done()
}
