//! The instruction being executed, the operand exponents, and the shifts that follow from both.

use super::sizes::{Sizes, HEAD_TOTAL_BITS};
use crate::blocks::prelude::*;
use crate::isa::WKV;

/// Instruction register, exponent registers, shifts `max(0, sh − e)`.
pub fn wkv_setup(sizes: &Sizes) -> Arc<Module> {
    let slots = sizes.slots;
    let mut m = Module::new(
        "wkv_setup",
        "Takes one instruction at a time; its fields and shifts stay until finish_i.\n\
         Exponents are written at any time; those of an instruction are taken in the cycle after it was accepted (go_o), so all\n\
         must be there by then, as the program's waits ensure.\n\
         Latency: go_o one cycle after the handshake, with all fields; the shifts one cycle later. finish_i is expected after go_o;\n\
         the next instruction is accepted from the cycle after it.",
    );
    ports! { m;
        instr_valid_i, instr_ready_o, instr_i[WKV.bits] "isa.rs, WKV", instr_idx_i[COUNT_BITS], exp_we_i,
        exp_slot_i["anser_pkg::WKV_SLOT_BITS"] "isa.rs, wkv_slot",
        exp_i[EXP_BITS * slots] "exponent of the operand, slot 0 lowest", block_i "accept nothing",
        finish_i "the instruction is done", run_o "an instruction is executed", go_o "pulse: start",
        op_o[COUNT_BITS] "its index",
    }
    for (field, doc) in [
        ("n_head", "heads"),
        ("head_size", "rows of a head"),
        ("head_words", "words of a row"),
        ("s_addr", "first state word"),
        ("y_addr", "first vmem element"),
    ] {
        m.output(format!("{field}_o"), WKV.field(field).1, doc);
    }
    for (shift, doc) in [("sa", "sh_sa - e_kk"), ("b", "sh_b - e_b"), ("vk", "sh_vk - e_v - e_k"), ("y", "sh_y - e_r")]
    {
        m.output(format!("shift_{shift}_o"), SHIFT_BITS * slots, format!("max(0, {doc})"));
    }
    if sizes.ordered() {
        ports! { m; head_total_o[HEAD_TOTAL_BITS] "words of a head, one cycle after go_o" }
    }
    m.sizes(&[("SLOTS", slots)]).body(rtl!("wkv/wkv_setup"));
    if sizes.ordered() {
        m.sizes(&[("HEAD_TOTAL_BITS", HEAD_TOTAL_BITS)]).multipliers(1);
        m.body(rtl!("wkv/wkv_setup_total"));
    }
    m.done()
}
