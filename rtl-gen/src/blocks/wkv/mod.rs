//! The delta-rule recurrence (`docs/hardware.md` §4), one state word a cycle.
//!
//! `setup` holds the instruction, `operands` and `state` the memories; `pass1` reads the state and sums sa, `pass2` updates and
//! writes it and sums y. Both passes are made of `walk` (which word is next), `dot`, `mul` and `round`; `lane` is one element's update.

mod dot;
mod lane;
mod mul;
mod operands;
mod pass1;
mod pass2;
mod rows;
mod setup;
mod sizes;
mod slot_operands;
mod slots;
mod state;
mod stream;
mod stream_slots;
mod walk;

use crate::blocks::prelude::*;
use crate::isa::WKV;
use sizes::{Sizes, HEAD_TOTAL_BITS};
pub use state::READ_LATENCY as STATE_READ_LATENCY;

/// Cycles of an instruction beyond its `n_head · head_size · head_words` state words, from the handshake to `done_o`, if
/// every `y_i` is accepted at once, `head_size` is at least 16 and `head_words` at most 49: one row and both pipelines to fill.
pub fn overhead_cycles(vlanes: usize, head_words: usize) -> usize {
    let accept = 2; // instruction register, walk
    let row = head_words - 1; // a row is read to its end before its sa can be known; its last word is among the words
    let sa = pass1::OPERANDS + dot::latency(vlanes) + 1; // sum, queue
    let y = pass2::UPDATED + dot::latency(vlanes) + 1; // the same
    let done = 1;
    accept + row + sa + y - 1 + done
}

/// Bits of `sat_o` with `lanes` lanes: all of them, an sa and a y.
pub fn sat_bits(lanes: usize) -> usize {
    index_bits(lanes + 3).max(6)
}

/// The recurrence unit of `config`.
pub fn wkv(config: &Config) -> Arc<Module> {
    let sizes = Sizes::of(config);
    let (many, streamed) = (sizes.many(), sizes.streamed);
    let mut m = Module::new("wkv", header(&sizes));
    ports(&mut m, &sizes);
    sizes! { m;
        LANES = sizes.vl, STATE_BITS = sizes.sw, SLOTS = sizes.slots, CLIP_BITS = sizes.clip_bits(),
        STATE_ADDR_BITS = sizes.state_addr, ADDR_BITS = sizes.word_addr, SAT_BITS = sat_bits(sizes.vl),
    }
    m.body(rtl!("wkv/wkv"));
    if many {
        for name in ["kk_slot", "row_slot", "r_slot"] {
            m.wire(name, sizes.slot_bits);
        }
    }

    if sizes.ordered() {
        m.wire("head_total", HEAD_TOTAL_BITS);
    }
    instance! { m, "u_setup", setup::wkv_setup(&sizes); y_addr_o: y_addr, .. }

    let operands = if many { slot_operands::wkv_slot_operands(&sizes) } else { operands::wkv_operands(&sizes) };
    let mut c = wires! { kk_en_i: kk_read, row_en_i: take, r_en_i: r_read, .. };
    if many {
        c.extend(wires! { kk_whose_i: kk_slot, row_whose_i: row_slot, r_whose_i: r_slot });
    }
    m.instance("u_operands", &operands, c);

    match (streamed, many) {
        (true, _) => stream_state(&mut m, &sizes),
        (false, true) => slot_states(&mut m, &sizes),
        (false, false) => {
            m.body("  assign block = clear_busy_o;");
            let mut c = wires! { hold_i: run, rdata_o: s_read, .. };
            c.extend(match sizes.port {
                false => wires! { we_i: write, waddr_i: write_addr, wdata_i: s_new, re_i: read, raddr_i: read_addr },
                true => wires! {
                    we_i: "write || host_we_i", waddr_i: "host_we_i ? host_addr_i : write_addr",
                    wdata_i: "host_we_i ? host_data_i : s_new", re_i: "read || host_re_i",
                    raddr_i: "host_re_i ? host_addr_i : read_addr",
                },
            });
            if sizes.port {
                m.body("  assign host_data_o = s_read;");
            }
            m.instance("u_state", &state::wkv_state(sizes.word_bits(), sizes.state_words), c);
        }
    }
    passes(&mut m, &sizes);
    rows(&mut m, &sizes);
    m.done()
}

/// The queues of a state that comes from memory.
fn stream_state(m: &mut Module, sizes: &Sizes) {
    m.wire("have", 1).wire("room", 1);
    let mut c = wires! {
        we_i: write, wdata_i: s_new, re_i: read, rdata_o: s_read, in_valid_i: s_valid_i, in_ready_o: s_ready_o,
        in_data_i: s_data_i, out_valid_o: so_valid_o, out_ready_i: so_ready_i, out_data_o: so_data_o,
        flush_o: so_flush_o, ..
    };
    if sizes.many() {
        c.extend(wires! { busy_o: block, out_slot_o: so_slot_o });
        m.instance("u_state", &stream_slots::wkv_stream_slots(sizes), c);
    } else {
        m.body("  assign block = 1'b0;");
        m.instance("u_state", &stream::wkv_stream(sizes), c);
    }
    m.body("  wire unused_read_addr = &{1'b0, read_addr};");
}

/// The state of each slot: a memory of its own, which answers 0 when it is not read.
fn slot_states(m: &mut Module, sizes: &Sizes) {
    m.sizes(&[("SLOT_BITS", sizes.slot_bits)]).body(rtl!("wkv/wkv_slot_states"));
    let bits = sizes.word_bits();
    let state = state::wkv_state(bits, sizes.state_words);
    for s in 0..sizes.slots {
        let one = |name: &str| format!("{name}[{s}]");
        instance! { m, format!("u_state_{s}"), state;
            clear_i: one("clear_i"), clear_busy_o: one("clear_busy"), hold_i: run, we_i: one("write_slots"),
            waddr_i: write_addr, wdata_i: s_new, re_i: one("read_slots"), raddr_i: read_addr,
            rdata_o: part("s_words", s, bits),
        }
    }
}

/// The two passes.
fn passes(m: &mut Module, sizes: &Sizes) {
    let mut c = wires! {
        s_addr_i: first_addr, s_addr_o: read_addr, s_i: s_read, valid_o: old_valid, word_o: s_old, sa_o: sa_old,
        sa_final_o: sa, idle_o: idle_1, ..
    };
    if sizes.ordered() {
        c.add("s_slot_o", "read_slot");
    }
    m.instance("u_pass1", &pass1::wkv_pass1(sizes), c);
    let mut c = wires! {
        s_addr_i: first_addr, valid_i: old_valid, word_i: s_old, sa_i: sa_old, we_o: write, s_addr_o: write_addr,
        s_o: s_new, y_o: y_data_o, clips_o: s_clips, idle_o: idle_2, ..
    };
    if sizes.ordered() {
        c.add("s_slot_o", "write_slot");
    }
    if sizes.many() {
        c.extend(wires! { slot_o: row_slot, s_of_o: trace_wkv_s_slot_o });
    }
    m.instance("u_pass2", &pass2::wkv_pass2(sizes), c);
}

/// Says which rows are final and handed over.
fn rows(m: &mut Module, sizes: &Sizes) {
    if !sizes.many() {
        m.body(rtl!("wkv/wkv_rows_one"));
        return;
    }
    m.body(rtl!("wkv/wkv_rows_slots"));
    let rows = rows::wkv_rows(sizes);
    for (name, step, row, slot) in
        [("u_sa_rows", "sa_valid", "sa_row", "trace_wkv_sa_slot_o"), ("u_y_rows", "hand_over", "y_row", "y_slot_o")]
    {
        instance! { m, name, rows; load_i: go, step_i: &step, row_o: &row, slot_o: &slot, .. }
    }
}

/// Contract and latency.
fn header(sizes: &Sizes) -> String {
    let end = match (sizes.streamed, sizes.many()) {
        (true, true) => {
            "State words come on s_* and leave on so_*, both in the order of the walk: each head for every slot (of a text that all slots\n\
             read, once). A word that is late, or one that is not taken, costs cycles. so_flush_o (pulse): all words of an instruction\n\
             have left; before that no other is accepted."
        }
        (true, false) => {
            "State words come on s_* and leave on so_*, both in order; a word that is late, or one that is not taken, costs cycles.\n\
             so_flush_o (pulse): all words of an instruction have left."
        }
        (false, _) => {
            "clear_i writes 0 to all state, one word a cycle, after a running instruction; no instruction is accepted until then."
        }
    };
    format!(
        "Delta-rule recurrence of one layer an instruction (docs/hardware.md, wkv), for head h, row i, column j:\n\
         \x20 sa_i  = sat(round(-sum_j S_ij * kk_j, shift_sa))\n\
         \x20 S'_ij = sat(S_ij - round(S_ij * d_j, 16) + round(sa_i * b_j, shift_b) + round(v_i * k_j, shift_vk))\n\
         \x20 y_i   = sat(round(sum_j S'_ij * r_j, shift_y))           to vmem element y_addr + h*N + i\n\
         State elements have {sw} bits, {vl} a word. Pass 1 reads each state word once and sums sa; the words wait in the row buffer;\n\
         pass 2 updates and writes each once, and sums y. Rows overlap: pass 1 runs ahead as far as the row buffer allows.\n\
         Nothing inside stalls: a word is read, or taken into pass 2, only if there is room for everything that follows from it, so\n\
         a y that vmem refuses stops the front ends, never a pipeline. y_valid_o does not depend on y_ready_i.\n\
         Operands and exponents must not change while an instruction that uses them runs (the program's waits see to it).\n\
         n_head, head_size and head_words are at least 1; head_size = head_words * {vl} <= 255.\n\
         Latency: heads * rows * head_words + head_words + {fill} cycles from the handshake to done_o, if every y is accepted at once,\n\
         head_size is at least 16 and head_words at most 49 (others are computed as well, a little slower);\n\
         done_o (pulse) follows the last y by one cycle; the next instruction is accepted in the cycle after it.\n\
         {end}",
        sw = sizes.sw,
        vl = sizes.vl,
        fill = overhead_cycles(sizes.vl, 1) - 1,
    )
}

fn ports(m: &mut Module, sizes: &Sizes) {
    let Sizes { vl, slots, slot_bits, .. } = *sizes;
    ports! { m;
        start_i "a token starts; nothing is kept from token to token here but the state", instr_valid_i, instr_ready_o,
        instr_i[WKV.bits] "isa.rs, WKV", instr_idx_i[COUNT_BITS], done_o "pulse: all S written, all y handed over",
        kw_en_i "operand write", kw_slot_i["anser_pkg::WKV_SLOT_BITS"] "isa.rs, wkv_slot",
        kw_addr_i["anser_pkg::WORD_ADDR_BITS"] "word",
        kw_data_i[slots * sizes.written * OPERAND_BITS] "signed elements, slot 0 lowest", exp_we_i,
        exp_slot_i["anser_pkg::WKV_SLOT_BITS"], exp_i[slots * EXP_BITS] "exponent of an operand",
    }
    if sizes.streamed {
        ports! { m;
            s_valid_i "state words", s_ready_o, s_data_i[MEMORY_ELEMENT_BITS * vl], so_valid_o "updated words",
            so_ready_i, so_data_o[vl * sizes.stored], so_flush_o,
        }
        if slots > 1 {
            ports! { m; so_slot_o[slot_bits] "whose word leaves" }
        }
    } else {
        ports! { m; clear_i[slots] "pulse", clear_busy_o }
    }
    if sizes.port {
        ports! { m;
            host_re_i "a host asks for a state word, between tokens", host_we_i "a host writes one",
            host_addr_i[sizes.state_addr], host_data_i[sizes.word_bits()],
            host_data_o[sizes.word_bits()] "as rdata_o of wkv_state",
        }
    }
    ports! { m;
        y_valid_o, y_ready_i, y_addr_o["anser_pkg::WKV_Y_ADDR_BITS"] "vmem element", y_data_o[VEC_BITS] "signed",
    }
    if slots > 1 {
        sizes.slot_ports(m);
        ports! { m; y_slot_o[slot_bits] "whose y" }
    }
    ports! { m; sat_o[sat_bits(vl)] "values clipped, one cycle's", busy_o "an instruction runs" }
    if slots > 1 {
        for group in ["s", "sa", "y"] {
            m.output(format!("trace_wkv_{group}_slot_o"), slot_bits, "whose");
        }
    }
    for (group, doc, place, bits) in [
        ("s", "a state word is written", ("addr", WKV.field("s_addr").1), sizes.word_bits()),
        ("sa", "an sa_i is final", ("row", WKV.field("y_addr").1), sizes.sw),
        ("y", "a y_i is handed over", ("row", WKV.field("y_addr").1), VEC_BITS),
    ] {
        m.output(format!("trace_wkv_{group}_valid_o"), 1, doc);
        m.output(format!("trace_wkv_{group}_op_o"), COUNT_BITS, "");
        m.output(format!("trace_wkv_{group}_{}_o", place.0), place.1, "");
        m.output(format!("trace_wkv_{group}_data_o"), bits, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every lane count, odd state widths, one operand word, the largest state.
    #[test]
    fn prints_for_every_shape() {
        for (bus_bits, state_bits, n_embd, state_words) in [
            (128, 16, 256, 24576),
            (128, 24, 4096, 24576),
            (256, 17, 48, 1000),
            (512, 24, 16, 1 << 20),
            (512, 32, 256, 6144),
        ] {
            let mut config = Config::parse(include_str!("../../../../configs/nano.toml"), "nano").unwrap();
            config.bus_bits = bus_bits;
            config.numbers.state_bits = state_bits;
            config.limits.n_embd = n_embd;
            config.limits.state_elements = state_words * config.vlanes();
            let printed = crate::hdl::print(&wkv(&config)).unwrap();
            assert_eq!(printed.top, "anser_wkv");
        }
    }
}
