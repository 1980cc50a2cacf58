//! The vector unit: its parts and how they meet.
//!
//! `vec_issue` starts words, `vec_control` follows them, one `vec_lane` a lane computes them, `vec_write` hands them over, `vec_finish`
//! reports instructions; parameters come through `param_gear`, reductions leave through `vec_reduce` and `vec_scalar` into `sreg`;
//! `vec_parts` connects them. `docs/hardware.md`, section 3, says what an instruction computes.

pub mod control;
pub mod delay;
pub mod finish;
pub mod issue;
pub mod lane;
pub mod lut;
pub mod param_gear;
pub mod parts;
pub mod reduce;
pub mod scalar;
pub mod sizes;
pub mod sreg;
pub mod write;

use crate::blocks::core::vmem::WRITE_LATENCY;
use crate::blocks::prelude::*;
use crate::blocks::vec::lane::{LANE_STAGES, OPERANDS, PRODUCT_STAGE, TABLE_STAGES};
use crate::blocks::vec::parts::parts;
use crate::blocks::vec::reduce::{stages, QUEUE};
use crate::blocks::vec::scalar::{MEAN_CYCLES, RSQ_CYCLES, VALUE_CYCLES};
use crate::blocks::vec::sizes::{
    declare_cases, field_bits, param_bits, record, seg_bits, tag, ACC_BITS, AMAX_BITS, PRODUCT_BITS, SAT_BITS,
    SLICE_BITS, TRACE_SEG_BITS,
};

/// Cycles from the read of a word to its result, for an instruction without table.
pub const RESULT_STAGE: usize = LANE_STAGES + 1;
/// Smallest distance, in cycles without stalls, between the read of a word and a read that sees what was written for it,
/// for an instruction without table: one more for the queue of results.
pub const VEC_LATENCY: usize = RESULT_STAGE + 1 + WRITE_LATENCY;
/// Cycles through the vector unit with a look-up in a table.
pub const VEC_LATENCY_LUT: usize = VEC_LATENCY + TABLE_STAGES;

/// The distance that holds for every instruction, with table or without; what the compiler schedules with.
pub fn latency(_config: &Config) -> usize {
    VEC_LATENCY_LUT
}

/// The fields of the instruction that the stages take.
const FIELDS: [&str; 14] = [
    "x_sel",
    "m_sel",
    "c_sel",
    "pshift",
    "shift_sel",
    "lut",
    "lut_shift",
    "acc_sel",
    "post",
    "k_const",
    "k_shift",
    "eps_m",
    "eps_s",
    "rsq_base",
];

/// The unit `vec` of `docs/hardware.md`.
pub fn vec(config: &Config) -> Arc<Module> {
    let mut m = Module::new("vec", header(config.vlanes()));
    ports(&mut m, config);
    sizes! { m;
        LANES = config.vlanes(), BUS_BITS = config.bus_bits, SEG_BITS = seg_bits(config),
        PARAM_BITS = param_bits(config), RECORD_BITS = record(config).bits(), TAG_BITS = tag().bits(), PRODUCT_BITS,
        ACC_BITS, AMAX_BITS, SAT_BITS, TRACE_SEG_BITS, LANE_STAGES, TABLE_STAGES,
        STATE_IN_MEMORY = usize::from(config.streams_state()),
    }
    declare_cases(&mut m, &OPERANDS);
    for (operand, values) in OPERANDS {
        m.sizes(&[(&format!("{operand}_CASES"), values.len())]);
    }
    m.body(
        "  // The fields that the stages take from the instruction as a word is issued; vec_issue decodes the others.",
    );
    m.body(&(isa::VEC.decode_wires("instr_i", &FIELDS) + "\n" + rtl!("vec/wires")));
    if config.streams_state() {
        m.wire("wide", 1);
    }
    match config.sessions {
        1 => m.body("  wire scalar_here = 1'b1;"),
        _ => m.body(rtl!("vec/slots")),
    };
    m.body(rtl!("vec/vec"));
    for (operand, values) in OPERANDS {
        let field = operand.to_lowercase();
        for value in values {
            let chosen = format!("({field}_sel_q == anser_pkg::{operand}_{value})");
            m.body(&format!("  assign {field}_is[{operand}_IS_{value}] = {chosen};"));
        }
    }
    parts(&mut m, config);
    m.done()
}

fn header(lanes: usize) -> String {
    format!(
        "Vector unit, {lanes} lanes: one word of {lanes} elements a cycle (docs/hardware.md, 3).\n\
         \n\
         Instructions are taken in order; instr_i must hold while instr_valid_i is high, instr_ready_o is high in the cycle of the\n\
         issue of its last word. n_words >= 1; seg_words = 0 means one segment; tail >= {lanes}: no dead lanes.\n\
         Word i is read (va, vb, one cycle of memory latency) and its parameters taken in the cycle of its issue. Issue pauses, and\n\
         bubbles follow, while parameters are missing or {QUEUE} segments wait for the scalar unit; a refused vmem write (vw_valid_o\n\
         and not vw_ready_i) holds the whole pipeline in the next cycle. vw_valid_o does not depend on vw_ready_i. A write is taken\n\
         to be seen by reads {WRITE_LATENCY} cycles after it was accepted (vmem).\n\
         \n\
         VEC_LATENCY = {VEC_LATENCY}: what is written for a word read in cycle t (without stalls) is seen by reads from cycle t + {VEC_LATENCY} on; with\n\
         lut {VEC_LATENCY_LUT}. An instruction with drain = 0 follows after one cycle (after a lut instruction one without lut waits {TABLE_STAGES} cycles more),\n\
         and may read what the one before wrote if every word is read that many words after the one it was computed from: the\n\
         cycle in between does not count, a stall may hide it.\n\
         drain = 1: the first word is read when all earlier instructions are finished, amax, exponents and scalars included: {VEC_LATENCY}\n\
         cycles after the last read of an instruction without reduction ({VEC_LATENCY_LUT} with lut). Pass = n_words + {} cycles then.\n\
         A reduction is finished when its last scalar is written: sums of products {} cycles after the last read, sums of results\n\
         {} ({} with lut), plus {VALUE_CYCLES} VALUE, {MEAN_CYCLES} MEAN or {RSQ_CYCLES} RSQ; each segment takes the scalar unit that long, overlapping the pass.\n\
         A reduction waits for the reduction before it, whatever drain says. Nothing depends on data.\n\
         The program sets drain where shift_sel is AMAX or sreg is read, and lets no instruction read a word that it has itself\n\
         written fewer than that many words before (in place is fine). amax is 0 when a token starts.\n\
         \n\
         done_o: one pulse an instruction, in order, one cycle after its last write at the earliest.\n\
         Widths: t 56, z 57, sums 72 bits, see vec_lane and vec_reduce; nothing wraps.",
        VEC_LATENCY - 1,
        PRODUCT_STAGE + stages(lanes),
        RESULT_STAGE + stages(lanes),
        RESULT_STAGE + TABLE_STAGES + stages(lanes),
    )
}

fn ports(m: &mut Module, config: &Config) {
    let lanes = config.vlanes();
    ports! { m;
        start_i "a token starts; everything is idle", instr_valid_i, instr_ready_o, instr_i[isa::VEC.bits] "isa VEC",
        instr_idx_i[COUNT_BITS], done_o "pulse: an instruction is finished",
    }
    for port in ["va", "vb"] {
        m.output(format!("{port}_en_o"), 1, "vmem read").output(format!("{port}_addr_o"), WORD_ADDR_BITS, "");
        m.input(format!("{port}_data_i"), lanes * VEC_BITS, "");
    }
    ports! { m; vw_valid_o "vmem word write", vw_ready_i, vw_addr_o[WORD_ADDR_BITS], vw_data_o[lanes * VEC_BITS] }
    if config.streams_state() {
        ports! { m; sw_valid_o "session vector to memory, on vw_data_o", sw_ready_i, sw_last_o "its last word" }
        if config.sessions > 1 {
            ports! { m; sw_slot_o[index_bits(config.sessions)] "the slice it is taken from" }
        }
    }
    ports! { m;
        xw_en_o "xmem word write", xw_addr_o[WORD_ADDR_BITS], xw_data_o[lanes * OPERAND_BITS],
        kw_en_o "wkv operand write", kw_slot_o[WKV_SLOT_BITS], kw_addr_o[WORD_ADDR_BITS],
        kw_data_o[lanes * OPERAND_BITS], exp_we_o "exponent of an operand", exp_wkv_o "wkv's, not xexp",
        exp_slot_o[field_bits("slot")], exp_o[EXP_BITS],
    }
    if config.sessions > 1 {
        ports! { m;
            slot_i[SLICE_BITS] "which slice this is; constant", prefill_i "the slots read one text",
            home_i "its first token is here", vw_en_o "write vmem",
            vw_ring_o "with what the slice before this one writes",
        }
    }
    ports! { m;
        p_valid_i "parameter beats", p_ready_o, p_data_i[config.bus_bits], sat_o[SAT_BITS] "values clipped a cycle ago",
        busy_o, started_o "the first word of an instruction is issued", trace_vec_valid_o, trace_vec_op_o[COUNT_BITS],
        trace_vec_word_o[field_bits("n_words")], trace_vec_data_o[lanes * VEC_BITS], trace_sreg_valid_o,
        trace_sreg_op_o[COUNT_BITS], trace_sreg_seg_o[TRACE_SEG_BITS], trace_sreg_mean_o[VEC_BITS],
        trace_sreg_mult_o[VEC_BITS], trace_sreg_shift_o[field_bits("shift")], trace_exp_valid_o,
        trace_exp_op_o[COUNT_BITS], trace_exp_exp_o[EXP_BITS],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_for_every_bus() {
        for bus_bits in [128, 256, 512] {
            let text = include_str!("../../../../configs/nano.toml")
                .replace("bus_bits = 128", &format!("bus_bits = {bus_bits}"));
            let config = Config::parse(&text, "nano.toml").unwrap();
            let printed = crate::hdl::print(&vec(&config)).unwrap();
            assert_eq!(printed.instances.values().filter(|m| *m == "anser_vec_lane").count(), bus_bits / 32);
            if let Ok(dir) = std::env::var("ANSER_DUMP_RTL") {
                let dir = format!("{dir}/vec{bus_bits}");
                std::fs::create_dir_all(&dir).unwrap();
                for (file, text) in &printed.files {
                    std::fs::write(format!("{dir}/{file}"), text).unwrap();
                }
            }
        }
    }
}
