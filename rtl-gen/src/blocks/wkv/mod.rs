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
mod round;
mod setup;
mod slots;
mod state;
mod stream;
mod stream_slots;
mod walk;
mod wires;

use crate::config::{Config, EXP_BITS, OPERAND_BITS, VEC_BITS};
use crate::hdl::{index_bits, Module};
use crate::isa::WKV;
use std::sync::Arc;
use wires::{RESULTS, ROWS, SLOT_ROWS, SLOT_WIRES, STREAM_SLOT_WIRES, WIRES};

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

/// What the widths inside follow from.
struct Sizes {
    /// Elements a word.
    vl: usize,
    /// Elements a word of the vector unit, which writes the operands.
    written: usize,
    /// Sessions side by side, and bits of the number of one.
    slots: usize,
    slot_bits: usize,
    /// Bits of a state element.
    sw: usize,
    /// Address bits of the state and of an operand.
    state_addr: usize,
    word_addr: usize,
    /// The state comes from memory and goes back there; words may be late.
    streamed: bool,
}

impl Sizes {
    /// Rows that may wait for pass 2 (`sa_i`), and rows that may wait for vmem (`y_i`): as many as the pipelines hold at full
    /// rate if a row has 16 elements or more.
    fn row_queue(&self) -> usize {
        (2 * self.vl).min(32)
    }

    /// Bits of the elements of a word that were clipped in one cycle.
    fn clip_bits(&self) -> usize {
        index_bits(self.vl + 1).max(6)
    }
}

/// The recurrence unit of `config`: VL = `vlanes` lanes, state elements of SW = `state_bits`.
pub fn wkv(config: &Config) -> Arc<Module> {
    let (vl, sw) = (config.wkv_lanes(), config.numbers.state_bits);
    let words = config.limits.n_embd / vl;
    let streamed = config.streams_state();
    let slots = config.sessions;
    let sizes = Sizes {
        vl,
        written: config.vlanes(),
        slots,
        slot_bits: index_bits(slots),
        sw,
        state_addr: index_bits(config.state_words()),
        word_addr: index_bits(words),
        streamed,
    };
    let many = slots > 1;
    let mut m = Module::new("wkv", header(&sizes));
    ports(&mut m, config, &sizes);
    let spare = 20 - sizes.state_addr;
    let vars = [
        ("s", (sw - 1).to_string()),
        ("sword", (vl * sw - 1).to_string()),
        ("oword", (vl * OPERAND_BITS - 1).to_string()),
        ("sa", (sizes.state_addr - 1).to_string()),
        ("wa", (sizes.word_addr - 1).to_string()),
        ("slots", slots.to_string()),
        ("shifts", (6 * slots - 1).to_string()),
        ("slot", (sizes.slot_bits - 1).to_string()),
        ("top", (slots - 1).to_string()),
        ("total", (setup::HEAD_TOTAL_BITS - 1).to_string()),
        ("cmsb", (sizes.clip_bits() - 1).to_string()),
        ("satmsb", (sat_bits(vl) - 1).to_string()),
        ("satpad", format!("{}'b0", sat_bits(vl) - 1)),
        (
            "s_clips",
            match sat_bits(vl) - sizes.clip_bits() {
                0 => "s_clips".into(),
                n => format!("{{{n}'b0, s_clips}}"),
            },
        ),
        ("s_pad", if spare > 0 { format!("{spare}'b0, ") } else { String::new() }),
    ];
    m.text(WIRES, &vars);
    if many {
        m.text(if streamed { STREAM_SLOT_WIRES } else { SLOT_WIRES }, &vars);
    }
    if spare > 0 {
        m.text("  wire unused_s_addr = &{1'b0, s_addr[19:{{sa}}]};", &[("sa", sizes.state_addr.to_string())]);
    }
    let same = |p: &'static str| (p, p);
    let fields = [("go_i", "go"), ("n_head_i", "n_head"), ("head_size_i", "head_size"), ("head_words_i", "head_words")];
    let s_addr = format!("s_addr[{}:0]", sizes.state_addr - 1);

    let mut c: Vec<(&str, &str)> =
        ["instr_valid_i", "instr_ready_o", "instr_i", "instr_idx_i", "exp_we_i", "exp_slot_i", "exp_i"]
            .map(same)
            .into();
    c.extend([
        (
            "block_i",
            match streamed {
                true if many => "words_left",
                true => "1'b0",
                false => "clear_busy_o",
            },
        ),
        ("finish_i", "finish"),
        ("run_o", "run"),
        ("go_o", "go"),
        ("op_o", "op"),
    ]);
    c.extend([
        ("n_head_o", "n_head"),
        ("head_size_o", "head_size"),
        ("head_words_o", "head_words"),
        ("s_addr_o", "s_addr"),
    ]);
    c.extend([
        ("y_addr_o", "y_addr"),
        ("shift_sa_o", "shift_sa"),
        ("shift_b_o", "shift_b"),
        ("shift_vk_o", "shift_vk"),
    ]);
    c.push(("shift_y_o", "shift_y"));
    if many && !streamed {
        c.push(("head_total_o", "head_total"));
    }
    m.instance("u_setup", &setup::wkv_setup(slots, many && !streamed), &c);

    let mut c = ["kw_en_i", "kw_slot_i", "kw_addr_i", "kw_data_i"].map(same).to_vec();
    c.extend([("kk_en_i", "kk_read"), ("kk_addr_i", "kk_addr"), ("kk_o", "kk")]);
    c.extend([
        ("row_en_i", "take"),
        ("dbk_addr_i", "dbk_addr"),
        ("v_addr_i", "v_addr"),
        ("d_o", "d"),
        ("b_o", "b"),
        ("k_o", "k"),
        ("v_o", "v"),
    ]);
    c.extend([("r_en_i", "r_read"), ("r_addr_i", "r_addr"), ("r_o", "r")]);
    if many {
        c.extend([("kk_whose_i", "kk_slot"), ("row_whose_i", "row_slot"), ("r_whose_i", "r_slot")]);
        m.instance("u_operands", &operands::wkv_slot_operands(&sizes, words), &c);
    } else {
        m.instance("u_operands", &operands::wkv_operands(&sizes, words), &c);
    }

    let mut c = vec![("we_i", "write"), ("wdata_i", "s_new"), ("re_i", "read"), ("rdata_o", "s_read")];
    if streamed {
        c.extend([("have_o", "have"), ("room_o", "room"), ("take_i", "take"), ("finish_i", "finish")]);
        c.extend([("in_valid_i", "s_valid_i"), ("in_ready_o", "s_ready_o"), ("in_data_i", "s_data_i")]);
        c.extend([("out_valid_o", "so_valid_o"), ("out_ready_i", "so_ready_i"), ("out_data_o", "so_data_o")]);
        c.push(("flush_o", "so_flush_o"));
        m.text("  wire have, room;\n  wire unused_read_addr = &{1'b0, read_addr};", &[]);
        let depth = config.limits.state_fifo_beats;
        let words = stream::wkv_stream(vl, sw, config.stored_bits(), depth);
        if many {
            c.extend(fields);
            c.extend(slots::INPUTS);
            c.extend([("busy_o", "words_left"), ("out_slot_o", "so_slot_o")]);
            m.instance("u_state", &stream_slots::wkv_stream_slots(&sizes, config.stored_bits(), depth, &words), &c);
        } else {
            m.instance("u_state", &words, &c);
        }
    } else if many {
        slot_states(&mut m, config, &sizes);
    } else {
        c.extend([("hold_i", "run"), ("waddr_i", "write_addr"), ("raddr_i", "read_addr")]);
        c.extend(["clear_i", "clear_busy_o"].map(same));
        m.instance("u_state", &state::wkv_state(vl * sw, config.state_words()), &c);
    }

    let mut c = fields.to_vec();
    c.extend([
        ("s_addr_i", s_addr.as_str()),
        ("shift_sa_i", "shift_sa"),
        ("read_o", "read"),
        ("s_addr_o", "read_addr"),
        ("kk_read_o", "kk_read"),
        ("kk_addr_o", "kk_addr"),
    ]);
    c.extend([("s_i", "s_read"), ("kk_i", "kk"), ("valid_o", "old_valid"), ("word_o", "s_old"), ("sa_o", "sa_old")]);
    c.extend([("take_i", "take"), ("take_last_i", "take_last"), ("sa_valid_o", "sa_valid"), ("sa_final_o", "sa")]);
    c.extend([("sa_clipped_o", "sa_clipped"), ("idle_o", "idle_1")]);
    c.extend(streamed.then_some(("have_i", "have")));
    if many {
        c.extend(slots::INPUTS);
        c.push(("kk_slot_o", "kk_slot"));
    }
    if many && !streamed {
        c.extend([("head_total_i", "head_total"), ("write_i", "write"), ("s_slot_o", "read_slot")]);
    }
    m.instance("u_pass1", &pass1::wkv_pass1(&sizes), &c);

    let mut c = fields.to_vec();
    c.extend([
        ("s_addr_i", s_addr.as_str()),
        ("shift_b_i", "shift_b"),
        ("shift_vk_i", "shift_vk"),
        ("shift_y_i", "shift_y"),
    ]);
    c.extend([
        ("valid_i", "old_valid"),
        ("word_i", "s_old"),
        ("sa_i", "sa_old"),
        ("take_o", "take"),
        ("take_last_o", "take_last"),
    ]);
    c.extend([
        ("dbk_addr_o", "dbk_addr"),
        ("v_addr_o", "v_addr"),
        ("d_i", "d"),
        ("b_i", "b"),
        ("k_i", "k"),
        ("v_i", "v"),
    ]);
    c.extend([
        ("r_read_o", "r_read"),
        ("r_addr_o", "r_addr"),
        ("r_i", "r"),
        ("we_o", "write"),
        ("s_addr_o", "write_addr"),
        ("s_o", "s_new"),
    ]);
    c.extend([("y_valid_o", "y_valid_o"), ("y_ready_i", "y_ready_i"), ("y_o", "y_data_o"), ("clips_o", "s_clips")]);
    c.extend([("y_clipped_o", "y_clipped"), ("idle_o", "idle_2")]);
    c.extend(streamed.then_some(("room_i", "room")));
    if many {
        c.extend(slots::INPUTS);
        c.extend([("slot_o", "row_slot"), ("r_slot_o", "r_slot"), ("s_of_o", "trace_wkv_s_slot_o")]);
    }
    if many && !streamed {
        c.push(("s_slot_o", "write_slot"));
    }
    m.instance("u_pass2", &pass2::wkv_pass2(&sizes), &c);

    m.text(if many { SLOT_ROWS } else { ROWS }, &vars);
    if many {
        let rows = slots::wkv_rows(&sizes);
        for (name, step, row, slot) in
            [("u_sa_rows", "sa_valid", "sa_row", "trace_wkv_sa_slot_o"), ("u_y_rows", "hand_over", "y_row", "y_slot_o")]
        {
            let mut c = vec![("load_i", "go"), ("n_head_i", "n_head"), ("head_size_i", "head_size"), ("step_i", step)];
            c.extend([("row_o", row), ("slot_o", slot)]);
            c.extend(slots::INPUTS);
            m.instance(name, &rows, &c);
        }
    }
    m.text(RESULTS, &vars);
    m.done()
}

/// The state of each slot: a memory of its own, which answers 0 when it is not read.
fn slot_states(m: &mut Module, config: &Config, sizes: &Sizes) {
    let bits = sizes.vl * sizes.sw;
    let state = state::wkv_state(bits, config.state_words());
    let mut words = vec![];
    for s in 0..sizes.slots {
        let number = format!("{}'d{s}", sizes.slot_bits);
        let [clear, busy] = ["clear_i", "clear_busy"].map(|n| format!("{n}[{s}]"));
        let (we, re) = (format!("write && (write_slot == {number})"), format!("read && (read_slot == {number})"));
        let word = format!("s_read_{s}");
        m.text("  wire [{{msb}}:0] {{w}};", &[("msb", (bits - 1).to_string()), ("w", word.clone())]);
        m.instance(
            &format!("u_state_{s}"),
            &state,
            &[
                ("clear_i", &clear),
                ("clear_busy_o", &busy),
                ("hold_i", "run"),
                ("we_i", &we),
                ("waddr_i", "write_addr"),
                ("wdata_i", "s_new"),
                ("re_i", &re),
                ("raddr_i", "read_addr"),
                ("rdata_o", &word),
            ],
        );
        words.push(word);
    }
    m.text("\n  assign s_read = {{all}};\n  assign clear_busy_o = |clear_busy;", &[("all", words.join(" | "))]);
}

fn header(sizes: &Sizes) -> String {
    let end = match sizes.streamed {
        true if sizes.slots > 1 => {
            "State words come on s_* and leave on so_*, both in the order of the walk: each head for every slot (of a text that all slots\n\
             read, once). A word that is late, or one that is not taken, costs cycles. so_flush_o (pulse): all words of an instruction\n\
             have left; before that no other is accepted."
        }
        true => {
            "State words come on s_* and leave on so_*, both in order; a word that is late, or one that is not taken, costs cycles.\n\
             so_flush_o (pulse): all words of an instruction have left."
        }
        false => "clear_i writes 0 to all state, one word a cycle, after a running instruction; no instruction is accepted until then.",
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

fn ports(m: &mut Module, config: &Config, sizes: &Sizes) {
    let Sizes { vl, sw, slots, written, .. } = *sizes;
    m.input("start_i", 1, "a token starts; nothing is kept from token to token here but the state");
    m.input("instr_valid_i", 1, "").output("instr_ready_o", 1, "").input("instr_i", WKV.bits, "isa.rs, WKV").input(
        "instr_idx_i",
        12,
        "",
    );
    m.output("done_o", 1, "pulse: all S written, all y handed over");
    m.input("kw_en_i", 1, "operand write").input("kw_slot_i", 3, "isa.rs, wkv_slot").input("kw_addr_i", 14, "word");
    m.input("kw_data_i", slots * written * OPERAND_BITS, "signed elements, slot 0 lowest");
    m.input("exp_we_i", 1, "").input("exp_slot_i", 3, "").input("exp_i", slots * EXP_BITS, "exponent of an operand");
    if sizes.streamed {
        m.input("s_valid_i", 1, "state words").output("s_ready_o", 1, "").input("s_data_i", 32 * vl, "");
        m.output("so_valid_o", 1, "updated words").input("so_ready_i", 1, "");
        m.output("so_data_o", vl * config.stored_bits(), "").output("so_flush_o", 1, "");
        if slots > 1 {
            m.output("so_slot_o", sizes.slot_bits, "whose word leaves");
        }
    } else {
        m.input("clear_i", slots, "pulse").output("clear_busy_o", 1, "");
    }
    m.output("y_valid_o", 1, "")
        .input("y_ready_i", 1, "")
        .output("y_addr_o", 18, "vmem element")
        .output("y_data_o", VEC_BITS, "signed");
    if slots > 1 {
        slots::inputs(m, sizes);
        m.output("y_slot_o", sizes.slot_bits, "whose y");
    }
    m.output("sat_o", sat_bits(vl), "values clipped, one cycle's").output("busy_o", 1, "an instruction runs");
    m.output("trace_wkv_s_valid_o", 1, "a state word is written").output("trace_wkv_s_op_o", 12, "");
    if slots > 1 {
        for group in ["s", "sa", "y"] {
            m.output(format!("trace_wkv_{group}_slot_o"), sizes.slot_bits, "whose");
        }
    }
    m.output("trace_wkv_s_addr_o", 20, "").output("trace_wkv_s_data_o", vl * sw, "");
    m.output("trace_wkv_sa_valid_o", 1, "an sa_i is final").output("trace_wkv_sa_op_o", 12, "");
    m.output("trace_wkv_sa_row_o", 18, "").output("trace_wkv_sa_data_o", sw, "");
    m.output("trace_wkv_y_valid_o", 1, "a y_i is handed over").output("trace_wkv_y_op_o", 12, "");
    m.output("trace_wkv_y_row_o", 18, "").output("trace_wkv_y_data_o", VEC_BITS, "");
}

/// Bits of `sat_o` with `lanes` lanes: all of them, an sa and a y.
pub fn sat_bits(lanes: usize) -> usize {
    index_bits(lanes + 3).max(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every lane count, odd state widths, one operand word, the largest state. `ANSER_DUMP_RTL=dir` writes the files.
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
            if let Ok(dir) = std::env::var("ANSER_DUMP_RTL") {
                let dir = format!("{dir}/wkv_{bus_bits}_{state_bits}");
                std::fs::create_dir_all(&dir).unwrap();
                for (file, text) in &printed.files {
                    std::fs::write(format!("{dir}/{file}"), text).unwrap();
                }
            }
        }
    }
}
