//! Controller of a 16-bit SDRAM: 16-byte beats, banks opened ahead, refresh.

use crate::board::{SdramCycles, SdramShape};
use rtl_gen::blocks::prelude::*;

/// Words of one beat: burst length 8.
pub const BURST: u64 = 8;
/// Cycles by which the pads' registers delay a command, and read data on the way back.
pub const PAD_CYCLES: u64 = 1;

/// The time after an event of a bank until something else may be done to it.
fn sdram_wait(first: u64, second: u64) -> Arc<Module> {
    let mut m = Module::new(
        "sdram_wait",
        "Counts the cycles after an event of a bank: CYCLES after event_i, OTHER_CYCLES after other_i.\n\
         Latency: an event of this cycle is seen in the next one. ok_o: the time is over in the next cycle.",
    );
    m.param("CYCLES", first as usize, 3, "").param("OTHER_CYCLES", second as usize, 1, "");
    ports! { m; event_i, other_i, ok_o }
    m.body(rtl!("sdram_wait"));
    m.done()
}

/// Times of one bank: what may be done to it when.
fn sdram_bank(row_bits: usize, t: &SdramCycles) -> Arc<Module> {
    let mut m = Module::new(
        "sdram_bank",
        format!(
            "Keeps the open row of one bank and the times until it may be used: column accesses tRCD = {} cycles after\n\
             ACTIVE, PRECHARGE tRAS = {} after ACTIVE and after a burst ({BURST} cycles, written ones tWR = {} more), ACTIVE\n\
             tRP = {} after PRECHARGE and tRC = {} after ACTIVE. Nothing is asked of it within tRFC of a REFRESH.\n\
             Latency: an event of this cycle is seen in the next one. *_ok_o: allowed in the next cycle, unless this one has an event.",
            t.rcd, t.ras, t.wr, t.rp, t.rc
        ),
    );
    ports! { m; act_i, row_i[row_bits], pre_i, read_i, write_i, open_o, row_o[row_bits], col_ok_o, pre_ok_o, act_ok_o }
    sizes! { m; ROW_BITS = row_bits }
    let waits = [
        ("rcd", "col_ok_o", ("act_i", t.rcd), ("1'b0", 1)),
        ("ras", "ras_ok", ("act_i", t.ras), ("1'b0", 1)),
        ("burst", "burst_ok", ("read_i", BURST), ("write_i", BURST + t.wr)),
        ("rc", "rc_ok", ("act_i", t.rc), ("1'b0", 1)),
        ("rp", "rp_ok", ("pre_i", t.rp), ("1'b0", 1)),
    ];
    for (name, ok, first, second) in waits {
        if !ok.ends_with("_o") {
            m.wire(ok, 1);
        }
        // a wait of two cycles is over when the controller has looked again
        if first.1.max(second.1) <= 2 {
            m.body(&format!("  assign {ok} = 1'b1;  // {name} is too short to count"));
            continue;
        }
        instance! { m, format!("u_{name}"), sdram_wait(first.1, second.1);
            event_i: first.0, other_i: second.0, ok_o: &ok,
        }
    }
    m.body(rtl!("sdram_bank"));
    m.done()
}

/// The controller for a chip of `shape` at a clock in whose cycles `t` is.
pub fn sdram(shape: &SdramShape, t: &SdramCycles) -> Arc<Module> {
    assert_eq!(shape.bank_bits, 2, "four banks");
    let beat_bits = shape.row_bits + 2 + shape.column_bits - 3;
    let beat_latency = t.cas + 2 * PAD_CYCLES + 1;
    let mut m = Module::new(
        "sdram",
        format!(
            "Controller of a 16-bit SDRAM of four banks. A request is one beat of 16 bytes, address in beats: row, bank, column;\n\
             so the next 2^column words lie in the next bank, whose row is opened while this one is read. Requests are served in\n\
             order: a stream of reads takes {BURST} cycles a beat, whatever rows it crosses, refresh apart.\n\
             Read data come in order as rvalid_o pulses and cannot be held back. The pads register commands, data out and data in\n\
             once each; the data of a read are sampled {beat_latency} cycles after its command is decided.\n\
             Refresh every {} cycles at the latest after the burst under way; power-up waits {} cycles.\n\
             dq_oe_o is high while dq_o drives the bus; one idle cycle lies between read data and written data.",
            t.refresh, t.power_up
        ),
    );
    ports! { m;
        req_valid_i, req_ready_o, req_we_i, req_beat_i[beat_bits] "16 B units", req_data_i[128], rvalid_o, rdata_o[128],
        cs_no, ras_no, cas_no, we_no, ba_o[2], addr_o[shape.row_bits], dq_oe_o, dq_o[16], dq_i[16],
    }
    let size = |name: &'static str, cycles: u64| (name, cycles as usize);
    m.sizes(&[
        ("ROW_BITS", shape.row_bits),
        ("COLUMN_BITS", shape.column_bits),
        ("BEAT_BITS", beat_bits),
        size("POWER_UP_CYCLES", t.power_up),
        size("RP_CYCLES", t.rp),
        size("RFC_CYCLES", t.rfc),
        size("MRD_CYCLES", t.mrd),
        size("RRD_CYCLES", t.rrd),
        size("CAS_CYCLES", t.cas),
        size("REFRESH_CYCLES", t.refresh),
        size("TURN_CYCLES", BURST + t.cas + 1),
        size("READ_CYCLES", beat_latency),
    ]);
    m.body(rtl!("sdram"));
    let bank = sdram_bank(shape.row_bits, t);
    for i in 0..4 {
        let at = |name: &str| format!("{name}[{i}]");
        instance! { m, format!("u_bank_{i}"), bank;
            act_i: at("bank_act"), row_i: prep_row_q, pre_i: at("bank_pre"), read_i: at("bank_read"),
            write_i: at("bank_write"), open_o: at("open"), row_o: format!("row_{i}"), col_ok_o: at("col_ok"),
            pre_ok_o: at("pre_ok"), act_ok_o: at("act_ok"),
        }
    }
    m.done()
}
