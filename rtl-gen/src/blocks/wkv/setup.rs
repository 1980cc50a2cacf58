//! The instruction being executed, the operand exponents, and the shifts that follow from both.

use super::sizes::{Sizes, HEAD_TOTAL_BITS};
use crate::config::EXP_BITS;
use crate::hdl::Module;
use crate::isa::WKV;
use crate::widths::{COUNT_BITS, SHIFT_BITS};
use std::sync::Arc;

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
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "").input("instr_i", WKV.bits, "isa.rs, WKV");
    m.input("instr_idx_i", COUNT_BITS, "");
    m.input("exp_we_i", 1, "").input("exp_slot_i", "anser_pkg::WKV_SLOT_BITS", "isa.rs, wkv_slot");
    m.input("exp_i", EXP_BITS * slots, "exponent of the operand, slot 0 lowest");
    m.input("block_i", 1, "accept nothing").input("finish_i", 1, "the instruction is done");
    m.output("run_o", 1, "an instruction is executed").output("go_o", 1, "pulse: start");
    m.output("op_o", COUNT_BITS, "its index");
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
        m.output("head_total_o", HEAD_TOTAL_BITS, "words of a head, one cycle after go_o");
    }
    m.sizes(&[("SLOTS", slots)]).body(include_str!("../../../rtl/wkv/wkv_setup.sv"));
    if sizes.ordered() {
        m.sizes(&[("HEAD_TOTAL_BITS", HEAD_TOTAL_BITS)]).multipliers(1);
        m.body(include_str!("../../../rtl/wkv/wkv_setup_total.sv"));
    }
    m.done()
}
